// Server-sent events (WHATWG HTML, section 9.2.6) from text in pieces; EventSource itself cannot send a token.

import { decoded } from "./answers.ts";
import { Lost } from "./failures.ts";
import type { TillEvent } from "./shapes.ts";

/** Said by this package: the line broke before the first event, so nobody can tell what happened meanwhile. */
export const RESET: TillEvent = { id: "", kind: "reset", data: { reason: "unseen" } };

const LONGEST = 1024 * 1024;

/** Takes text as it comes and gives the events that are whole. Throws Lost for data that is no JSON. */
export class EventParser {
  #rest = "";
  #id = "";
  #kind = "";
  #data: string[] = [];

  push(text: string): TillEvent[] {
    const lines = (this.#rest + text).split(/\r\n|\n|\r(?!$)/);
    this.#rest = lines.pop() ?? "";
    if (this.#rest.length > LONGEST) throw new Lost("a line of the stream is too long");
    return lines.flatMap((line) => this.#line(line));
  }

  #line(line: string): TillEvent[] {
    if (line === "") return this.#end();
    const colon = line.indexOf(":");
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (name === "data") this.#data.push(value);
    else if (name === "event") this.#kind = value;
    else if (name === "id" && !value.includes("\0")) this.#id = value;
    return [];
  }

  #end(): TillEvent[] {
    const [kind, data] = [this.#kind || "message", this.#data];
    this.#kind = "";
    this.#data = [];
    return data.length ? [{ id: this.#id, kind, data: decoded(data.join("\n")) }] : [];
  }
}
