"""A study for a notebook: its summary, its points and curves as tables, its figures."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from slfac_sim.analysis.crossings import first_crossing
from slfac_sim.analysis.format import count
from slfac_sim.analysis.results import Result
from slfac_sim.analysis.studies.answers import rising
from slfac_sim.analysis.studies.reading import CURVE, MEASURED
from slfac_sim.analysis.studies.study import JOULES, StudyPoints
from slfac_sim.foundation.plugins import kinds
from slfac_sim.foundation.targets import ACCURACY
from slfac_sim.ledger.folder import SUMMARY
from slfac_sim.ledger.reader import Column, column

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True, repr=False)
class StudyResult(Result):
    """A study: ``points`` has one row per point, failed ones too, with their status and reason; the axes
    first, as texts and, where they are quantities, as numbers in SI; then accuracy and times to the targets.

    ``curves`` has one row per evaluation of each finished point, with the point's key and axes.
    """

    study: StudyPoints

    @property
    def folder(self) -> Path:
        """The folder of the study."""
        return self.study.folder

    @cached_property
    def summary(self) -> Mapping[str, Any]:
        """What ``summary.json`` says; empty while points are missing."""
        path = self.folder / SUMMARY
        facts: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
        return facts

    @property
    def tables(self) -> tuple[str, ...]:
        """``points`` and ``curves``."""
        return tuple(_TABLES)

    @property
    def figures(self) -> tuple[str, ...]:
        """The names of the figures of a study; which of them there are depends on its axes."""
        return kinds("slfac_sim.analysis.studies.figures")

    @property
    def answers(self) -> list[str]:
        """What the study says, in sentences: the lines that a sweep ends with."""
        from slfac_sim.analysis.studies.words import closing_lines

        return [line.strip() for line in closing_lines(self.study)]

    def _read(self, table: str) -> Mapping[str, Column]:
        return _TABLES[table](self.study)

    def _drawn(self, figure: str) -> "Figure | None":
        from slfac_sim.analysis.studies.report import figure_of

        return figure_of(self.study, figure)

    def _lines(self) -> Sequence[tuple[str, str]]:
        axes = [(axis.path, ", ".join(map(axis.shown, axis.texts))) for axis in self.study.axes]
        failed = [("failed", count(len(self.study.failed()), "point"))] if self.study.failed() else []
        return [*axes, *failed, *(("", line) for line in self.answers), ("folder", str(self.folder))]

    @property
    def _title(self) -> str:
        failed = f", {len(self.study.failed())} failed" if self.study.failed() else ""
        return f"study {self.study.name}: {count(self.study.size, 'point')}{failed}"


def _points(study: StudyPoints) -> dict[str, Column]:
    """Return what has one value a point: where it lies, what came out, how it ended, and all the rest."""
    rest = _flat(study)
    places = [axis.path for axis in study.axes] + ["seed_learning", "seed_air"]
    first = ["simulated_s", "rounds", "bytes.total", "energy_j", "status", "reason"]
    columns = {name: rest[name] for name in places}
    columns |= _numbers(study) | _learnt(study)
    return columns | {name: rest[name] for name in first if name in rest} | rest


def _numbers(study: StudyPoints) -> dict[str, Column]:
    """Return the axes that are quantities as numbers in SI: ``values.network.bandwidth``, in Hz."""
    values = study.columns["values"]
    return {
        f"values.{axis.path}": column([value[axis.path] for value in values])
        for axis in study.axes
        if axis.numeric
    }


def _learnt(study: StudyPoints) -> dict[str, Column]:
    """Return accuracies and the first times at the targets; NaN for points that failed or never got there."""
    curves = [curve or {"at_s": (), "accuracy": ()} for curve in study.columns["curve"]]
    shown = [curve["accuracy"] for curve in curves]
    columns = {
        "accuracy": column([accuracies[-1] if accuracies else None for accuracies in shown]),
        "accuracy_best": column([max(accuracies, default=None) for accuracies in shown]),
    }
    for target in study.targets:
        reached = [
            first_crossing(curve["at_s"], rising(curve, target), target.difficulty) for curve in curves
        ]
        times = [None if crossing.censored else crossing.at for crossing in reached]
        what = "accuracy" if target.metric == ACCURACY else "metrics"
        columns[f"time_to_{what}_s.{target.text}"] = column(times)
    for name in MEASURED:
        values = [curve.get(name) for curve in curves]
        columns[f"metrics.{name}"] = column([each[-1] if each else None for each in values])
    return columns


def _flat(study: StudyPoints) -> dict[str, Column]:
    """Return the columns of the points; a mapping such as `bytes` gives one for each key, ``bytes.total``."""
    columns: dict[str, Column] = {}
    for name, values in study.columns.items():
        if name in ("curve", "values"):
            continue
        keys = dict.fromkeys(key for value in values if isinstance(value, Mapping) for key in value)
        if not keys:
            columns[name] = column(values)
        for key in keys:
            cells = [value.get(key) if isinstance(value, Mapping) else None for value in values]
            columns[f"{name}.{key}"] = column(cells)
    return columns


def _curves(study: StudyPoints) -> dict[str, Column]:
    """Return the evaluations of all finished points, one after another."""
    same = ["key", *(axis.path for axis in study.axes), "seed_learning", "seed_air"]
    columns: dict[str, list[Any]] = {name: [] for name in (*same, *CURVE, JOULES, *MEASURED)}
    for place, curve in enumerate(study.columns["curve"]):
        if curve is None:
            continue
        for name in CURVE:
            columns[name] += curve[name]
        for name in (JOULES, *MEASURED):
            columns[name] += curve.get(name) or [None] * len(curve["round"])
        for name in same:
            columns[name] += [study.columns[name][place]] * len(curve["round"])
    return {name: column(values) for name, values in columns.items()}


_TABLES: dict[str, Callable[[StudyPoints], dict[str, Column]]] = {"points": _points, "curves": _curves}
