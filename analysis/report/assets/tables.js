// Tables are sorted by the buttons in their heads, and filtered where they are long.
const FILTERED_FROM = 13; // rows
function key(cell) {
  return "number" in cell.dataset ? Number(cell.dataset.number) : NaN;
}
function ordered(rows, column, sign) {
  const cell = (row) => row.cells[column];
  const hasNumber = (row) => !Number.isNaN(key(cell(row)));
  const byText = (a, b) => cell(a).textContent.localeCompare(cell(b).textContent, "en", { numeric: true });
  return [ // what has no number stands last, whichever way it is sorted
    ...rows.filter(hasNumber).sort((a, b) => sign * (key(cell(a)) - key(cell(b)))),
    ...rows.filter((row) => !hasNumber(row)).sort((a, b) => sign * byText(a, b)),
  ];
}
function sortable(table) {
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    addEventListener("beforeprint", () => head.replaceChildren(button.textContent)); // a button is not repeated on every page
    addEventListener("afterprint", () => head.replaceChildren(button));
    button.addEventListener("click", () => {
      const up = head.getAttribute("aria-sort") !== "ascending";
      heads.forEach((each) => each.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", up ? "ascending" : "descending");
      table.tBodies[0].append(...ordered([...table.tBodies[0].rows], column, up ? 1 : -1));
    });
  });
}
function filtered(table) {
  const rows = [...table.tBodies[0].rows];
  const box = table.closest(".rows");
  const line = document.createElement("div");
  line.className = "filter";
  line.innerHTML = '<input type="search" placeholder="Filter"><span role="status"></span>';
  const [input, count] = line.children;
  input.setAttribute("aria-label", `Filter: ${box.getAttribute("aria-label")}`);
  input.addEventListener("input", () => {
    const words = input.value.toLowerCase().split(/\s+/);
    rows.forEach((row) => { row.hidden = !words.every((word) => row.textContent.toLowerCase().includes(word)); });
    count.textContent = `${rows.filter((row) => !row.hidden).length} of ${rows.length} rows`;
  });
  box.before(line);
}
// One table that is wider than the paper would make all of the page smaller: it alone is.
const SHEET = 680; // pixels
function printed(table) {
  const box = document.createElement("div");
  box.className = "measured";
  const copy = box.appendChild(table.cloneNode(true));
  document.body.append(box);
  const isWide = () => copy.offsetWidth > SHEET;
  for (const step of ["printed", "dense"]) if (step === "printed" || isWide()) [copy, table].forEach((each) => each.classList.add(step));
  table.style.setProperty("--fit", Math.min(1, SHEET / copy.offsetWidth));
  box.remove();
}
for (const table of document.querySelectorAll("table")) {
  sortable(table);
  if (table.tBodies[0].rows.length >= FILTERED_FROM) filtered(table);
  addEventListener("beforeprint", () => printed(table)); // after its heads have become texts
  addEventListener("afterprint", () => table.classList.remove("printed", "dense"));
}
