"""The progress of a sweep: one display over all trainings and points, with what is left.

On a terminal two bars move, in a notebook a line; elsewhere there is a line when a training ends, and now and
then one for points.
"""

import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from slfac_sim.foundation.logs import LOG
from slfac_sim.progress.run import clock
from slfac_sim.progress.screens import Terminal, screen_of

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress, TaskID

    from slfac_sim.studies.engines import Outcome

_EVERY_S = 10.0  # between plain lines about points


class SweepProgress:
    """The display of a sweep; use it in a `with`, so that the terminal is left in order.

    `note` takes the sentences that a user should read in any case, and `opened` the folder of the study as
    soon as it is there.
    """

    def __init__(
        self,
        quiet: bool,
        note: Callable[[str], object] = lambda sentence: None,
        opened: Callable[[Path], object] = lambda folder: None,
    ) -> None:
        self.workers = 1
        self._note, self._opened = note, opened
        self._screen = screen_of(quiet)
        self._bars: Progress | None = None
        self._tasks: dict[str, TaskID] = {}
        self._tallies = {"trainings": _Tally(), "points": _Tally()}
        self._began_s = self._said_s = time.monotonic()

    def opened(self, folder: Path) -> None:
        """Hand the folder of the study on."""
        self._opened(folder)

    def say(self, line: str) -> None:
        """Show one line about what takes long."""
        self._screen.say(line)

    def note(self, sentence: str) -> None:
        """Hand a sentence on that a user should read in any case."""
        self._note(sentence)

    def begin(self, trainings_left: int, trainings_all: int, points_left: int, points_all: int) -> None:
        """Start the display; what is not left is done, or on record."""
        self._began_s = self._said_s = time.monotonic()
        self._tallies["trainings"] = _Tally(trainings_left, trainings_all)
        self._tallies["points"] = _Tally(points_left, points_all)
        if isinstance(self._screen, Terminal):
            self._start_bars(self._screen.console)
        elif not self._screen.moves:
            self._screen.say(self._line(), dim=False)

    def _start_bars(self, console: "Console") -> None:
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

        columns = TextColumn("{task.description:9}"), BarColumn(), MofNCompleteColumn()
        self._bars = Progress(*columns, TextColumn("{task.fields[rest]}"), console=console)
        for name, tally in self._tallies.items():
            self._tasks[name] = self._bars.add_task(name, total=tally.all, completed=tally.done, rest="")
        self._bars.start()

    def ended(self, outcome: "Outcome") -> None:
        """Count a job that is over."""
        from slfac_sim.studies.jobs import Train

        is_training = isinstance(outcome.job, Train)
        LOG.debug("%s ended after %.2f s", outcome.job.key, outcome.took_s)
        self._tallies["trainings" if is_training else "points"].count(outcome.took_s)
        late = time.monotonic() - self._said_s > _EVERY_S or not self._tallies["points"].left
        if not self._screen.moves and (is_training or late):
            self._said_s = time.monotonic()
            self._screen.say(self._line(), dim=False)

    def retried(self, outcome: "Outcome") -> None:
        """Write that a job is tried again."""
        self.say(f"tried again: {outcome.job.key}: {outcome.reason}")

    def tick(self) -> None:
        """Move the bars, or the line."""
        if self._bars is None:
            self._screen.move(self._line())
            return
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
        if self._bars is not None:
            self.tick()
            self._bars.stop()
        self._screen.close(self._line() if self._tallies["points"].all else "")


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
