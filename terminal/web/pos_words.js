// What the POS wants the cashier to read: its own words, until others come or their time is over.

import { at, say } from "./dom.js";

const SHOWN_MS = 60_000;

let timer = null;

// `told` is the till's event `display`. Words that were said before the page was opened are shown for what is left of
// their time; the till's clock is this machine's.
export function showPosWords({ text, at: said }) {
  const left = SHOWN_MS - (Date.now() - Date.parse(said));
  clearTimeout(timer);
  at("pos-words").hidden = !(left > 0);
  say("pos-words", left > 0 ? text : "");
  if (left > 0) timer = setTimeout(forget, left);
}

function forget() {
  at("pos-words").hidden = true;
  say("pos-words", "");
}
