// Many documents for a batch: dropped or chosen together, sent a few at a time, answered as one.
import { told } from "./words.js";

const FILES_AT_ONCE = 8;
const BYTES_AT_ONCE = 10 * 1024 * 1024;

export function watchBatchFiles() {
  document.addEventListener("change", (event) => {
    const form = event.target.closest("form[data-batch-files]");
    if (form && event.target.type === "file" && event.target.files.length) {
      send(form, [...event.target.files]);
    }
  });
  for (const type of ["dragenter", "dragover", "dragleave", "drop"]) {
    document.addEventListener(type, (event) => {
      const zone = event.target.closest?.("form[data-batch-files] .drop-zone");
      if (!zone) {
        return;
      }
      event.preventDefault();
      zone.classList.toggle("over", type === "dragenter" || type === "dragover");
      if (type === "drop" && event.dataTransfer.files.length) {
        send(zone.closest("form"), [...event.dataTransfer.files]);
      }
    });
  }
}

// As many files to a request as the server takes at once, and as its limit for a request allows.
function parcels(files) {
  const made = [];
  let bytes = 0;
  for (const file of files) {
    const last = made.at(-1);
    if (last && last.length < FILES_AT_ONCE && bytes + file.size <= BYTES_AT_ONCE) {
      last.push(file);
      bytes += file.size;
    } else {
      made.push([file]);
      bytes = file.size;
    }
  }
  return made;
}

async function send(form, files) {
  if (form.dataset.busy) {
    return;
  }
  form.dataset.busy = "1";
  const most = Number(form.dataset.most);
  const answers = { taken: [], refused: [], counts: [0, 0, 0] };
  const refuse = (file, words) => {
    answers.refused.push(told(file.name, words));
    answers.counts[2] += 1;
  };
  for (const file of files.filter((each) => each.size > most)) {
    refuse(file, form.dataset.tooBig);
  }
  const fine = files.filter((each) => each.size <= most);
  let done = 0;
  for (const parcel of parcels(fine)) {
    progress(form, done, fine.length, 0);
    const before = done;
    const answer = await post(form, parcel, (share) => {
      progress(form, before + Math.floor(share * parcel.length), fine.length, (before + share * parcel.length) / fine.length);
    });
    const part = answer.status === 200 || answer.status === 422 ? partOf(answer.text) : null;
    if (part) {
      gather(part, answers);
      document.getElementById("batch-parts").replaceWith(part);
      window.htmx.process(part);
    } else {
      parcel.forEach((file) => refuse(file, form.dataset.broken));
    }
    done += parcel.length;
  }
  tell(answers);
  form.querySelector("[data-batch-progress]").hidden = true;
  form.querySelector("input[type=file]").value = "";
  delete form.dataset.busy;
}

function post(form, files, share) {
  const body = new FormData();
  for (const name of ["csrf_token", "item", "for"]) {
    body.set(name, form.elements.namedItem(name).value);
  }
  for (const file of files) {
    body.append("file", file);
  }
  return new Promise((done) => {
    const wire = new XMLHttpRequest();
    wire.open("POST", form.getAttribute("action"));
    wire.setRequestHeader("X-Upload", "1");
    wire.upload.addEventListener("progress", (event) => {
      share(event.lengthComputable ? event.loaded / event.total : 0);
    });
    wire.addEventListener("loadend", () => done({ status: wire.status, text: wire.responseText }));
    wire.send(body);
  });
}

function progress(form, done, total, share) {
  const box = form.querySelector("[data-batch-progress]");
  box.hidden = false;
  box.querySelector("progress").value = Math.round(share * 100);
  const words = form.dataset.progress.replace("{done}", String(Math.min(done + 1, total))).replace("{total}", String(total));
  box.querySelector("[data-batch-progress-words]").textContent = words;
}

function partOf(text) {
  const found = new DOMParser().parseFromString(text, "text/html").getElementById("batch-parts");
  return found && document.adoptNode(found);
}

// What earlier requests of the same drop were answered is said together with the last one's.
function gather(part, answers) {
  const box = part.querySelector("#batch-answers");
  const counts = box.querySelector("[data-counts]")?.dataset.counts.split(",").map(Number) ?? [0, 0, 0];
  const refused = textsOf(box, "[data-refused] li");
  if (!box.querySelector("[data-counts]")) {
    counts[2] = refused.length;
  }
  answers.counts = answers.counts.map((count, place) => count + counts[place]);
  answers.refused.push(...refused);
  answers.taken.push(...textsOf(box, "[data-taken] li"));
}

function textsOf(box, selector) {
  return [...box.querySelectorAll(selector)].map((line) => line.textContent);
}

function tell(answers) {
  const box = document.getElementById("batch-answers");
  const counted = box.querySelector("[data-counts]");
  if (counted) {
    let place = 0;
    counted.textContent = counted.textContent.replace(/\d+/g, () => String(answers.counts[place++]));
    counted.dataset.counts = answers.counts.join(",");
    fill(box.querySelector("[data-taken]"), answers.taken);
    fill(box.querySelector("[data-refused]"), answers.refused);
  } else if (answers.refused.length) {
    const list = document.createElement("ul");
    list.dataset.refused = "";
    const alert = document.createElement("div");
    alert.className = "alert bad";
    alert.append(list);
    box.replaceChildren(alert);
    fill(list, answers.refused);
  }
  settle();
  box.scrollIntoView({ block: "nearest" });
}

// The summary on top names who lacked something: who lacks nothing any more leaves it.
function settle() {
  const summary = document.querySelector("main [role=alert][data-focus]");
  for (const link of summary?.querySelectorAll("a[href^='#field-person_']") ?? []) {
    const row = document.getElementById(link.hash.slice(1));
    if (row && row.dataset.materials !== "missing") {
      link.closest("li").remove();
      summary.querySelector("p")?.remove();
    }
  }
  if (summary && !summary.querySelector("li")) {
    summary.remove();
  }
}

function fill(list, texts) {
  list?.replaceChildren(...texts.map((text) => Object.assign(document.createElement("li"), { textContent: text })));
}
