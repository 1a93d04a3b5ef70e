// A POS in one page: settles what a crash left open, waits for a card, and earns, redeems and reverses with it.
// Close the tab or kill the browser whenever you like and come back: nothing counts twice.

import { IndexedPending, Refused, Till } from "../src/index.ts";

const form = document.querySelector<HTMLFormElement>("#till")!;
const said = document.querySelector<HTMLOListElement>("#said")!;

form.addEventListener("submit", (event) => {
  event.preventDefault();
  const fields = new FormData(form);
  const till = new Till(String(fields.get("url")), String(fields.get("token")), { pending: new IndexedPending() });
  serve(till).catch((failure) => say(failure instanceof Refused ? `refused: ${failure.message}` : String(failure)));
});

async function serve(till: Till): Promise<void> {
  for (const { key, answer, refused } of await till.resume()) say(`settled: ${key} ${answer?.state ?? refused?.code}`);
  await visit(till, nextReceipt());
}

/** One customer: a card, a sale of 24.90, 10 points spent, and the sale taken back. */
async function visit(till: Till, receipt: string): Promise<void> {
  say("present a card");
  const read = await till.read(60_000);
  say(`card: ${read.card.masked}`);
  // A number outlives a restart of the till, a `read_id` does not.
  const card = { number: read.card.number ?? "" };

  const sale = await till.earn(`${receipt}-E`, { card, amount: { value: 2490, currency: "EUR" }, receipt: { number: receipt } });
  say(`earned: ${sale.points}`);

  const spent = await till.redeem(`${receipt}-R`, card, 10);
  say(`redeemed: ${spent.points} (${spent.promise}); hand over the reward`);

  const back = await till.reverse(`${receipt}-V`, sale.id);
  say(`reversed: ${back.points}`);
}

/** Never given twice, not even when the page's storage is cleared: a counter would begin anew then. */
function nextReceipt(): string {
  return `S001-T01-${crypto.randomUUID().slice(0, 18)}`;
}

function say(words: string): void {
  const line = document.createElement("li");
  line.textContent = words;
  said.append(line);
}
