// Partial updates, live pages, uploads. A page says in data attributes what it wants; every form
// and link works without this file, uploads and live pages excepted.
import { drawFigures, dropFigures } from "./figures.js";

const byId = (id) => document.getElementById(id);
const waiting = new Map(); // element or form → AbortController of its newest request

/* Put elements of a fetched page, named by id, in the place of those here; the focus stays. With
   gently, one with data-keep in which somebody is writing is left as it is. */
function swap(ids, page, gently = false) {
  const focused = document.activeElement;
  const place = focused?.id && [focused.id, focused.selectionStart, focused.selectionEnd];
  for (const id of ids) {
    const [old, fresh] = [byId(id), page.getElementById(id)];
    if (!old || !fresh) continue;
    if (gently && old.contains(focused) && old.hasAttribute("data-keep")) continue;
    const open = [...old.querySelectorAll("details[open][id]")].map((each) => each.id);
    old.replaceWith(document.adoptNode(fresh));
    dropFigures(old);
    for (const each of open) byId(each)?.setAttribute("open", "");
    prepare(fresh);
  }
  if (place && document.activeElement !== byId(place[0])) {
    byId(place[0])?.focus({ preventScroll: true });
    if (place[1] != null) byId(place[0])?.setSelectionRange?.(place[1], place[2]);
  }
}

/* Fetch a page; a newer request of the same element ends the one before. */
async function fetchPage(owner, url, init = {}) {
  waiting.get(owner)?.abort();
  const control = new AbortController();
  waiting.set(owner, control);
  const answer = await fetch(url, { ...init, signal: control.signal, headers: { Accept: "text/html", ...init.headers } });
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  return { answer, page };
}

/* Say what went wrong where everybody sees it. */
function report(text) {
  const place = byId("notice");
  place.textContent = text;
  place.hidden = !text;
}

/* What a page says is wrong; its own place for notices is empty. */
function saidOn(page) {
  return page.querySelector(".panel:not(#notice)")?.textContent.trim().replace(/\s+/g, " ");
}

/* form[data-partial="id id"]: submit in the background and swap what the answer changes. */
async function submitPartly(form, button) {
  const data = new URLSearchParams(new FormData(form, button));
  const action = new URL(button?.getAttribute("formaction") || form.getAttribute("action") || location.href, location.href);
  const isGet = form.method === "get";
  if (isGet) action.search = data;
  form.setAttribute("aria-busy", "true");
  // A button that takes long says where, and what is being done there meanwhile.
  const place = byId(button?.dataset.busy ?? "");
  if (place) {
    const said = Object.assign(document.createElement("p"), { className: "loading", textContent: button.dataset.said });
    place.replaceChildren(said);
    place.hidden = false;
  }
  try {
    const { answer, page } = await fetchPage(place ?? form, action, isGet ? { headers: { "X-Swap": form.dataset.partial } } : { method: "POST", body: data });
    if (answer.redirected && new URL(answer.url).pathname !== location.pathname) {
      location.assign(answer.url);
      return;
    }
    report("");
    if (!form.dataset.partial.split(" ").some((id) => page.getElementById(id))) {
      report(saidOn(page) || `The server answered ${answer.status}.`);
    }
    swap(form.dataset.partial.split(" "), page, button?.hasAttribute("data-quiet"));
    if (isGet) history.replaceState(null, "", action);
    document.title = page.title || document.title;
  } catch (error) {
    if (error.name !== "AbortError") report("The server does not answer; is it still running?");
  } finally {
    form.removeAttribute("aria-busy");
  }
}

/* [data-load=url]: the content comes after the page, in the place of what says that it is loading. */
async function loadLater(element) {
  const url = element.dataset.load;
  element.removeAttribute("data-load");
  try {
    const { page } = await fetchPage(element, url);
    if (page.getElementById(element.id)) swap([element.id], page);
    else element.textContent = saidOn(page) || "This could not be loaded.";
  } catch (error) {
    if (error.name !== "AbortError") element.textContent = "This could not be loaded; load the page again.";
  }
}

/* [data-events=url][data-swap="id id"]: each event of the server brings the page up to date. */
function follow(element) {
  const ids = element.dataset.swap.split(" ");
  const stream = new EventSource(element.dataset.events);
  element.removeAttribute("data-events");
  const refresh = async () => {
    try {
      const { answer, page } = await fetchPage(stream, location.href);
      if (answer.redirected && new URL(answer.url).pathname !== location.pathname) {
        location.assign(answer.url);
        return;
      }
      swap(ids, page);
      document.title = page.title || document.title;
    } catch (error) {
      if (error.name !== "AbortError") report("The server does not answer; this page goes on as soon as it does.");
    }
  };
  stream.addEventListener("state", refresh);
  stream.addEventListener("end", () => { stream.close(); refresh(); });
  stream.addEventListener("open", () => report(""));
  stream.addEventListener("error", () => {
    if (stream.readyState !== EventSource.CLOSED) report("The connection is lost; this page tries again by itself.");
  });
  addEventListener("pagehide", () => stream.close());
}

