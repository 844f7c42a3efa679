// Sections become tabs; without script they stand one below the other. A section may ask for a module when shown.
export function watchTabs(part) {
  for (const box of part.querySelectorAll("[data-tabs]")) {
    if (!box.dataset.ready) {
      box.dataset.ready = "1";
      build(box);
    }
  }
}

function build(box) {
  const sections = [...box.querySelectorAll(":scope > [data-tab]")];
  const list = document.createElement("div");
  list.className = "tabs";
  list.setAttribute("role", "tablist");
  const buttons = sections.map((section) => {
    const button = document.createElement("button");
    button.type = "button";
    button.id = `${section.id}-button`;
    button.textContent = section.dataset.tab;
    button.setAttribute("role", "tab");
    button.setAttribute("aria-controls", section.id);
    section.setAttribute("role", "tabpanel");
    section.setAttribute("aria-labelledby", button.id);
    const title = section.querySelector(":scope > h3");
    // the tab shows the words; the heading stays in the order of those who jump from one to the next
    title?.classList.add("visually-hidden");
    list.append(button);
    return button;
  });
  const show = (place) => {
    sections.forEach((section, at) => {
      section.hidden = at !== place;
      buttons[at].setAttribute("aria-selected", String(at === place));
      buttons[at].tabIndex = at === place ? 0 : -1;
    });
    remember(sections[place].id);
    load(sections[place]);
  };
  list.addEventListener("click", (event) => {
    const place = buttons.indexOf(event.target.closest("button"));
    if (place >= 0) {
      show(place);
    }
  });
  list.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (step) {
      event.preventDefault();
      const place = (buttons.indexOf(document.activeElement) + step + buttons.length) % buttons.length;
      show(place);
      buttons[place].focus();
    }
  });
  box.prepend(list);
  // The next case opens on the tab that was being read.
  const last = sections.findIndex((section) => section.id === remembered);
  show(Math.max(last, 0));
}

let remembered = "";

function remember(id) {
  remembered = id;
}

async function load(section) {
  const wanted = section.querySelector("[data-module]");
  if (!wanted) {
    return;
  }
  if (wanted.dataset.style && !document.querySelector(`link[href="${wanted.dataset.style}"]`)) {
    const link = document.createElement("link");
    link.rel = "stylesheet";
    link.href = wanted.dataset.style;
    document.head.append(link);
  }
  const module = await import(wanted.dataset.module);
  module.startAll(section);
}
