// What the examination has found, section by section; whatever is well is folded away.

import { ask } from "./ask.js";
import { at, chip, make, moment, redraw, remedy, say } from "./dom.js";

const GRAVITY = ["broken", "attention", "unknown", "ok"];
const MOODS = { ok: "calm", unknown: "soft", attention: "wait", broken: "trouble" };

export function watchDoctor() {
  for (const button of at("doctor").querySelectorAll("button[data-level]")) {
    button.addEventListener("click", () => examine(button.dataset.level));
  }
}

export async function examine(level) {
  const buttons = at("doctor").querySelectorAll("button[data-level]");
  buttons.forEach((button) => (button.disabled = true));
  say("doctor-state", level === "external" ? "Trying disk, network and readers…" : "Looking…");
  try {
    show(await ask("GET", `/v1/diagnostics?level=${level}`));
  } catch (error) {
    say("doctor-state", error.message);
  } finally {
    buttons.forEach((button) => (button.disabled = false));
  }
}

function show({ verdict, made_at: made, level, sections, complete }) {
  const cut = complete ? "" : " It was cut off.";
  say("doctor-state", `${verdict === "ok" ? "Nothing found" : `The worst is: ${verdict}`}; ${level}, ${moment(made)}.${cut}`);
  redraw(at("doctor").querySelector(".list"), sections, (all) => all.map(section));
}

function section({ name, verdict, took_ms: took, findings }) {
  const gravest = [...findings].sort((one, two) => GRAVITY.indexOf(one.verdict) - GRAVITY.indexOf(two.verdict));
  const loud = findings.filter((finding) => finding.verdict !== "ok").length;
  const head = make("summary", { "data-name": `section ${name}` }, make("b", {}, name), chip(verdict, MOODS[verdict] ?? "soft"), make("small", {}, `${findings.length} looked at, ${loud} to see, ${took} ms`));
  return make("details", { open: verdict === "attention" || verdict === "broken" }, head, make("ul", {}, ...gravest.map(finding)));
}

function finding({ code, what, verdict, evidence, subject, remedy: cure, who }) {
  const named = subject ? make("b", {}, ` ${subject}`) : null;
  return make(
    "li", {},
    make("p", {}, chip(verdict, MOODS[verdict] ?? "soft"), named, make("span", {}, ` ${what}`)),
    make("p", { class: "evidence" }, evidence),
    cure ? make("p", { class: "cure" }, remedy(cure, code), who ? make("small", {}, `by: ${who}`) : null) : null,
  );
}
