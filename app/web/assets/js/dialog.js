// Links and forms with data-dialog show their confirmation page in a dialog; without script they open the page.
let shown = null;

export function watchDialogs() {
  document.addEventListener("click", (event) => {
    const close = event.target.closest("dialog [data-close]");
    if (close) {
      event.preventDefault();
      close.closest("dialog").close();
      return;
    }
    const link = event.target.closest("a[data-dialog]");
    if (link && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
      event.preventDefault();
      open(link.href, {}, () => window.location.assign(link.href));
    }
  });
  document.addEventListener("submit", (event) => {
    const form = event.target;
    const marked = form.matches("[data-dialog]") || event.submitter?.matches("[data-dialog]");
    if (event.defaultPrevented || !marked) {
      return;
    }
    event.preventDefault();
    event.stopImmediatePropagation();
    const body = new FormData(form, event.submitter);
    const action = event.submitter?.getAttribute("formaction") || form.action;
    open(action, { method: "POST", body }, () => {
      form.removeAttribute("data-dialog");
      event.submitter?.removeAttribute("data-dialog");
      form.requestSubmit(event.submitter ?? undefined);
    });
  }, true);
}

async function open(address, options, fallback) {
  let answer;
  try {
    answer = await fetch(address, { ...options, headers: { "X-Dialog": "1" } });
  } catch {
    fallback();
    return;
  }
  const text = await answer.text();
  const part = new DOMParser().parseFromString(text, "text/html");
  const content = part.querySelector(".confirm, .dialog-body, .alert");
  if (answer.redirected || !content) {
    if (answer.redirected) {
      window.location.assign(answer.url);
    } else {
      fallback();
    }
    return;
  }
  show(content);
}

export function show(content) {
  shown?.remove();
  shown = document.createElement("dialog");
  shown.append(document.adoptNode(content));
  const title = shown.querySelector("h1, h2");
  if (title) {
    title.id = "dialog-title";
    shown.setAttribute("aria-labelledby", title.id);
  }
  document.body.append(shown);
  shown.addEventListener("close", () => shown.remove());
  shown.showModal();
}
