"""What codecs with bands did to the spectra: bits of each band, how much of the values each has."""

from collections.abc import Iterator, Sequence

from slfac_sim.analysis.codec_notes import Lines, bits_in, lines_of, shares_in
from slfac_sim.analysis.format import three_digits
from slfac_sim.analysis.report import cells
from slfac_sim.analysis.report.blocks import Block, Cell, Chart, Table
from slfac_sim.analysis.report.lines import line, titled
from slfac_sim.analysis.rows import rows_if_there
from slfac_sim.ledger.folder import Run

TITLE = "Spectra and bits"
_WAYS = {"up": "var(--up)", "down": "var(--down)"}


def blocks(run: Run) -> Iterator[Block]:
    """Yield bits, shares and the other notes of the run's codecs, where they have any."""
    notes = rows_if_there(run, ("codec_notes",))["codec_notes"]
    bits, parts = bits_in(notes), shares_in(notes)
    if bits:
        yield _chart("Bits a value in each band", bits, "bits a value", "%{y:.3f} bits")
    if parts:
        chart = _chart("Parts of the values", parts, "part of the values", "%{y:.2%}")
        yield _in_percent(chart)
    others = lines_of(notes, lambda name: True)
    if others:
        yield _table(others)


def _chart(title: str, lines: Lines, axis: str, said: str) -> Chart:
    names = sorted({name for name, _ in lines}, reverse=True)  # the low band before the high one
    traces = [
        line(_called(name, way), *_columns(points), names.index(name), f"round %{{x}}: {said}", _WAYS[way])
        for (name, way), points in lines.items()
    ]
    ends = ", ".join(
        f"{_called(name, way)} {three_digits(points[0][1])} to {three_digits(points[-1][1])}"
        for (name, way), points in lines.items()
    )
    layout = titled("round", axis)
    layout["yaxis"] |= {"rangemode": "tozero"}
    return Chart(
        title, f"Means over the bodies of a round, from the first round to the last: {ends}.", traces, layout
    )


def _in_percent(chart: Chart) -> Chart:
    layout = {**chart.layout, "yaxis": {**chart.layout["yaxis"], "tickformat": ".0%"}}
    return Chart(chart.title, chart.summary, chart.traces, layout)


def _columns(points: Sequence[tuple[int, float]]) -> tuple[list[int], list[float]]:
    return [number for number, _ in points], [mean for _, mean in points]


def _called(name: str, way: str) -> str:
    return f"{name.replace('_', ' ')}, {way}"


def _table(lines: Lines) -> Table:
    """Return what each note was in the first round, at least, at most, and in the last round."""
    rows: list[list[Cell]] = []
    for (name, way), points in lines.items():
        means = [mean for _, mean in points]
        figures = (means[0], min(means), max(means), means[-1])
        rows.append([cells.said(name.replace("_", " ")), cells.said(way), *map(cells.number, figures)])
    head = ("note", "direction", "first round", "least", "most", "last round")
    return Table("What the codecs noted, means of a round", head, rows)
