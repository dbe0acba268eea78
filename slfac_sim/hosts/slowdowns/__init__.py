"""Slowdowns: what makes a compute take longer than FLOPs / speed; they know no model, no network, no clock.

One file per kind; a scenario lists any number of them (`devices: {slowdowns: [{kind: jitter}]}`), and their
factors multiply. A slowdown is a frozen dataclass of settings with one verb, `open`. Every draw is keyed by
the host's name and the number of the compute, so that nothing else changes it.
"""

from collections.abc import Callable, Sequence
from typing import Protocol

from slfac_sim.foundation.plugins import Family

Factor = Callable[[float, int, float], float]
"""`factor(now_s, number, nominal_s)`: by what the duration of the host's compute `number` (from 0), begun at
`now_s` and `nominal_s` long without it, is multiplied. Asked once for each compute, when it begins."""


class Slowdown(Protocol):
    """Settings of one cause of slowness."""

    def open(self, host: str, seed: int) -> Factor:
        """Return the factor of `host`; it is positive and finite, and may remember what it was asked."""
        ...


FAMILY = Family(Slowdown)


def product(slowdowns: Sequence[Slowdown], host: str, seed: int) -> Factor:
    """Return the product of the factors of all `slowdowns` of `host`.

    Each is given the duration that those before it in the list leave.
    """
    factors = [slowdown.open(host, seed) for slowdown in slowdowns]

    def factor(now_s: float, number: int, nominal_s: float) -> float:
        whole = 1.0
        for part in factors:
            whole *= part(now_s, number, nominal_s * whole)
        return whole

    return factor
