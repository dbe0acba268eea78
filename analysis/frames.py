"""A run or a study for a notebook: its summary as a mapping, its tables as data frames.

pandas is asked for only when a frame is; without it the same tables are there as numpy columns.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from slfac_sim.analysis.studies.reading import CURVE, is_study, load_study
from slfac_sim.analysis.studies.study import JOULES, StudyResult
from slfac_sim.foundation.errors import BadInput
from slfac_sim.ledger.folder import SUMMARY
from slfac_sim.ledger.folder import load as load_run
from slfac_sim.ledger.reader import Column, column

if TYPE_CHECKING:
    from pandas import DataFrame


@dataclass(frozen=True)
class Frames:
    """What lies in `folder`: its `summary`, and by name its `tables`.

    The tables of a run are those of its ledger. A study has ``points``, one row per point, and
    ``curves``, one row per evaluation of each point, with the point's key and axes.
    """

    folder: Path
    summary: Mapping[str, Any]
    tables: tuple[str, ...]
    read: Callable[[str], Mapping[str, Column]]

    def columns(self, name: str) -> dict[str, Column]:
        """Return the table `name` by columns: arrays of numbers, lists of texts. Raises `BadInput`."""
        if name not in self.tables:
            raise BadInput(f"{self.folder}: no table '{name}' among {', '.join(self.tables)}")
        return dict(self.read(name))

    def frame(self, name: str) -> "DataFrame":
        """Return the table `name` as a pandas data frame.

        Raises `BadInput` for an unknown table, or when pandas is not installed.
        """
        try:
            import pandas
        except ImportError as error:
            reason = 'a data frame needs pandas: pip install "slfac_sim[pandas]", or take columns()'
            raise BadInput(f"{self.folder}: {reason}") from error
        return pandas.DataFrame(self.columns(name))


def frames_of(folder: Path) -> Frames:
    """Return the run or the study in `folder`. Raises `BadInput` for anything else."""
    if is_study(folder):
        return _of_study(load_study(folder))
    run = load_run(folder)
    return Frames(run.folder, run.summary, tuple(run.tables()), run.table)


def _of_study(study: StudyResult) -> Frames:
    path = study.folder / SUMMARY
    summary: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    tables: dict[str, Callable[[StudyResult], dict[str, Column]]] = {"points": _points, "curves": _curves}
    return Frames(study.folder, summary, tuple(tables), lambda name: tables[name](study))


def _points(study: StudyResult) -> dict[str, Column]:
    """Return what has one value a point; a mapping such as `bytes` gives a column a key, ``bytes.total``."""
    columns: dict[str, Column] = {}
    for name, values in study.columns.items():
        if name == "curve":
            continue
        keys = dict.fromkeys(key for value in values if isinstance(value, Mapping) for key in value)
        if not keys:
            columns[name] = column(values)
        for key in keys:
            cells = [value.get(key) if isinstance(value, Mapping) else None for value in values]
            columns[f"{name}.{key}"] = column(cells)
    return columns


def _curves(study: StudyResult) -> dict[str, Column]:
    """Return the evaluations of all finished points, one after another."""
    same = ["key", *(axis.path for axis in study.axes), "seed_learning", "seed_air"]
    columns: dict[str, list[Any]] = {name: [] for name in (*same, *CURVE, JOULES)}
    for place, curve in enumerate(study.columns["curve"]):
        if curve is None:
            continue
        for name in CURVE:
            columns[name] += curve[name]
        columns[JOULES] += curve.get(JOULES) or [None] * len(curve["round"])
        for name in same:
            columns[name] += [study.columns[name][place]] * len(curve["round"])
    return {name: column(values) for name, values in columns.items()}
