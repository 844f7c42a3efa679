// Forms with data-leave ask before typed work is lost; with data-autosave they also keep a draft by themselves.
const EVERY_MS = 20000;

export function watchLeaving() {
  const form = document.querySelector("form[data-leave]");
  if (!form) {
    return;
  }
  let saved = snapshot(form);
  let leaving = false;
  form.addEventListener("submit", () => {
    leaving = true;
  });
  window.addEventListener("beforeunload", (event) => {
    if (!leaving && snapshot(form) !== saved) {
      event.preventDefault();
      event.returnValue = "";
    }
  });
  window.addEventListener("pageshow", () => {
    leaving = false;
  });
  if (form.dataset.autosave) {
    setInterval(async () => {
      const now = snapshot(form);
      if (now !== saved && !leaving && (await keep(form))) {
        saved = now;
      }
    }, EVERY_MS);
  }
}

function snapshot(form) {
  const data = new FormData(form);
  data.delete("csrf_token");
  data.delete("reference");
  return JSON.stringify([...data].map(([name, value]) => [name, value instanceof File ? value.name : value]));
}

// The answer is {"reference": "…", "message": "已于 10:21 自动保存"}; a refusal is silent, the form itself will say it.
async function keep(form) {
  try {
    const answer = await fetch(form.dataset.autosave, {
      method: "POST",
      body: new FormData(form),
      headers: { Accept: "application/json", "X-Autosave": "1" },
    });
    if (!answer.ok) {
      return false;
    }
    const kept = await answer.json();
    const field = form.elements.namedItem("reference");
    if (field && kept.reference) {
      field.value = kept.reference;
    }
    const note = form.querySelector("[data-saved]");
    if (note && kept.message) {
      note.textContent = kept.message;
    }
    return true;
  } catch {
    return false;
  }
}
