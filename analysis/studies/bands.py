"""The metric aimed at, over something that grows while runs learn: a mean with a band over seeds.

At each place the mean is over *all* seeds: the line ends where the shortest of them ends, so that it is never
a mean of survivors. Between evaluations a run's curve is interpolated linearly. A line that needs
nothing of it (no byte without a network) is its last accuracy, from edge to edge.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from slfac_sim.analysis.format import count, unit_of
from slfac_sim.analysis.statistics import interval_of
from slfac_sim.analysis.studies.answers import main_target
from slfac_sim.analysis.studies.study import BYTES, JOULES, SECONDS, StudyPoints
from slfac_sim.foundation.arrays import Floats
from slfac_sim.foundation.targets import ACCURACY

_FEWEST_FOR_T = 5  # with 3 seeds a t interval is 2.5 standard deviations to either side


@dataclass(frozen=True)
class Band:
    """One line: the `mean` over seeds at each `x`, the band `low` to `high`, and how it is drawn."""

    label: str
    look: int
    x: Floats
    mean: Floats
    low: Floats
    high: Floats


@dataclass(frozen=True)
class Bands:
    """What is drawn: `panels` (title, bands), each with an x axis of its own; `band` says what a band is.

    `x` is what it is over, with its unit, that of the bands: SI. In the table x is called `column[0]`, in a
    unit of `column[1]`. `targets` are those of the `metric`.
    """

    x: tuple[str, str]
    column: tuple[str, float]
    panels: Sequence[tuple[str, Sequence[Band]]]
    targets: Sequence[float]
    band: str
    metric: str = ACCURACY

    def in_unit(self, ends: Callable[[Iterable[float]], float] = min) -> tuple[float, str]:
        """Return the unit that suits the least, or another, of the lines' ends, and x with it as a label."""
        last = [float(band.x.max()) for _, lines in self.panels for band in lines]
        label, unit = self.x
        scale, name = unit_of([ends([x for x in last if x > 0.0] or [0.0])], unit)
        return scale, f"{label} ({name})"


def over_time(study: StudyPoints) -> Bands | None:
    """Return the curves over simulated seconds; None where no point has any evaluation."""
    return _bands(study, SECONDS, "s", "simulated time", column=("simulated_s", 1.0))


def over_bytes(study: StudyPoints) -> Bands | None:
    """Return the curves over megabytes (10^6 bytes) of payload."""
    return _bands(study, BYTES, "B", "payload sent, all directions", column=("payload_mb", 1e6))


def over_energy(study: StudyPoints) -> Bands | None:
    """Return the curves over kilojoules; None where no point tells of them."""
    return _bands(study, JOULES, "J", "energy drawn by all devices", column=("devices_kj", 1e3))


def _bands(study: StudyPoints, over: str, unit: str, label: str, column: tuple[str, float]) -> Bands | None:
    """Return the curves over `over`, whose SI unit is `unit`, at the lowest and highest x of the first panel.

    In the table x is called `column[0]`, in a unit of `column[1]`. None where no point has any evaluation.
    """
    panel, target = study.panels[0], main_target(study)
    metric = ACCURACY if target is None else target.metric
    ends = list(dict.fromkeys((study.xs[0], study.xs[-1])))
    where = study.panel_label(panel)
    panels = [
        (", ".join(filter(None, (study.x_label(x), where))), _lines(study, panel, x, (over, metric)))
        for x in ends
    ]
    if len(panels) == 2 and _equal(panels[0][1], panels[1][1]):
        panels = [("", panels[0][1])]
    panels = [(title, lines) for title, lines in panels if lines]
    if not panels:
        return None
    targets = [each.value for each in study.targets if each.metric == metric]
    return Bands((label, unit), column, panels, targets, _band_words(study), metric)


def table(data: Bands) -> list[dict[str, Any]]:
    """Return one row for each place of each line."""
    x_name, scale = data.column
    return [
        {
            "panel": title,
            "line": band.label,
            x_name: x / scale,
            f"{data.metric}_mean": mean,
            f"{data.metric}_low": low,
            f"{data.metric}_high": high,
        }
        for title, some in data.panels
        for band in some
        for x, mean, low, high in zip(band.x, band.mean, band.low, band.high, strict=True)
    ]


def _lines(study: StudyPoints, panel: Mapping[str, str], x: str, columns: tuple[str, str]) -> list[Band]:
    lines = []
    for index, text in enumerate(study.lines):
        points = study.at(panel, text, x).points
        curves = [study.columns["curve"][i] for i in points]
        curves = [curve for curve in curves if all(curve.get(name) for name in columns)]
        if curves:
            lines.append(_band(study.line_label(text), index, curves, columns))
    return lines


def _band(label: str, index: int, curves: Sequence[Mapping[str, Any]], columns: tuple[str, str]) -> Band:
    over, metric = columns
    places = [np.asarray(curve[over], dtype=np.float64) for curve in curves]
    last = min(place[-1] for place in places)
    if max(place[-1] for place in places) == 0.0:  # it needs nothing of it
        places, curves = [place[-1:] for place in places], [{metric: c[metric][-1:]} for c in curves]
    # the places of every seed's evaluations: between them all curves are straight, so nothing is lost
    x = np.unique(np.concatenate(places))
    x = x[x <= last]
    values = np.array(
        [
            np.interp(x, place, np.asarray(curve[metric], np.float64))
            for place, curve in zip(places, curves, strict=True)
        ]
    )
    if len(curves) < _FEWEST_FOR_T:
        return Band(label, index, x, values.mean(axis=0), values.min(axis=0), values.max(axis=0))
    intervals = [interval_of(metric, column) for column in values.T]
    low, high = (np.array([getattr(interval, end) for interval in intervals]) for end in ("low", "high"))
    return Band(label, index, x, values.mean(axis=0), low, high)


def _band_words(study: StudyPoints) -> str:
    most = max(len(study.at(study.panels[0], line, x).points) for line in study.lines for x in study.xs)
    what = "smallest to largest of" if most < _FEWEST_FOR_T else "95 % t interval over"
    return f"{what} {count(most, 'seed')}" if most > 1 else ""


def _equal(bands: Sequence[Band], others: Sequence[Band]) -> bool:
    return len(bands) == len(others) and all(
        np.array_equal(a.x, b.x) and np.array_equal(a.mean, b.mean)
        for a, b in zip(bands, others, strict=True)
    )
