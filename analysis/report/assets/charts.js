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
    legend: { orientation: "h", xref: "container", x: 0, xanchor: "left", yref: "container", y: 0, yanchor: "bottom", maxheight: 1, font: { size: 12.5 } },
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

// Names are broken into lines, so that an axis or a legend of long ones leaves room for what is drawn.
const LETTER = 7, LINE = 17, GAP = 12, BARE = 90; // pixels: of a name, between names, of a chart without any
const within = (low, value, high) => Math.max(low, Math.min(value, high));
const isNamed = (values) => Array.isArray(values) && typeof values[0] === "string";
function broken(text, most) {
  if (!text) return text;
  const lines = [""];
  for (const word of text.match(new RegExp(`\\S{1,${most}}\\s*`, "g")) ?? [text]) {
    const line = lines.at(-1);
    if (line && line.length + word.trimEnd().length > most) lines.push(word);
    else lines[lines.length - 1] = line + word;
  }
  return lines.map((line) => line.trimEnd()).join("<br>");
}
const linesOf = (text) => text.split("<br>").length;

class Chart {
  constructor(figure) {
    this.plot = figure.querySelector(".plot");
    this.reset = figure.querySelector(".reset");
    this.given = inPercent(JSON.parse(figure.querySelector("script").textContent));
    this.zooms = 0;
    this.isDrawn = false;
    this.reset.addEventListener("click", () => { this.zooms += 1; this.draw(); this.reset.hidden = true; });
  }
  // The names that stand along an axis ("x", "y"), each once.
  along(way) {
    const told = this.given.layout[`${way}axis`]?.ticktext;
    const named = told ? [told] : this.given.data.map((trace) => trace[way]).filter(isNamed);
    return [...new Set(named.flat())];
  }
  // What is drawn at a width, with all names broken; no more letters in a line than `most`.
  named(width, most) {
    const letters = {
      x: within(10, Math.floor((0.85 * width) / (this.along("x").length || 1) / LETTER), most),
      y: within(14, Math.floor((0.4 * width) / LETTER), Math.min(44, most)),
    };
    const legend = within(14, Math.floor((width - 60) / LETTER), most);
    const data = this.given.data.map((trace) => {
      const own = { ...trace };
      if (trace.name) own.name = broken(trace.name, legend);
      for (const [way, room] of Object.entries(letters)) {
        if (isNamed(trace[way])) own[way] = trace[way].map((name) => broken(name, room));
      }
      return own;
    });
    const layout = { ...this.given.layout };
    for (const [way, room] of Object.entries(letters)) {
      const axis = layout[`${way}axis`];
      if (axis?.ticktext) layout[`${way}axis`] = { ...axis, ticktext: axis.ticktext.map((name) => broken(name, room)) };
    }
    const rows = this.along("y").filter((name) => name && /[a-z]{2}/i.test(name)).map((name) => linesOf(broken(name, letters.y)) * LINE + GAP);
    const isLegend = layout.showlegend ?? true;
    const keys = data.filter((trace) => trace.name && trace.showlegend !== false).map((trace) => linesOf(trace.name) * LINE + 2);
    const sum = (values) => values.reduce((all, value) => all + value, 0);
    const height = Math.max(this.given.height, rows.length ? sum(rows) + BARE : 0);
    return { data, layout, height, keys: isLegend && keys.length > 1 ? sum(keys) : 0 };
  }
  react({ data, layout, height }, width) {
    this.plot.style.height = `${height}px`;
    const whole = { ...coloured(layout), template: { layout: house() }, uirevision: this.zooms, width, height };
    Plotly.react(this.plot, coloured(data), whole, { displayModeBar: false, showTips: false });
  }
  // A legend has all the height that it needs below the chart: how much is known when it has been drawn once.
  drawn(width, most, more) {
    const chart = this.named(width, most);
    this.react({ ...chart, height: chart.height + chart.keys + more }, width);
    const legend = this.plot._fullLayout.showlegend ? this.plot._fullLayout.legend._height : 0;
    if (chart.keys > Math.max(legend, LINE)) this.react({ ...chart, height: chart.height + Math.max(legend - LINE, 0) + more }, width);
  }
  draw(width = this.plot.clientWidth) {
    try {
      this.drawn(width, Infinity, 0);
    } catch {
      try {
        this.drawn(width, 14, 400); // with more room, and narrower names
      } catch (error) {
        this.plot.textContent = `This chart could not be drawn: ${error.message}`;
        return;
      }
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
const drawAgain = () => charts.filter((chart) => chart.isDrawn).forEach((chart) => chart.draw());
theme.listeners.push(drawAgain);

let drawnFor = innerWidth, waits;
addEventListener("resize", () => {
  if (innerWidth === drawnFor) return;
  drawnFor = innerWidth;
  clearTimeout(waits);
  waits = setTimeout(drawAgain, 150);
});

// On paper all of them are drawn, as wide as it is; afterwards the change of theme draws them as they were.
const PAPER = 680; // pixels
addEventListener("beforeprint", () => charts.forEach((chart) => chart.draw(PAPER)));
