// When to try again, and how long to wait before it: pure, so that every case can be looked at.

export interface Patience {
  /** For so long a request is tried. */
  readonly totalMs: number;
  /** Pauses double from this one ... */
  readonly firstMs: number;
  /** ... up to this one. */
  readonly mostMs: number;
  /** One attempt may take so long: more than the till needs for its slowest yes, 60 s. */
  readonly answerMs: number;
}

export const USUAL: Patience = { totalMs: 90_000, firstMs: 200, mostMs: 5000, answerMs: 75_000 };

const AGAIN = new Set([408, 429, 500, 502, 503, 504]);
/** Said before the till looks at a request: they tell nothing of what an earlier attempt has done. */
export const AT_THE_DOOR: ReadonlySet<number> = new Set([401, 403]);
/** Answers all the same: no card came in time; the ledger was asked for a person who waits, and kept silent. */
const FINAL_CODES = new Set(["no_card", "ledger_unreachable"]);
const MOST_TOLD_MS = 60_000;

/** Before the next attempt after `attempt` (0, 1, ...); `chance` (0 to 1) spreads many tills. Never less than told. */
export function pauseMs(patience: Patience, attempt: number, chance: number, toldMs = 0): number {
  const grown = Math.min(patience.mostMs, patience.firstMs * 2 ** attempt);
  return Math.max(toldMs, grown * (0.5 + chance / 2));
}

/** Whether this refusal may pass by itself. */
export function passes(status: number, code: string): boolean {
  return AGAIN.has(status) && !FINAL_CODES.has(code);
}

/** A Retry-After header in seconds (RFC 9110, section 10.2.3), at most a minute; 0 for a date or nonsense. */
export function retryAfterMs(header: string | null): number {
  return header !== null && /^\d{1,9}$/.test(header) ? Math.min(MOST_TOLD_MS, Number(header) * 1000) : 0;
}
