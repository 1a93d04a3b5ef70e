// What the till takes and answers, by the names that a POS uses. All of it is generated from the till's own document.

import type { components } from "./api.ts";

type Schemas = components["schemas"];

export type Request = Schemas["TransactionRequest"];
export type CardWish = Schemas["CardNumber"];
export type Amount = Schemas["Amount"];
export type Receipt = Schemas["Receipt"];
export type Answer = Schemas["TransactionAnswer"];
export type Outcome = Schemas["Outcome"];
export type Read = Schemas["ReadAnswer"];
export type ReadRequest = Schemas["ReadRequest"];
export type Status = Schemas["Status"];
export type CardAnswer = Schemas["CardAnswer"];
export type Problem = Schemas["Problem"];

/** One event of the till's stream; `reset` means that events are missing here. */
export interface TillEvent {
  readonly id: string;
  readonly kind: string;
  readonly data: unknown;
}
