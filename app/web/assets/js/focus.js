// A refused form puts the focus on its summary; the summary's links put it into the field.
export function focusErrors(part) {
  const summary = part.querySelector?.("[data-focus]");
  if (summary) {
    summary.focus();
    summary.addEventListener("click", (event) => {
      const link = event.target.closest("a[href^='#field-']");
      const field = link && document.getElementById(link.hash.slice(1));
      if (!field) {
        return;
      }
      event.preventDefault();
      const control = field.dataset.comboInput ? document.getElementById(field.dataset.comboInput) : field;
      control.scrollIntoView({ block: "center" });
      (control.matches("fieldset") ? control.querySelector("input") ?? control : control).focus();
    });
  }
}
