// The viewer of materials: pages, size and turning by buttons and keys, without loading the page again.
const SIZES = [100, 150, 200, 300];
const KEYS = {
  ArrowLeft: "previous", PageUp: "previous", ArrowRight: "next", PageDown: "next",
  "+": "larger", "=": "larger", "-": "smaller", r: "turn", R: "turn",
};

export function watchDocuments() {
  document.addEventListener("click", (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) {
      return;
    }
    const link = event.target.closest("[data-doc-viewer] a");
    const viewer = link?.closest("[data-doc-viewer]");
    if (link?.dataset.doc) {
      event.preventDefault();
      act(viewer, link.dataset.doc);
    } else if (link && "docFile" in link.dataset) {
      event.preventDefault();
      choose(viewer, link);
    }
  });
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, textarea, select, dialog")) {
      return;
    }
    const page = document.querySelector("[data-doc-page]");
    const viewer = event.target.closest("[data-doc-viewer]") ?? page?.querySelector("[data-doc-viewer]");
    if (event.key === "Escape" && page) {
      page.querySelector("[data-doc-back]")?.click();
    } else if (viewer && KEYS[event.key]) {
      event.preventDefault();
      event.stopPropagation();
      act(viewer, KEYS[event.key]);
    }
  }, true);
}

function act(viewer, what) {
  const data = viewer.dataset;
  const [page, pages, place] = [Number(data.page), Number(data.pages), SIZES.indexOf(Number(data.size))];
  if (what === "previous" || what === "next") {
    data.page = Math.min(Math.max(page + (what === "next" ? 1 : -1), 1), pages);
  } else if (what === "turn") {
    data.angle = (Number(data.angle) + 90) % 360;
  } else {
    data.size = SIZES[Math.min(Math.max(place + (what === "larger" ? 1 : -1), 0), SIZES.length - 1)];
  }
  show(viewer, viewer.querySelector("[data-doc-file][aria-current]")?.dataset.name ?? "");
}

function choose(viewer, link) {
  viewer.querySelector("[data-doc-file][aria-current]")?.removeAttribute("aria-current");
  link.setAttribute("aria-current", "true");
  Object.assign(viewer.dataset, { base: link.getAttribute("href"), page: 1, pages: link.dataset.pages, angle: 0 });
  show(viewer, link.dataset.name);
}

function show(viewer, name) {
  const { base, page, pages, angle, size } = viewer.dataset;
  const image = viewer.querySelector("[data-doc-image]");
  const address = `${base}/page-${page}.jpg${angle === "0" ? "" : `?angle=${angle}`}`;
  if (image.getAttribute("src") !== address) {
    image.src = address;
    viewer.querySelector(".viewer-stage").scrollTo(0, 0);
  }
  image.alt = `${name} ${page} / ${pages}`;
  image.className = `viewer-page size-${size}`;
  viewer.querySelector("[data-doc-place]").textContent = `${page} / ${pages}`;
  viewer.querySelector("[data-doc-size]").textContent = `${size}%`;
  viewer.querySelector("[data-doc-save]").href = `${base}/file`;
  for (const [what, ended] of [["previous", page === "1"], ["next", page === pages]]) {
    const link = viewer.querySelector(`[data-doc="${what}"]`);
    if (ended) {
      link.setAttribute("aria-disabled", "true");
    } else {
      link.removeAttribute("aria-disabled");
    }
  }
}
