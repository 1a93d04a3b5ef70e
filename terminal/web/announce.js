// What a screen reader says: one whole sentence once the screen has settled, not every figure that moves on it.

const SETTLED_MS = 400;

let timer = null;
let said = "";

// `urgent` interrupts. Nothing is said twice in a row, and what was replaced while the screen moved is not said at all.
export function announce(sentence, urgent) {
  clearTimeout(timer);
  if (sentence === said) return;
  timer = setTimeout(() => {
    said = sentence;
    document.getElementById("said").textContent = urgent ? "" : sentence;
    document.getElementById("said-now").textContent = urgent ? sentence : "";
  }, SETTLED_MS);
}
