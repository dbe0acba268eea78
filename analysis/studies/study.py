"""The result of a study: its points as columns, what it compares and how that is called; it reads no file."""

import itertools
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

from slfac_sim.analysis.studies.axes import Axis, Roles, assign_roles
from slfac_sim.foundation.targets import Target

T = TypeVar("T")

SECONDS, BYTES, ROUNDS = "at_s", "payload_bytes", "round"  # what a curve can be drawn over
WIRE = "wire "  # before the name of a wire: bytes that have crossed it, either way
JOULES = "devices_j"  # that all devices have drawn; points of earlier versions do not tell


@dataclass(frozen=True)
class Combination:
    """One value of each axis (path: text), and the places of its finished points, in the order of seeds."""

    axes: Mapping[str, str]
    points: tuple[int, ...]


@dataclass(frozen=True)
class StudyPoints:
    """The points of a study as columns, one entry per point, ordered by axes and seeds.

    There is a column for each axis (its text; `values` has them in SI), for ``seed_learning`` and
    ``seed_air``, and for every field of a point file. What a failed point does not have is None. `curve`
    entries hold a list per name; points of earlier versions have neither `devices_j` nor metrics beside
    accuracy and loss there, and only those with wires have their bytes.
    """

    folder: Path
    name: str
    targets: tuple[Target, ...]
    axes: tuple[Axis, ...]
    columns: Mapping[str, Sequence[Any]]

    @property
    def size(self) -> int:
        """The number of points, failed ones included."""
        return len(self.columns["key"])

    @cached_property
    def roles(self) -> Roles:
        """Which axis is drawn along, which makes the lines, and which are left."""
        return assign_roles(self.axes)

    @property
    def lines(self) -> tuple[str, ...]:
        """The values of the axis that makes the lines; without one it counts as one value, the empty text."""
        return self.roles.line.texts if self.roles.line is not None else ("",)

    @property
    def xs(self) -> tuple[str, ...]:
        """The values of the x axis, as `lines` has those of the other."""
        return self.roles.x.texts if self.roles.x is not None else ("",)

    @cached_property
    def panels(self) -> list[dict[str, str]]:
        """Every combination of the axes that are neither x nor lines; an empty one where there is none."""
        texts = itertools.product(*(axis.texts for axis in self.roles.panels))
        return [dict(zip((axis.path for axis in self.roles.panels), values, strict=True)) for values in texts]

    @property
    def combinations(self) -> list["Combination"]:
        """All combinations, panels first, then lines, then x; empty ones too."""
        return [self.at(*place) for place in itertools.product(self.panels, self.lines, self.xs)]

    @property
    def baseline(self) -> str:
        """The line that others are compared with: the raw codec if there is one, else the first."""
        raw = (text for text in self.lines if text == "raw" or text.startswith("{kind: raw"))
        return next(raw, self.lines[0])

    @property
    def rivals(self) -> list[str]:
        """All lines but the baseline."""
        return [text for text in self.lines if text != self.baseline]

    def at(self, panel: Mapping[str, str], line: str, x: str) -> "Combination":
        """Return the combination of a panel (path: text), a line and an x; empty texts for absent axes."""
        own = ((self.roles.line, line), (self.roles.x, x))
        axes = {**panel, **{axis.path: text for axis, text in own if axis is not None}}
        return Combination(axes, tuple(self.select(axes)))

    def line_label(self, text: str) -> str:
        """Return the full name of a line: its codec with the settings, or the value of its axis."""
        return self._labels[text]

    def short_label(self, text: str) -> str:
        """Return the name of a line up to its first comma, where that still tells the lines apart."""
        short = {key: name if "{" in name else name.split(",")[0] for key, name in self._labels.items()}
        return short[text] if len(set(short.values())) == len(short) else self._labels[text]

    def panel_label(self, panel: Mapping[str, str]) -> str:
        """Return the values of the axes that are neither x nor lines: ``latency 5 ms``; empty without any."""
        shown = [(axis.name, axis.shown(panel[axis.path])) for axis in self.roles.panels]
        return ", ".join(value if value.startswith(name) else f"{name} {value}" for name, value in shown)

    def x_label(self, text: str) -> str:
        """Return one value of the x axis: ``5 MHz``; empty where no axis is x."""
        return self.roles.x.shown(text) if self.roles.x is not None else ""

    @cached_property
    def _labels(self) -> dict[str, str]:
        axis = self.roles.line
        names: dict[str, str] = {}
        for text in self.lines:
            points = self.select({axis.path: text} if axis is not None else {})
            labels = Counter(self.columns["label"][i] for i in points)  # those of whole models are others
            value = self.name if axis is None else f"{axis.name} {text}" if axis.unit else axis.shown(text)
            by_codec = axis is not None and axis.path.startswith("codec")
            single = by_codec or (axis is None and len(labels) == 1)
            names[text] = labels.most_common(1)[0][0] if single and labels else value
        return names if len(set(names.values())) == len(names) else {text: text for text in names}

    def failed(self) -> list[int]:
        """Return the places of the points that have no result."""
        return [i for i, status in enumerate(self.columns["status"]) if status == "failed"]

    def select(self, axes: Mapping[str, str], air_draws: bool = False) -> list[int]:
        """Return the places of the finished points at `axes` (path: text), in the order of their seeds.

        Points over further draws of the air are kept apart from those with paired seeds.
        """
        wanted = [(place, axes[axis.path]) for place, axis in enumerate(self.axes) if axis.path in axes]
        cells = self._cells[air_draws]
        if len(wanted) == len(self.axes):
            return list(cells.get(tuple(text for _, text in wanted), ()))
        return [
            i
            for texts, points in cells.items()
            if all(texts[place] == text for place, text in wanted)
            for i in points
        ]

    @cached_property
    def _cells(self) -> dict[bool, dict[tuple[str, ...], list[int]]]:
        """The finished points by draw and by the texts of all axes: they are looked up often."""
        cells: dict[bool, dict[tuple[str, ...], list[int]]] = {False: {}, True: {}}
        for i, status in enumerate(self.columns["status"]):
            if status == "finished":
                texts = tuple(self.columns[axis.path][i] for axis in self.axes)
                cells[self.columns["air_draw"][i]].setdefault(texts, []).append(i)
        return cells


def spread(values: Sequence[T], most: int = 4) -> list[T]:
    """Return the first, the last, and evenly spaced ones between them: a page has room for `most` of them."""
    if len(values) <= most:
        return list(values)
    return [values[round(i * (len(values) - 1) / (most - 1))] for i in range(most)]
