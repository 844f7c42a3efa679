// A case's process diagrams: the navigated viewer with marks from the case's history.
import NavigatedViewer from "bpmn-js/lib/NavigatedViewer";

const SIGNS = { done: "✓", current: "●", cancelled: "✕" };

// A drawing needs its box's size: what stands in a hidden tab starts when that is shown.
export function startAll(part) {
  for (const box of part.querySelectorAll("[data-diagram]")) {
    if (box.offsetParent !== null && !box.dataset.started) {
      box.dataset.started = "1";
      start(box);
    }
  }
}

startAll(document);

async function start(box) {
  const viewer = new NavigatedViewer({ container: box });
  const choice = document.querySelector("[data-diagram-choice]");
  let processes;
  try {
    const answer = await fetch(box.dataset.diagram, { headers: { Accept: "application/json" } });
    if (!answer.ok) {
      throw new Error(String(answer.status));
    }
    ({ processes } = await answer.json());
    await show(processes[0].id);
  } catch {
    box.textContent = box.dataset.failed;
    return;
  }
  choice?.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (button?.dataset.process) {
      show(button.dataset.process);
    } else if (button) {
      fit();
    }
  });

  // a turned phone or another window width shows the whole drawing again
  let width = box.clientWidth;
  new ResizeObserver(() => {
    if (box.clientWidth && box.clientWidth !== width) {
      width = box.clientWidth;
      viewer.get("canvas").resized();
      fit();
    }
  }).observe(box);

  async function show(id) {
    const process = processes.find((one) => one.id === id);
    await viewer.importXML(process.xml);
    mark(process.marks);
    fit();
    box.dataset.shown = id;
    for (const button of choice?.querySelectorAll("[data-process]") ?? []) {
      button.setAttribute("aria-pressed", String(button.dataset.process === id));
    }
  }

  function mark(marks) {
    const canvas = viewer.get("canvas");
    const overlays = viewer.get("overlays");
    const elements = viewer.get("elementRegistry");
    for (const [id, state] of Object.entries(marks)) {
      if (!elements.get(id)) {
        continue;
      }
      canvas.addMarker(id, `mark-${state}`);
      const sign = document.createElement("span");
      sign.className = `mark-sign ${state}`;
      sign.textContent = SIGNS[state];
      overlays.add(id, { position: { top: -10, right: 10 }, html: sign });
    }
  }

  function fit() {
    viewer.get("canvas").zoom("fit-viewport", "auto");
  }
}
