"""What bodies were made of, round by round, and how little an ideal coder of their symbols needs."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from slfac_sim.analysis.format import ACROSS, kind_name, quantity, share, times, unit_of
from slfac_sim.analysis.report import cells
from slfac_sim.analysis.report.blocks import Cell, Chart, Table, Text
from slfac_sim.analysis.report.lines import bars, kind_look, look, titled
from slfac_sim.analysis.rows import Rows

_BOUND, _CODED = "entropy_bound_bytes", "symbols"  # a note of codecs, and the part of a body that it bounds
_MEANT = (
    "The entropy bound is what the symbols of each body would take if each were coded alone, with as many"
    " bits as its share in the body asks for; a coder that sees how symbols follow one another can do better."
)


def by_round(parts: Rows) -> Chart:
    """Return a stack of kinds for each round."""
    sums: dict[str, dict[int, int]] = defaultdict(lambda: defaultdict(int))
    for row in parts:
        sums[row["kind"]][row["round"]] += row["bytes"]
    rounds = sorted({row["round"] for row in parts})
    totals = [sum(by.get(number, 0) for by in sums.values()) for number in rounds]
    factor, unit = unit_of(totals, "B")
    said = f"round %{{x}}: %{{y:.4g}} {unit}"
    traces = [
        bars(kind_name(kind), rounds, [by.get(r, 0) / factor for r in rounds], kind_look(kind), said)
        for kind, by in sorted(sums.items(), key=lambda item: -sum(item[1].values()))
    ]
    summary = (
        f"{quantity(min(totals), 'B')} to {quantity(max(totals), 'B')} a round;"
        " what is sent after the last round counts as one more."
    )
    return Chart("Payload by round", summary, traces, _stacked("round", f"payload ({unit})"))


def _stacked(x: str, y: str) -> dict[str, Any]:
    return titled(x, y, barmode="stack", bargap=0.15)


def by_part(parts: Rows) -> Iterator[Chart | Table]:
    """Yield a stack of parts for each kind that crosses the cut, then all parts of all kinds in a table."""
    sizes = _sizes(parts)
    crossed = [kind for kind in ACROSS if kind in sizes]  # their order among equals
    for kind in sorted(crossed, key=lambda kind: -sum(sizes[kind].values())):
        if len(sizes[kind]) > 1:
            yield _stack(kind, sizes[kind], [row for row in parts if row["kind"] == kind])
    yield _table(sizes, parts)


def _sizes(parts: Rows) -> dict[str, dict[str, int]]:
    """Return the bytes of each part of each kind, the largest first."""
    sums: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for row in parts:
        sums[row["kind"]][row["part"]] += row["bytes"]
    return {kind: dict(sorted(own.items(), key=lambda item: -item[1])) for kind, own in sums.items()}


def _stack(kind: str, sizes: Mapping[str, int], rows: Rows) -> Chart:
    rounds = sorted({row["round"] for row in rows})
    taken = {(row["part"], row["round"]): row["bytes"] for row in rows}
    factor, unit = unit_of((size / len(rounds) for size in sizes.values()), "B")
    said = f"round %{{x}}: %{{y:.4g}} {unit}"
    traces = [
        bars(part, rounds, [taken.get((part, r), 0) / factor for r in rounds], look(place), said)
        for place, part in enumerate(sizes)
    ]
    whole = sum(sizes.values()) or 1
    shares = ", ".join(f"{part} {share(size / whole, 3)}" for part, size in sizes.items())
    title = f"What the bytes were for: {kind_name(kind)}"
    return Chart(title, f"{shares}.", traces, _stacked("round", f"{unit} a round"), height_px=320)


def _table(sizes: Mapping[str, Mapping[str, int]], parts: Rows) -> Table:
    bodies: dict[tuple[str, str], int] = defaultdict(int)
    for row in parts:
        bodies[row["kind"], row["part"]] += row["messages"]
    rows = [
        (
            cells.said(kind_name(kind)),
            cells.said(part),
            cells.whole(bodies[kind, part]),
            cells.measured(size, "B"),
            cells.share(size / (sum(own.values()) or 1)),
            cells.measured(size / bodies[kind, part] if bodies[kind, part] else None, "B"),
        )
        for kind, own in sizes.items()
        for part, size in own.items()
    ]
    head = ("kind", "part", "bodies with it", "bytes", "of its kind", "bytes a body")
    return Table("Parts of bodies", head, rows, folded=True)


def entropy(parts: Rows, notes: Rows) -> Iterator[Table | Text]:
    """Yield what symbols take beside the least that an ideal coder of single symbols would need."""
    bound: dict[str, float] = defaultdict(float)
    for row in notes:
        if row["name"] == _BOUND:
            bound[row["kind"]] += row["messages"] * row["mean"]
    if not bound:
        return
    taken = {
        kind: sum(row["bytes"] for row in parts if row["kind"] == kind and row["part"] == _CODED)
        for kind in bound
    }
    rows = [
        (
            cells.said(kind_name(kind)),
            cells.measured(taken[kind], "B"),
            cells.measured(least, "B"),
            cells.said("-") if not least else Cell(times(taken[kind] / least), taken[kind] / least),
        )
        for kind, least in bound.items()
    ]
    head = ("kind", "bytes of its symbols", "entropy bound", "symbols / bound")
    yield Text(_MEANT)
    yield Table("Symbols against their entropy", head, rows)
