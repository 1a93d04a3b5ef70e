// Elements from values. Text is always text: nothing from outside becomes markup.

export const at = (id) => document.getElementById(id);

export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, value);
  }
  const shown = children.filter((child) => child !== null && child !== undefined && child !== "");
  element.append(...shown.map((child) => (typeof child === "string" ? unbroken(child) : child)));
  return element;
}

export function say(id, text) {
  const element = at(id);
  const shown = unbroken(text);
  // Untouched text is not announced again.
  if (element.textContent !== shown) element.textContent = shown;
}

// French writes a space before these marks, and no line begins with them.
export const unbroken = (text) => text.replace(/ (?=[;:?!»])/g, "\u00a0");

const drawn = new WeakMap();

// Draws only what has changed, and gives the keyboard back to the control of the same name.
export function redraw(place, value, build) {
  const now = JSON.stringify(value);
  if (drawn.get(place) === now) return;
  drawn.set(place, now);
  const held = place.contains(document.activeElement) ? document.activeElement.dataset.name : undefined;
  place.replaceChildren(...[build(value)].flat());
  if (held) place.querySelector(`[data-name="${CSS.escape(held)}"]`)?.focus();
}

// A command that mends something, with a button that takes it along.
export function remedy(text, name) {
  const button = make("button", { type: "button", class: "copy", "data-name": `copy ${name}`, "aria-label": `Copy: ${text}` }, "Copy");
  const code = make("code", {}, text);
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(text);
      button.textContent = "Copied";
    } catch {
      getSelection().selectAllChildren(code);
      button.textContent = "Ctrl+C";
    }
    setTimeout(() => (button.textContent = "Copy"), 2000);
  });
  return make("span", { class: "remedy" }, code, button);
}

export const chip = (text, mood) => make("span", { class: "chip", "data-mood": mood }, text);

const clock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const calendar = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });

export function moment(rfc3339) {
  if (!rfc3339) return "never";
  const time = new Date(rfc3339);
  return (time.toDateString() === new Date().toDateString() ? clock : calendar).format(time);
}

export function age(seconds) {
  if (seconds === null || seconds === undefined) return "–";
  if (seconds < 1) return `${Math.round(seconds * 1000)} ms`;
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  if (seconds < 120) return `${Math.round(seconds)} s`;
  if (seconds < 7200) return `${Math.round(seconds / 60)} min`;
  if (seconds < 172_800) return `${Math.round(seconds / 3600)} h`;
  return `${Math.round(seconds / 86_400)} d`;
}

export const bytes = (count) =>
  count >= 2 ** 30 ? `${(count / 2 ** 30).toFixed(1)} GiB` : `${Math.round(count / 2 ** 20)} MiB`;
