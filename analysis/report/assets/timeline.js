// A timeline: crowds as areas, lanes as bars, a cursor, and in words what is done at its instant.
const GUTTER = 120, LEAST = 52, CROWD = 124, TITLE = 18, ROW = 22, ROOM = 460, AXIS = 26; // pixels
const NAMED = 12, LISTED = 8; // pixels of a row that has its name beside it; lanes that are told one by one
const MOST_NAMED = 5; // of many lanes: those that do the same are named if they are so few
const TOLD_MS = 400; // a screen reader is told when the cursor has rested for so long

function seconds(at, step) {
  const digits = Math.max(0, Math.min(6, Math.ceil(-Math.log10(step))));
  return `${at.toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits })} s`;
}
function ticks(from, to, most) {
  const raw = (to - from) / Math.max(most, 1), power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map((each) => each * power).find((each) => each >= raw * 0.999);
  const first = Math.ceil(from / step);
  return { step, at: Array.from({ length: Math.floor(to / step) - first + 1 }, (_, i) => (first + i) * step) };
}
const percent = (share) => `${Math.round(share * 100)} %`;

class Timeline {
  constructor(figure) {
    this.given = JSON.parse(figure.querySelector("script").textContent);
    this.lanes = this.given.lanes.map((lane) => ({ name: lane.name, ...this.unpacked(lane.spans) }));
    for (const name of ["scene", "cursor", "chosen", "now", "unseen"]) this[name] = figure.querySelector(`.${name}`);
    this.canvas = figure.querySelector("canvas");
    this.range = figure.querySelector("input");
    this.whole = [this.given.from_s, this.given.to_s];
    this.shown = [...this.whole];
    this.at = this.whole[0];
    this.pointed = null;
    this.range.addEventListener("input", () => { this.pointed = null; this.move(this.time(this.range.value / this.range.max)); });
    for (const button of figure.querySelectorAll(".tools button")) {
      button.addEventListener("click", () => this.show(...this.span(button.dataset.do)));
    }
    this.listen();
    new ResizeObserver(() => this.draw()).observe(this.scene);
    this.move(this.at);
  }
  // Spans come as gap before, length, what; in units of the timeline.
  unpacked(packed) {
    const from = [], to = [], what = [];
    let at = 0;
    for (let i = 0; i < packed.length; i += 3) {
      from.push(this.given.from_s + (at + packed[i]) * this.given.unit_s);
      at += packed[i] + packed[i + 1];
      to.push(this.given.from_s + at * this.given.unit_s);
      what.push(packed[i + 2]);
    }
    return { from, to, what };
  }
  time(share) { return this.shown[0] + share * (this.shown[1] - this.shown[0]); }
  share(at) { return (at - this.shown[0]) / (this.shown[1] - this.shown[0]); }
  span(how) {
    const [from, to] = this.shown, length = to - from, step = length / 2;
    if (how === "in") return [this.at - length / 4, this.at + length / 4];
    if (how === "out") return [from - step, to + step];
    if (how === "earlier") return [from - step, to - step];
    if (how === "later") return [from + step, to + step];
    return this.whole;
  }
  show(from, to) {
    const [first, last] = this.whole;
    const length = Math.min(Math.max(to - from, this.given.unit_s * 20), last - first);
    const start = Math.min(Math.max(from, first), last - length);
    this.shown = [start, start + length];
    this.draw();
    this.move(this.at);
  }
  listen() {
    let begun = null;
    const x = (event) => {
      const box = this.scene.getBoundingClientRect();
      return Math.min(Math.max((event.clientX - box.left - this.gutter) / (box.width - this.gutter), 0), 1);
    };
    this.scene.addEventListener("pointerdown", (event) => {
      if (event.pointerType === "mouse") begun = x(event);
      this.point(event, x(event));
    });
    this.scene.addEventListener("pointermove", (event) => {
      this.point(event, x(event));
      if (begun !== null) this.mark(begun, x(event));
    });
    addEventListener("pointerup", (event) => {
      if (begun === null) return;
      const [from, to] = [begun, x(event)].sort((a, b) => a - b).map((share) => this.time(share));
      if (this.share(to) - this.share(from) > 0.01) this.show(from, to);
      begun = null;
      this.chosen.hidden = true;
    });
    this.scene.addEventListener("dblclick", () => this.show(...this.whole));
    this.scene.addEventListener("pointerleave", () => { this.pointed = null; this.tell(); });
  }
  point(event, share) {
    const y = event.clientY - this.scene.getBoundingClientRect().top - this.given.crowds.length * CROWD;
    const row = Math.floor(y / this.row);
    this.pointed = y >= 0 && row < this.rows.length ? this.rows[row] : null;
    this.move(this.time(share));
  }
  mark(from, to) {
    const [left, right] = [from, to].sort((a, b) => a - b), width = this.scene.clientWidth - this.gutter;
    this.chosen.hidden = right - left <= 0.01;
    this.chosen.style.left = `${this.gutter + left * width}px`;
    this.chosen.style.width = `${(right - left) * width}px`;
  }
  move(at) {
    this.at = Math.min(Math.max(at, this.shown[0]), this.shown[1]);
    this.range.value = Math.round(this.share(this.at) * this.range.max);
    this.tell();
  }

