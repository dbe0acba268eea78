// Charts are drawn by plotly.js when they come near what is seen, in the colours of the theme that is on.
function coloured(value) {
  if (typeof value === "string") return /^(var|color-mix)\(/.test(value) ? colour(value) : value;
  if (Array.isArray(value)) return typeof value[0] === "number" && typeof value.at(-1) === "number" ? value : value.map(coloured);
  if (value && typeof value === "object") {
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, coloured(inner)]));
  }
  return value;
}

// What all charts look like; a chart's own layout stands above it.
function house() {
  const axis = {
    automargin: true, zeroline: false, gridcolor: "var(--line)", linecolor: "var(--faint)", ticks: "outside",
    tickcolor: "var(--faint)", ticklen: 4, title: { standoff: 10, font: { size: 13 } },
  };
  return coloured({
    font: { family: getComputedStyle(document.body).fontFamily, size: 12.5, color: "var(--ink)" },
    paper_bgcolor: "rgba(0, 0, 0, 0)", plot_bgcolor: "rgba(0, 0, 0, 0)",
    margin: { l: 8, r: 12, t: 16, b: 8 },
    xaxis: { ...axis, showgrid: false, showline: true }, yaxis: axis,
    legend: { orientation: "h", x: 0, xanchor: "left", yref: "container", y: 0, yanchor: "bottom", font: { size: 12.5 } },
    hoverlabel: { bgcolor: "var(--raised)", bordercolor: "var(--faint)", font: { color: "var(--ink)" }, align: "left", namelength: -1 },
    colorway: Array.from({ length: 10 }, (_, index) => `var(--series-${index})`),
    dragmode: matchMedia("(pointer: coarse)").matches ? false : "zoom",
    modebar: { remove: ["all"] },
  });
}

// Parts of 1 are drawn in percent and said as our texts have them: 97 %, where d3 knows 97% alone.
function inPercent(given) {
  const times = (value) => (Array.isArray(value) ? value.map(times) : typeof value === "number" ? 100 * value : value);
  const scale = (of, names) => names.filter((name) => name in of).forEach((name) => { of[name] = times(of[name]); });
  const ofTicks = (of) => { if (/%$/.test(of?.tickformat)) { delete of.tickformat; of.ticksuffix = " %"; return true; } };
  const { yaxis, shapes = [], annotations = [] } = given.layout;
  const onAxis = ofTicks(yaxis);
  if (onAxis) {
    scale(yaxis, ["range"]);
    [...shapes, ...annotations].filter((each) => each.yref !== "paper").forEach((each) => scale(each, ["y", "y0", "y1"]));
  }
  for (const trace of given.data) {
    const coloured = ofTicks(trace.colorbar);
    if (onAxis) [trace, trace.error_y || {}].forEach((each) => scale(each, ["y", "array", "arrayminus"]));
    if (coloured) scale(trace, ["z", "zmin", "zmax"]);
    if (onAxis || coloured) trace.hovertemplate = trace.hovertemplate?.replace(/%\{([yz]):\.(\d)%\}/g, "%{$1:.$2f} %");
  }
  return given;
}

const NARROW = 480, LINE = 18; // pixels
class Chart {
  constructor(figure) {
    this.plot = figure.querySelector(".plot");
    this.reset = figure.querySelector(".reset");
    this.given = inPercent(JSON.parse(figure.querySelector("script").textContent));
    this.zooms = 0;
    this.isDrawn = false;
    this.reset.addEventListener("click", () => { this.zooms += 1; this.draw(); this.reset.hidden = true; });
  }
  // Where a legend has a line for each name, the chart is higher by as much.
  get height() {
    const named = this.given.data.filter((trace) => trace.name && trace.showlegend !== false).length;
    return this.given.height + (this.plot.clientWidth < NARROW ? Math.max(named - 2, 0) * LINE : 0);
  }
  draw(width) {
    this.plot.style.height = `${this.height}px`;
    const layout = { ...coloured(this.given.layout), template: { layout: house() }, uirevision: this.zooms };
    if (width) layout.width = width;
    try {
      Plotly.react(this.plot, coloured(this.given.data), layout, { displayModeBar: false, responsive: true, showTips: false });
    } catch (error) {
      this.plot.textContent = `This chart could not be drawn: ${error.message}`;
      return;
    }
    if (!this.isDrawn) this.plot.on("plotly_relayout", (change) => this.seeZoom(change));
    this.isDrawn = true;
  }
  seeZoom(change) {
    const keys = Object.keys(change);
    if (keys.some((key) => /axis\d*\.range/.test(key))) this.reset.hidden = false;
    else if (keys.some((key) => key.endsWith(".autorange"))) this.reset.hidden = true;
  }
}
const charts = [...document.querySelectorAll("figure.chart")].map((figure) => new Chart(figure));
const onSight = new IntersectionObserver((entries) => {
  for (const entry of entries.filter((each) => each.isIntersecting)) {
    onSight.unobserve(entry.target);
    const chart = charts.find((each) => each.plot === entry.target);
    if (!chart.isDrawn) chart.draw();
  }
}, { rootMargin: "800px" });
charts.forEach((chart) => onSight.observe(chart.plot));
theme.listeners.push(() => charts.filter((chart) => chart.isDrawn).forEach((chart) => chart.draw()));

// On paper all of them are drawn, as wide as it is; afterwards the change of theme draws them as they were.
const PAPER = 680; // pixels
addEventListener("beforeprint", () => charts.forEach((chart) => chart.draw(PAPER)));
