// Draw the figures of a page with Plotly, which comes from this server when the first one is seen.

let library;
function loadPlotly(address) {
  library ??= new Promise((done, failed) => {
    const script = document.createElement("script");
    script.src = address;
    script.addEventListener("load", done);
    script.addEventListener("error", failed);
    document.head.append(script);
  });
  return library;
}

/* The report draws on white paper; here the colours of the page show through. */
function themed(chart) {
  const style = getComputedStyle(document.documentElement);
  const colour = (name) => style.getPropertyValue(name).trim();
  const layout = structuredClone(chart.layout ?? {});
  const axis = { gridcolor: colour("--grid"), zerolinecolor: colour("--line"), linecolor: colour("--line") };
  for (const key of Object.keys(layout)) {
    if (/^[xy]axis\d*$/.test(key)) {
      layout[key] = { ...layout[key], ...axis };
      if (layout[key].title?.font) layout[key].title.font.color = colour("--soft");
    }
  }
  for (const each of layout.annotations ?? []) each.font = { ...each.font, color: colour("--ink") };
  const ground = { paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", modebar: { bgcolor: "rgba(0,0,0,0)", color: colour("--soft"), activecolor: colour("--accent") } };
  return { ...layout, ...ground, font: { ...layout.font, color: colour("--ink") }, width: undefined, autosize: true };
}

const NARROW = 640;

/* Beside long names a legend that starts at the axis would leave the plot no room on a phone. */
function alignLegend(div) {
  if (div.clientWidth >= NARROW || !div.querySelector(".legend")) return;
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
  const layout = themed(chart);
  // On a phone a legend takes several lines; the plot keeps its height and the figure grows.
  const named = chart.data.filter((trace) => trace.name && trace.showlegend !== false).length;
  const perLine = Math.max(1, Math.floor(div.clientWidth / 170));
  if (div.clientWidth < NARROW && named > 1 && layout.showlegend !== false && layout.height) {
    layout.height += 22 * Math.max(0, Math.ceil(named / perLine) - 1);
  }
  div.style.height = `${layout.height ?? 320}px`;
  const config = { displaylogo: false, responsive: true, modeBarButtons: [["svg", "png"].map((format) => saving(format, div.dataset.name))] };
  Plotly.react(div, chart.data, layout, config).then(alignLegend);
}

/* A button of a figure that saves it. */
function saving(format, filename) {
  const click = (figure) => Plotly.downloadImage(figure, { format, filename, scale: format === "png" ? 2 : 1 });
  return { name: `save-${format}`, title: `Save as ${format.toUpperCase()}`, icon: Plotly.Icons.camera, click };
}

const isHidden = (div) => div.closest("details:not([open])") !== null;
const choiceOf = (div) => div.closest("[data-figures]")?.querySelector("select[data-choice]")?.value ?? "";
const show = (div) => { if (div.isConnected && !isHidden(div)) draw(div, choiceOf(div)); };
const drawnIn = (root) => [...root.querySelectorAll(".plot")].filter((div) => div.data);

matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => drawnIn(document).forEach(show));

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
    div.style.height = `${div.dataset.height}px`;
    if (Number(div.dataset.least)) div.style.minWidth = `${div.dataset.least}px`;
    return div;
  });
  try {
    await loadPlotly(scripts[0].dataset.library);
  } catch {
    for (const div of plots) div.textContent = "The figure could not be drawn; its numbers are in the table below.";
    return;
  }
  plots.forEach(show);
  // What Plotly measures its texts with is no picture.
  document.getElementById("js-plotly-tester")?.setAttribute("aria-hidden", "true");
  for (const details of root.querySelectorAll("details")) {
    details.addEventListener("toggle", () => plots.filter((div) => details.contains(div) && !div.data).forEach(show));
  }
  for (const select of root.querySelectorAll("select[data-choice]")) {
    select.addEventListener("change", () => plots.filter((div) => select.closest("[data-figures]").contains(div)).forEach(show));
  }
  document.documentElement.dataset.drawn = "true";
}
