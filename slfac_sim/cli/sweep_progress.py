"""The progress of a sweep on standard error: one display over all trainings and points, with what is left.

On a terminal two bars move; elsewhere there is a line when a training ends, and now and then one for points.
"""

import sys
import time
from types import TracebackType
from typing import TYPE_CHECKING, Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn

from slfac_sim.cli.progress import clock

if TYPE_CHECKING:
    from slfac_sim.studies.engines import Outcome

_EVERY_S = 10.0  # between plain lines about points


class SweepProgress:
    """The display of a sweep; use it in a `with`, so that the terminal is left in order."""

    def __init__(self, quiet: bool) -> None:
        self.workers = 1
        self._console = Console(stderr=True, quiet=quiet)
        self._bars: Progress | None = None
        self._tasks: dict[str, TaskID] = {}
        self._tallies = {"trainings": _Tally(), "points": _Tally()}
        self._began_s = self._said_s = time.monotonic()

    def say(self, line: str) -> None:
        """Write one line."""
        self._console.print(line, style="dim", highlight=False, markup=False, soft_wrap=True)

    def begin(self, trainings_left: int, trainings_all: int, points_left: int, points_all: int) -> None:
        """Start the display; what is not left is done, or on record."""
        self._began_s = self._said_s = time.monotonic()
        self._tallies["trainings"] = _Tally(trainings_left, trainings_all)
        self._tallies["points"] = _Tally(points_left, points_all)
        if self._console.is_terminal and not self._console.quiet:
            columns = TextColumn("{task.description:9}"), BarColumn(), MofNCompleteColumn()
            self._bars = Progress(*columns, TextColumn("{task.fields[rest]}"), console=self._console)
            for name, tally in self._tallies.items():
                self._tasks[name] = self._bars.add_task(name, total=tally.all, completed=tally.done, rest="")
            self._bars.start()
        else:
            self._console.print(self._line(), highlight=False, soft_wrap=True)

    def ended(self, outcome: "Outcome") -> None:
        """Count a job that is over."""
        from slfac_sim.studies.jobs import Train

        is_training = isinstance(outcome.job, Train)
        self._tallies["trainings" if is_training else "points"].count(outcome.took_s)
        late = time.monotonic() - self._said_s > _EVERY_S or not self._tallies["points"].left
        if self._bars is None and (is_training or late):
            self._said_s = time.monotonic()
            self._console.print(self._line(), highlight=False, soft_wrap=True)

    def retried(self, outcome: "Outcome") -> None:
        """Write that a job is tried again."""
        self.say(f"tried again: {outcome.job.key}: {outcome.reason}")

    def tick(self) -> None:
        """Move the bars."""
        if self._bars is not None:
            for name, tally in self._tallies.items():
                rest = self._times() if name == "points" else ""
                self._bars.update(self._tasks[name], completed=tally.done, rest=rest)

    def _line(self) -> str:
        counts = (f"{name} {tally.done}/{tally.all}" for name, tally in self._tallies.items())
        return " · ".join([*counts, self._times()])

    def _times(self) -> str:
        elapsed_s = time.monotonic() - self._began_s
        left_s = self._left_s(elapsed_s) or 0.0
        return f"{clock(elapsed_s)} elapsed" + (f", about {clock(left_s)} left" if round(left_s) else "")

    def _left_s(self, elapsed_s: float) -> float | None:
        """Return the work that is left at the mean duration so far, or None before anything is known."""
        left = [tally for tally in self._tallies.values() if tally.left]
        if left and left[0].mean_s is None:  # trainings, as long as there are any: they take the longest
            return None
        work_s = sum(tally.left * (tally.mean_s or 0.0) for tally in left)
        ahead_s = elapsed_s * self.workers - sum(tally.spent_s for tally in self._tallies.values())
        return max(work_s - max(ahead_s, 0.0), 0.0) / self.workers

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.tick()
        if self._bars is not None:
            self._bars.stop()
        sys.stderr.flush()


class _Tally:
    """So many of so many, and the seconds that they took."""

    def __init__(self, left: int = 0, whole: int = 0) -> None:
        self.left, self.all = left, whole
        self.spent_s = 0.0
        self._counted = 0

    @property
    def done(self) -> int:
        return self.all - self.left

    @property
    def mean_s(self) -> float | None:
        return self.spent_s / self._counted if self._counted else None

    def count(self, took_s: float) -> None:
        self.left -= 1
        self._counted += 1
        self.spent_s += took_s
