"""The last step before a figure is saved: no text leaves the canvas, and no two texts overlap.

Texts that are too long are broken into lines, and the figure grows by them, as it does for names beside rows
that touch. Other tick labels that touch are thinned. Notes beside points look for a free place; one for which
there is none is left to the table.
"""

import re
import textwrap
from collections.abc import Iterator, Sequence
from itertools import combinations, pairwise
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.text import Annotation, Text
from matplotlib.ticker import FixedLocator
from matplotlib.transforms import Bbox

from slfac_sim.analysis.ticks import FewLog
from slfac_sim.foundation.arrays import Floats

NOTE = "note"  # the gid of a text that may be moved
_MARGIN, _GAP = 4.0, 2.0  # px at the edge of the canvas, and between texts
_FEWEST = 3  # ticks of a logarithmic axis
_STEPS = (0.0, 9.0, -9.0, 18.0, -18.0, 27.0, -27.0, 36.0, -36.0)  # points, up and down
_FLIPPED = {"left": "right", "right": "left", "center": "center"}
_BEFORE_UNIT = re.compile(r"(?<=\d) (?=%|[a-zA-Zµ]{1,3}\b)")  # no line ends between a number and its unit


def lay_out(figure: Figure) -> None:
    """Give every text of `figure` its place; once for all files, since it would else be done for each."""
    engine = figure.get_layout_engine()
    if engine is None:
        return
    maps = any(axes.get_aspect() != "auto" for axes in figure.axes)
    for times in range(4):  # what is broken into lines moves the rest, and a map has its limits by its size
        engine.execute(figure)
        if not (_break_long_texts(figure) | _part_rows(figure)) and times >= maps:
            break
    figure.set_layout_engine(None)
    for axes in figure.axes:
        _thin(axes.xaxis)
        _thin(axes.yaxis)
    _place_notes(figure)


def note(axes: Axes, text: str, xy: tuple[float, float], xytext: tuple[float, float], **style: Any) -> None:
    """Write `text` beside the point `xy`, `xytext` points away if there is room, else nearby."""
    axes.annotate(text, xy, xytext=xytext, textcoords="offset points", gid=NOTE, **style)


def _break_long_texts(figure: Figure) -> bool:
    """Break the texts that are longer than their room; return whether there were any."""
    width, _ = figure.canvas.get_width_height()
    lines = 0
    line_in = 0.13 / 7.0 * matplotlib.rcParams["font.size"]
    for text in _titles(figure):
        box = text.get_window_extent()
        if box.x1 > width - _MARGIN or box.x0 < 0.0:
            centred = text.get_horizontalalignment() == "center"
            room = width - _MARGIN - (_MARGIN if centred else box.x0)
            lines += _broken(text, max(room, 0.2 * width) / box.width)
    for axes in figure.axes:
        label, room = axes.yaxis.label, axes.get_window_extent().height
        if label.get_text() and label.get_window_extent().height > 1.1 * room:
            lines += _broken(label, room / label.get_window_extent().height)
    if lines:
        size_in = figure.get_size_inches()
        figure.set_size_inches(size_in[0], size_in[1] + lines * line_in)
    return bool(lines)


def _part_rows(figure: Figure) -> bool:
    """Let the figure grow until the names beside rows do not touch; return whether it did."""
    grown = 0.0
    for axes in figure.axes:
        if isinstance(axes.yaxis.get_major_locator(), FixedLocator):
            boxes = [label.get_window_extent() for label in _labels(axes.yaxis)]
            boxes.sort(key=lambda box: box.y0)
            needs = (_apart(below, above) for below, above in pairwise(boxes))
            grown += (max(needs, default=1.0) - 1.0) * axes.get_window_extent().height
    if grown > 1.0:
        width_in, height_in = figure.get_size_inches()
        figure.set_size_inches(width_in, height_in + grown / figure.dpi)
    return grown > 1.0


def _apart(below: Bbox, above: Bbox) -> float:
    """Return how many times as far apart two labels must be not to touch; 1 where they do not."""
    apart = (above.y0 + above.y1 - below.y0 - below.y1) / 2
    needed = (above.height + below.height) / 2 + 3 * _GAP
    return max(needed / apart, 1.0) if apart > 0.0 else 1.0


def _titles(figure: Figure) -> Iterator[Text]:
    """Yield the texts that stand to the left and end where they end."""
    for legend in filter(None, (*figure.legends, *(axes.get_legend() for axes in figure.axes))):
        yield from (text for text in (legend.get_title(), *legend.get_texts()) if text.get_text())
    own = [text for axes in figure.axes for text in (*axes.get_children(), axes.xaxis.label)]
    for text in (*own, *figure.texts):
        if isinstance(text, Text) and not isinstance(text, Annotation) and text.get_text():
            yield text


