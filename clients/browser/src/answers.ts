// What to believe of an answer: pure, from its status, its JSON and its headers.

import { Lost, Passing, Refused } from "./failures.ts";
import { passes, retryAfterMs } from "./patience.ts";
import type { Problem } from "./shapes.ts";

/** The body of a yes that has these fields. Throws Refused or Passing for a no, Lost for what no till says. */
export function checked(status: number, body: unknown, retryAfter: string | null, fields: readonly string[]): unknown {
  if (status >= 200 && status < 300) {
    if (!fields.every((field) => isObject(body) && field in body)) throw new Lost("somebody else has answered");
    return body;
  }
  if (!isProblem(body)) throw new Lost(`somebody else than the till has answered with ${status}`);
  const refused = new Refused(status, body);
  if (passes(status, body.code)) throw new Passing(refused, retryAfterMs(retryAfter));
  throw refused;
}

/** JSON, or undefined for an empty body. Throws Lost for what is none: a portal or a proxy answered. */
export function decoded(text: string): unknown {
  if (text === "") return undefined;
  try {
    return JSON.parse(text);
  } catch {
    throw new Lost("the answer is no JSON");
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isProblem(value: unknown): value is Problem {
  return isObject(value) && typeof value["code"] === "string" && typeof value["detail"] === "string";
}
