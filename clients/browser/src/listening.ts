// Two ways to hear of cards: wait for the next one, or follow everything that happens.

import type { Attempts } from "./attempts.ts";
import { lost } from "./attempts.ts";
import { checked, decoded } from "./answers.ts";
import { EventParser, RESET } from "./events.ts";
import { Lost, Refused, Unanswered } from "./failures.ts";
import type { Read, ReadRequest, TillEvent } from "./shapes.ts";

const READ_GRACE_MS = 15_000; // the till says a little after the time is up that no card came
const SILENCE_MS = 60_000; // the till sends a comment every 15 s, so a longer silence is a dead line
const FIELDS = ["read_id", "card", "entry_mode"];

/** Waits for its turn, too, while another POS waits. Throws Refused, or Unanswered when no till was there. */
export async function nextCard(attempts: Attempts, timeoutMs: number, entryModes: ReadRequest["entry_modes"]): Promise<Read> {
  const until = attempts.world.now() + timeoutMs;
  for (let attempt = 0; ; attempt += 1) {
    const left = Math.max(1, Math.trunc(until - attempts.world.now()));
    const body = { timeout_ms: left, entry_modes: entryModes };
    try {
      const question = { method: "POST", path: "/v1/reads", body, fields: FIELDS } as const;
      return (await attempts.once(question, left + READ_GRACE_MS)) as Read;
    } catch (failure) {
      const crowded = failure instanceof Refused && failure.code === "busy";
      if (await attempts.waited(attempt, crowded ? new Lost(failure.message) : failure, until)) continue;
      throw crowded ? failure : new Unanswered("The read", failure);
    }
  }
}

/** Without end, over breaks of the line and restarts of the till. Throws Refused (a wrong token). */
export async function* everything(attempts: Attempts, after: string | null): AsyncGenerator<TillEvent, never> {
  let last = after;
  let broken = false;
  for (let attempt = 0; ; attempt += 1) {
    let failure: unknown = new Lost("the stream has ended");
    try {
      for await (const event of stream(attempts, last, broken && last === null)) {
        last = event.id || last;
        attempt = 0;
        yield event;
      }
    } catch (error) {
      failure = error;
    }
    broken = true;
    await attempts.world.sleep(attempts.pauseMs(attempt, failure));
  }
}

async function* stream(attempts: Attempts, last: string | null, unseen: boolean): AsyncGenerator<TillEvent> {
  const silence = new Silence();
  const headers: Record<string, string> = last === null ? {} : { "Last-Event-ID": last };
  try {
    const response = await attempts.send({ method: "GET", path: "/v1/events", headers }, silence.signal);
    if (response.status !== 200) checked(response.status, decoded(await response.text().catch(lost)), null, []);
    if (response.body === null || !isStream(response)) throw new Lost("this is not the till's stream");
    const parser = new EventParser();
    let told = !unseen;
    for await (const text of pieces(response.body, silence)) {
      // With its first piece, not with its head, the stream has a place from which nothing is missed.
      if (!told) yield RESET;
      told = true;
      yield* parser.push(text);
    }
  } finally {
    silence.end();
  }
}

async function* pieces(body: ReadableStream<Uint8Array>, silence: Silence): AsyncGenerator<string> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  for (;;) {
    const { value, done } = await reader.read().catch(lost);
    if (done) return;
    silence.heard();
    yield decoder.decode(value, { stream: true });
  }
}

function isStream(response: Response): boolean {
  return response.headers.get("content-type")?.startsWith("text/event-stream") ?? false;
}

/** Ends a stream on which nothing has come for too long. */
class Silence {
  readonly #ends = new AbortController();
  #timer = this.#begin();

  get signal(): AbortSignal {
    return this.#ends.signal;
  }

  heard(): void {
    clearTimeout(this.#timer);
    this.#timer = this.#begin();
  }

  end(): void {
    clearTimeout(this.#timer);
    this.#ends.abort();
  }

  #begin(): ReturnType<typeof setTimeout> {
    return setTimeout(() => this.#ends.abort(), SILENCE_MS);
  }
}
