// An identity card number fills what follows from it when the field is left. The server decides again.
const WEIGHTS = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
const CHECKS = "10X98765432";
const CARD = "01";

export function watchIdentity(part) {
  for (const input of part.querySelectorAll("[data-derive]")) {
    input.addEventListener("change", () => fill(input));
  }
}

export function facts(typed) {
  const number = typed
    .normalize("NFKC")
    .replace(/\s/g, "")
    .toUpperCase();
  if (!/^\d{17}[\dX]$/.test(number)) {
    return null;
  }
  const sum = WEIGHTS.reduce((total, weight, place) => total + weight * Number(number[place]), 0);
  const [year, month, day] = [number.slice(6, 10), number.slice(10, 12), number.slice(12, 14)];
  const born = new Date(Date.UTC(Number(year), Number(month) - 1, Number(day)));
  const real = born.getUTCMonth() === Number(month) - 1 && born.getUTCDate() === Number(day);
  if (CHECKS[sum % 11] !== number[17] || !real || born > new Date()) {
    return null;
  }
  return {
    number,
    birth_date: `${year}-${month}-${day}`,
    sex: Number(number[16]) % 2 ? "1" : "2",
    nationality: "CHN",
  };
}

function fill(input) {
  const form = input.form;
  const type = form.elements.namedItem("id_type");
  const found = (!type || type.value === CARD) && facts(input.value);
  if (!found) {
    return;
  }
  input.value = found.number;
  for (const [name, fact] of Object.entries(JSON.parse(input.dataset.derive))) {
    const field = form.elements.namedItem(name);
    const value = found[fact];
    if (!field || value === undefined) {
      continue;
    }
    field.value = value;
    for (const one of field instanceof RadioNodeList ? field : [field]) {
      one.dispatchEvent(new Event("change", { bubbles: true }));
    }
  }
}
