// A long <select> gets a box to type in: it filters the options by their words or codes (ARIA combobox pattern).
let number = 0;

export function watchCombos(part) {
  for (const select of part.querySelectorAll("select[data-combo]:not([multiple])")) {
    if (!select.dataset.comboInput) {
      build(select);
    }
  }
}

function build(select) {
  const id = `combo-${(number += 1)}`;
  const box = document.createElement("span");
  box.className = "combo";
  const input = document.createElement("input");
  input.type = "text";
  input.id = id;
  input.autocomplete = "off";
  input.placeholder = select.dataset.combo;
  input.setAttribute("role", "combobox");
  input.setAttribute("aria-expanded", "false");
  input.setAttribute("aria-controls", `${id}-list`);
  input.setAttribute("aria-autocomplete", "list");
  for (const name of ["aria-describedby", "aria-invalid", "aria-required"]) {
    if (select.hasAttribute(name)) {
      input.setAttribute(name, select.getAttribute(name));
    }
  }
  const list = document.createElement("ul");
  list.className = "combo-list";
  list.id = `${id}-list`;
  list.setAttribute("role", "listbox");
  list.hidden = true;
  for (const label of [...select.labels]) {
    label.htmlFor = id;
  }
  select.dataset.comboInput = id;
  select.before(box);
  box.append(input, list);
  // The <select> stays the form's field: it lies unseen under the box, out of the tab order.
  select.classList.add("combo-select");
  select.tabIndex = -1;
  select.setAttribute("aria-hidden", "true");
  box.append(select);
  behave(select, input, list);
}

function behave(select, input, list) {
  let active = -1;
  const label = () => (select.value ? select.selectedOptions[0]?.text.trim() : "") ?? "";
  const close = () => {
    list.hidden = true;
    active = -1;
    input.setAttribute("aria-expanded", "false");
    input.removeAttribute("aria-activedescendant");
  };
  const mark = (place) => {
    const lines = [...list.querySelectorAll("[role=option]")];
    active = lines.length ? (place + lines.length) % lines.length : -1;
    lines.forEach((line, at) => line.setAttribute("aria-selected", String(at === active)));
    if (active >= 0) {
      input.setAttribute("aria-activedescendant", lines[active].id);
      lines[active].scrollIntoView({ block: "nearest" });
    }
  };
  const open = (words) => {
    const wanted = words.trim().toLowerCase();
    const options = [...select.options].filter(
      (option) => option.value && (!wanted || option.text.toLowerCase().includes(wanted) || option.value.toLowerCase().startsWith(wanted)),
    );
    list.replaceChildren(...options.slice(0, 200).map((option, at) => line(option, `${list.id}-${at}`)));
    if (!options.length) {
      const none = document.createElement("li");
      none.className = "none";
      none.textContent = "—";
      list.append(none);
    }
    list.hidden = false;
    input.setAttribute("aria-expanded", "true");
    const chosen = options.findIndex((option) => option.value === select.value);
    mark(Math.max(chosen, 0));
  };
  const take = (value) => {
    if (value !== select.value) {
      select.value = value;
      select.dispatchEvent(new Event("change", { bubbles: true }));
    }
    input.value = label();
    close();
  };
  input.value = label();
  select.addEventListener("change", () => {
    input.value = label();
  });
  input.addEventListener("focus", () => input.select());
  input.addEventListener("click", () => open(""));
  input.addEventListener("input", () => open(input.value));
  input.addEventListener("blur", () => {
    if (!input.value.trim()) {
      take("");
      return;
    }
    const exact = [...select.options].find((option) => option.text.trim() === input.value.trim());
    take(exact ? exact.value : select.value);
  });
  list.addEventListener("mousedown", (event) => {
    event.preventDefault();
    const chosen = event.target.closest("[role=option]");
    if (chosen) {
      take(chosen.dataset.value);
    }
  });
  input.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (list.hidden) {
        open("");
      } else {
        mark(active + (event.key === "ArrowDown" ? 1 : -1));
      }
    } else if (event.key === "Enter" && !list.hidden && active >= 0) {
      event.preventDefault();
      take(list.querySelectorAll("[role=option]")[active].dataset.value);
    } else if (event.key === "Escape" && !list.hidden) {
      event.stopPropagation();
      input.value = label();
      close();
    }
  });
}

function line(option, id) {
  const item = document.createElement("li");
  item.id = id;
  item.setAttribute("role", "option");
  item.dataset.value = option.value;
  item.textContent = option.text.trim();
  return item;
}
