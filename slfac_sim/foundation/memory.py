"""Memory of this host that is free and still counted as ours: the C library keeps pages of freed arrays."""

import ctypes
import time
from collections.abc import Callable
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


@cache
def _trim() -> Callable[[int], object]:
    try:
        return ctypes.CDLL(None).malloc_trim
    except (OSError, AttributeError, TypeError):  # another C library, or another system
        return lambda pad: None
