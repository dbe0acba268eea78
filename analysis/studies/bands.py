"""The metric aimed at, over something that grows while runs learn: a mean with a band over seeds.

A point is an evaluation: the first of all seeds, the second of all, and so on; its place and its value are
means over *all* seeds. The line ends with the last evaluation that all of them have, so that it is never a
mean of survivors. A line that needs nothing of it (no byte without a network) is its last accuracy, from edge
to edge.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from slfac_sim.analysis.format import count, unit_of
from slfac_sim.analysis.studies.answers import main_target
from slfac_sim.analysis.studies.study import BYTES, JOULES, SECONDS, StudyPoints
from slfac_sim.foundation.arrays import Floats
from slfac_sim.foundation.targets import ACCURACY


@dataclass(frozen=True)
class Band:
    """One line: the `mean` over seeds at each evaluation, whose mean place is `x`, and how it is drawn.

    The band goes from the seed that is the lowest at that evaluation, `low`, to the highest, `high`. `cut`
    says that a seed has further evaluations, which another lacks.
    """

    label: str
    look: int
    x: Floats
    mean: Floats
    low: Floats
    high: Floats
    cut: bool = False


@dataclass(frozen=True)
class Bands:
    """What is drawn: `panels` (title, bands), each with an x axis of its own; `band` says what points are.

    `x` is what it is over, with its unit, that of the bands: SI. In the table x is called `column[0]`, in a
    unit of `column[1]`. `targets` are those of the `metric`.
    """

    x: tuple[str, str]
    column: tuple[str, float]
    panels: Sequence[tuple[str, Sequence[Band]]]
    targets: Sequence[float]
    band: str
    metric: str = ACCURACY

    def in_unit(self) -> tuple[float, str]:
        """Return the unit that suits the longest line, and x with it as a label."""
        label, unit = self.x
        scale, name = unit_of([max(float(band.x.max()) for _, lines in self.panels for band in lines)], unit)
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
    return Bands((label, unit), column, panels, targets, _band_words(study, panels), metric)


def table(data: Bands) -> list[dict[str, Any]]:
    """Return one row for each evaluation of each line."""
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
    x, values = ([np.asarray(curve[name], dtype=np.float64) for curve in curves] for name in columns)
    sizes = {place.size for place in x}
    most = min(sizes)
    part = slice(-1, None) if max(place[-1] for place in x) == 0.0 else slice(most)  # it needs nothing of it
    place, value = (np.array([each[part] for each in some]) for some in (x, values))
    ends = value.mean(axis=0), value.min(axis=0), value.max(axis=0)
    return Band(label, index, place.mean(axis=0), *ends, cut=len(sizes) > 1)


def _band_words(study: StudyPoints, panels: Sequence[tuple[str, Sequence[Band]]]) -> str:
    most = max(len(study.at(study.panels[0], line, x).points) for line in study.lines for x in study.xs)
    if most < 2:
        return ""
    cut = any(band.cut for _, some in panels for band in some)
    further = "; up to the last that all have" if cut else ""
    return f"mean of {count(most, 'seed')} at each evaluation, smallest to largest{further}"


def _equal(bands: Sequence[Band], others: Sequence[Band]) -> bool:
    return len(bands) == len(others) and all(
        np.array_equal(a.x, b.x) and np.array_equal(a.mean, b.mean)
        for a, b in zip(bands, others, strict=True)
    )
