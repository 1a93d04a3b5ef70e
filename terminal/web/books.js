// The tiles: ledger, queue, journal, mirror, clock.

import { age, at, bytes, chip, make, moment, redraw } from "./dom.js";

const CLOCK_LIMIT_S = 120; // what the ledger calls far off (docs/protocol.md)

export function showBooks({ ledger, queue, disk, mirror, clock, version }) {
  const { wall, ledger_time: ledgerTime, ...rest } = clock;
  redraw(at("books"), { ledger, queue, disk, mirror, version, rest: rest.boot_id }, () => [
    ledgerTile(ledger), queueTile(queue), diskTile(disk, version), ...(mirror ? [mirrorTile(mirror)] : []), clockTile(),
  ]);
  showClock(wall, ledgerTime);
}

function tile(title, mood, word, ...facts) {
  const id = `tile-${title.toLowerCase()}`;
  const list = facts.filter(([, value]) => value !== null && value !== undefined && value !== "");
  return make(
    "section", { class: "panel tile", "aria-labelledby": id },
    make("h2", { id }, title, chip(word, mood)),
    make("dl", {}, ...list.flatMap(([name, value]) => [make("dt", {}, name), make("dd", {}, value)])),
  );
}

function ledgerTile({ reachable, last_success: last, next_attempt: next, detail, orders = [] }) {
  const found = orders.map(({ code, detail: words }) => make("p", { class: "order" }, make("b", {}, `${code}: `), words));
  const told = reachable ? null : detail;
  return tile(
    "Ledger", reachable && !orders.length ? "calm" : "trouble", reachable ? "reachable" : "out of reach",
    ["Last heard", moment(last)], ["Next try", reachable ? null : moment(next)], ["Why", told],
    ["Findings", found.length ? make("div", {}, ...found) : null],
  );
}

// What waits to be sent; what waits for a person is no fault of the queue, and is told above it.
function queueTile({ queued, oldest_age_s: oldest, conflicts }) {
  return tile(
    "Queue", queued ? "wait" : "calm", queued ? `${queued} waiting` : "empty",
    ["Oldest", queued ? age(oldest) : null], ["To be decided", conflicts ? chip(String(conflicts), "trouble") : "0"],
  );
}

function diskTile(disk, version) {
  if (!disk) return tile("Journal", "wait", "not asked", ["Software", `tilld ${version}`]);
  const { room, journal_bytes: taken, free_bytes: free } = disk;
  return tile("Journal", room === "fine" ? "calm" : "trouble", room, ["Takes", bytes(taken)], ["May still take", bytes(free)], ["Software", `tilld ${version}`]);
}

function mirrorTile({ reachable, behind, detail, strays }) {
  const calm = reachable && !behind && !strays;
  return tile("Mirror", calm ? "calm" : "trouble", reachable ? "reachable" : "away", ["Behind", String(behind)], ["Why", reachable && !strays ? null : detail]);
}

function clockTile() {
  return tile("Clock", "calm", "…", ["Till", make("span", { id: "clock-till" })], ["Ledger said", make("span", { id: "clock-ledger" })], ["Screen", make("span", { id: "clock-screen" })]);
}

// Told every few seconds, so it is changed in place.
function showClock(wall, ledgerTime) {
  const off = Math.abs(Date.now() - Date.parse(wall)) / 1000;
  at("clock-till").textContent = moment(wall);
  at("clock-ledger").textContent = moment(ledgerTime);
  at("clock-screen").textContent = off < 5 ? "the same" : `${age(off)} apart`;
  const sign = at("books").querySelector("#tile-clock .chip");
  sign.textContent = off > CLOCK_LIMIT_S ? "differs" : "steady";
  sign.dataset.mood = off > CLOCK_LIMIT_S ? "wait" : "calm";
}
