// The browser client's rules in Node, which reads TypeScript as it is; run by test_browser_types.py.

import assert from "node:assert/strict";
import { test } from "node:test";

import { checked } from "../../clients/browser/src/answers.ts";
import { EventParser } from "../../clients/browser/src/events.ts";
import { Lost, Passing, Refused, Till, Unanswered, type Pending, type Request, type Sent } from "../../clients/browser/src/index.ts";
import { passes, pauseMs, retryAfterMs, USUAL } from "../../clients/browser/src/patience.ts";

const YES = { id: "x", kind: "earn", state: "queued", points: 5, card: null, balance: null };
const problem = (code: string) => ({ title: "", status: 0, code, detail: code, type: "about:blank" });

/** Answers one after the other; what was asked is kept, and time passes by sleeping alone. */
class Script {
  readonly asked: { url: string; init: RequestInit }[] = [];
  readonly pauses: number[] = [];
  #now = 0;
  readonly #answers: (Response | Error)[];

  constructor(...answers: (Response | Error)[]) {
    this.#answers = answers;
  }

  readonly fetch = async (url: RequestInfo | URL, init: RequestInit = {}): Promise<Response> => {
    this.asked.push({ url: String(url), init });
    const answer = this.#answers.shift() ?? new Error("no more");
    if (answer instanceof Error) throw answer;
    return answer;
  };
  readonly now = () => this.#now;
  readonly chance = () => 1;
  readonly sleep = async (ms: number) => {
    this.pauses.push(ms);
    this.#now += ms;
  };
}

class Remembered implements Pending {
  readonly kept = new Map<string, Request>();
  async keep(key: string, request: Request) {
    this.kept.set(key, request);
  }
  async settle(key: string) {
    this.kept.delete(key);
  }
  async all(): Promise<Sent[]> {
    return [...this.kept].map(([key, request]) => ({ key, request }));
  }
}

const json = (status: number, body: unknown, headers = {}) => new Response(JSON.stringify(body), { status, headers });
const till = (world: Script, pending: Pending = new Remembered()) => new Till("http://127.0.0.1:8780/", "secret", { pending, world });

test("the same request goes again with the same key", async () => {
  const world = new Script(
    new TypeError("network"),
    json(503, problem("busy"), { "retry-after": "3" }),
    json(200, "<html>"),
    json(201, YES),
  );
  const pending = new Remembered();
  assert.equal((await till(world, pending).earn("k-1", { points: 5 })).id, "x");
  assert.deepEqual(world.pauses, [200, 3000, 800]);
  for (const { url, init } of world.asked) {
    assert.equal(url, "http://127.0.0.1:8780/v1/transactions");
    assert.equal(init.body, '{"points":5,"kind":"earn"}');
    assert.deepEqual(init.headers, { Authorization: "Bearer secret", "Content-Type": "application/json", "Idempotency-Key": "k-1" });
    assert.equal(init.credentials, "omit");
  }
  assert.equal(pending.kept.size, 0);
});

test("patience ends, the sale stays pending, and is settled after a restart", async () => {
  const pending = new Remembered();
  await assert.rejects(till(new Script(), pending).earn("k-1", { points: 5 }), Unanswered);
  const again = new Script(json(404, problem("not_found")), json(201, YES));
  const [resumed] = await till(again, pending).resume();
  assert.equal(resumed?.answer?.id, "x");
  assert.deepEqual(again.asked.map(({ init }) => init.method), ["GET", "POST"]);
  assert.equal(pending.kept.size, 0);
});

test("a no is final, and one after a crash does not keep the others waiting", async () => {
  const pending = new Remembered();
  const no = () => json(409, problem("insufficient_points"));
  await assert.rejects(till(new Script(no()), pending).redeem("k-0", { number: "1" }, 9), Refused);
  assert.equal(pending.kept.size, 0);
  await pending.keep("k-1", { kind: "redeem", points: 9 });
  await pending.keep("k-2", { kind: "earn", points: 5 });
  const missing = () => json(404, problem("not_found"));
  const settled = await till(new Script(missing(), no(), missing(), json(201, YES)), pending).resume();
  assert.deepEqual(settled.map(({ key, refused }) => [key, refused?.code]), [["k-1", "insufficient_points"], ["k-2", undefined]]);
});

test("a wrong token settles nothing", async () => {
  const pending = new Remembered();
  await pending.keep("k-1", { kind: "earn", points: 5 });
  await assert.rejects(till(new Script(json(401, problem("unauthorized"))), pending).resume(), Refused);
  assert.equal(pending.kept.size, 1);
});

