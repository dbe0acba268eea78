"use strict";
// A colour var(--name) of a chart becomes the colour that the page has for it.
function coloured(value) {
  if (typeof value === "string") {
    return value.replace(/var\((--[\w-]+)\)/g, (whole, name) =>
      getComputedStyle(document.documentElement).getPropertyValue(name).trim() || whole);
  }
  if (Array.isArray(value)) return value.map(coloured);
  if (value && typeof value === "object") {
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, coloured(inner)]));
  }
  return value;
}
for (const figure of document.querySelectorAll("figure.chart")) {
  const { data, layout } = JSON.parse(figure.querySelector("script").textContent);
  Plotly.newPlot(figure.querySelector(".plot"), coloured(data), coloured(layout), { displaylogo: false, responsive: true });
}
