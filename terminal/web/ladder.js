// The reading ladder: what can be tried when a card will not be read, as buttons; the present rung is marked.

const nav = () => document.getElementById("ladder");

// Drawn anew only where it has changed: a button that is replaced loses the keyboard.
export function showLadder(rungs, present, names, choose) {
  const list = nav().querySelector("ol");
  const drawn = rungs.map((rung) => rung.step).join();
  nav().hidden = !rungs.length;
  if (list.dataset.drawn !== drawn) {
    list.dataset.drawn = drawn;
    list.replaceChildren(...rungs.map(({ step }) => rungItem(step, names[step] ?? step, choose)));
  }
  for (const button of list.querySelectorAll("button")) {
    if (button.value === present) button.setAttribute("aria-current", "step");
    else button.removeAttribute("aria-current");
  }
}

export function focusLadder() {
  (nav().querySelector("[aria-current]") ?? nav().querySelector("button"))?.focus();
}

// What to do now: the till's words, or those of the rung that the cashier has gone to.
export function advice({ next, step, ladder }, chosen) {
  if (!chosen || chosen === step) return next;
  return (ladder ?? []).filter((rung) => rung.step === chosen).map((rung) => rung.say);
}

function rungItem(step, name, choose) {
  const button = document.createElement("button");
  button.value = step;
  button.textContent = name;
  button.addEventListener("click", () => choose(step));
  const line = document.createElement("li");
  line.append(button);
  return line;
}
