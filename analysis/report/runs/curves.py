"""Accuracy of all runs on one axis: over simulated time, over bytes, over energy."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from slfac_sim.analysis.format import fixed_percent, unit_of
from slfac_sim.analysis.report.blocks import Block, Chart
from slfac_sim.analysis.report.lines import line
from slfac_sim.analysis.report.scales import level, metric_axis, placed, said
from slfac_sim.analysis.report.study_rows import numbers_of
from slfac_sim.analysis.rows import rows_if_there
from slfac_sim.analysis.run_table import apart
from slfac_sim.foundation.arrays import Floats
from slfac_sim.foundation.targets import ACCURACY
from slfac_sim.ledger.folder import Run

TITLE = "Learning"
Curves = Mapping[str, tuple[Floats, Floats]]


def blocks(runs: Sequence[Run]) -> Iterator[Block]:
    """Yield a chart over each of what all runs tell of."""
    named = dict(zip(apart(runs), runs, strict=True))
    targets = sorted({target.value for run in runs for target in run.times_s if target.metric == ACCURACY})
    for over, (unit, place_of) in _OVER.items():
        curves = {name: (place_of(run), run.curve().accuracy) for name, run in named.items()}
        if all(x.size == y.size and x.size for x, y in curves.values()):
            yield _chart(over, unit, curves, targets)


def _drawn_j(run: Run) -> Floats:
    """Return the joules of all devices at each evaluation; none of a run that is too old to tell."""
    spent = rows_if_there(run, ("spent",))["spent"]
    return np.array([row["devices_j"] for row in spent], dtype=np.float64)


_OVER: Mapping[str, tuple[str, Callable[[Run], Floats]]] = {
    "simulated time": ("s", lambda run: run.curve().simulated_s),
    "payload sent": ("B", lambda run: run.curve().bytes_total.astype(np.float64)),
    "energy drawn by all devices": ("J", _drawn_j),
}


def _chart(over: str, unit: str, curves: Curves, targets: Sequence[float]) -> Chart:
    factor, named = unit_of((float(x[-1]) for x, _ in curves.values()), unit)
    top = max([*targets, *(float(y.max()) for _, y in curves.values())])
    layout = {
        "xaxis": {"title": {"text": f"{over} ({named})"}, "rangemode": "tozero"},
        "yaxis": metric_axis(ACCURACY, top),
        "shapes": level(ACCURACY, targets),
    }
    ends = "; ".join(f"{name} {fixed_percent(float(y[-1]), 2)}" for name, (_, y) in curves.items())
    title = f"Test accuracy over {over}"
    traces = [_trace(name, x / factor, y, place) for place, (name, (x, y)) in enumerate(curves.items())]
    rows = [
        {"run": name, f"{over} ({named})": at, "test accuracy": accuracy}
        for name, (x, y) in curves.items()
        for at, accuracy in zip((x / factor).tolist(), y.tolist(), strict=True)
    ]
    return Chart(title, f"At the end: {ends}.", traces, layout, numbers_of(title, rows))


def _trace(name: str, x: Floats, y: Floats, place: int) -> dict[str, Any]:
    trace = line(name, x.tolist(), placed(ACCURACY, y), place, "%{x:.4g}: %{customdata}")
    return trace | {"customdata": said(ACCURACY, y)}
