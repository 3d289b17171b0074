"use strict";
(async () => {
  const narrow = 640;
  const printWidth = 680;
  const config = { displayModeBar: false, responsive: true };

  async function unpackPlotly() {
    const packed = document.getElementById("packed-plotly").textContent.trim();
    const bytes = Uint8Array.from(atob(packed), (c) => c.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    const script = document.createElement("script");
    script.textContent = await new Response(stream).text();
    document.head.append(script);
  }

  // On a phone a legend takes several lines; the plot keeps its height and the figure grows.
  function fitted(chart, div) {
    const width = div.clientWidth;
    const layout = structuredClone(chart.layout);
    const named = chart.data.filter((trace) => trace.name && trace.showlegend !== false);
    if (width < narrow && named.length > 1 && layout.showlegend !== false) {
      const perLine = Math.max(1, Math.floor(width / 170));
      layout.height += 22 * Math.max(0, Math.ceil(named.length / perLine) - 1);
    }
    layout.width = undefined;
    layout.autosize = true;
    div.style.height = `${layout.height}px`;
    return layout;
  }

  // Beside long names a legend that starts at the axis would leave the plot no room on a phone.
  function alignLegend(div) {
    if (div.clientWidth >= narrow || !div.querySelector(".legend")) return div;
    const size = div._fullLayout._size;
    return Plotly.relayout(div, { "legend.x": -size.l / size.w });
  }

  function show(div, choice) {
    const charts = div.charts;
    const chart = Object.hasOwn(charts, choice) ? charts[choice] : null;
    if (chart === null) {
      Plotly.purge(div);
      div.textContent = "No curve for this choice.";
      return null;
    }
    if (!div.data) div.textContent = "";
    return Plotly.react(div, chart.data, fitted(chart, div), config).then(alignLegend);
  }

  const plots = [...document.querySelectorAll("script.chart")].map((script) => {
    const div = document.getElementById(script.dataset.plot);
    div.charts = JSON.parse(script.textContent);
    return div;
  });

  try {
    await unpackPlotly();
  } catch (error) {
    for (const div of plots) {
      div.firstElementChild.textContent =
        "This browser cannot unpack the figure; its numbers are in the table below.";
    }
    return;
  }
  // A figure in a closed part has no width yet: it is drawn when the part is opened.
  const isHidden = (div) => div.closest("details:not([open])") !== null;
  const choiceOf = (div) => div.closest(".grid")?.parentElement.querySelector(`select[data-grid="${div.closest(".grid").id}"]`)?.value ?? "";
  for (const div of plots) if (!isHidden(div)) await show(div, "");
  for (const details of document.querySelectorAll("details")) {
    details.addEventListener("toggle", () => {
      for (const div of details.querySelectorAll(".plot")) {
        if (div.charts && !div.data && !isHidden(div)) show(div, choiceOf(div));
      }
    });
  }
  document.documentElement.dataset.drawn = "true";

  for (const select of document.querySelectorAll("select[data-grid]")) {
    const grid = document.getElementById(select.dataset.grid);
    select.addEventListener("change", () => {
      for (const div of grid.querySelectorAll(".plot")) if (!isHidden(div)) show(div, select.value);
    });
  }

  let opened = [];
  addEventListener("beforeprint", () => {
    opened = [...document.querySelectorAll("details:not([open])")];
    for (const details of opened) details.open = true;
    for (const div of plots) {
      if (!div.data) show(div, "");
      if (!div.data) continue;
      const columns = div.closest(".grid") ? 3 : div.closest(".row, .first") ? 2 : 1;
      Plotly.relayout(div, { width: printWidth / columns - (columns > 1 ? 14 : 0) });
    }
  });
  addEventListener("afterprint", () => {
    for (const details of opened) details.open = false;
    for (const div of plots) if (div.data) Plotly.relayout(div, { width: null, autosize: true });
  });
})();
