// A technician tests a reader: begin, watch tap by tap, take the sheet. What is seen changes `seen`, `show()` draws it.
// The question that waits for news is also what keeps the test alive: a page that is closed frees the reader.

import { ask, LoggedOut } from "./ask.js";
import { at, make, redraw, say } from "./dom.js";

const WAIT_MS = 20_000;
const RETRY_MS = 2000;
const READ = new Set(["identified", "refused"]);
const ENDINGS = { complete: "", stopped: "Stopped by the technician.", abandoned: "It ended by itself: nobody looked, or no card came." };

const seen = { state: "opening", trouble: "", readers: [], earlier: [], trial: null, repeats: 0 };

// --- what is done -------------------------------------------------------------------------------------------

async function open() {
  await attempt(async () => {
    const [status, { trials }] = await Promise.all([ask("GET", "/v1/status"), ask("GET", "/v1/trials")]);
    seen.readers = status.readers;
    seen.earlier = trials;
    seen.state = "choosing";
  });
}

async function begin(event) {
  event.preventDefault();
  const wanted = { reader: at("reader").value, taps: at("taps").valueAsNumber };
  const operator = at("operator").value.trim();
  await attempt(async () => watch(await ask("POST", "/v1/trials", operator ? { ...wanted, operator } : wanted)));
}

async function watch(trial) {
  Object.assign(seen, { state: "testing", trial, repeats: trial.repeats });
  show();
  at("headline").scrollIntoView({ block: "nearest" });
  while (seen.trial?.id === trial.id && seen.trial.state === "running") {
    const went = await attempt(async () => {
      const now = await ask("GET", `/v1/trials/${trial.id}?seen=${seen.trial.revision}&wait_ms=${WAIT_MS}`);
      if (seen.trial?.id !== trial.id) return;
      if (now.taps.length > seen.trial.taps.length) seen.repeats = now.repeats;
      seen.trial = now;
    });
    if (seen.state === "locked" || seen.state === "opening") return;
    if (!went) await new Promise((done) => setTimeout(done, RETRY_MS));
  }
  if (seen.trial?.id === trial.id) at("again").focus();
}

async function stop() {
  await attempt(async () => {
    seen.trial = await ask("POST", `/v1/trials/${seen.trial.id}/end`);
  });
}

// Whether it went well; what went wrong is shown.
async function attempt(act) {
  try {
    await act();
    seen.trouble = "";
    return true;
  } catch (error) {
    if (error instanceof LoggedOut) seen.state = "locked";
    else seen.trouble = error instanceof TypeError ? "The till does not answer; trying again." : error.message;
    return false;
  } finally {
    show();
  }
}

// --- how it looks -------------------------------------------------------------------------------------------

function show() {
  const { state, trial } = seen;
  document.body.dataset.state = state;
  at("locked").hidden = state !== "locked";
  at("begin").hidden = state !== "choosing";
  at("earlier").hidden = state !== "choosing" || !seen.earlier.length;
  at("trial").hidden = state !== "testing";
  at("trouble").hidden = !seen.trouble;
  say("trouble", seen.trouble);
  redraw(at("reader"), seen.readers, (readers) => readers.map(readerChoice));
  redraw(at("earlier").querySelector("ul"), seen.earlier, (trials) => trials.map(earlierItem));
  if (trial) showTrial(trial);
}

function showTrial(trial) {
  const { judgement, taps, wanted } = trial;
  at("verdict").dataset.mood = !judgement ? "running" : judgement.passed ? "passed" : "failed";
  say("headline", judgement ? judgement.headline : `Present a card to ${trial.reader}`);
  say("count", judgement ? `${judgement.card_headline} ${ENDINGS[trial.state]}`.trim() : `${taps.length} of ${wanted} taps. Lift the card, and again.`);
  at("bar").hidden = Boolean(judgement);
  at("bar").max = wanted;
  at("bar").value = taps.length;
  at("bar").setAttribute("aria-label", "Taps");
  const last = taps.length ? tapText(taps.at(-1)) : "";
  say("last", trial.repeats > seen.repeats ? "The same card, too soon to count: lift it for a moment." : last);
  at("last").hidden = Boolean(judgement);
  redraw(at("remarks"), judgement?.remarks ?? [], (remarks) => remarks.map(remarkItem));
  redraw(at("taps-seen"), taps, (rows) => rows.map(tapRow));
  const by = trial.operator ? `, by ${trial.operator}` : "";
  say("about", `Reader ${trial.reader} (${trial.driver}): ${trial.device}. Begun ${trial.started_at}${by}.`);
  at("stop").hidden = Boolean(judgement);
  for (const id of ["print", "again", "sheet-html", "sheet-txt", "sheet-json"]) at(id).hidden = !judgement;
  for (const form of ["html", "txt", "json"]) at(`sheet-${form}`).href = `/v1/trials/${trial.id}/sheet.${form}`;
}

const readerChoice = ({ name, driver, status }) =>
  make("option", { value: name }, `${name} (${driver}${status === "ready" ? "" : `, ${status}`})`);

const earlierItem = (trial) =>
  make("li", {},
    make("button", { type: "button", "data-name": trial.id, onclick: () => watch(trial) },
      `${trial.judgement ? "Show" : "Watch"} ${trial.reader}`),
    make("span", {}, `${trial.judgement?.headline ?? "It runs."} ${trial.started_at}`));

const remarkItem = ({ about, fails, say: said, advice }) =>
  make("li", { "data-fails": fails }, make("strong", {}, `${about === "reader" ? "Reader" : "Card"}: ${said}`),
    advice && make("span", { class: "advice" }, advice));

const figure = (value) => (value === null ? "–" : String(value));

function tapRow(tap) {
  const cells = [tap.n, tap.result, tap.technology, tap.card || "–", tap.label, figure(tap.read_ms), figure(tap.till_ms),
    figure(tap.effort), figure(tap.wear), tap.reason ? `${tap.reason}: ${tap.detail}` : ""];
  return make("tr", { "data-read": READ.has(tap.result) }, ...cells.map((cell) => make("td", {}, String(cell))));
}

function tapText({ n, result, technology, card, read_ms: readMs, detail }) {
  const time = readMs === null ? "" : `, ${readMs} ms`;
  return `Tap ${n}: ${result}, ${technology}${card ? `, ${card}` : ""}${time}${detail ? `. ${detail}` : ""}`;
}

at("begin").addEventListener("submit", begin);
at("stop").addEventListener("click", stop);
at("print").addEventListener("click", () => window.print());
at("again").addEventListener("click", async () => {
  Object.assign(seen, { state: "opening", trial: null });
  await open();
  at("start").focus();
});
open();
