"""Ctrl-C while a run goes on: it is noted, and acted upon between two events, never in the middle of one.

An exception out of a signal handler can be lost in code that may not raise (a destructor, a callback of C),
or leave something half done.
"""

import signal
import threading
from types import FrameType, TracebackType


class InterruptNoted:
    """While this is entered, the first Ctrl-C sets `asked`; a second one interrupts at once."""

    def __init__(self) -> None:
        self.asked = False
        self._before: object = None

    def check(self) -> None:
        """Raise `KeyboardInterrupt` if Ctrl-C was pressed."""
        if self.asked:
            raise KeyboardInterrupt

    def _note(self, number: int, frame: FrameType | None) -> None:
        self.asked = True
        signal.signal(signal.SIGINT, signal.default_int_handler)

    def __enter__(self) -> "InterruptNoted":
        """Take over Ctrl-C where Python has it: in the main thread, and unless it is ignored."""
        if threading.current_thread() is threading.main_thread():
            self._before = signal.getsignal(signal.SIGINT)
            if self._before is signal.default_int_handler:
                signal.signal(signal.SIGINT, self._note)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._before is signal.default_int_handler:
            signal.signal(signal.SIGINT, signal.default_int_handler)
