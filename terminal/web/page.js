// The page at the counter: listens to the till's events and shows what they say. It only looks; it cannot act.
// Events change `seen`, and `show()` draws all of it, at most once a frame: there is no other path to the screen.

import { wordsFor } from "./words.js";

const STATUS_PAUSE_MS = 500; // a busy till has hundreds of events a second; its sums are asked twice a second
const STATUS_EVERY_MS = 15_000; // ages grow without any event
const REOPEN_MS = 2000;
const FORGET_MS = 90_000; // as long as the till itself holds a card that cannot be read for the same customer's
const KEPT_TRANSACTIONS = 12;
const LOUD_STATES = new Set(["conflict", "parked"]);

const { code: language, words } = wordsFor(navigator.languages);
const whole = new Intl.NumberFormat(language);
const clock = new Intl.DateTimeFormat(language, { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const calendar = new Intl.DateTimeFormat(language, { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });
const at = (id) => document.getElementById(id);

const seen = { link: "opening", status: null, card: null, unreadable: null, rung: null, transactions: new Map(), conflicts: [], progress: null };
const claimCodes = new Map();

// --- what events change -------------------------------------------------------------------------------------

const changes = {
  card_read(read) {
    seen.card = read;
    seen.unreadable = null;
  },
  card_unreadable(failure) {
    seen.unreadable = failure;
    seen.rung = failure.step ?? null;
    clearTimeout(forgetTimer);
    forgetTimer = setTimeout(forgetFailure, FORGET_MS);
  },
  card_note({ what, card, detail }) {
    if (what !== "found" || seen.card?.card.masked !== card.masked) return;
    seen.card = { ...seen.card, hints: [...seen.card.hints, detail] };
  },
  balance({ card, balance }) {
    if (seen.card?.card.masked === card.masked && balance) seen.card = { ...seen.card, balance };
  },
  transaction(transaction) {
    if (!seen.transactions.has(transaction.id)) seen.unreadable = null; // a sale is made: that customer is served
    seen.transactions.set(transaction.id, { ...seen.transactions.get(transaction.id), ...transaction });
    const oldest = [...seen.transactions.keys()].slice(0, -KEPT_TRANSACTIONS);
    oldest.forEach((id) => seen.transactions.delete(id));
    if (transaction.card) changes.balance(transaction);
  },
  reader_status: () => {},
  sync({ progress }) {
    seen.progress = progress;
  },
  trial: () => {},
  conflict: () => {},
  reset() {
    seen.card = seen.unreadable = null;
    seen.transactions.clear();
  },
};

let forgetTimer = null;
function forgetFailure() {
  seen.unreadable = null;
  show();
}

// --- where it comes from ------------------------------------------------------------------------------------

function listen() {
  const events = new EventSource("/v1/events?after=first");
  events.onopen = () => linked("linked");
  events.onerror = () => {
    linked("lost");
    // The browser goes on by itself unless the till has refused: then our cookie is of an earlier start.
    if (events.readyState === EventSource.CLOSED) setTimeout(reopen, REOPEN_MS);
  };
  for (const [kind, change] of Object.entries(changes)) {
    events.addEventListener(kind, (event) => {
      change(JSON.parse(event.data));
      show();
      askStatus();
    });
  }
}

async function reopen() {
  try {
    await fetch("/", { cache: "no-store" });
  } catch {
    setTimeout(reopen, REOPEN_MS);
    return;
  }
  changes.reset();
  listen();
}

function linked(link) {
  seen.link = link;
  show();
  if (link === "linked") askStatus();
}

let statusTimer = null;
function askStatus() {
  statusTimer ??= setTimeout(() => {
    statusTimer = null;
    // Not connected: the events say so already, and their return asks again.
    readStatus().catch(() => {});
  }, seen.status ? STATUS_PAUSE_MS : 0);
}

async function readStatus() {
  const status = await answer("/v1/status");
  if (seen.status && seen.status.version !== status.version) location.reload();
  seen.status = status;
  seen.progress = status.sync?.progress ?? null;
  seen.conflicts = status.queue.conflicts ? (await answer("/v1/conflicts?limit=20")).entries : [];
  show();
}

async function answer(address) {
  const response = await fetch(address);
  if (!response.ok) throw new Error(`${address}: ${response.status}`);
  return response.json();
}

// --- how it looks -------------------------------------------------------------------------------------------

let drawing = false;
function show() {
  if (drawing) return;
  drawing = true;
  // A hidden page has no frames, and a screen reader still wants the news.
  const draw = () => {
    drawing = false;
    showLink();
    showCard();
    showLadder();
    showTransactions();
    if (seen.status) showStatus(seen.status);
  };
  if (document.hidden) setTimeout(draw);
  else requestAnimationFrame(draw);
}

function say(id, text) {
  const element = at(id);
  // Untouched text is not announced again.
  if (element.textContent !== text) element.textContent = text;
}

function showLink() {
  document.body.dataset.link = seen.link;
  say("link", words[seen.link === "lost" ? "opening" : seen.link]);
  at("lost").hidden = seen.link !== "lost";
  say("lost", seen.link === "lost" ? words.lost : "");
}

function showCard() {
  const { card, unreadable } = seen;
  const balance = card?.balance;
  at("card").dataset.mood = unreadable ? "trouble" : card ? "read" : "waiting";
  say("card-say", unreadable ? words.unreadable : card ? words.lastCard : words.present);
  say("card-number", unreadable ? "" : (card?.card.masked ?? ""));
  const [number, unit] = at("card-points").children;
  number.textContent = !unreadable && balance ? whole.format(balance.points) : "";
  unit.textContent = !unreadable && balance ? words.points(balance.points) : "";
  say("card-note", unreadable ? unreadable.detail : card ? balanceNote(balance) : "");
  const hints = (unreadable ? advice(unreadable) : card?.hints) ?? [];
  at("card-hints").replaceChildren(...hints.map((hint) => item(hint)));
}

// What to do now: the till's words, or those of the rung that the cashier has gone to.
function advice({ next, step, ladder }) {
  if (!seen.rung || seen.rung === step) return next;
  return (ladder ?? []).filter((rung) => rung.step === seen.rung).map((rung) => rung.say);
}

// Drawn anew only where it has changed: a button that is replaced loses the keyboard.
function showLadder() {
  const rungs = seen.unreadable?.ladder ?? [];
  const list = at("ladder").querySelector("ol");
  const drawn = rungs.map((rung) => rung.step).join();
  at("ladder").hidden = !rungs.length;
  if (list.dataset.drawn !== drawn) {
    list.dataset.drawn = drawn;
    list.replaceChildren(...rungs.map(rungItem));
  }
  for (const button of list.querySelectorAll("button")) {
    if (button.value === seen.rung) button.setAttribute("aria-current", "step");
    else button.removeAttribute("aria-current");
  }
}

function rungItem({ step }) {
  const button = document.createElement("button");
  button.value = step;
  button.textContent = words.step[step] ?? step;
  button.addEventListener("click", () => {
    seen.rung = step;
    show();
  });
  const line = document.createElement("li");
  line.append(button);
  return line;
}

function balanceNote(balance) {
  if (!balance) return words.unknownBalance;
  const parts = [];
  if (balance.as_of) parts.push(words.asOf(moment(balance.as_of)));
  if (balance.pending) parts.push(words.pending(balance.pending));
  if (balance.estimate && !balance.pending) parts.push(words.estimate);
  if (balance.inactive) parts.push(words.inactive(balance.inactive));
  parts.push(...(balance.expiring ?? []).slice(0, 1).map(({ text }) => text));
  return parts.join(" · ");
}

function showStatus({ terminal, ledger, queue, readers }) {
  document.title = `${terminal} · tilld`;
  say("terminal", terminal);
  at("ledger").dataset.mood = ledger.reachable ? "calm" : "wait";
  say("ledger-state", ledger.reachable ? words.reachable : words.unreachable);
  const heard = ledger.last_success ? words.heard(moment(ledger.last_success)) : words.never;
  const next = !ledger.reachable && ledger.next_attempt ? words.next(moment(ledger.next_attempt)) : "";
  say("ledger-note", [ledger.reachable ? "" : words.goesOn, heard, next].filter(Boolean).join(" · "));
  at("queue").dataset.mood = queue.queued && !ledger.reachable ? "wait" : "calm";
  say("queue-count", whole.format(queue.queued));
  say("queue-note", queueNote(queue));
  at("readers").lastElementChild.replaceChildren(...(readers.length ? readers.map(readerItem) : [item(words.noReaders)]));
  at("conflicts").hidden = !seen.conflicts.length;
  at("conflicts").lastElementChild.replaceChildren(...seen.conflicts.map(conflictItem));
}

// How far a long sync is, else how long the oldest entry waits.
function queueNote({ queued, oldest_age_s: oldest }) {
  if (seen.progress) return words.sending(whole.format(seen.progress.left), age(seen.progress.remaining_s));
  return queued ? words.oldest(age(oldest ?? 0)) : words.nothingWaits;
}

function showTransactions() {
  const newestFirst = [...seen.transactions.values()].reverse();
  at("recent").querySelector("ul").replaceChildren(...newestFirst.map(transactionItem));
  at("recent-none").hidden = newestFirst.length > 0;
}

function readerItem(reader) {
  const trouble = reader.status !== "ready";
  const tested = seen.status.tested?.includes(reader.name);
  const state = tested ? words.tested : words.reader[reader.status] ?? reader.status;
  const line = item(reader.name, "name", state, "state");
  line.dataset.mood = trouble ? "trouble" : tested ? "wait" : "calm";
  if (tested) line.append(span(words.testedNote, "fine"));
  if (trouble) line.append(span(reader.remedy ?? reader.detail, "fine"));
  return line;
}

function transactionItem({ id, kind, points, card, state, balance, claimable, promise }) {
  const line = item(
    words.kind[kind] ?? kind, "name",
    `${{ earn: "+", redeem: "−" }[kind] ?? ""}${whole.format(points)}`, "points",
    card?.masked ?? words.noCard, "card",
    words.state[state] ?? state, "state",
  );
  line.dataset.mood = LOUD_STATES.has(state) ? "trouble" : state === "queued" ? "wait" : "calm";
  if (words.promise[promise]) line.append(span(words.promise[promise], "fine"));
  if (claimable) line.append(claimCode(id));
  if (balance) line.title = `${whole.format(balance.points)} ${words.points(balance.points)}`;
  return line;
}

// One picture for each sale, kept while its line is drawn anew.
function claimCode(id) {
  if (!claimCodes.has(id)) {
    const picture = new Image();
    picture.className = "claim";
    picture.alt = words.claim;
    picture.title = words.claim;
    picture.src = `/v1/transactions/${encodeURIComponent(id)}/claim.svg`;
    claimCodes.set(id, picture);
    [...claimCodes.keys()].slice(0, -KEPT_TRANSACTIONS).forEach((old) => claimCodes.delete(old));
  }
  return claimCodes.get(id);
}

function conflictItem({ kind, points, card, sentence, occurred_at: occurredAt }) {
  const line = item(
    words.kind[kind] ?? kind, "name", whole.format(points), "points", card?.masked ?? words.noCard, "card",
    moment(occurredAt), "state",
  );
  line.append(span(sentence, "fine"));
  return line;
}

function item(...textAndClass) {
  const line = document.createElement("li");
  for (let n = 0; n < textAndClass.length; n += 2) line.append(span(textAndClass[n], textAndClass[n + 1] ?? ""));
  return line;
}

function span(text, className) {
  const element = document.createElement("span");
  element.className = className;
  element.textContent = text;
  return element;
}

function moment(rfc3339) {
  const time = new Date(rfc3339);
  return (time.toDateString() === new Date().toDateString() ? clock : calendar).format(time);
}

function age(seconds) {
  if (seconds === null) return "";
  if (seconds < 120) return words.seconds(Math.round(seconds));
  if (seconds < 7200) return words.minutes(Math.floor(seconds / 60));
  if (seconds < 172_800) return words.hours(Math.floor(seconds / 3600));
  return words.days(Math.floor(seconds / 86_400));
}

document.documentElement.lang = language;
for (const element of document.querySelectorAll("[data-word]")) element.textContent = words[element.dataset.word];
show();
listen();
setInterval(askStatus, STATUS_EVERY_MS);
