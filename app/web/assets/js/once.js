// A form is sent once: a second click while the first is on its way does nothing.
export function guardSubmits() {
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (event.defaultPrevented || form.method === "get" || form.hasAttribute("hx-post")) {
      return;
    }
    if (form.dataset.sent) {
      event.preventDefault();
      return;
    }
    form.dataset.sent = "1";
    // The button's own name and value must still travel, so it is marked after the browser has read the form.
    setTimeout(() => {
      for (const button of form.querySelectorAll("button:not([type=button])")) {
        button.dataset.busy = "1";
        button.setAttribute("aria-disabled", "true");
      }
    });
  });
  // Coming back by the browser's button shows the page as it was left: let it be sent again.
  window.addEventListener("pageshow", (event) => {
    if (!event.persisted) {
      return;
    }
    for (const form of document.querySelectorAll("form[data-sent]")) {
      release(form);
    }
  });
}

export function release(form) {
  delete form.dataset.sent;
  for (const button of form.querySelectorAll("button[data-busy]")) {
    delete button.dataset.busy;
    button.removeAttribute("aria-disabled");
  }
}
