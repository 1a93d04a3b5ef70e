// The technician's page: who may see it, what the till says, and the few things that can be done here.

import { LANGUAGE, LoggedOut, ask } from "./ask.js";
import { showBooks } from "./books.js";
import { showDisputes } from "./disputes.js";
import { examine, watchDoctor } from "./doctor.js";
import { age, at, make, moment, say } from "./dom.js";
import { showPast, watchPast } from "./past.js";
import { showReaders } from "./readers.js";

const STATUS_PAUSE_MS = 500;
const STATUS_EVERY_MS = 5000;
const PAST_EVERY_MS = 60_000;
const REOPEN_MS = 2000;
const KEPT_MESSAGES = 50;
const PHASES = { started: "Sync has started", ended: "Sync has ended", failed: "Sync has failed" };

let events = null;
let phase = null;
let statusTimer = null;
const timers = [];

// --- the door -----------------------------------------------------------------------------------------------

async function enter() {
  try {
    const { open } = await ask("GET", "/technician/session");
    if (open) return run();
  } catch {
    return setTimeout(enter, REOPEN_MS);
  }
  return leave();
}

function run() {
  document.body.dataset.door = "open";
  at("login").hidden = true;
  at("till").hidden = false;
  listen();
  safely(showPast)();
  examine("internal");
  timers.push(setInterval(askStatus, STATUS_EVERY_MS), setInterval(safely(showPast), PAST_EVERY_MS));
}

function leave() {
  events?.close();
  events = phase = null;
  timers.splice(0).forEach(clearInterval);
  document.body.dataset.door = "closed";
  at("till").hidden = true;
  at("login").hidden = false;
  linked("");
  at("token").focus();
}

// A session that has ended leads to the door; a till that is away is told by the events' own silence.
function safely(act) {
  return async () => {
    try {
      await act();
    } catch (error) {
      if (error instanceof LoggedOut) leave();
    }
  };
}

at("login").addEventListener("submit", async (event) => {
  event.preventDefault();
  say("login-error", "");
  try {
    await ask("POST", "/technician/session", { token: at("token").value });
    at("token").value = "";
    run();
    // The field that had the keyboard is gone: the next Tab is to lead to what skips, not past it.
    at("top").focus();
  } catch (error) {
    say("login-error", error.message);
    at("token").select();
  }
});

at("log-out").addEventListener("click", async () => {
  await ask("DELETE", "/technician/session").catch(() => {});
  leave();
});

// --- what the till says -------------------------------------------------------------------------------------

function listen() {
  events = new EventSource(`/v1/events?language=${LANGUAGE}`);
  events.onopen = () => {
    linked("linked");
    askStatus();
  };
  events.onerror = () => {
    linked("lost");
    // The browser goes on by itself unless the till has refused: then the session is of an earlier start.
    if (events?.readyState === EventSource.CLOSED) setTimeout(() => (leave(), enter()), REOPEN_MS);
  };
  for (const kind of ["card_read", "card_unreadable", "transaction", "reader_status", "balance", "reset"]) events.addEventListener(kind, askStatus);
  events.addEventListener("sync", (event) => {
    heardSync(JSON.parse(event.data));
    askStatus();
  });
  events.addEventListener("conflict", (event) => {
    const { state, sentence } = JSON.parse(event.data);
    tell(state === "resolved" ? "A conflict is resolved" : `A conflict: ${sentence}`, state === "resolved" ? "calm" : "trouble");
    askStatus();
  });
}

const LINKS = { linked: "Connected", lost: "This page has lost the till and tries again. What it shows may be old." };

function linked(link) {
  document.body.dataset.link = link;
  say("link", LINKS[link] ?? "");
}

function heardSync(word) {
  if (word.phase !== phase && PHASES[word.phase] && (phase !== null || word.phase !== "ended")) {
    tell(`${PHASES[word.phase]}${word.phase === "failed" ? `: ${word.detail}` : `; ${word.queue.queued} waiting`}`, word.phase === "failed" ? "trouble" : "calm");
  }
  phase = word.phase;
  showSync(word);
}

function showSync({ phase: now, progress }) {
  const bar = at("sync-bar");
  bar.hidden = !progress;
  if (!progress) return say("sync-state", PHASES[now] ? `${PHASES[now]}.` : "");
  bar.max = Math.max(1, progress.sent + progress.left);
  bar.value = progress.sent;
  const rate = progress.per_s === null ? "" : `, ${Math.round(progress.per_s)} a second`;
  const left = progress.remaining_s === null ? "" : `, about ${age(progress.remaining_s)} left`;
  return say("sync-state", `${progress.sent} sent, ${progress.left} to go${rate}${left}`);
}

function askStatus() {
  statusTimer ??= setTimeout(async () => {
    statusTimer = null;
    await safely(readStatus)();
  }, STATUS_PAUSE_MS);
}

async function readStatus() {
  const status = await ask("GET", "/v1/status");
  document.title = `${status.attention.length ? "! " : ""}${status.terminal} · technician`;
  say("terminal", status.terminal);
  showVerdict(status.attention);
  showReaders(status.readers, status.tested);
  showBooks(status);
  if (status.sync) showSync(status.sync);
  await showDisputes(status.queue.conflicts, (words) => {
    tell(words, "calm");
    askStatus();
  });
}

function showVerdict(attention) {
  at("verdict").dataset.mood = attention.length ? "trouble" : "calm";
  say("verdict-title", attention.length ? "Attention" : "All is well");
  const lines = attention.map((line) => make("li", {}, line));
  if (at("attention").textContent !== attention.join("")) at("attention").replaceChildren(...lines);
}

// --- what is told, and what can be done ---------------------------------------------------------------------

function tell(words, mood) {
  const log = at("messages").querySelector("ol");
  log.prepend(make("li", { "data-mood": mood }, make("time", {}, moment(new Date().toISOString())), " ", words));
  while (log.children.length > KEPT_MESSAGES) log.lastElementChild.remove();
  if (at("notify").checked && document.hidden) new Notification(document.title, { body: words });
}

at("sync").addEventListener("click", async () => {
  at("sync").disabled = true;
  try {
    const { due } = await ask("POST", "/v1/sync");
    say("sync-state", `Asked for; ${due} to send.`);
  } catch (error) {
    if (error instanceof LoggedOut) leave();
    else say("sync-state", error.message);
  } finally {
    at("sync").disabled = false;
  }
});

at("notify").addEventListener("change", async () => {
  if (at("notify").checked && (await Notification.requestPermission()) !== "granted") at("notify").checked = false;
});

watchDoctor();
watchPast(safely(showPast));
enter();
