// Dates and months are typed; a button beside them opens the browser's own calendar. Typed digits get their dashes.
export function watchPickers(part) {
  for (const input of part.querySelectorAll("input[data-pick]:not([readonly])")) {
    if (input.dataset.ready) {
      continue;
    }
    input.dataset.ready = "1";
    input.addEventListener("blur", () => {
      input.value = tidy(input.value, input.dataset.pick);
    });
    addButton(input);
  }
}

export function tidy(typed, kind) {
  const text = typed.normalize("NFKC").trim();
  const parts = /^\d+$/.test(text)
    ? [text.slice(0, 4), text.slice(4, 6), text.slice(6, 8)].filter(Boolean)
    : text.split(/[-/.年月日]/).filter(Boolean);
  const wanted = kind === "month" ? 2 : 3;
  if (parts.length !== wanted || !parts.every((one) => /^\d+$/.test(one)) || parts[0].length !== 4) {
    return typed;
  }
  return parts.map((one, place) => (place ? one.padStart(2, "0") : one)).join("-");
}

function addButton(input) {
  const native = document.createElement("input");
  native.type = input.dataset.pick;
  if (native.type !== input.dataset.pick || !native.showPicker) {
    return;
  }
  native.tabIndex = -1;
  native.className = "picker-native";
  native.setAttribute("aria-hidden", "true");
  const button = document.createElement("button");
  button.type = "button";
  button.tabIndex = -1;
  button.className = "picker-button";
  button.setAttribute("aria-label", input.labels[0]?.textContent.trim() ?? "");
  const box = document.createElement("span");
  box.className = "picker";
  input.replaceWith(box);
  box.append(input, native, button);
  button.addEventListener("click", () => {
    native.value = tidy(input.value, input.dataset.pick);
    native.showPicker();
  });
  native.addEventListener("change", () => {
    input.value = native.value;
    input.dispatchEvent(new Event("change", { bubbles: true }));
  });
}
