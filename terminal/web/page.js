// The page at the counter: listens to the till's events and shows what they say. It only looks; it cannot act.
// Events change `seen`, and `show()` draws all of it, at most once a frame: there is no other path to the screen.

import { announce } from "./announce.js";
import { UNDER_REVIEW, scene, showScene, spoken } from "./card.js";
import { at, make, say, unbroken } from "./dom.js";
import { formatFor } from "./format.js";
import { fillKeyList, listenToKeys, toggleKeyList } from "./keys.js";
import { advice, focusLadder, showLadder } from "./ladder.js";
import { movement } from "./movement.js";
import { showPosWords } from "./pos_words.js";
import * as sound from "./sound.js";
import { line, showTiles } from "./tiles.js";
import { wordsFor } from "./words.js";

const STATUS_PAUSE_MS = 500; // a busy till has hundreds of events a second; its sums are asked twice a second
const STATUS_EVERY_MS = 15_000; // ages grow without any event
const REOPEN_MS = 2000;
const FORGET_MS = 90_000; // as long as the till itself holds a card that cannot be read for the same customer's
const KEPT_TRANSACTIONS = 12;
const KEPT_IDS = 500;
const REPLAY_MS = 700; // what happened before the page was opened comes at once, and makes no sound
// What a cashier does; rights that go back, changed cards and decisions are not listed.
const AT_THE_COUNTER = new Set(["earn", "redeem", "reverse", "claim"]);

// The till's own language where the shop has set one, else the browser's. The till's sentences are asked for in it too.
const chosen = document.documentElement.dataset.language;
const { code: language, words } = wordsFor(chosen ? [chosen] : navigator.languages);
// The region tells how to write times and numbers: 18:05 in Britain is 6:05 PM in America.
const region = navigator.languages.find((each) => each.toLowerCase().startsWith(language));
const format = formatFor(region ?? language, words);

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
    if (AT_THE_COUNTER.has(transaction.kind)) listed(transaction);
    became(transaction);
    if (transaction.card) changes.balance(transaction);
    return tune;
  },
  reader_status: () => {},
  sync({ progress }) {
    seen.progress = progress;
  },
  display: showPosWords,
  trial: () => {},
  conflict: became,
  reset() {
    nextCustomer();
    seen.transactions.clear();
  },
};

function listed(transaction) {
  seen.transactions.set(transaction.id, { ...seen.transactions.get(transaction.id), ...transaction });
  const oldest = [...seen.transactions.keys()].slice(0, -KEPT_TRANSACTIONS);
  oldest.forEach((id) => seen.transactions.delete(id));
}

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

// What the ledger makes of the sale that is still on the screen: it may have to wait for a person. Once that person has
// decided, what it came to is in the points alone.
function became({ id, state, sentence }) {
  if (seen.sold?.id === id) seen.sold = state === "resolved" ? null : { ...seen.sold, state, sentence: sentence ?? seen.sold.sentence };
}

function nextCustomer() {
  seen.card = seen.sold = seen.unreadable = null;
}

// Whoever has looked further down is brought back to the customer; the keyboard stays where it is.
function toTheCard() {
  window.scrollTo({ top: 0, behavior: "instant" });
}

let forgetTimer = null;
function forgetFailure() {
  seen.unreadable = null;
  show();
}

// --- where it comes from ------------------------------------------------------------------------------------

function listen() {
  const events = new EventSource(`/v1/events?after=first&language=${language}`);
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
      if (tune && performance.now() - opened > REPLAY_MS) {
        sound.play(tune);
        toTheCard();
      }
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
  const response = await fetch(address, { headers: { "Accept-Language": language } });
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
    if (seen.status) showTiles(seen, words, format);
  };
  if (document.hidden) setTimeout(draw);
  else requestAnimationFrame(draw);
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

function showTransactions() {
  const newestFirst = [...seen.transactions.values()].reverse();
  at("recent").querySelector("ul").replaceChildren(...newestFirst.map(transactionItem));
  at("recent-none").hidden = newestFirst.length > 0;
}

function transactionItem(transaction) {
  const { id, card, state, balance, claimable, promise } = transaction;
  const { name, change } = movement(transaction, words, format);
  const mood = UNDER_REVIEW.has(state) ? "trouble" : state === "queued" ? "wait" : "calm";
  const title = balance ? `${format.whole(balance.points)} ${words.points(balance.points)}` : null;
  return line(
    { "data-mood": mood, title },
    [name, "name"],
    [change, "points"],
    [card?.masked ?? words.noCard, "card"],
    [words.state[state] ?? state, "state"],
    words.promise[promise] ? [words.promise[promise], "fine"] : null,
    claimable ? make("button", { value: id }, words.showCode) : null,
  );
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

document.documentElement.lang = language;
for (const element of document.querySelectorAll("[data-word]")) element.textContent = unbroken(words[element.dataset.word]);
at("card-claim").alt = words.claim;
fillKeyList(words.keyList);
listenToKeys({
  F1: toggleKeyList,
  F2: switchSound,
  F4: focusLadder,
  F8: () => {
    nextCustomer();
    toTheCard();
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
