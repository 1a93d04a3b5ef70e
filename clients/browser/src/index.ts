// Talks to tilld, the till daemon for loyalty points, from a web page.

export { Lost, Passing, Refused, Unanswered } from "./failures.ts";
export type { Patience } from "./patience.ts";
export { IndexedPending, type Pending, type Sent } from "./pending.ts";
export type * from "./shapes.ts";
export { Till, type Choices, type Resumed } from "./till.ts";
export type { Question, World } from "./attempts.ts";
