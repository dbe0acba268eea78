"""Ctrl-C and SIGTERM while a run goes on: noted, and acted upon between two events, never within one.

An exception out of a signal handler can be lost in code that may not raise (a destructor, a callback of C),
or leave something half done.
"""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType, TracebackType
from typing import Any, NoReturn


class Terminated(SystemExit):
    """SIGTERM has asked this process to end; where nobody catches it, it does, with status 143."""

    def __init__(self) -> None:
        super().__init__(128 + signal.SIGTERM)


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
