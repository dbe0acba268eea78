"""Who holds what: the samples of each class on each device, and how many these are; it sees arrays only."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from slfac_sim.analysis.saving import save_with_table
from slfac_sim.analysis.style import FAINT, HEIGHT_MM, INK, blank, head, house_style, text_pt

NAME = "who_holds_what"
Held = Mapping[str, Sequence[int]]
_COLOURS = matplotlib.colormaps["viridis_r"]  # many are dark
_MOST_NAMED = 24  # devices, and classes, that are named one by one
_MOST_NUMBERS = 120  # cells with their number in them
_ROW_MM = 3.2


def draw(label: str, held: Held) -> Figure:
    """Return the figure of the samples `held` by each device, by class: a map of them, and their sums."""
    counts = np.array([*held.values()])
    devices, classes = counts.shape
    height_mm = max(HEIGHT_MM, _ROW_MM * min(devices, 2 * _MOST_NAMED) + 18.0)
    figure = blank(height_mm)
    left, right = figure.subplots(1, 2, sharey=True, width_ratios=(4, 1))
    shown = left.imshow(np.ma.masked_equal(counts, 0), cmap=_COLOURS, vmin=0, aspect="auto")
    if counts.size <= _MOST_NUMBERS:
        _number(left, counts)
    _name(left, list(held), classes)
    right.barh(range(devices), counts.sum(axis=1), height=0.7, color=FAINT, edgecolor=INK, linewidth=0.3)
    right.set_xlabel("samples")
    right.xaxis.set_major_locator(MaxNLocator(2, integer=True))
    right.tick_params(axis="y", length=0, labelleft=False)
    bar = figure.colorbar(shown, ax=left, location="bottom", fraction=0.05, pad=0.02, aspect=40)
    bar.set_label("samples of a class on a device (none: white)")
    bar.outline.set_linewidth(0.4)
    head(figure, _title(label, counts))
    return figure


def table(held: Held) -> Iterator[dict[str, Any]]:
    """Yield a row for each device and class."""
    for device, counts in held.items():
        for label, samples in enumerate(counts):
            yield {"device": device, "class": label, "samples": samples}


def write(label: str, held: Held, folder: Path) -> list[Path]:
    """Write the figure and its table into `folder`; return the files: PNG, SVG, CSV."""
    with house_style():
        return save_with_table(draw(label, held), table(held), folder, NAME)


def _title(label: str, counts: NDArray[np.int64]) -> str:
    sizes, classes = counts.sum(axis=1), (counts > 0).sum(axis=1)
    return f"{label}\n{len(counts)} devices: {_span(sizes)} samples, {_span(classes)} classes each"


def _span(values: NDArray[np.int64]) -> str:
    least, most = int(values.min()), int(values.max())
    return f"{least:,}" if least == most else f"{least:,} to {most:,}"


def _number(axes: Axes, counts: NDArray[np.int64]) -> None:
    """Write into each cell how many samples it stands for."""
    for (device, label), samples in np.ndenumerate(counts):
        if samples:
            colour = "white" if samples > 0.5 * counts.max() else INK
            axes.text(
                label, device, f"{samples:,}", ha="center", va="center", fontsize=text_pt(5.5), color=colour
            )


def _name(axes: Axes, devices: Sequence[str], classes: int) -> None:
    """Name devices and classes: all where they are few, else those at even steps."""
    every = -(-len(devices) // _MOST_NAMED)
    axes.set_yticks(range(0, len(devices), every), devices[::every])
    axes.set_xticks(range(0, classes, -(-classes // _MOST_NAMED)))
    axes.tick_params(length=0)
    axes.set_xlabel("class")
    axes.set_ylabel("device")
