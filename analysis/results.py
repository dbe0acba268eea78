"""A run for a notebook: its summary, its tables as columns or data frames, its figures, a few lines of HTML.

pandas is asked for only when a frame is, and matplotlib only when a figure is.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from slfac_sim.analysis.asked import likely
from slfac_sim.analysis.format import count, fixed_percent, one_decimal, reached, target_words
from slfac_sim.analysis.html import table_html
from slfac_sim.foundation.errors import BadInput, did_you_mean
from slfac_sim.foundation.plugins import kinds
from slfac_sim.ledger.folder import Run
from slfac_sim.ledger.measured import confusion
from slfac_sim.ledger.reader import Column

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from numpy.typing import NDArray
    from pandas import DataFrame


class Result(ABC):
    """What lies in a folder: a `summary`, `tables` and `figures` by name."""

    @property
    @abstractmethod
    def folder(self) -> Path:
        """Where it lies."""

    @property
    @abstractmethod
    def summary(self) -> Mapping[str, Any]:
        """What its summary file says."""

    @property
    @abstractmethod
    def tables(self) -> tuple[str, ...]:
        """The names of its tables."""

    @property
    @abstractmethod
    def figures(self) -> tuple[str, ...]:
        """The names of the figures that can be drawn of it."""

    @property
    @abstractmethod
    def _title(self) -> str:
        """What it is, in a line."""

    @abstractmethod
    def _read(self, table: str) -> Mapping[str, Column]:
        """Return one of the tables."""

    @abstractmethod
    def _drawn(self, figure: str) -> "Figure | None":
        """Return one of the figures; None where there is nothing to be drawn."""

    @abstractmethod
    def _lines(self) -> Sequence[tuple[str, str]]:
        """Return what a notebook shows of it: a name and a text each."""

    def columns(self, name: str) -> dict[str, Column]:
        """Return the table `name` by columns: arrays of numbers, lists of texts. Raises `BadInput`."""
        if name not in self.tables:
            reason = f"no table '{name}' among {', '.join(self.tables)}{did_you_mean(name, self.tables)}"
            raise BadInput(f"{self.folder}: {reason}")
        return dict(self._read(name))

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

    def figure(self, name: str) -> "Figure":
        """Return the figure `name`, one of `figures`, drawn anew; no file is written.

        Raises `BadInput` for an unknown name, and where there is nothing to be drawn.
        """
        self.known_figure(name)
        figure = self._drawn(name)
        if figure is None:
            raise BadInput(f"{self.folder}: has nothing for the figure '{name}'")
        return figure

    def report(self, out: str | Path | None = None) -> Path:
        """Write one page about it for a browser; return the file: `out`, or ``report.html`` in the folder.

        Raises `BadInput`.
        """
        from slfac_sim.analysis.report.make import write_report

        return write_report(self.folder, None if out is None else Path(out))

    def known_figure(self, name: str) -> None:
        """Raise `BadInput` for a name that no figure of such a result has."""
        if name not in self.figures:
            reason = f"no figure '{name}' among {', '.join(self.figures)}{likely(name, self.figures)}"
            raise BadInput(f"{self.folder}: {reason}")

    def _repr_html_(self) -> str:
        return table_html(self._title, self._lines())

    def __repr__(self) -> str:
        return f"<{self._title}>"


@dataclass(frozen=True, repr=False)
class RunResult(Result):
    """A run or a replay: what lies in its folder, read when it is asked for.

    `tables` are those of its ledger: ``evals`` has a row for each evaluation, ``transfers`` one for each
    transfer, ``steps`` one for each step of a device.
    """

    run: Run

    @property
    def folder(self) -> Path:
        """The folder of the run."""
        return self.run.folder

    @property
    def summary(self) -> Mapping[str, Any]:
        """What ``summary.json`` says."""
        return self.run.summary

    @property
    def label(self) -> str:
        """Its short name in a legend: its codec, and whether it stopped before its end."""
        return self.run.label

    @property
    def status(self) -> str:
        """How it ended: ``finished``, ``interrupted`` or ``failed``; the summary's `reason` says why."""
        return str(self.summary["status"])

    @property
    def accuracy(self) -> float | None:
        """The test accuracy at the end, a fraction; None where it was never measured."""
        final: float | None = self.summary["accuracy"]["final"]
        return final

    @property
    def simulated_s(self) -> float:
        """The simulated seconds that the whole run took."""
        return float(self.summary["simulated_s"])

    @property
    def time_to_accuracy_s(self) -> dict[float, float | None]:
        """Simulated seconds to each target accuracy, None where it was not reached; ascending targets."""
        return self.run.time_to_accuracy_s

    @property
    def times_s(self) -> dict[str, float | None]:
        """The same of targets of every metric, by their texts: ``0.95``, ``balanced_accuracy=0.7``."""
        return {target.text: at_s for target, at_s in self.run.times_s.items()}

    @property
    def metrics(self) -> "dict[str, NDArray[np.float64]]":
        """Each metric over the evaluations, by name: ``balanced_accuracy``, ``device_worst_tenth``, ...

        NaN where a run of an earlier version did not count what it is of. Raises `BadInput`.
        """
        series = self.run.measured
        return {name: np.array(values, dtype=np.float64) for name, values in series.items()}

    def confusion(self, round_number: int | None = None) -> "NDArray[np.int64]":
        """Return the confusion matrix of the evaluation after a round, the last one's by default.

        It is [classes, classes], rows by what samples are, columns by what they were taken for. Raises
        `BadInput`, and `ValueError` for a round without an evaluation.
        """
        evaluated: list[int] = self.run.curve().round.tolist()
        wanted = evaluated[-1:] if round_number is None else [round_number]
        if not set(wanted) <= set(evaluated) or not wanted:
            raise ValueError(
                f"round {round_number}: not evaluated; those are {', '.join(map(str, evaluated))}"
            )
        return confusion(self.run.ledger, wanted[0])

    @property
    def tables(self) -> tuple[str, ...]:
        """The names of the tables of its ledger, sorted."""
        return tuple(self.run.tables())

    @property
    def figures(self) -> tuple[str, ...]:
        """The names of the figures that it has something for."""
        from slfac_sim.analysis.draw import shown_of

        return tuple(shown_of(self.run))

    def known_figure(self, name: str) -> None:
        """Raise `BadInput` for a name that no figure of a run has."""
        if name not in kinds("slfac_sim.analysis.figures"):
            super().known_figure(name)

    def _read(self, table: str) -> Mapping[str, Column]:
        return self.run.table(table)

    def _drawn(self, figure: str) -> "Figure | None":
        from slfac_sim.analysis.draw import figure_of

        return figure_of([self.run], figure)

    def _lines(self) -> Sequence[tuple[str, str]]:
        sent = one_decimal(self.summary["bytes"]["total"] / 1e6)
        return [
            ("status", self._status()),
            ("test accuracy", "-" if self.accuracy is None else fixed_percent(self.accuracy, 2)),
            ("simulated time", f"{one_decimal(self.simulated_s)} s"),
            *(
                (f"time to {target_words(target)}", f"{reached(at_s)} s" if at_s else reached(at_s))
                for target, at_s in self.run.times_s.items()
            ),
            ("payload", f"{sent} MB"),
            ("folder", str(self.folder)),
        ]

    def _status(self) -> str:
        reason = self.summary.get("reason")
        return f"{self.status}: {reason}" if reason else self.status

    @property
    def _title(self) -> str:
        accuracy = "-" if self.accuracy is None else fixed_percent(self.accuracy, 2)
        rounds = count(self.summary.get("rounds", 0), "round")
        told = f"{accuracy} after {one_decimal(self.simulated_s)} simulated s in {rounds}"
        return f"{self.summary['scenario']}: {self.label}: {told}"
