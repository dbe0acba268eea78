"""Where progress is shown: one moving line on a terminal or in a notebook, plain lines elsewhere, or nowhere.

Terminals and plain lines are on standard error.
"""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from logging import DEBUG
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from rich.console import Console
    from rich.status import Status

_EVERY_S = 0.1  # between the updates of a notebook, which are messages


class Screen(Protocol):
    """Shows lines; `moves` says that one line can be replaced by the next, so that lasting ones are few."""

    moves: bool

    def say(self, line: str, dim: bool = True) -> None:
        """Show a line that lasts, as far as there can be one."""
        ...

    def move(self, line: str) -> None:
        """Show `line` in the place of the moving one."""
        ...

    def close(self, last: str) -> None:
        """Leave all in order; `last` is the line that stays where nothing else does."""
        ...


@contextmanager
def screen(quiet: bool) -> Iterator[Screen]:
    """Give where progress is shown in this process; what came last stays where nothing else does."""
    shown = screen_of(quiet)
    try:
        yield shown
    finally:
        shown.close("")


def screen_of(quiet: bool) -> Screen:
    """Return where progress is shown in this process; it is to be closed."""
    if quiet:
        return Nowhere()
    from rich.console import Console  # not at the top: with `--quiet` it is not needed, and it takes a while

    from slfac_sim.foundation.logs import level

    console = Console(stderr=True)
    if level() <= DEBUG:
        return Lines(console)  # between those for developers no line can move
    if console.is_jupyter:
        return Notebook()
    return Terminal(console) if console.is_terminal else Lines(console)


class Nowhere:
    """Shows nothing."""

    moves = True

    def say(self, line: str, dim: bool = True) -> None:
        """Drop it."""

    def move(self, line: str) -> None:
        """Drop it."""

    def close(self, last: str) -> None:
        """Do nothing."""


class Lines:
    """Writes plain lines: standard error is a file or a pipe."""

    moves = False

    def __init__(self, console: "Console") -> None:
        self._console = console

    def say(self, line: str, dim: bool = True) -> None:
        """Write it."""
        style = "dim" if dim else None
        self._console.print(line, style=style, highlight=False, markup=False, soft_wrap=True)

    def move(self, line: str) -> None:
        """Drop it: nothing can move."""

    def close(self, last: str) -> None:
        """Leave nothing in the buffer."""
        sys.stderr.flush()


class Terminal(Lines):
    """Moves a line below those that last; `console` is for displays of another kind."""

    moves = True

    def __init__(self, console: "Console") -> None:
        super().__init__(console)
        self.console = console
        self._status: Status | None = None

    def move(self, line: str) -> None:
        """Show it beside the spinner."""
        from rich.text import Text

        text = Text(line)  # as it is: what is in brackets in the name of a scenario is no markup
        if self._status is None:
            self._status = self.console.status(text)
            self._status.start()
        else:
            self._status.update(text)

    def close(self, last: str) -> None:
        """Take the moving line away."""
        if self._status is not None:
            self._status.stop()
        super().close(last)


class Notebook:
    """Moves the text of one output of the cell, which keeps the last line; it needs no widgets."""

    moves = True

    def __init__(self) -> None:
        self._output: Any = None
        self._line, self._shown_s = "", 0.0

    def say(self, line: str, dim: bool = True) -> None:
        """Let the output be `line`: in a notebook nothing piles up."""
        self.move(line)

    def move(self, line: str) -> None:
        """Let the output be `line`, unless the one before was shown a moment ago."""
        self._line = line
        if time.monotonic() - self._shown_s > _EVERY_S:
            self._show()

    def close(self, last: str) -> None:
        """Leave `last`, or the line that came last."""
        self._line = last or self._line
        if self._line:
            self._show()

    def _show(self) -> None:
        from IPython.display import display

        self._shown_s, shown = time.monotonic(), {"text/plain": self._line}
        if self._output is None:
            self._output = display(shown, raw=True, display_id=True)
        else:
            self._output.update(shown, raw=True)
