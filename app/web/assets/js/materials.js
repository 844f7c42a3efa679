// Uploads with progress, one file at a time; the list of documents is replaced by what the server answers.
import { told } from "./words.js";

const LOOK_AGAIN_MS = 2000;
// Files chosen while others are on their way wait for their turn.
let line = Promise.resolve();
let busy = 0;

export function watchMaterials() {
  document.addEventListener("change", (event) => {
    const form = event.target.closest("form[data-material-upload]");
    if (form && event.target.type === "file" && event.target.files.length) {
      send(form, [...event.target.files]);
    }
  });
  document.addEventListener("submit", (event) => {
    const form = event.target.closest("form[data-material-join]");
    if (form) {
      event.preventDefault();
      request(form, new FormData(form, event.submitter)).then((answer) => replace(answer.text));
    }
  });
  setInterval(lookAgain, LOOK_AGAIN_MS);
  // chosen before this module was there, or kept by the browser when the page was loaded again
  for (const form of document.querySelectorAll("form[data-material-upload]")) {
    const { files } = form.elements.namedItem("file");
    if (files.length) {
      send(form, [...files]);
    }
  }
}

function send(form, files) {
  busy += 1;
  line = line.then(() => upload(form, files)).finally(() => {
    busy -= 1;
  });
}

async function upload(form, files) {
  const fields = Object.fromEntries(new FormData(form));
  const refused = [];
  let current = itemOf(fields.item)?.querySelector("form[data-material-upload]") ?? form;
  for (const file of files) {
    if (file.size > Number(form.dataset.most)) {
      refused.push(told(file.name, form.dataset.tooBig));
      continue;
    }
    const body = new FormData();
    body.set("csrf_token", fields.csrf_token);
    body.set("item", fields.item);
    body.set("file", file);
    const bar = current.querySelector("progress");
    bar.hidden = false;
    const answer = await request(form, body, (share) => {
      bar.value = share;
    });
    if (answer.status === 200 || answer.status === 422) {
      replace(answer.text);
    } else {
      refused.push(told(file.name, form.dataset.broken));
      bar.hidden = true;
    }
    if (answer.status === 422) {
      refused.push(...errorsOf(fields.item));
    }
    current = itemOf(fields.item)?.querySelector("form[data-material-upload]") ?? form;
  }
  current.reset();
  tell(fields.item, refused);
}

function request(form, body, progress = () => {}) {
  return new Promise((done) => {
    const wire = new XMLHttpRequest();
    wire.open("POST", form.getAttribute("action"));
    wire.setRequestHeader("X-Upload", "1");
    wire.upload.addEventListener("progress", (event) => {
      progress(event.lengthComputable ? Math.round((event.loaded / event.total) * 100) : 0);
    });
    wire.addEventListener("loadend", () => done({ status: wire.status, text: wire.responseText }));
    wire.send(body);
  });
}

function itemOf(item) {
  return document.querySelector(`[data-item="${CSS.escape(item)}"]`);
}

function errorsOf(item) {
  return [...(itemOf(item)?.querySelectorAll(".material-errors .field-error span") ?? [])].map((span) => span.textContent);
}

function tell(item, refused) {
  const place = itemOf(item);
  if (!place) {
    return;
  }
  const box = place.querySelector(".material-errors");
  box.replaceChildren(
    ...refused.map((text) => {
      const line = document.createElement("p");
      line.className = "field-error";
      line.append(Object.assign(document.createElement("span"), { textContent: text }));
      return line;
    }),
  );
  place.classList.toggle("has-error", refused.length > 0);
  place.focus({ preventScroll: refused.length === 0 });
}

function replace(text) {
  const found = new DOMParser().parseFromString(text, "text/html").getElementById("material-list");
  const old = document.getElementById("material-list");
  if (found && old) {
    old.replaceWith(document.adoptNode(found));
    settle();
  }
}

// The summary on top names what was missing: what has been given since leaves it.
function settle() {
  const summary = document.querySelector("main [role=alert][data-focus]");
  for (const link of summary?.querySelectorAll("a[href^='#field-']") ?? []) {
    if (Number(document.getElementById(link.hash.slice(1))?.dataset.provided ?? 0) > 0) {
      link.closest("li").remove();
    }
  }
  if (summary && !summary.querySelector("li")) {
    summary.remove();
  } else if (summary) {
    summary.querySelector("p")?.remove();
  }
}

async function lookAgain() {
  const list = document.querySelector("#material-list[data-waiting]");
  if (!list || busy || document.hidden || document.querySelector("dialog[open]")) {
    return;
  }
  const told = [...list.querySelectorAll(".material-errors")].some((box) => box.childElementCount);
  if (told || list.contains(document.activeElement?.closest?.("form") ?? null)) {
    return;
  }
  try {
    const answer = await fetch(list.dataset.address, { headers: { "X-Upload": "1" } });
    if (answer.ok && !busy) {
      replace(await answer.text());
    }
  } catch {
    // the next round asks again
  }
}
