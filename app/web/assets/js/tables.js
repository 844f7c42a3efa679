// Lists: tick all of a page, and say how many are ticked.
export function watchTables(part) {
  for (const all of part.querySelectorAll("[data-select-all]")) {
    const table = all.closest("table");
    const boxes = () => [...table.querySelectorAll("tbody .tick input[type=checkbox]:not(:disabled)")];
    const tell = () => {
      const chosen = boxes().filter((box) => box.checked).length;
      all.checked = chosen > 0 && chosen === boxes().length;
      all.indeterminate = chosen > 0 && !all.checked;
      for (const note of document.querySelectorAll("[data-ticked]")) {
        note.textContent = String(chosen);
      }
    };
    all.addEventListener("change", () => {
      for (const box of boxes()) {
        box.checked = all.checked;
      }
      tell();
    });
    table.addEventListener("change", tell);
    tell();
  }
}
