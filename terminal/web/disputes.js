// Entries in dispute, each with the form that decides on it. A form that somebody fills in is left alone.

import { ask } from "./ask.js";
import { age, at, chip, make, moment, say } from "./dom.js";
import { wordsFor } from "./words.js";

const { words } = wordsFor(["en"]);
const DECISIONS = { honour: "It counts as asked", refuse: "It does not count" };

export async function showDisputes(count, changed) {
  const { entries } = count ? await ask("GET", "/v1/conflicts?limit=50") : { entries: [] };
  const list = at("conflicts").querySelector(".list");
  at("conflicts").hidden = !entries.length;
  const wanted = new Set(entries.map(({ id }) => id));
  for (const shown of [...list.children]) if (!wanted.has(shown.dataset.id)) shown.remove();
  const there = new Set([...list.children].map((shown) => shown.dataset.id));
  for (const entry of entries) if (!there.has(entry.id)) list.append(dispute(entry, changed));
  say("conflicts-more", count > entries.length ? `${count - entries.length} more come up as these are decided.` : "");
}

function dispute(entry, changed) {
  const { id, kind, points, card, code, sentence, detail, age_s: old, occurred_at: when, receipt, state, resolutions, resolution } = entry;
  const moved = points ? `, ${points} ${words.points(points)}` : "";
  const title = `${words.kind[kind] ?? kind}${moved}, ${card?.masked ?? "no card"}`;
  const facts = [["Said", sentence], ["Ledger", `${code}${detail ? ` – ${detail}` : ""}`], ["Made", `${moment(when)}, ${age(old)} ago`], ["Receipt", receipt], ["Id", id]];
  return make(
    "article", { "data-id": id, "aria-label": title },
    make("h3", {}, title, chip(state, "trouble")),
    make("dl", {}, ...facts.filter(([, value]) => value).flatMap(([name, value]) => [make("dt", {}, name), make("dd", {}, value)])),
    resolution ? make("p", {}, `${resolution.author} has decided: ${resolution.decision} (${resolution.state}).`) : null,
    resolutions.length ? form(id, resolutions, changed) : make("p", {}, "Head office alone can settle this."),
  );
}

function form(id, resolutions, changed) {
  const choices = resolutions.map((word) =>
    make("label", {}, make("input", { type: "radio", name: "decision", value: word, required: true }), DECISIONS[word] ?? word),
  );
  const said = make("p", { role: "status" });
  return make(
    "form", { onsubmit: (event) => decide(event, id, said, changed) },
    make("fieldset", {}, make("legend", {}, "Decision"), ...choices),
    make("label", {}, "Reason", make("input", { name: "reason", required: true, maxlength: 300 })),
    make("label", {}, "Who decides", make("input", { name: "author", required: true, maxlength: 64, autocomplete: "name" })),
    make("button", {}, "Decide"),
    said,
  );
}

async function decide(event, id, said, changed) {
  event.preventDefault();
  const button = event.submitter ?? event.target.querySelector("button");
  button.disabled = true;
  try {
    const answer = await ask("POST", `/v1/conflicts/${encodeURIComponent(id)}/resolution`, Object.fromEntries(new FormData(event.target)));
    said.textContent = answer.detail;
    changed(`Decided: ${answer.decision}. ${answer.detail}`);
  } catch (error) {
    said.textContent = error.message;
    button.disabled = false;
  }
}
