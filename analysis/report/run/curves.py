"""Accuracy over simulated time."""

from collections.abc import Iterator

from slfac_sim.analysis.format import fixed_percent, one_decimal
from slfac_sim.analysis.report.blocks import Block, Cell, Chart, Table
from slfac_sim.ledger.folder import Run

TITLE = "Learning"


def blocks(run: Run) -> Iterator[Block]:
    """Yield the curve of test accuracy."""
    curve = run.curve()
    if not len(curve.round):
        return
    times, accuracies = curve.simulated_s.tolist(), curve.accuracy.tolist()
    rows = [
        (
            Cell(str(number), number),
            Cell(f"{one_decimal(at_s)} s", at_s),
            Cell(fixed_percent(share, 2), share),
        )
        for number, at_s, share in zip(curve.round.tolist(), times, accuracies, strict=True)
    ]
    trace = {
        "type": "scatter",
        "mode": "lines+markers",
        "name": run.label,
        "x": times,
        "y": accuracies,
        "line": {"color": "var(--series-0)"},
        "hovertemplate": "%{x:.1f} s: %{y:.2%}<extra></extra>",
    }
    best = max(range(len(times)), key=accuracies.__getitem__)
    yield Chart(
        "Test accuracy over simulated time",
        f"Test accuracy is highest, {fixed_percent(accuracies[best], 2)}, at {one_decimal(times[best])} s.",
        [trace],
        {"xaxis": {"title": {"text": "simulated time (s)"}}, "yaxis": {"tickformat": ".0%"}},
        Table("Evaluations", ("round", "simulated time", "test accuracy"), rows),
    )