def broken(text: str, letters: int) -> list[str]:
    """Return `text` as lines of at most so many letters; a number and its unit stay together."""
    kept = _BEFORE_UNIT.sub("\N{NO-BREAK SPACE}", text)
    return [line.replace("\N{NO-BREAK SPACE}", " ") for line in textwrap.wrap(kept, letters)] or [""]


def _broken(text: Text, share: float) -> int:
    """Break `text` into lines that are `share` of its longest one; return how many more there are."""
    before = text.get_text().split("\n")
    letters = max(int(share * max(map(len, before))) - 1, 8)
    after = [line for part in before for line in broken(part, letters)]
    text.set_text("\n".join(after))
    return len(after) - len(before)


def _thin(axis: Axis) -> None:
    """Take fewer ticks until their labels do not touch; else hide all labels but every second, third, ..."""
    locator = axis.get_major_locator()
    while isinstance(locator, FewLog) and locator.most > _FEWEST:
        if not _touch([label.get_window_extent() for label in _labels(axis)]):
            return
        locator.most -= 1
    labels = _labels(axis)
    boxes = [label.get_window_extent() for label in labels]
    step = next(n for n in range(1, len(labels) + 2) if not _touch(boxes[::n]))
    for number, label in enumerate(labels):
        label.set_visible(number % step == 0)


def _labels(axis: Axis) -> list[Text]:
    """Return the tick labels that are drawn, in order."""
    low, high = sorted(axis.get_view_interval())
    reach = 1e-9 * (high - low)
    axis.get_ticklabels()  # brings the labels up to date
    places = zip(axis.get_majorticklocs(), axis.get_major_ticks(), strict=True)
    labels = [tick.label1 for at, tick in places if low - reach <= at <= high + reach]
    return [label for label in labels if label.get_visible() and label.get_text()]


def _touch(boxes: Sequence[Bbox]) -> bool:
    return any(_overlap(box, other) for box, other in combinations(boxes, 2))


def _overlap(box: Bbox, other: Bbox) -> bool:
    return bool(box.padded(_GAP / 2).overlaps(other.padded(_GAP / 2)))


def _place_notes(figure: Figure) -> None:
    """Move each note to the first free place beside its point; hide it where there is none."""
    notes = [text for text in figure.findobj(Annotation) if text.get_gid() == NOTE]
    taken = [
        text.get_window_extent()
        for text in figure.findobj(Text)
        if text.get_visible() and text.get_text().strip() and text not in notes
    ]
    canvas = Bbox.from_extents(0, 0, *figure.canvas.get_width_height()).padded(-_MARGIN)
    for text in notes:
        curves = _curves_px(text)
        off_curves = any(
            _is_free(box := text.get_window_extent(), taken, canvas) and not box.count_contains(curves)
            for _ in _tries(text)
        )
        if off_curves or any(_is_free(text.get_window_extent(), taken, canvas) for _ in _tries(text)):
            taken.append(text.get_window_extent())
        else:
            text.set_visible(False)


def _curves_px(text: Annotation) -> Floats:
    """Return points [points, 2] along the lines beside which `text` stands, but for those behind the data."""
    points = [np.empty((0, 2))]
    for line in text.axes.lines if text.axes is not None else ():
        corners = line.get_transform().transform(line.get_xydata())
        if line.get_zorder() > 0 and len(corners) > 1:
            places = np.linspace(0, len(corners) - 1, 24 * len(corners))
            points.append(np.stack([np.interp(places, range(len(corners)), xy) for xy in corners.T], axis=1))
    return np.concatenate(points)


def _tries(text: Annotation) -> Iterator[None]:
    """Put `text` at one place after another, the nearest first, on its own side of the point and opposite."""
    x, y = text.xyann
    side: Any = text.get_horizontalalignment()
    other: Any = _FLIPPED[side]
    for step in _STEPS:
        for place_x, place_side in ((x, side), (-x, other)):
            text.xyann = (place_x, y + step)
            text.set_horizontalalignment(place_side)
            yield


def _is_free(box: Bbox, taken: Sequence[Bbox], canvas: Bbox) -> bool:
    inside = canvas.x0 <= box.x0 and box.x1 <= canvas.x1 and canvas.y0 <= box.y0 and box.y1 <= canvas.y1
    return inside and not any(_overlap(box, other) for other in taken)
