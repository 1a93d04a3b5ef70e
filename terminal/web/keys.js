// The keyboard of the page. Function keys: no scanner types them, no form needs them, and tills have them.

// `actions` by key; the list of them is in a dialog that F1 opens.
export function listenToKeys(actions) {
  document.addEventListener("keydown", (event) => {
    const act = actions[event.key];
    if (!act || event.ctrlKey || event.altKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    act();
  });
}

export function toggleKeyList() {
  const dialog = document.getElementById("keys");
  if (dialog.open) dialog.close();
  else dialog.showModal();
}

export function fillKeyList(rows) {
  const list = document.getElementById("keys").querySelector("dl");
  list.replaceChildren(...rows.flatMap(([key, meaning]) => [part("dt", key), part("dd", meaning)]));
}

function part(tag, text) {
  const element = document.createElement(tag);
  element.textContent = text;
  return element;
}
