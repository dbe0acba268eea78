"""Mahimahi: a whole number of milliseconds in each line, at which so many bytes can be sent."""

from collections.abc import Iterator, Sequence

import numpy as np

from slfac_sim.foundation.errors import BadInput
from slfac_sim.network.varying.traces.series import RATES, Measured, Series

_DIGITS = 12  # of a time that a clock can tell
_MOST_BINS = 10_000_000


def measured(lines: Iterator[str], name: str, opportunity_bytes: float, bin_s: float) -> Measured:
    """Return the rates of `lines`, in both directions: the opportunities of each bin, over its length.

    A bin holds those after its beginning, up to its end; the last may be shorter. Raises `BadInput`, which
    begins with `name` and the number of the line.
    """
    at_ms = _opportunities_ms(lines, name)
    end_s = at_ms[-1] / 1000.0
    bins = max(1, int(np.ceil(end_s / bin_s * (1.0 - 1e-12))))
    if bins > _MOST_BINS:
        raise BadInput(f"{name}: {end_s:.6g} s in bins of {bin_s:g} s are too many: at most {_MOST_BINS:,}")
    edges_s = np.append(np.arange(bins) * bin_s, end_s)
    until = np.searchsorted(np.asarray(at_ms) / 1000.0, edges_s * (1.0 + 1e-12), side="right")
    counts = np.diff(until, prepend=0)
    counts = np.append(counts[0] + counts[1], counts[2:])  # those at 0 belong to the first bin
    rates_bps = (counts * opportunity_bytes * 8.0 / np.diff(edges_s)).tolist()
    return Measured({"": Series(edges_s[:-1].tolist(), end_s, dict.fromkeys(RATES, rates_bps))})


def _opportunities_ms(lines: Iterator[str], name: str) -> Sequence[int]:
    at_ms: list[int] = []
    for line, text in enumerate(lines, start=1):
        word = text.strip()
        if not (word.isascii() and word.isdigit() and len(word) <= _DIGITS):
            raise BadInput(f"{name}:{line}: expected a whole number of milliseconds (got {word[:40]!r})")
        if at_ms and int(word) < at_ms[-1]:
            raise BadInput(f"{name}:{line}: {int(word)} ms comes after {at_ms[-1]} ms")
        at_ms.append(int(word))
    if at_ms[-1] == 0:
        raise BadInput(f"{name}:{len(at_ms)}: the last line must be after 0 ms")
    return at_ms
