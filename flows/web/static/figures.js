// Draw the figures of a page with Plotly, which comes from this server when the first one is seen.

/* Words and numbers are there first: to read Plotly alone takes a browser half a second. */
const pageIsThere = new Promise((done) => {
  if (document.readyState === "complete") done();
  else addEventListener("load", () => setTimeout(done), { once: true });
});
let library;
function loadPlotly(address) {
  library ??= pageIsThere.then(() => new Promise((done, failed) => {
    const script = document.createElement("script");
    script.src = address;
    script.addEventListener("load", done);
    script.addEventListener("error", failed);
    document.head.append(script);
  }));
  return library;
}
const nextTurn = () => new Promise((done) => { setTimeout(done); });

/* Colours of tasks/report/look.py that stand for ink and paper, and what they are on this page. */
const INK_AND_PAPER = new Map([["#1f2933", "--ink"], ["#6b7785", "--soft"], ["#eef1f4", "--grid"], ["rgba(255,255,255,0.8)", "--surface"]]);

/* The report draws on white paper; here the colours of the page show through. */
function themed(chart) {
  const style = getComputedStyle(document.documentElement);
  const colour = (name) => style.getPropertyValue(name).trim();
  const replaced = JSON.stringify(chart, (_, value) => (INK_AND_PAPER.has(value) ? colour(INK_AND_PAPER.get(value)) : value));
  const { data, layout = {} } = JSON.parse(replaced);
  const axis = { gridcolor: colour("--grid"), zerolinecolor: colour("--line"), linecolor: colour("--line") };
  for (const key of Object.keys(layout)) {
    if (/^[xy]axis\d*$/.test(key)) {
      layout[key] = { ...layout[key], ...axis };
      if (layout[key].title?.font) layout[key].title.font.color = colour("--soft");
    }
  }
  for (const each of layout.annotations ?? []) each.font = { ...each.font, color: colour("--ink") };
  const ground = { paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", modebar: { bgcolor: "rgba(0,0,0,0)", color: colour("--soft"), activecolor: colour("--accent") } };
  return { data, layout: { ...layout, ...ground, font: { ...layout.font, color: colour("--ink") }, width: undefined, autosize: true } };
}

const NARROW = 640;
const PHONE = matchMedia(`(max-width: ${NARROW}px)`);
const TOUCH = matchMedia("(hover: none)");

/* How many lines the legend of a figure takes; 0 where it has none. */
function legendLines(chart, width) {
  const named = chart.data.filter((trace) => trace.name && trace.showlegend !== false).length;
  if (named < 2 || chart.layout?.showlegend === false) return 0;
  return Math.ceil(named / Math.max(1, Math.floor(width / 170)));
}

/* A legend that takes several lines makes the figure higher; the plot keeps its height. */
function heightOf(div, chart) {
  const height = chart.layout?.height ?? Number(div.dataset.height);
  return div.clientWidth < NARROW ? height + 22 * Math.max(0, legendLines(chart, div.clientWidth) - 1) : height;
}

/* Below the plot a legend covers nothing, and has the whole width of a phone. */
const BELOW = { x: 0, xref: "container", xanchor: "left", y: 0, yref: "container", yanchor: "bottom" };

/* Beside long names a legend that starts at the axis would leave a narrow plot no room. */
function alignLegend(div) {
  if (PHONE.matches || div.clientWidth >= NARROW || !div.querySelector(".legend")) return;
  const size = div._fullLayout._size;
  Plotly.relayout(div, { "legend.x": -size.l / size.w });
}

function draw(div, choice) {
  const chart = div.charts[choice] ?? null;
  if (chart === null) {
    Plotly.purge(div);
    div.textContent = "No figure for this choice.";
    return;
  }
  if (!div.data) div.textContent = "";
  const { data, layout } = themed(chart);
  layout.height = heightOf(div, chart);
  if (PHONE.matches) layout.legend = { ...layout.legend, ...BELOW };
  div.style.height = `${layout.height}px`;
  // On a small screen the buttons would lie over the plot.
  const displayModeBar = PHONE.matches || TOUCH.matches ? false : "hover";
  const config = { displaylogo: false, displayModeBar, responsive: true, modeBarButtons: [["svg", "png"].map((format) => saving(format, div.dataset.name))] };
  Plotly.react(div, data, layout, config).then(alignLegend);
  // What Plotly measures its texts with is no picture.
  document.getElementById("js-plotly-tester")?.setAttribute("aria-hidden", "true");
}

/* A button of a figure that saves it. */
function saving(format, filename) {
  const click = (figure) => Plotly.downloadImage(figure, { format, filename, scale: format === "png" ? 2 : 1 });
  return { name: `save-${format}`, title: `Save as ${format.toUpperCase()}`, icon: Plotly.Icons.camera, click };
}

/* Figures are drawn as they come near the window: forty at once take seconds. */
const MARGIN = 600;
const ahead = new IntersectionObserver((entries) => {
  for (const { target, isIntersecting } of entries) if (isIntersecting) showFirst(target);
}, { rootMargin: `${MARGIN}px 0px` });
const showFirst = (div) => { ahead.unobserve(div); div.isAsked = true; show(div); };
const isNear = (div) => { const { top, bottom, width } = div.getBoundingClientRect(); return width > 0 && top < innerHeight + MARGIN && bottom > -MARGIN; };
const isHidden = (div) => div.closest("details:not([open])") !== null;
const choiceOf = (div) => div.closest("[data-figures]")?.querySelector("select[data-choice]")?.value ?? "";
const show = (div) => { if (div.isConnected && !isHidden(div)) draw(div, choiceOf(div)); };
const drawnIn = (root) => [...root.querySelectorAll(".plot")].filter((div) => div.data);

matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => drawnIn(document).forEach(show));
addEventListener("beforeprint", () => document.querySelectorAll(".plot").forEach((div) => { if (div.charts && !div.isAsked && !isHidden(div) && window.Plotly) showFirst(div); }));
PHONE.addEventListener("change", () => drawnIn(document).forEach(show));

/* What is no longer on the page lets go of the window: while one drags, figures come and go. */
export function dropFigures(root) {
  for (const div of drawnIn(root)) Plotly.purge(div);
}

export async function drawFigures(root) {
  const scripts = [...root.querySelectorAll("script.chart")];
  if (!scripts.length) return;
  const plots = scripts.map((script) => {
    const div = document.getElementById(script.dataset.plot);
    div.charts = JSON.parse(script.textContent);
    div.style.height = `${heightOf(div, div.charts[choiceOf(div)] ?? { data: [] })}px`;
    const place = div.querySelector(".no-plot");
    if (place) place.textContent = "Drawing the figure…";
    if (Number(div.dataset.least)) div.style.minWidth = `${div.dataset.least}px`;
    return div;
  });
  const isFirst = !library;
  try {
    await loadPlotly(scripts[0].dataset.library);
  } catch {
    for (const div of plots) div.textContent = "The figure could not be drawn; its numbers are in the table below.";
    return;
  }
  for (const div of plots) {
    if (!isNear(div)) ahead.observe(div);
    else {
      showFirst(div);
      if (isFirst) await nextTurn(); // between two figures the page answers
    }
  }
  for (const select of root.querySelectorAll("select[data-choice]")) {
    select.addEventListener("change", () => plots.filter((div) => div.isAsked && select.closest("[data-figures]").contains(div)).forEach(show));
  }
  document.documentElement.dataset.drawn = "true";
}
