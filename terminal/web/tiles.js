// The tiles beside the card: ledger, queue, readers, and what is to be cleared up.

import { at, make, say } from "./dom.js";

export function showTiles({ status, progress, conflicts }, words, format) {
  document.title = `${status.terminal} · tilld`;
  say("terminal", status.terminal);
  showLedger(status.ledger, words, format);
  showQueue(status, progress, words, format);
  showReaders(status, words);
  showConflicts(conflicts, status.queue.conflicts, words, format);
}

function showConflicts(conflicts, count, words, format) {
  at("conflicts").hidden = !conflicts.length;
  at("conflicts").querySelector("ul").replaceChildren(...conflicts.map((entry) => conflictLine(entry, words, format)));
  const more = count - conflicts.length;
  say("conflicts-more", more > 0 ? words.more(more, format.whole(more)) : "");
}

function showLedger({ reachable, last_success: last, next_attempt: next }, words, format) {
  at("ledger").dataset.mood = reachable ? "calm" : "wait";
  say("ledger-state", reachable ? words.reachable : words.unreachable);
  const heard = last ? words.heard(format.moment(last)) : words.never;
  const again = !reachable && next ? words.next(format.moment(next)) : "";
  say("ledger-note", [reachable ? "" : words.goesOn, heard, again].filter(Boolean).join(" · "));
}

function showQueue({ ledger, queue }, progress, words, format) {
  at("queue").dataset.mood = queue.queued && !ledger.reachable ? "wait" : "calm";
  say("queue-count", format.whole(queue.queued));
  say("queue-note", queueNote(queue, progress, words, format));
}

// How far a long sync is, else how long the oldest entry waits.
function queueNote({ queued, oldest_age_s: oldest }, progress, words, format) {
  if (progress) return words.sending(format.whole(progress.left), format.age(progress.remaining_s));
  return queued ? words.oldest(format.age(oldest ?? 0)) : words.nothingWaits;
}

function showReaders({ readers, tested = [] }, words) {
  const lines = readers.map((reader) => readerLine(reader, tested.includes(reader.name), words));
  at("readers").lastElementChild.replaceChildren(...(lines.length ? lines : [line({}, [words.noReaders])]));
}

function readerLine({ name, status, remedy, detail }, tested, words) {
  const trouble = status !== "ready";
  return line(
    { "data-mood": trouble ? "trouble" : tested ? "wait" : "calm" },
    [name, "name"],
    [tested ? words.tested : words.reader[status] ?? status, "state"],
    tested ? [words.testedNote, "fine"] : null,
    trouble ? [remedy ?? detail, "fine"] : null,
  );
}

function conflictLine({ kind, points, card, sentence, occurred_at: occurredAt }, words, format) {
  return line(
    {},
    [sentence, "sentence"], [words.kind[kind] ?? kind, "what"], points ? [format.whole(points), "points"] : null,
    [card?.masked ?? words.noCard, "card"], [format.moment(occurredAt), "when"],
  );
}

// One line of a list. Its parts: [text, class], elements, or null for none.
export function line(attributes, ...parts) {
  const spans = parts.map((part) => (Array.isArray(part) ? make("span", { class: part[1] }, part[0]) : part));
  return make("li", attributes, ...spans);
}
