// The auditor's page: stock phrases, fields of a return, an opinion that is not lost, keys, and the next case.
import { release } from "./once.js";
import { joined } from "./words.js";

export function watchWorkbench(part) {
  const form = part.querySelector?.("form[data-decision]");
  if (form && !form.dataset.ready) {
    form.dataset.ready = "1";
    keepOpinion(form);
    openReturning(form);
  }
}

export function watchDecisions() {
  document.addEventListener("change", (event) => {
    if (event.target.matches?.("[data-phrase]")) {
      takePhrase(event.target);
    }
  });
  document.addEventListener("keydown", (event) => {
    const form = document.querySelector("form[data-decision]");
    const busy = event.ctrlKey || event.metaKey || event.altKey || event.isComposing;
    if (!form || busy || typing(event.target) || document.querySelector("dialog[open]")) {
      return;
    }
    if (event.key === "a") {
      event.preventDefault();
      // One more Enter decides: a slip of the finger must not.
      form.querySelector("button[value=approve]")?.focus();
    } else if (event.key === "r") {
      event.preventDefault();
      startReturn(form);
    }
  });
  document.addEventListener("htmx:sendError", () => fault(true));
  document.addEventListener("htmx:beforeRequest", () => fault(false));
  document.addEventListener("htmx:afterSwap", (event) => {
    if (event.target.id === "workbench" || event.detail.target?.id === "workbench") {
      settle();
    }
  });
}

function typing(target) {
  return target.matches?.("input:not([type=checkbox]):not([type=radio]), select, textarea, [contenteditable]");
}

// Listens at the document: the next case is on the page a moment before anything can be tied to its parts.
function takePhrase(list) {
  const opinion = list.form?.elements.namedItem("opinion");
  if (list.value && opinion) {
    opinion.value = opinion.value.trim() ? joined(opinion.value.trim(), list.value) : list.value;
    opinion.dispatchEvent(new Event("input", { bubbles: true }));
    opinion.focus();
  }
  list.value = "";
}

// Only this tab of the browser remembers, and only until the case is decided.
function keepOpinion(form) {
  const key = `opinion-${form.dataset.decision}`;
  const opinion = form.elements.namedItem("opinion");
  if (!opinion.value) {
    opinion.value = sessionStorage.getItem(key) ?? "";
  }
  opinion.addEventListener("input", () => sessionStorage.setItem(key, opinion.value));
  form.addEventListener("submit", () => sessionStorage.removeItem(key));
}

function openReturning(form) {
  const part = form.querySelector("[data-returning]");
  form.querySelector("button[value=return]")?.addEventListener("click", (event) => {
    if (part && !form.querySelector("[name=return_fields]:checked")) {
      event.preventDefault();
      startReturn(form);
    }
  });
}

function startReturn(form) {
  const part = form.querySelector("[data-returning]");
  if (part) {
    part.open = true;
    part.scrollIntoView({ block: "nearest" });
    part.querySelector("input")?.focus();
  }
}

function fault(shown) {
  document.querySelector(".bench-fault")?.remove();
  const words = document.querySelector("[data-fault]")?.dataset.fault;
  if (!shown || !words) {
    return;
  }
  const note = document.createElement("p");
  note.className = "bench-fault";
  note.setAttribute("role", "alert");
  note.textContent = words;
  document.body.append(note);
  for (const form of document.querySelectorAll("form[data-sent]")) {
    release(form);
  }
}

function settle() {
  const summary = document.querySelector("#workbench [role=alert][data-focus]");
  const current = document.querySelector("#workbench .short-row.current a");
  // Where the list stands below the case, the case is what must be seen.
  const target = matchMedia("(max-width: 1200px)").matches ? document.getElementById("case-title") : current;
  target?.scrollIntoView({ block: target === current ? "nearest" : "center" });
  (summary ?? target)?.focus();
}
