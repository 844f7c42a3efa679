// The place to drop a batch file: shows the file's name and refuses early what the server would refuse.
export function watchUploads(part) {
  for (const form of part.querySelectorAll("form[data-upload]")) {
    const input = form.querySelector("input[type=file]");
    const zone = input?.closest(".drop-zone");
    if (!zone) {
      continue;
    }
    input.addEventListener("change", () => show(form, input));
    for (const type of ["dragenter", "dragover"]) {
      zone.addEventListener(type, (event) => {
        event.preventDefault();
        zone.classList.add("over");
      });
    }
    for (const type of ["dragleave", "drop"]) {
      zone.addEventListener(type, () => zone.classList.remove("over"));
    }
    zone.addEventListener("drop", (event) => {
      event.preventDefault();
      if (event.dataTransfer.files.length) {
        input.files = event.dataTransfer.files;
        show(form, input);
      }
    });
  }
}

function show(form, input) {
  const file = input.files[0];
  const name = form.querySelector("[data-file-name]");
  name.dataset.empty ??= name.textContent;
  name.textContent = file ? file.name : name.dataset.empty;
  const tooBig = Boolean(file) && file.size > Number(input.dataset.most);
  input.setCustomValidity(tooBig ? input.dataset.tooBig : "");
  input.setAttribute("aria-invalid", String(tooBig));
  input.closest(".drop-zone").classList.toggle("has-error", tooBig);
  const words = form.querySelector("[data-file-error]");
  words.hidden = !tooBig;
  words.querySelector("span").textContent = tooBig ? input.dataset.tooBig : "";
}
