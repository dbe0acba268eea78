"""Memory of this host: free pages that the C library keeps, and walks of the collector that find nothing."""

import ctypes
import gc
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache

EVERY_S = 5.0  # of host time; one time took 20 to 40 ms with a GB in use


class Spare:
    """Gives free pages back to the operating system now and then, where the C library can (glibc).

    Large arrays that come and go between small ones that stay leave holes.
    """

    def __init__(self) -> None:
        self._given_s = time.monotonic()

    def give_back(self) -> None:
        """Give back what is free, unless that was done a moment ago. Nothing simulated depends on it."""
        now_s = time.monotonic()
        if now_s - self._given_s >= EVERY_S:
            self._given_s = now_s
            _trim()(0)


@contextmanager
def no_collection() -> Iterator[None]:
    """Spare the garbage collector, within, its walks over what is large and holds no cycles."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


@cache
def _trim() -> Callable[[int], object]:
    try:
        return ctypes.CDLL(None).malloc_trim
    except (OSError, AttributeError, TypeError):  # another C library, or another system
        return lambda pad: None
