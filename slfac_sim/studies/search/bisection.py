"""The search on a logarithmic scale: look at a coarse grid, then bisect wherever the answer changes.

It knows a function of one positive number and nothing of networks. A change narrower than a step of the
grid, there and back, goes unseen.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

GRID = 13  # values looked at first; over two decades neighbours then differ by a factor of 1.47
TOLERANCE = 0.01  # the two ends of a bracket differ by 1 %

Measure = Callable[[float], float]
Holds = Callable[[float], bool]


@dataclass(frozen=True)
class Sample:
    """One value that was tried, and what was measured there."""

    value: float
    measured: float


@dataclass(frozen=True)
class Edge:
    """A bracket between two samples: on one side the condition holds, on the other it does not."""

    low: Sample
    high: Sample
    holds_above: bool

    @property
    def inside(self) -> Sample:
        """The end of the bracket at which the condition holds."""
        return self.high if self.holds_above else self.low

    @property
    def outside(self) -> Sample:
        """The end at which it does not."""
        return self.low if self.holds_above else self.high


@dataclass(frozen=True)
class SearchResult:
    """What a search saw: all samples in ascending order, the edges, and whether the condition holds at
    the lowest value.
    """

    samples: tuple[Sample, ...]
    edges: tuple[Edge, ...]
    holds_at_low: bool

    @property
    def everywhere(self) -> bool:
        """Whether the condition held at every value tried."""
        return self.holds_at_low and not self.edges

    @property
    def nowhere(self) -> bool:
        """Whether it held at none."""
        return not self.holds_at_low and not self.edges

    def stretches(self) -> list[tuple[float, float]]:
        """Return the stretches of values in which the condition holds, ascending; ends hold."""
        starts = [self.samples[0].value] if self.holds_at_low else []
        starts += [edge.inside.value for edge in self.edges if edge.holds_above]
        ends = [edge.inside.value for edge in self.edges if not edge.holds_above]
        ends += [self.samples[-1].value] * (len(starts) - len(ends))
        return list(zip(starts, ends, strict=True))


def search(
    measure: Measure,
    holds: Holds,
    between: tuple[float, float],
    grid: int = GRID,
    tolerance: float = TOLERANCE,
) -> SearchResult:
    """Return what holds where over ``between``, each edge in a bracket whose ends differ by `tolerance`.

    `measure` is called once for each value. Raises `ValueError` unless 0 < low < high.
    """
    coarse = [Sample(value, measure(value)) for value in spaced(between, grid)]
    samples, edges = list(coarse), []
    for low, high in pairwise(coarse):
        if holds(low.measured) != holds(high.measured):
            edge, tried = _bisect(measure, holds, low, high, tolerance)
            edges.append(edge)
            samples += tried
    samples.sort(key=lambda sample: sample.value)
    return SearchResult(tuple(samples), tuple(edges), holds(samples[0].measured))


def spaced(between: tuple[float, float], count: int) -> list[float]:
    """Return `count` values from the first to the second end of `between`, in equal ratios."""
    low, high = between
    if not 0.0 < low < high < math.inf:
        raise ValueError(f"a range on a logarithmic scale needs 0 < low < high (got {low:g} and {high:g})")
    ratio = math.log(high / low) / (count - 1)
    return [low, *(low * math.exp(ratio * i) for i in range(1, count - 1)), high]


def _bisect(
    measure: Measure, holds: Holds, low: Sample, high: Sample, tolerance: float
) -> tuple[Edge, list[Sample]]:
    holds_above = holds(high.measured)
    tried = []
    while high.value > low.value * (1.0 + tolerance):
        value = math.sqrt(low.value * high.value)
        middle = Sample(value, measure(value))
        tried.append(middle)
        if holds(middle.measured) == holds_above:
            high = middle
        else:
            low = middle
    return Edge(low, high, holds_above), tried


def turns(samples: Sequence[Sample], least: float = 1e-3) -> list[float]:
    """Return the values at which the measure turns from falling to rising or back; none if monotone.

    Steps below `least`, relative, are taken for none.
    """
    bends, direction = [], 0
    for before, after in pairwise(samples):
        if not abs(after.measured - before.measured) > least * abs(before.measured):
            continue
        step = 1 if after.measured > before.measured else -1
        if direction and step != direction:
            bends.append(before.value)
        direction = step
    return bends
