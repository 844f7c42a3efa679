// Drop-downs are <details>: close them on Esc, on a click elsewhere, and when another one opens.
export function watchDrops() {
  const openOnes = () => document.querySelectorAll("details.drop[open]");
  document.addEventListener("click", (event) => {
    for (const drop of openOnes()) {
      if (!drop.contains(event.target)) {
        drop.open = false;
      }
    }
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") {
      return;
    }
    for (const drop of openOnes()) {
      drop.open = false;
      drop.querySelector("summary").focus();
    }
  });
}
