"""An answer of `ask` or `crossover` for a notebook: its words, its curve, and the figure of that curve."""

import csv
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from slfac_sim.analysis.results import Result
from slfac_sim.foundation.arrays import Floats
from slfac_sim.foundation.errors import BadInput
from slfac_sim.foundation.json_values import check_field
from slfac_sim.ledger.reader import Column, column

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ANSWER, CURVE_CSV = "answer.json", "curve.csv"
_FIELDS = {"answer": "a list of texts", "vary": "a text", "measure": "a text", "drawn": "an object"}


@dataclass(frozen=True)
class Side:
    """What was measured with one pair of seeds: `y` at `x` [values], infinite where it never was.

    Its `name` is that of a side of a crossover, empty for a question.
    """

    name: str
    learning: int
    air: int
    x: Floats
    y: Floats


@dataclass(frozen=True)
class Curve:
    """The curves of an answer with their titles, the values of the answer, and the bound, if any."""

    x_title: str
    y_title: str
    sides: Sequence[Side]
    marks: Sequence[float]
    bound: float | None


@dataclass(frozen=True, repr=False)
class Answer(Result):
    """An answer; its table ``curve`` has one row for each replay, in SI, and its figure is ``curve``."""

    path: Path

    @property
    def folder(self) -> Path:
        """The folder of the answer."""
        return self.path

    @cached_property
    def summary(self) -> Mapping[str, Any]:
        """What ``answer.json`` says: every value in SI, with what holds where in the range."""
        return _summary(self.path / ANSWER)

    @property
    def lines(self) -> list[str]:
        """The answer in sentences; the last one is over all seeds."""
        return list(self.summary["answer"])

    @property
    def tables(self) -> tuple[str, ...]:
        """``curve``."""
        return ("curve",)

    @property
    def figures(self) -> tuple[str, ...]:
        """``curve``."""
        return ("curve",)

    def _read(self, table: str) -> Mapping[str, Column]:
        with (self.path / CURVE_CSV).open(newline="", encoding="utf-8") as file:
            head, *rows = csv.reader(file)
        texts = dict(zip(head, zip(*rows, strict=True), strict=True)) if rows else dict.fromkeys(head, ())
        return {
            name: list(cells) if name == "side" else column([_number(cell) for cell in cells])
            for name, cells in texts.items()
        }

    @property
    def curve(self) -> "Curve":
        """What was measured at each value that was tried, in units that suit it."""
        drawn = self.summary["drawn"]
        (x_title, x_factor), (y_title, y_factor) = drawn["x"], drawn["y"]
        sides, learning, air, x, y = self._read("curve").values()
        places: dict[tuple[str, int, int], list[int]] = {}
        for place, (name, of, at) in enumerate(zip(sides, learning, air, strict=True)):
            places.setdefault((str(name), int(of), int(at)), []).append(place)
        x, y = np.asarray(x) / x_factor, np.nan_to_num(np.asarray(y, dtype=float), nan=math.inf) / y_factor
        return Curve(
            x_title,
            y_title,
            [Side(name, of, at, x[own], y[own]) for (name, of, at), own in places.items()],
            [mark / x_factor for mark in drawn["marks"]],
            drawn["bound"] / y_factor if drawn["bound"] else None,
        )

    def _drawn(self, figure: str) -> "Figure":
        from slfac_sim.analysis.inverse_figure import Line, draw
        from slfac_sim.analysis.style import house_style

        curve = self.curve
        lines = [Line(side.name, side.x, side.y) for side in curve.sides]
        with house_style():
            return draw(lines, curve.x_title, curve.y_title, curve.marks, curve.bound)

    def _lines(self) -> Sequence[tuple[str, str]]:
        return [("", line) for line in self.lines] + [("folder", str(self.folder))]

    @property
    def question(self) -> str:
        """What was asked: ``time_to_accuracy(0.8) <= 3 s``, or ``raw or slfac``."""
        facts = self.summary
        return str(facts.get("question") or " or ".join(str(facts.get(side, "?")) for side in ("a", "b")))

    @property
    def _title(self) -> str:
        return f"{self.question}: {self.lines[-1]}"


def is_answer(folder: Path) -> bool:
    """Say whether `folder` is that of an answer."""
    return (folder / ANSWER).is_file()


def _summary(path: Path) -> dict[str, Any]:
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise BadInput(f"{path}: not JSON ({error}); expected an answer of `ask`") from error
    if not isinstance(facts, dict):
        raise BadInput(f"{path}: found {type(facts).__name__}, expected an object with an answer of `ask`")
    for place, kind in _FIELDS.items():
        check_field(path, facts, place, kind)
    return facts


def _number(cell: str) -> float | int | None:
    if not cell:
        return None
    return int(cell) if cell.isdecimal() else float(cell)
