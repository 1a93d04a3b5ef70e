// The panel across the counter: what has just happened, as one thing. `scene` decides, `showScene` draws.

import { make, unbroken } from "./dom.js";
import { movement } from "./movement.js";

export const UNDER_REVIEW = new Set(["parked", "conflict"]);

// Pure: what the panel shows, from what was seen. `say` is the headline, `fine` the small print, `hints` what to do.
export function scene({ card, sold, unreadable, rung }, words, format, advice) {
  if (unreadable) {
    return { mood: "trouble", say: unreadable.title, fine: unreadable.detail, hints: advice(unreadable, rung) ?? [] };
  }
  if (sold && !sold.card) {
    if (UNDER_REVIEW.has(sold.state)) return reviewed(sold, words, format);
    const name = sold.kind === "earn" ? words.withoutCard : movement(sold, words, format).name;
    const change = { say: name, change: changed(sold, words, format) };
    if (!sold.claimable) return { mood: "sold", ...change };
    return { mood: "sold", ...change, claim: sold.id, fine: words.claimHow };
  }
  if (!card) return { mood: "waiting", say: words.present };
  const balance = card.balance;
  if (sold && UNDER_REVIEW.has(sold.state)) return { ...reviewed(sold, words, format), number: card.card.masked, ...sum(balance, words, format) };
  return {
    mood: sold ? "sold" : "read",
    say: sold ? movement(sold, words, format).name : words.lastCard,
    number: card.card.masked,
    ...sum(balance, words, format),
    change: sold ? changed(sold, words, format) : "",
    fine: balanceNote(balance, words, format),
    expiry: balance?.expiring?.[0]?.text ?? "",
    hints: card.hints,
  };
}

// A person must look at this sale first: no sign and no tick promise its points.
function reviewed(sold, words, format) {
  const { state, sentence, points } = sold;
  const { name, unit } = movement(sold, words, format);
  const what = `${name} · ${format.whole(points)} ${unit}`;
  const left = state === "parked" ? words.notCounted : "";
  return { mood: "review", say: words.underReview, change: what, fine: [sentence, left].filter(Boolean).join(" "), hints: [words.conflictsHint] };
}

function sum(balance, words, format) {
  if (!balance) return { points: "", unit: "", estimate: "" };
  return { points: format.whole(balance.points), unit: words.points(balance.points), estimate: balance.estimate ? words.estimate : "" };
}

function changed(sold, words, format) {
  const { change, unit } = movement(sold, words, format);
  return `${change} ${unit}`;
}

function balanceNote(balance, words, format) {
  if (!balance) return words.unknownBalance;
  const parts = [];
  if (balance.as_of) parts.push(words.asOf(format.moment(balance.as_of)));
  if (balance.pending) parts.push(words.pending(balance.pending));
  if (balance.inactive) parts.push(words.inactive(balance.inactive));
  return parts.join(" · ");
}

// Pure: the panel in one sentence, for those who hear it.
export function spoken({ mood, say, number, points, unit, estimate, change, fine, expiry, hints }, words) {
  if (mood === "waiting") return "";
  if (mood === "trouble") return [say, fine, ...hints].join(". ").replaceAll("..", ".");
  const who = number ? words.ending(number.slice(-4)) : "";
  const total = points ? [points, unit, estimate].filter(Boolean).join(" ") : "";
  const why = mood === "review" ? fine : "";
  return [[say, change].filter(Boolean).join(" "), who, total, why, expiry, ...(hints ?? [])].filter(Boolean).join(", ");
}

export function showScene(shown) {
  const panel = document.getElementById("card");
  panel.dataset.mood = shown.mood;
  put("card-say", shown.say);
  put("card-number", shown.number);
  const [number, unit] = document.getElementById("card-points").children;
  number.textContent = shown.points ?? "";
  unit.textContent = shown.unit ?? "";
  put("card-change", shown.change);
  put("card-estimate", shown.estimate);
  put("card-note", shown.fine);
  put("card-expiry", shown.expiry);
  const hints = (shown.hints ?? []).map((hint) => make("li", {}, hint));
  document.getElementById("card-hints").replaceChildren(...hints);
  showClaim(shown.claim);
}

function put(id, text = "") {
  document.getElementById(id).textContent = unbroken(text);
}

function showClaim(id) {
  const picture = document.getElementById("card-claim");
  picture.hidden = !id;
  if (!id || picture.dataset.id === id) return;
  picture.dataset.id = id;
  picture.src = `/v1/transactions/${encodeURIComponent(id)}/claim.svg`;
}
