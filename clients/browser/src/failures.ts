// What can go wrong, told apart by what a POS does next.

import type { Problem } from "./shapes.ts";

/** One attempt had no answer of the till: the line broke, time ran out, or somebody else answered. */
export class Lost extends Error {
  override readonly name = "Lost";
}

/** The till said no, and will say so again: nothing was recorded. Go by `code`; `message` is for people. */
export class Refused extends Error {
  override readonly name = "Refused";
  readonly status: number;
  readonly code: string;
  readonly problem: Problem;

  constructor(status: number, problem: Problem) {
    super(problem.detail);
    this.status = status;
    this.code = problem.code;
    this.problem = problem;
  }
}

/** A refusal that may pass by itself; `toldMs` is the till's Retry-After. */
export class Passing extends Error {
  override readonly name = "Passing";
  readonly refused: Refused;
  readonly toldMs: number;

  constructor(refused: Refused, toldMs: number) {
    super(refused.message);
    this.refused = refused;
    this.toldMs = toldMs;
  }
}

/** All patience is used up and nobody knows whether it was recorded: send it again with the same key, or ask. */
export class Unanswered extends Error {
  override readonly name = "Unanswered";

  constructor(what: string, last: unknown) {
    super(`${what} was not answered: it may be recorded or not.`, { cause: last });
  }
}
