// The till as a POS uses it: calls are repeated rightly, and a sale has the key that makes it count once.

import { Attempts, BROWSER, type Question, type World } from "./attempts.ts";
import { Refused } from "./failures.ts";
import { everything, nextCard } from "./listening.ts";
import { USUAL, type Patience } from "./patience.ts";
import type { Pending } from "./pending.ts";
import type { Answer, CardAnswer, CardWish, Outcome, Read, ReadRequest, Request, Status, TillEvent } from "./shapes.ts";

const KEY = /^[\x20-\x7e]{1,64}$/;
const ANSWER_FIELDS = ["id", "kind", "state", "points"];

/** What became of a request that was sent before a crash: the till's word on it, or its refusal. */
export type Resumed = { readonly key: string; readonly request: Request } & (
  | { readonly answer: Answer | Outcome; readonly refused?: never }
  | { readonly refused: Refused; readonly answer?: never }
);

export interface Choices {
  /** Where requests are kept before they are sent. Without it a crash leaves nothing to settle. */
  readonly pending?: Pending;
  readonly patience?: Patience;
  readonly world?: World;
}

/** Every call throws Refused for the till's no, and Unanswered when its patience is used up. */
export class Till {
  readonly #attempts: Attempts;
  readonly #pending: Pending | undefined;

  /** `token` is the content of `pos.token`; the till's `[api] origins` must name the page's origin. */
  constructor(url: string, token: string, choices: Choices = {}) {
    this.#attempts = new Attempts(url, token, choices.patience ?? USUAL, choices.world ?? BROWSER);
    this.#pending = choices.pending;
  }

  /** Give `amount` and let the till's rule count, or give `points`. Without a card print the answer's `claim`. */
  earn(key: string, sale: Omit<Request, "kind" | "reverses">): Promise<Answer> {
    return this.transact(key, { ...sale, kind: "earn" });
  }

  /** Hand over the reward only when it has resolved. */
  redeem(key: string, card: CardWish, points: number): Promise<Answer> {
    return this.transact(key, { kind: "redeem", card, points });
  }

  /** All of the transaction with the id `original`, or `points` of it. */
  reverse(key: string, original: string, points?: number): Promise<Answer> {
    return this.transact(key, { kind: "reverse", reverses: original, ...(points === undefined ? {} : { points }) });
  }

  /** Durable at the till when it resolves. After Unanswered it stays pending. */
  async transact(key: string, request: Request): Promise<Answer> {
    if (!KEY.test(key)) throw new RangeError("A key has 1 to 64 printable ASCII characters.");
    await this.#pending?.keep(key, request);
    try {
      const headers = { "Idempotency-Key": key };
      const question = { method: "POST", path: "/v1/transactions", body: request, headers, fields: ANSWER_FIELDS } as const;
      const answer = (await this.ask(question)) as Answer;
      await this.#pending?.settle(key);
      return answer;
    } catch (failure) {
      if (failure instanceof Refused) await this.#pending?.settle(key);
      throw failure;
    }
  }

  /** After a crash: what became of every request that had no answer. What the till never heard is sent now.
   *
   * A redemption whose customer has gone may be among them; reverse it if nothing was handed over. */
  async resume(): Promise<Resumed[]> {
    const settled: Resumed[] = [];
    for (const { key, request } of (await this.#pending?.all()) ?? []) settled.push(await this.#resumed(key, request));
    return settled;
  }

  async #resumed(key: string, request: Request): Promise<Resumed> {
    try {
      const known = await this.outcome(key);
      if (known === null) return { key, request, answer: await this.transact(key, request) };
      await this.#pending?.settle(key);
      return { key, request, answer: known };
    } catch (failure) {
      if (failure instanceof Refused && failure.status !== 401) return { key, request, refused: failure };
      throw failure;
    }
  }

  /** null: it is not recorded, or not yet. Sent again with the same key it counts once. */
  async outcome(key: string): Promise<Outcome | null> {
    const path = `/v1/transactions?idempotency_key=${encodeURIComponent(key)}`;
    try {
      return (await this.ask({ method: "GET", path, fields: ANSWER_FIELDS })) as Outcome;
    } catch (failure) {
      if (failure instanceof Refused && failure.code === "not_found") return null;
      throw failure;
    }
  }

  /** Waits for the next card. Refused is `no_card`, `card_refused`, `aborted`, or `busy` when its turn never came. */
  read(timeoutMs = 30_000, entryModes: ReadRequest["entry_modes"] = []): Promise<Read> {
    return nextCard(this.#attempts, timeoutMs, entryModes);
  }

  /** Ends the waiting read; its caller hears `aborted`. */
  async endRead(): Promise<void> {
    await this.ask({ method: "DELETE", path: "/v1/reads/current" });
  }

  card(number: string): Promise<CardAnswer> {
    return this.ask({ method: "GET", path: `/v1/cards/${encodeURIComponent(number)}` }) as Promise<CardAnswer>;
  }

  status(): Promise<Status> {
    return this.ask({ method: "GET", path: "/v1/status" }) as Promise<Status>;
  }

  /** Everything that happens, without end. `reset` means that events are missing here: ask for the status again.
   *
   * `after` is the last id that was seen; "first" brings all that the till still remembers. */
  events(after: string | null = null): AsyncGenerator<TillEvent, never> {
    return everything(this.#attempts, after);
  }

  /** Any other route of the API, repeated until it is answered. */
  ask(question: Question): Promise<unknown> {
    return this.#attempts.ask(question);
  }
}
