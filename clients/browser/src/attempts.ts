// One request, attempted until it is answered.

import { checked, decoded } from "./answers.ts";
import { Lost, Passing, Refused, Unanswered } from "./failures.ts";
import { AT_THE_DOOR, pauseMs, type Patience } from "./patience.ts";

/** The outside world; the browser's own unless a test brings another. */
export interface World {
  readonly fetch: typeof fetch;
  readonly now: () => number;
  readonly sleep: (ms: number) => Promise<void>;
  readonly chance: () => number;
}

export const BROWSER: World = {
  fetch: (...given) => globalThis.fetch(...given),
  now: () => performance.now(),
  sleep: (ms) => new Promise((wake) => setTimeout(wake, ms)),
  chance: () => Math.random(),
};

/** What is asked; `fields` are those that every yes of this route has. */
export interface Question {
  readonly method: "GET" | "POST" | "DELETE";
  readonly path: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly fields?: readonly string[];
}

export class Attempts {
  readonly #url: string;
  readonly #token: string;
  readonly patience: Patience;
  readonly world: World;

  constructor(url: string, token: string, patience: Patience, world: World) {
    this.#url = url.replace(/\/$/, "");
    this.#token = token;
    this.patience = patience;
    this.world = world;
  }

  /** Safe for questions that carry a key or change nothing. Throws Refused, or Unanswered at the end. */
  async ask(question: Question): Promise<unknown> {
    const until = this.world.now() + this.patience.totalMs;
    for (let attempt = 0; ; attempt += 1) {
      try {
        return await this.once(question, this.patience.answerMs);
      } catch (failure) {
        const knowsNothing = attempt > 0 && failure instanceof Refused && AT_THE_DOOR.has(failure.status);
        if (knowsNothing || !(await this.waited(attempt, failure, until))) {
          throw new Unanswered(`${question.method} ${question.path.split("?")[0]}`, failure);
        }
      }
    }
  }

  /** Throws Lost, Passing or Refused. */
  async once(question: Question, timeMs: number): Promise<unknown> {
    const response = await this.send(question, AbortSignal.timeout(timeMs));
    const text = await response.text().catch(lost);
    return checked(response.status, decoded(text), response.headers.get("retry-after"), question.fields ?? []);
  }

  /** The bare answer. Throws Lost. */
  send({ method, path, body, headers = {} }: Question, signal: AbortSignal): Promise<Response> {
    const typed = body === undefined ? {} : { "Content-Type": "application/json" };
    const asked: RequestInit = {
      method,
      headers: { Authorization: `Bearer ${this.#token}`, ...typed, ...headers },
      credentials: "omit",
      redirect: "error",
      cache: "no-store",
      signal,
    };
    if (body !== undefined) asked.body = JSON.stringify(body);
    return this.world.fetch(this.#url + path, asked).catch(lost);
  }

  /** Pauses before the next attempt; false when there would be no time left for it. Throws what is final. */
  async waited(attempt: number, failure: unknown, until: number): Promise<boolean> {
    const pause = this.pauseMs(attempt, failure);
    if (this.world.now() + pause >= until) return false;
    await this.world.sleep(pause);
    return true;
  }

  /** Throws what is final. */
  pauseMs(attempt: number, failure: unknown): number {
    if (!(failure instanceof Lost || failure instanceof Passing)) throw failure;
    return pauseMs(this.patience, attempt, this.world.chance(), failure instanceof Passing ? failure.toldMs : 0);
  }
}

export function lost(error: unknown): never {
  throw new Lost(error instanceof Error ? error.message : String(error), { cause: error });
}
