"""The live progress line: round, simulated clock, accuracy, bytes and what is left.

On a terminal one line moves; elsewhere one plain line per round is written. Both go to standard error.
"""

import sys
import time
from collections.abc import Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any

from slfac_sim.analysis.format import fixed_percent

if TYPE_CHECKING:
    from rich.console import Console
    from rich.status import Status
    from rich.text import Text


class Progress:
    """The line of a run that goes on; use it in a `with`, so that the terminal is left in order."""

    def __init__(self, quiet: bool) -> None:
        self._console = None if quiet else _console()
        self._status: Status | None = None
        self._steps_done = self._steps_before = self._rounds = 0
        self._steps_a_round = 0.0
        self._end_of_round = (0, 0)  # its number, and the device steps until then
        self._evaluation: Mapping[str, Any] = {}
        self._began_s = self._shown_s = 0.0

    def say(self, line: str) -> None:
        """Write one line about something that takes long."""
        self._print(line, "dim")

    def begin(self, name: str, device_steps: int, rounds: int) -> None:
        """Start the line for a run of so many device steps and rounds."""
        self._steps_a_round, self._rounds, self._began_s = device_steps / rounds, rounds, time.monotonic()
        self._move(f"{name}: evaluating the untrained model")

    def learn(self) -> None:
        """Count the rows so far as no learning of this process: a resumed run had them already."""
        self._steps_before, self._began_s = self._steps_done, time.monotonic()

    def on_note(self, table: str, row: Mapping[str, Any]) -> None:
        """Take in a row that was written to the ledger."""
        if self._console is None:
            return
        if table == "steps":
            self._steps_done += 1
            if time.monotonic() - self._shown_s > 0.2:
                self._show(row)
        elif table == "evals":
            self._evaluation = row
        elif table == "rounds":
            self._count_round(row["round"])
            if self._status is None:
                self._print(self._line(row))

    def figure(self, number: int, count: int, name: str) -> None:
        """Show that figure `number` of `count` is drawn."""
        line = f"drawing figure {number} of {count}: {name}"
        self._move(line)
        if self._status is None:
            self.say(line)

    def _count_round(self, number: int) -> None:
        """Expect of the rounds to come what those so far had: devices may be missing in each."""
        self._end_of_round = (number, self._steps_done)
        self._steps_a_round = self._steps_done / number

    def _steps_left(self) -> float:
        number, then = self._end_of_round
        return max((self._rounds - number) * self._steps_a_round - (self._steps_done - then), 0.0)

    def _show(self, row: Mapping[str, Any]) -> None:
        self._shown_s = time.monotonic()
        self._move(self._line(row))

    def _move(self, line: str) -> None:
        """Let `line` be the moving one, on a terminal."""
        if self._status is not None:
            self._status.update(_plain(line))
        elif self._console is not None and self._console.is_terminal:
            self._status = self._console.status(_plain(line))
            self._status.start()

    def _print(self, line: str, style: str | None = None) -> None:
        if self._console is not None:
            self._console.print(line, style=style, highlight=False, markup=False, soft_wrap=True)

    def _line(self, row: Mapping[str, Any]) -> str:
        parts = [f"round {row['round']}/{self._rounds}", f"{row['at_s']:,.1f} s simulated"]
        if self._evaluation:
            parts.append(f"accuracy {fixed_percent(self._evaluation['accuracy'], 2)}")
        parts.append(f"{row['payload_bytes'] / 1e6:,.1f} MB")
        elapsed_s = time.monotonic() - self._began_s
        learnt = self._steps_done - self._steps_before
        if learnt:
            left_s = elapsed_s * self._steps_left() / learnt
            parts.append(f"{clock(elapsed_s)} elapsed, {_left(left_s)}")
        return " · ".join(parts)

    def __enter__(self) -> "Progress":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._status is not None:
            self._status.stop()
        sys.stderr.flush()


def _console() -> "Console":
    from rich.console import Console  # not at the top: with `--quiet` it is not needed, and it takes a while

    return Console(stderr=True)


def _plain(line: str) -> "Text":
    """Return `line` as it is: what is in brackets in the name of a scenario is no markup."""
    from rich.text import Text

    return Text(line)


def _left(seconds: float) -> str:
    """Return what is left in words; where nothing is to be learnt there is still something to be done."""
    return f"{clock(seconds)} left" if round(seconds) else "nearly done"


def clock(seconds: float) -> str:
    """Return a duration as minutes and seconds: ``2:05``."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02d}"
