"""How a command ends: its exit status, one sentence in place of a traceback, Ctrl-C and SIGTERM.

While a run goes on an interrupt is noted, and acted upon between two events: an exception out of a signal
handler can be lost in code that may not raise (a destructor, a callback of C), or leave something half done.
"""

import argparse
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from types import FrameType, TracebackType
from typing import Any, NoReturn

from slfac_sim.foundation.errors import OF_THE_HOST, BadInput, Diverged, HostFailed, sentence

OPTIONS = {
    "--debug": "show tracebacks of errors",
    "--no-plugins": "import no module that an input names: for those of strangers",
}


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add what every command has: `OPTIONS`."""
    for option, purpose in OPTIONS.items():
        parser.add_argument(option, action="store_true", help=purpose)


def status_of(command: Callable[[], int], debug: bool = False, no_plugins: bool = False) -> int:
    """Return the exit status of `command`: its own, 1 where the host failed it, 2 for input that is no good.

    Ctrl-C makes it 130 and SIGTERM 143. With `debug` errors are raised, and their tracebacks seen.
    """
    try:
        with termination_raised(), _trusting(not no_plugins):
            try:
                return command()
            finally:
                sys.stdout.flush()  # so that a reader who has gone is noticed here
    except KeyboardInterrupt:
        return _print_error("interrupted", 130)
    except Terminated:
        return _print_error("terminated", 143)
    except BrokenPipeError:  # whoever read our output, `head` perhaps, has seen enough
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115 - for what is still to be flushed at exit
        return 1
    except (BadInput, HostFailed, Diverged, *OF_THE_HOST) as error:
        if debug:
            raise
        if isinstance(error, BadInput):
            return _print_error(str(error), 2)
        if isinstance(error, HostFailed | Diverged):
            return _print_error(str(error), 1)
        return _print_error(f"{sentence(error)}; --debug shows where", 1)


def _trusting(plugins: bool) -> AbstractContextManager[None]:
    if plugins:
        return nullcontext()
    from slfac_sim.foundation.plugins import without_plugins  # not at the top: `--help` needs no pydantic

    return without_plugins()


def _print_error(text: str, status: int) -> int:
    print(text, file=sys.stderr)
    return status


class Terminated(SystemExit):
    """SIGTERM has asked this process to end; where nobody catches it, it does, with status 143.

    The status is its argument, because SimPy makes a new one of it where it is raised.
    """

    def __init__(self, status: int = 128 + signal.SIGTERM) -> None:
        super().__init__(status)


@contextmanager
def termination_raised() -> Iterator[None]:
    """Have SIGTERM raise `Terminated`, in the main thread and unless somebody else handles it."""
    ours = threading.current_thread() is threading.main_thread()
    ours = ours and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    if ours:
        signal.signal(signal.SIGTERM, _terminate)
    try:
        yield
    finally:
        if ours:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _terminate(number: int, frame: FrameType | None) -> NoReturn:
    raise Terminated


_TAKEN_OVER = {signal.SIGINT: (signal.default_int_handler,), signal.SIGTERM: (signal.SIG_DFL, _terminate)}


class InterruptNoted:
    """While this is entered, the first Ctrl-C or SIGTERM is noted; a second one acts at once."""

    def __init__(self) -> None:
        self._asked: int | None = None
        self._before: dict[int, Any] = {}

    @property
    def terminated(self) -> bool:
        """Whether it was SIGTERM."""
        return self._asked == signal.SIGTERM

    def check(self) -> None:
        """Raise `KeyboardInterrupt` after Ctrl-C, and `Terminated` after SIGTERM."""
        if self.terminated:
            raise Terminated
        if self._asked is not None:
            raise KeyboardInterrupt

    def _note(self, number: int, frame: FrameType | None) -> None:
        self._asked = number
        signal.signal(number, self._before[number])

    def __enter__(self) -> "InterruptNoted":
        """Take over what Python does by itself: in the main thread, and unless it is ignored."""
        if threading.current_thread() is threading.main_thread():
            for number, usual in _TAKEN_OVER.items():
                if (handler := signal.getsignal(number)) in usual:
                    self._before[number] = handler
                    signal.signal(number, self._note)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
