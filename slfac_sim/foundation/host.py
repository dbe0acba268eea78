"""This host: how many threads a command takes of it, the memory it has, and what is given back of it."""

import ctypes
import gc
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from slfac_sim.foundation.errors import BadInput

_USUAL, _MOST = 2, 256


def threads_for(wanted: int | None) -> int:
    """Return `wanted`; None takes ``OMP_NUM_THREADS``, or else 2, or 1 on one core. Raises `BadInput`."""
    if wanted is not None:
        return _within(wanted, "--threads")
    usual = os.environ.get("OMP_NUM_THREADS", "")
    if usual.isascii() and usual.isdecimal() and int(usual) > 0:
        return _within(int(usual), "OMP_NUM_THREADS")
    return min(_USUAL, cores())


def cores() -> int:
    """Return the cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _within(threads: int, source: str) -> int:
    if not 1 <= threads <= _MOST:
        raise BadInput(f"{source} {threads}: must be at least 1 and at most {_MOST}")
    return threads


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
            trim()(0)


@contextmanager
def environment_kept(name: str) -> Iterator[None]:
    """Have the variable `name` of the environment afterwards as it was."""
    before = os.environ.get(name)
    try:
        yield
    finally:
        if before is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = before


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
def trim() -> Callable[[int], object]:
    """Return what gives free pages back (glibc's ``malloc_trim``), or does nothing."""
    try:
        return ctypes.CDLL(None).malloc_trim
    except (OSError, AttributeError, TypeError):  # another C library, or another system
        return lambda pad: None


def available_bytes() -> float | None:
    """Return the memory that this process may still take; a control group may allow less than there is."""
    free = _meminfo()
    limit = _number(Path("/sys/fs/cgroup/memory.max"))
    used = _number(Path("/sys/fs/cgroup/memory.current"))
    left = limit - used if limit is not None and used is not None else None
    return min((nbytes for nbytes in (free, left) if nbytes is not None), default=None)


def _meminfo() -> float | None:
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    kib = next((line.split()[1] for line in lines if line.startswith("MemAvailable:")), None)
    return None if kib is None else 1024.0 * int(kib)


def _number(path: Path) -> float | None:
    try:
        return float(path.read_text(encoding="ascii"))
    except (OSError, ValueError):  # no control groups, or no limit ("max")
        return None
