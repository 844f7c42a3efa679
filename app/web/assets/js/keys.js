// Keyboard: / search, ? keys, Esc back, j and k through a list, Enter opens.
import { show } from "./dialog.js";

export function watchKeys() {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || typing(event.target)) {
      if (event.key === "Escape" && event.target.matches?.("[data-search]")) {
        event.target.blur();
      }
      return;
    }
    if (document.querySelector("dialog[open]")) {
      return;
    }
    const act = { "/": search, "?": help, j: () => move(1), k: () => move(-1), Escape: back }[event.key];
    if (act?.()) {
      event.preventDefault();
    }
  });
}

function typing(target) {
  return target.matches?.("input:not([type=checkbox]):not([type=radio]), select, textarea, [contenteditable]");
}

function search() {
  const field = document.querySelector("[data-search]");
  field?.focus();
  field?.select();
  return Boolean(field);
}

function move(step) {
  const rows = [...document.querySelectorAll("[data-row]")];
  if (!rows.length) {
    return false;
  }
  const at = rows.findIndex((row) => row.contains(document.activeElement) || row.matches(".current"));
  const row = rows[Math.min(Math.max(at + step, 0), rows.length - 1)];
  for (const one of rows) {
    one.classList.toggle("current", one === row);
  }
  (row.matches("a") ? row : row.querySelector("a, button, input"))?.focus();
  row.scrollIntoView({ block: "nearest" });
  return true;
}

function back() {
  const link = document.querySelector("[data-back]");
  link?.click();
  return Boolean(link);
}

function help() {
  fetch("/help")
    .then((answer) => answer.text())
    .then((text) => {
      const part = new DOMParser().parseFromString(text, "text/html");
      const body = document.createElement("div");
      body.className = "confirm";
      const title = document.createElement("h2");
      title.textContent = part.querySelector("#keys").closest(".card").querySelector("h2").textContent;
      body.append(title, part.querySelector("#keys"));
      show(body);
    });
  return true;
}
