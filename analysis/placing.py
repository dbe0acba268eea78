"""Where the nodes of a topology are drawn: columns by level, ordered so that few wires cross."""

from collections.abc import Mapping, Sequence
from statistics import mean

from slfac_sim.analysis.graph import Graph, ends_of

Place = tuple[float, float]
Places = dict[str, Place]


def columns_of(graph: Graph) -> list[list[str]]:
    """Return the names of the nodes by level, the top first, each level in its order from above to below.

    A node stands where those of the level above that it is wired to stand on average.
    """
    columns: list[list[str]] = [[] for _ in range(1 + max(graph.level.values(), default=0))]
    for name, level in graph.level.items():
        columns[level].append(name)
    height: dict[str, float] = {}
    for column in columns:
        column.sort(key=lambda name: _height_above(graph, name, height))
        height |= {name: (place + 0.5) / len(column) for place, name in enumerate(column)}
    return columns


def _height_above(graph: Graph, name: str, height: Mapping[str, float]) -> float:
    pairs = (ends_of(wire) for wire in graph.wires)
    across = [other for pair in pairs if name in pair for other in pair if other in height]
    return mean(height[other] for other in across) if across else 0.0


def places_of(columns: Sequence[Sequence[str]], left: float, right: float, row: float) -> Places:
    """Return the place (x, y) of each node: the top at `right`, rows `row` apart in the fullest column."""
    fullest = max(map(len, columns), default=1)
    step = (right - left) / max(len(columns) - 1, 1)
    return {
        name: (right - step * level, -row * fullest * (place + 0.5) / len(column))
        for level, column in enumerate(columns)
        for place, name in enumerate(column)
    }
