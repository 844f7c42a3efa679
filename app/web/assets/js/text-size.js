// The text size changes at once; the choice is kept by the same request that works without script.
export function watchTextSize() {
  for (const form of document.querySelectorAll("form[data-text-size]")) {
    form.addEventListener("submit", (event) => {
      const chosen = event.submitter;
      if (!chosen) {
        return;
      }
      event.preventDefault();
      document.documentElement.dataset.text = chosen.value;
      for (const button of form.querySelectorAll("button")) {
        button.setAttribute("aria-pressed", String(button === chosen));
      }
      const body = new FormData(form);
      body.set("text", chosen.value);
      fetch(form.action, { method: "POST", body, redirect: "manual" });
    });
  }
}
