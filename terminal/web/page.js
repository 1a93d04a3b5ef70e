// The page at the counter: listens to the till's events and shows what they say. It only looks; it cannot act.
// Events change `seen`, and `show()` draws all of it, at most once a frame: there is no other path to the screen.

import { announce } from "./announce.js";
import { scene, showScene, spoken } from "./card.js";
import { fillKeyList, listenToKeys, toggleKeyList } from "./keys.js";
import { advice, focusLadder, showLadder } from "./ladder.js";
import { showPosWords } from "./pos_words.js";
import * as sound from "./sound.js";
import { wordsFor } from "./words.js";

const STATUS_PAUSE_MS = 500; // a busy till has hundreds of events a second; its sums are asked twice a second
const STATUS_EVERY_MS = 15_000; // ages grow without any event
const REOPEN_MS = 2000;
const FORGET_MS = 90_000; // as long as the till itself holds a card that cannot be read for the same customer's
const KEPT_TRANSACTIONS = 12;
const KEPT_IDS = 500;
const REPLAY_MS = 700; // what happened before the page was opened comes at once, and makes no sound
const AT_THE_COUNTER = new Set(["earn", "redeem", "reverse", "claim"]);
const LOUD_STATES = new Set(["conflict", "parked"]);

// The till's own language where the shop has set one, else the browser's.
const chosen = document.documentElement.dataset.language;
const { code: language, words } = wordsFor(chosen ? [chosen] : navigator.languages);
const whole = new Intl.NumberFormat(language);
const clock = new Intl.DateTimeFormat(language, { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const calendar = new Intl.DateTimeFormat(language, { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });
const at = (id) => document.getElementById(id);

const format = { whole: (number) => whole.format(number), moment };

const seen = { link: "opening", status: null, card: null, unreadable: null, rung: null, transactions: new Map(), conflicts: [], progress: null };
const made = new Set(); // ids of sales that were seen when they were made; whatever becomes of them is no news

// --- what events change: `seen`, and which tune is heard ------------------------------------------------------

const changes = {
  card_read(read) {
    seen.card = read;
    seen.unreadable = seen.sold = null;
    return "read";
  },
  card_unreadable(failure) {
    seen.unreadable = failure;
    seen.rung = failure.step ?? null;
    clearTimeout(forgetTimer);
    forgetTimer = setTimeout(forgetFailure, FORGET_MS);
    return "trouble";
  },
  card_note({ what, card, detail }) {
    if (what !== "found" || seen.card?.card.masked !== card.masked) return;
    seen.card = { ...seen.card, hints: [...seen.card.hints, detail] };
  },
  balance({ card, balance }) {
    if (seen.card?.card.masked === card.masked && balance) seen.card = { ...seen.card, balance };
  },
  transaction(transaction) {
    const tune = isNews(transaction) ? served(transaction) : undefined;
    seen.transactions.set(transaction.id, { ...seen.transactions.get(transaction.id), ...transaction });
    const oldest = [...seen.transactions.keys()].slice(0, -KEPT_TRANSACTIONS);
    oldest.forEach((id) => seen.transactions.delete(id));
    if (transaction.card) changes.balance(transaction);
    return tune;
  },
  reader_status: () => {},
  sync({ progress }) {
    seen.progress = progress;
  },
  display: showPosWords,
  trial: () => {},
  conflict: () => {},
  reset() {
    nextCustomer();
    seen.transactions.clear();
  },
};

function isNews({ id, kind, state }) {
  return state === "queued" && AT_THE_COUNTER.has(kind) && !made.has(id);
}

// A sale is made: that customer is served, whatever could not be read before.
function served(transaction) {
  made.add(transaction.id);
  if (made.size > KEPT_IDS) made.delete(made.values().next().value);
  const { card, balance } = transaction;
  const same = card && seen.card?.card.masked === card.masked;
  seen.unreadable = null;
  seen.sold = transaction;
  seen.card = card ? { hints: [], ...(same ? seen.card : {}), card, balance } : null;
  return "sale";
}

function nextCustomer() {
  seen.card = seen.sold = seen.unreadable = null;
}

let forgetTimer = null;
function forgetFailure() {
  seen.unreadable = null;
  show();
}

// --- where it comes from ------------------------------------------------------------------------------------

function listen() {
  const events = new EventSource("/v1/events?after=first");
  let opened = Infinity;
  events.onopen = () => {
    opened = performance.now();
    linked("linked");
  };
  events.onerror = () => {
    if (seen.link === "linked") sound.play("trouble");
    linked("lost");
    // The browser goes on by itself unless the till has refused: then our cookie is of an earlier start.
    if (events.readyState === EventSource.CLOSED) setTimeout(reopen, REOPEN_MS);
  };
  for (const [kind, change] of Object.entries(changes)) {
    events.addEventListener(kind, (event) => {
      const tune = change(JSON.parse(event.data));
      if (tune && performance.now() - opened > REPLAY_MS) sound.play(tune);
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
    showCounter();
    showSound();
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
  const alone = seen.link === "linked" && seen.status?.ledger.reachable === false;
  document.body.dataset.alone = alone;
  say("link", words[seen.link === "lost" ? "opening" : alone ? "alone" : seen.link]);
  at("lost").hidden = seen.link !== "lost";
  say("lost", seen.link === "lost" ? words.lost : "");
}

function showCounter() {
  const shown = scene(seen, words, format, advice);
  showScene(shown);
  announce(spoken(shown, words), shown.mood === "trouble");
  showLadder(seen.unreadable?.ladder ?? [], seen.rung, words.step, (step) => {
    seen.rung = step;
    show();
  });
}

function showSound() {
  const button = at("sound");
  button.setAttribute("aria-pressed", sound.isOn());
  say("sound", sound.isOn() ? words.soundOn : words.soundOff);
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

function transactionItem(transaction) {
  const { id, kind, points, card, state, balance, claimable, promise } = transaction;
  const line = item(
    words.kind[kind] ?? kind, "name",
    `${{ earn: "+", redeem: "−" }[kind] ?? ""}${whole.format(points)}`, "points",
    card?.masked ?? words.noCard, "card",
    words.state[state] ?? state, "state",
  );
  line.dataset.mood = LOUD_STATES.has(state) ? "trouble" : state === "queued" ? "wait" : "calm";
  if (words.promise[promise]) line.append(span(words.promise[promise], "fine"));
  if (claimable) line.append(codeButton(id));
  if (balance) line.title = `${whole.format(balance.points)} ${words.points(balance.points)}`;
  return line;
}

function codeButton(id) {
  const button = document.createElement("button");
  button.textContent = words.showCode;
  button.value = id;
  return button;
}

// The list is drawn anew with each event, so it has one listener for all its buttons.
function showCode({ target }) {
  const wanted = seen.transactions.get(target.value);
  if (!wanted) return;
  nextCustomer();
  seen.sold = wanted;
  show();
  at("card").scrollIntoView({ block: "nearest" });
}

function conflictItem({ kind, points, card, sentence, occurred_at: occurredAt }) {
  const line = item(
    sentence, "sentence", words.kind[kind] ?? kind, "what", whole.format(points), "points",
    card?.masked ?? words.noCard, "card", moment(occurredAt), "when",
  );
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
at("card-claim").alt = words.claim;
fillKeyList(words.keyList);
listenToKeys({
  F1: toggleKeyList,
  F2: switchSound,
  F4: focusLadder,
  F8: () => {
    nextCustomer();
    show();
  },
  F9: () => at("conflicts").focus(),
});
at("help").addEventListener("click", toggleKeyList);
at("sound").addEventListener("click", switchSound);
at("recent").addEventListener("click", showCode);
for (const touch of ["pointerdown", "keydown"]) document.addEventListener(touch, sound.wake, { capture: true });
show();
listen();
setInterval(askStatus, STATUS_EVERY_MS);

function switchSound() {
  sound.toggle();
  show();
}
