// Every reader: state, since when, why, what mends it, and what it has done in its life.

import { at, chip, make, moment, redraw, remedy } from "./dom.js";

const COUNTED = [
  ["good", "Read"], ["failed", "Broken off"], ["unreadable", "Unreadable"], ["duplicate", "Twice"], ["restarts", "Restarts"], ["hours", "Hours ready"],
];

export function showReaders(readers, tested = []) {
  const told = readers.map((reader) => ({ ...reader, tested: tested.includes(reader.name) }));
  redraw(at("readers").querySelector(".list"), told, (all) => (all.length ? table(all) : make("p", {}, "No reader is set up.")));
}

// Roles are written out: a phone shows each row as a card, and browsers then forget that it is a table.
function table(readers) {
  const heads = ["Reader", "State", "Since", "What now", ...COUNTED.map(([, title]) => title)];
  const titles = heads.map((title, n) => make("th", { role: "columnheader", class: n > 3 ? "number" : null }, title));
  const head = make("thead", { role: "rowgroup" }, make("tr", { role: "row" }, ...titles));
  const body = make("tbody", { role: "rowgroup" }, ...readers.map(row));
  const whole = make("table", { role: "table", "aria-labelledby": "readers-title", class: "cards" }, head, body);
  return make("div", { class: "scroll", tabindex: "0", role: "region", "aria-labelledby": "readers-title" }, whole);
}

const cell = (title, attributes, ...children) => make("td", { role: "cell", "data-title": title, ...attributes }, ...children);

function row(reader) {
  const { name, driver, status, since, detail, counters } = reader;
  const mended = reader.remedy && status !== "ready" ? remedy(reader.remedy, name) : null;
  const counts = COUNTED.map(([key, title]) => {
    const count = key === "hours" ? counters[key].toFixed(1) : String(counters[key]);
    return cell(title, { class: "number" }, count);
  });
  return make(
    "tr", { role: "row" },
    make("th", { role: "rowheader" }, name, make("small", {}, driver)),
    cell("State", {}, chip(status, status === "ready" ? "calm" : "trouble"), reader.tested ? chip("being tested", "wait") : null),
    cell("Since", { class: "time" }, moment(since)),
    cell("What now", { class: "why" }, make("span", {}, detail), mended),
    ...counts,
  );
}
