"""The progress of a run: round, simulated clock, accuracy, bytes and what is left.

Where a line can move, one does; elsewhere there is one plain line per round.
"""

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from slfac_sim.analysis.format import fixed_percent
from slfac_sim.progress.screens import screen_of

_EVERY_S = 0.2  # between moves


class RunProgress:
    """The line of a run that goes on; use it in a `with`, so that the terminal is left in order.

    `note` takes the sentences that a user should read in any case, and `begun` the folder as soon as it is
    there.
    """

    def __init__(
        self,
        quiet: bool,
        note: Callable[[str], object] = lambda sentence: None,
        begun: Callable[[Path], object] = lambda folder: None,
    ) -> None:
        self._note, self._begun = note, begun
        self._screen = screen_of(quiet)
        self._name, self._last = "", ""
        self._steps_done = self._steps_before = self._rounds = 0
        self._steps_a_round = 0.0
        self._end_of_round = (0, 0)  # its number, and the device steps until then
        self._evaluation: Mapping[str, Any] = {}
        self._began_s = self._shown_s = 0.0

    def say(self, line: str) -> None:
        """Show one line about something that takes long."""
        self._screen.say(line)

    def note(self, sentence: str) -> None:
        """Hand a sentence on that a user should read in any case."""
        self._note(sentence)

    def begin(self, folder: Path, name: str, device_steps: int, rounds: int) -> None:
        """Start the line for a run of so many device steps and rounds, which is in `folder`."""
        self._begun(folder)
        self._name = name
        self._steps_a_round, self._rounds, self._began_s = device_steps / rounds, rounds, time.monotonic()
        self._screen.move(f"{name}: evaluating the untrained model")

    def learn(self) -> None:
        """Count the rows so far as no learning of this process: a resumed run had them already."""
        self._steps_before, self._began_s = self._steps_done, time.monotonic()

    def on_note(self, table: str, row: Mapping[str, Any]) -> None:
        """Take in a row that was written to the ledger."""
        if table == "steps":
            self._steps_done += 1
            if time.monotonic() - self._shown_s > _EVERY_S:
                self._show(row)
        elif table == "evals":
            self._evaluation = row
        elif table == "rounds":
            self._count_round(row["round"])
            self._last = f"{self._name}: {self._line(row)}"
            if not self._screen.moves:
                self._screen.say(self._line(row, self._left()), dim=False)

    def figure(self, number: int, count: int, name: str) -> None:
        """Show that figure `number` of `count` is drawn."""
        line = f"drawing figure {number} of {count}: {name}"
        self._screen.move(line) if self._screen.moves else self._screen.say(line)

    def _count_round(self, number: int) -> None:
        """Expect of the rounds to come what those so far had: devices may be missing in each."""
        self._end_of_round = (number, self._steps_done)
        self._steps_a_round = self._steps_done / number

    def _steps_left(self) -> float:
        number, then = self._end_of_round
        return max((self._rounds - number) * self._steps_a_round - (self._steps_done - then), 0.0)

    def _show(self, row: Mapping[str, Any]) -> None:
        self._shown_s = time.monotonic()
        self._screen.move(self._line(row, self._left()))

    def _line(self, row: Mapping[str, Any], left: str = "") -> str:
        parts = [f"round {row['round']}/{self._rounds}", f"{row['at_s']:,.1f} s simulated"]
        if self._evaluation:
            parts.append(f"accuracy {fixed_percent(self._evaluation['accuracy'], 2)}")
        parts.append(f"{row['payload_bytes'] / 1e6:,.1f} MB")
        if self._steps_done > self._steps_before:
            parts.append(f"{clock(self._elapsed_s())} elapsed{left}")
        return " · ".join(parts)

    def _elapsed_s(self) -> float:
        return time.monotonic() - self._began_s

    def _left(self) -> str:
        """Return what is left in words; where nothing is to be learnt there is still something to be done."""
        learnt = self._steps_done - self._steps_before
        left_s = self._elapsed_s() * self._steps_left() / learnt if learnt else 0.0
        return f", {clock(left_s)} left" if round(left_s) else ", nearly done"

    def __enter__(self) -> "RunProgress":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._screen.close(self._last)


def clock(seconds: float) -> str:
    """Return a duration as minutes and seconds: ``2:05``."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02d}"