test("a token that is wrong by the second attempt tells nothing of the first", async () => {
  const pending = new Remembered();
  const world = new Script(new TypeError("network"), json(401, problem("unauthorized")));
  await assert.rejects(till(world, pending).earn("k-1", { points: 5 }), Unanswered);
  assert.equal(pending.kept.size, 1);
  await assert.rejects(till(new Script(json(401, problem("unauthorized")))).earn("k-1", { points: 5 }), Refused);
});

test("a key that the till would refuse is never sent", async () => {
  const world = new Script();
  for (const key of ["", "x".repeat(65), "é", "a\r\nb"]) await assert.rejects(till(world).earn(key, { points: 1 }), RangeError);
  assert.equal(world.asked.length, 0);
});

test("a read waits for its turn and for the line; no card is an answer", async () => {
  const read = { read_id: "r", card: { masked: "x" }, entry_mode: "scanned" };
  const world = new Script(json(409, problem("busy")), new TypeError("network"), json(200, read));
  assert.equal((await till(world).read(30_000)).read_id, "r");
  assert.deepEqual(world.asked.map(({ init }) => JSON.parse(String(init.body)).timeout_ms), [30_000, 29_800, 29_400]);
  await assert.rejects(till(new Script(json(408, problem("no_card")))).read(), { code: "no_card" });
  const crowd = new Script(...Array.from({ length: 60 }, () => json(409, problem("busy"))));
  await assert.rejects(till(crowd).read(5000), { code: "busy" });
});

test("events go on behind the last one, and a break before the first is a reset", async () => {
  const stream = (text: string) => new Response(text, { headers: { "content-type": "text/event-stream; charset=utf-8" } });
  const world = new Script(stream("retry: 2000\n\n"), stream('id: a-1\nevent: sync\ndata: {"n":1}\n\nid: a-2\nda'), stream("id: a-2\ndata: 2\n\n"));
  const heard = till(world).events();
  const kinds = [];
  for (let count = 0; count < 3; count += 1) kinds.push((await heard.next()).value.kind);
  assert.deepEqual(kinds, ["reset", "sync", "message"]);
  const after = world.asked.map(({ init }) => (init.headers as Record<string, string>)["Last-Event-ID"]);
  assert.deepEqual(after, [undefined, undefined, "a-1"]);
  await heard.return(undefined as never);
});

test("a stream with a wrong token ends", async () => {
  await assert.rejects(till(new Script(json(401, problem("unauthorized")))).events().next(), Refused);
});

test("events are the same however the text is cut", () => {
  const text = 'id: 7\r\nevent: x\r\ndata: {"a":\r\ndata: 1}\r\n\r\n: still here\n\ndata: 2\n\nid: 8\ndata: 3\n';
  const whole = new EventParser().push(text);
  assert.deepEqual(whole, [{ id: "7", kind: "x", data: { a: 1 } }, { id: "7", kind: "message", data: 2 }]);
  for (let at = 1; at < text.length; at += 1) {
    const parser = new EventParser();
    assert.deepEqual([...parser.push(text.slice(0, at)), ...parser.push(text.slice(at))], whole, `cut at ${at}`);
  }
  const drop = new EventParser();
  assert.deepEqual([...text].flatMap((letter) => drop.push(letter)), whole);
  assert.throws(() => new EventParser().push("data: {\n\n"), Lost);
  assert.throws(() => new EventParser().push("x".repeat(2_000_000)), Lost);
});

test("what somebody else answers is no answer", () => {
  for (const [status, body] of [[200, undefined], [200, [YES]], [200, { hello: 1 }], [302, undefined], [404, undefined], [403, { code: 7 }]] as const) {
    assert.throws(() => checked(status, body, null, ["id"]), Lost, `${status}`);
  }
  assert.throws(() => checked(503, problem("busy"), "2", []), (failure: unknown) => failure instanceof Passing && failure.toldMs === 2000);
});

test("pauses grow within bounds and Retry-After is at most a minute", () => {
  for (let attempt = 0; attempt < 2000; attempt += 1) {
    for (const chance of [0, 0.5, 1]) {
      const pause = pauseMs(USUAL, attempt, chance);
      assert.ok(pause >= USUAL.firstMs / 2 && pause <= USUAL.mostMs);
    }
  }
  assert.equal(pauseMs(USUAL, 0, 1, 7000), 7000);
  assert.deepEqual(["3", "86400", "-1", "Wed, 21 Oct", "", null].map(retryAfterMs), [3000, 60_000, 0, 0, 0, 0]);
  assert.deepEqual([passes(503, "busy"), passes(409, "busy"), passes(408, "no_card"), passes(408, "too_slow")], [true, false, false, true]);
});
