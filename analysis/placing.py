"""Where the nodes of a topology are drawn, by level and so that few wires cross, and what texts cover."""

from collections.abc import Mapping, Sequence
from statistics import mean
from typing import TYPE_CHECKING

from slfac_sim.analysis.graph import Graph, ends_of

if TYPE_CHECKING:
    from matplotlib.text import Text

Place = tuple[float, float]
Places = dict[str, Place]
Box = tuple[float, float, float, float]  # left, right, below, above
LETTER_MM, LINE_MM = 1.15, 2.6  # of texts of 6 points


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


def box_of(text: "Text", place: Place) -> Box:
    """Return about what `text` covers at `place`, in mm."""
    lines, size = text.get_text().split("\n"), float(text.get_fontsize()) / 6.0
    width, height = size * LETTER_MM * max(map(len, lines)), size * LINE_MM * len(lines)
    left = place[0] - width * {"left": 0.0, "center": 0.5, "right": 1.0}[text.get_horizontalalignment()]
    below = place[1] - height * {"bottom": 0.0, "center": 0.5, "top": 1.0}[text.get_verticalalignment()]
    return left, left + width, below, below + height


def common(one: Box, other: Box) -> float:
    """Return the area that two boxes both cover."""
    wide = min(one[1], other[1]) - max(one[0], other[0])
    high = min(one[3], other[3]) - max(one[2], other[2])
    return max(wide, 0.0) * max(high, 0.0)