  doing(lane, at) { // by bisection: the span that holds `at`
    let low = 0, high = lane.from.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (lane.to[middle] > at) high = middle; else low = middle + 1;
    }
    return low < lane.from.length && lane.from[low] <= at ? low : -1;
  }
  // Words: of whom, and what they do, each with its look, -1 for nothing.
  name(look) { return look < 0 ? "nothing" : this.given.looks[look][0]; }
  crowdWords(crowd) {
    const place = (this.at - this.whole[0]) / (this.whole[1] - this.whole[0]);
    const shares = crowd.shares[Math.min(Math.floor(crowd.shares.length * place), crowd.shares.length - 1)] || [];
    const parts = [...shares, 1 - shares.reduce((sum, share) => sum + share, 0)].map((share, look) => [share, look < shares.length ? look : -1]);
    const told = parts.filter(([share]) => share >= 0.005).sort((a, b) => b[0] - a[0]);
    return [crowd.name, told.map(([share, look]) => [`${percent(share)} ${this.name(look)}`, look])];
  }
  laneWords() {
    const looks = this.lanes.map((lane) => { const span = this.doing(lane, this.at); return span < 0 ? -1 : lane.what[span]; });
    if (this.lanes.length <= LISTED) return this.lanes.map((lane, i) => [lane.name, [[this.name(looks[i]), looks[i]]]]);
    const who = new Map();
    looks.forEach((look, i) => who.set(look, [...(who.get(look) || []), this.lanes[i].name]));
    const named = (look, names) => look >= 0 && names.length <= MOST_NAMED ? ` (${names.join(", ")})` : "";
    const told = [...who].sort((a, b) => b[1].length - a[1].length)
      .map(([look, names]) => [`${names.length} ${this.name(look)}${named(look, names)}`, look]);
    return [[`Of ${this.lanes.length}`, told]];
  }
  pointedWords(step) {
    if (!this.pointed || this.lanes.length <= LISTED) return [];
    const { name, from, to, what } = this.pointed, span = this.doing(this.pointed, this.at);
    if (span < 0) return [[name, [["nothing", -1]]]];
    return [[name, [[`${this.name(what[span])}, ${seconds(from[span], step)} to ${seconds(to[span], step)}`, what[span]]]]];
  }
  words(step) {
    return [...this.given.crowds.map((crowd) => this.crowdWords(crowd)), ...this.laneWords(), ...this.pointedWords(step)];
  }
  tell() {
    const step = (this.shown[1] - this.shown[0]) / this.range.max, words = this.words(step);
    const when = document.createElement("strong");
    when.textContent = `At ${seconds(this.at, step)}`;
    const list = document.createElement("ul");
    list.append(...words.map(([name, parts]) => this.line(name, parts)));
    this.now.replaceChildren(when, list);
    this.range.setAttribute("aria-valuetext", seconds(this.at, step));
    const width = this.scene.clientWidth - this.gutter;
    this.cursor.style.transform = `translateX(${this.gutter + this.share(this.at) * width}px)`;
    clearTimeout(this.waiting);
    const spoken = words.map(([name, parts]) => `${name}: ${parts.map(([text]) => text).join(", ")}`).join("; ");
    this.waiting = setTimeout(() => { if (document.activeElement === this.range) this.unseen.textContent = spoken; }, TOLD_MS);
  }
  line(name, parts) {
    const item = document.createElement("li");
    item.append(`${name}:`);
    for (const [text, look] of parts) {
      const part = document.createElement("span");
      part.textContent = text;
      part.style.setProperty("--look", look < 0 ? "var(--line)" : this.given.looks[look][1]);
      item.append(" ", part);
    }
    return item;
  }

  draw() {
    const width = this.scene.clientWidth;
    if (!width) return;
    const scale = devicePixelRatio || 1, pen = this.canvas.getContext("2d"), font = `12px ${getComputedStyle(document.body).fontFamily}`;
    pen.font = font;
    const longest = Math.max(LEAST, ...this.lanes.map((lane) => pen.measureText(lane.name).width + 12));
    this.gutter = Math.round(Math.min(longest, GUTTER, width / 4));
    const count = this.lanes.length, most = Math.floor(ROOM / 2);
    const each = count > most ? most : count;
    this.rows = Array.from({ length: each }, (_, i) => this.lanes[each < count ? Math.round(i * (count - 1) / (each - 1)) : i]);
    this.row = each ? Math.min(ROW, Math.max(2, Math.floor(ROOM / each))) : ROW;
    const top = this.given.crowds.length * CROWD, height = top + each * this.row;
    this.scene.style.height = this.canvas.style.height = `${height + AXIS}px`;
    for (const over of [this.cursor, this.chosen]) over.style.height = `${height}px`;
    this.range.style.marginLeft = `${this.gutter - 8}px`;
    this.range.style.width = `${width - this.gutter + 16}px`;
    this.canvas.width = width * scale;
    this.canvas.height = (height + AXIS) * scale;
    pen.scale(scale, scale);
    pen.font = font; // which a canvas forgets with its size
    this.looks = this.given.looks.map(([, name]) => colour(name));
    this.drawAxis(pen, width, height);
    this.given.crowds.forEach((crowd, i) => this.drawCrowd(pen, crowd, i * CROWD, width));
    this.rows.forEach((lane, i) => this.drawLane(pen, lane, top + i * this.row, width, scale));
    this.drawNames(pen, top);
    this.tell();
  }
  x(at, width) { return this.gutter + this.share(at) * (width - this.gutter); }
  drawAxis(pen, width, height) {
    const { step, at } = ticks(...this.shown, (width - this.gutter) / 90);
    pen.textBaseline = "top";
    for (const each of at) {
      const x = this.x(each, width), text = seconds(each, step), half = pen.measureText(text).width / 2;
      pen.fillStyle = colour("var(--line)");
      pen.fillRect(Math.round(x), 0, 1, height + 5);
      pen.fillStyle = colour("var(--muted)");
      pen.fillText(text, Math.min(Math.max(x, half), width - half) - half, height + 8);
    }
  }
  drawCrowd(pen, crowd, top, width) {
    const bins = crowd.shares.length, height = CROWD - TITLE - 14, first = top + TITLE, last = first + height;
    pen.save();
    pen.beginPath();
    pen.rect(this.gutter, first, width - this.gutter, height);
    pen.clip();
    pen.fillStyle = colour("var(--raised)");
    pen.fillRect(this.gutter, first, width, height);
    const edge = (bin) => Math.round(this.x(this.whole[0] + (bin / bins) * (this.whole[1] - this.whole[0]), width));
    crowd.shares.forEach((shares, bin) => {
      let y = last;
      shares.forEach((share, look) => {
        pen.fillStyle = this.looks[look];
        y -= share * height;
        pen.fillRect(edge(bin), y, Math.max(edge(bin + 1) - edge(bin), 1), share * height + 0.3);
      });
    });
    pen.restore();
    pen.fillStyle = colour("var(--ink)");
    pen.textBaseline = "top";
    pen.fillText(crowd.name, this.gutter, top + 1);
    pen.fillStyle = colour("var(--muted)");
    const label = (text, y) => pen.fillText(text, this.gutter - pen.measureText(text).width - 6, y);
    label("100 %", first);
    label("0 %", last - 12);
  }
  drawLane(pen, lane, top, width, scale) {
    const height = this.row > 5 ? this.row - 2 : this.row;
    const sharp = (x) => Math.round(x * scale) / scale;
    pen.fillStyle = colour("var(--raised)");
    pen.fillRect(this.gutter, top, width - this.gutter, height);
    for (let i = 0; i < lane.from.length; i += 1) {
      if (lane.to[i] < this.shown[0] || lane.from[i] > this.shown[1]) continue;
      let from = Math.max(this.x(lane.from[i], width), this.gutter), to = Math.min(this.x(lane.to[i], width), width);
      if (to - from > 1) [from, to] = [sharp(from), sharp(to)];
      pen.fillStyle = this.looks[lane.what[i]];
      pen.fillRect(from, top, to - from, height);
    }
  }
  cut(pen, text) {
    const short = (kept) => `${text.slice(0, Math.ceil(kept / 2))}…${text.slice(text.length - Math.floor(kept / 2))}`;
    if (pen.measureText(text).width <= this.gutter - 8) return text;
    let kept = text.length - 1; // of both ends: the way of a wire is told at its end
    while (kept > 1 && pen.measureText(short(kept)).width > this.gutter - 8) kept -= 1;
    return short(kept);
  }
  drawNames(pen, top) {
    pen.fillStyle = colour("var(--ink)");
    pen.textBaseline = "middle";
    const every = Math.ceil(NAMED / this.row);
    this.rows.forEach((lane, i) => {
      if (i % every === 0) pen.fillText(this.cut(pen, lane.name), 0, top + (i + 0.5) * this.row - 1);
    });
  }
}
const timelines = [...document.querySelectorAll("figure.timeline")].map((figure) => new Timeline(figure));
theme.listeners.push(() => timelines.forEach((timeline) => timeline.draw()));
