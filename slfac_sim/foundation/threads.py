"""How many host threads torch gets, for every command alike: they are a part of what a run computes."""

import os

from slfac_sim.foundation.errors import BadInput

_USUAL, _MOST = 2, 256


def threads_for(asked: int | None) -> int:
    """Return `asked`; None takes ``OMP_NUM_THREADS``, or else 2, or 1 on one core. Raises `BadInput`."""
    if asked is not None:
        return _within(asked, "--threads")
    told = os.environ.get("OMP_NUM_THREADS", "")
    if told.isascii() and told.isdecimal() and int(told) > 0:
        return _within(int(told), "OMP_NUM_THREADS")
    return min(_USUAL, cores())


def cores() -> int:
    """Return the cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def in_words(threads: int) -> str:
    """Return ``1 thread``, or how many more."""
    return f"{threads} thread{'s' if threads != 1 else ''}"


def _within(threads: int, source: str) -> int:
    if not 1 <= threads <= _MOST:
        raise BadInput(f"{source} {threads}: must be at least 1 and at most {_MOST}")
    return threads