/* [data-refresh=seconds][data-swap]: what no event reports, such as a log, is looked at again. */
function lookAgain(element) {
  const seconds = Number(element.dataset.refresh);
  setTimeout(async () => {
    if (!element.isConnected) return;
    try {
      const { page } = await fetchPage(element, element.dataset.from || location.href);
      swap([element.id], page);
    } catch {
      lookAgain(element);
    }
  }, seconds * 1000);
}

/* form[data-upload]: a file, chosen or dropped, is the body of a PUT; its progress is shown. */
function prepareUpload(form) {
  const drop = form.querySelector(".drop");
  const input = form.querySelector("input[type=file]");
  const name = form.querySelector("input[name=dataset_id]");
  const chosen = form.querySelector("[data-chosen]");
  const choose = () => {
    const file = input.files[0];
    const size = file?.size < 1e6 ? `${(file.size / 1e3).toFixed(1)} kB` : `${(file?.size / 1e6).toFixed(1)} MB`;
    chosen.textContent = file ? `${file.name}, ${size}` : "";
    if (file && name && !name.value) {
      name.value = file.name.replace(/\.[^.]*$/, "").replace(/[^A-Za-z0-9_.-]+/g, "_").replace(/^[^A-Za-z0-9]+/, "").slice(0, 64);
    }
  };
  input.addEventListener("change", choose);
  for (const kind of ["dragover", "dragleave", "drop"]) {
    drop.addEventListener(kind, (event) => {
      event.preventDefault();
      drop.classList.toggle("over", kind === "dragover");
      if (kind === "drop" && event.dataTransfer.files.length) {
        input.files = event.dataTransfer.files;
        choose();
      }
    });
  }
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (form.reportValidity()) send(form, input.files[0], name.value.trim());
  });
}

function send(form, file, dataset) {
  const bar = form.querySelector("progress");
  const button = form.querySelector("button[type=submit]");
  const request = new XMLHttpRequest();
  const place = `/api/v1/datasets/${encodeURIComponent(dataset)}/file?name=${encodeURIComponent(file.name)}`;
  request.upload.addEventListener("progress", (event) => { bar.value = event.loaded / event.total; });
  request.addEventListener("loadend", () => {
    button.disabled = false;
    bar.hidden = true;
    if (request.status === 201) location.assign(form.dataset.upload.replace("{}", encodeURIComponent(dataset)));
    else report(reason(request));
  });
  request.open("PUT", place);
  bar.hidden = false;
  button.disabled = true;
  report("");
  request.send(file);
}

function reason(request) {
  try {
    const problem = JSON.parse(request.responseText);
    const findings = problem.findings?.map((each) => `${each.message} ${each.remedy}`);
    return findings?.join(" ") || problem.detail || problem.title;
  } catch {
    return request.status ? `The server answered ${request.status}.` : "The server does not answer; is it still running?";
  }
}

/* Find what an element that is new on the page wants. */
function prepare(root) {
  const all = (selector) => [...(root.matches?.(selector) ? [root] : []), ...root.querySelectorAll(selector)];
  all("[data-load]").forEach(loadLater);
  all("[data-events]").forEach(follow);
  all("[data-refresh]").forEach(lookAgain);
  all("form[data-upload]").forEach(prepareUpload);
  all("input[data-with]").forEach(pair);
  drawFigures(root);
}

document.addEventListener("submit", (event) => {
  const form = event.target;
  clearTimeout(timer); // what was typed goes with this; a later request would end it half-way
  if (!form.matches("form[data-partial]") || event.submitter?.hasAttribute("data-whole")) return;
  event.preventDefault();
  submitPartly(form, event.submitter);
});

/* input[type=range][data-with=id]: a slider and the field of that id show one number. */
function pair(slider) {
  const typed = byId(slider.dataset.with);
  slider.hidden = false;
  slider.addEventListener("input", () => { typed.value = String(Number(Number(slider.value).toPrecision(4))); });
  typed.addEventListener("input", () => { if (typed.value !== "") slider.value = typed.value; });
}

/* [data-live=id]: a change submits its form by the button of that id, shortly after the last one. */
let timer;
document.addEventListener("input", (event) => {
  const live = event.target.closest("[data-live]");
  if (!live) return;
  clearTimeout(timer);
  const form = event.target.form;
  timer = setTimeout(() => form?.requestSubmit(byId(live.dataset.live)), Number(live.dataset.wait ?? 300));
});

// On a phone the pages are wider than the window: show the one that this is.
const here = document.querySelector("nav [aria-current]");
if (here) here.closest("nav").scrollLeft = here.offsetLeft - here.closest("nav").offsetLeft - 40;
prepare(document);
document.documentElement.dataset.ready = "true";
