"""What a round would take with each cut of a model, stacked by part; it sees arrays and labels only."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from slfac_sim.analysis.bars import stack
from slfac_sim.analysis.style import WAYS, Fill, canvas, fill, legend, text_pt
from slfac_sim.foundation.arrays import Floats

_WAYS = {f"air {way}": Fill(look.colour, "") for way, look in WAYS.items()}
_OTHERS = (6, 1, 2, 4, 5, 7)  # the fills that neither direction has


@dataclass(frozen=True)
class Bar:
    """One cut: its `label`, and the seconds of each part of a round; none where `refused` says why not."""

    label: str
    parts_s: Mapping[str, float]
    best: bool = False
    refused: bool = False


def draw(bars: Sequence[Bar]) -> Figure:
    """Return the figure: one bar for each of `bars`, the first at the top, and its seconds at its end."""
    known = dict.fromkeys(part for bar in bars for part in bar.parts_s)
    parts = [part for part in known if any(bar.parts_s.get(part, 0.0) > 0.0 for bar in bars)]
    figure, axes = canvas(legend_rows=-(-len(parts) // 3))
    fills = [_WAYS.get(part, fill(_OTHERS[i % len(_OTHERS)])) for i, part in enumerate(parts)]
    lengths = [[bar.parts_s.get(part, 0.0) for bar in bars] for part in parts]
    drawn = zip(parts, fills, lengths, strict=True)
    layers, ends = stack(axes, range(len(bars)), drawn, width=0.66, along_x=True)
    _name(axes, bars, ends)
    legend(figure, handles=layers, ncols=3, handlelength=1.8)
    return figure


def _name(axes: Axes, bars: Sequence[Bar], ends: Floats) -> None:
    """Name the bars and write what there is to say at their ends."""
    longest = float(max(ends)) or 1.0
    for place, (bar, end) in enumerate(zip(bars, ends, strict=True)):
        said = "not possible" if bar.refused else f"{end:,.3g} s" + (", best" if bar.best else "")
        weight = "bold" if bar.best else "normal"
        axes.text(end + 0.015 * longest, place, said, va="center", fontsize=text_pt(6.5), fontweight=weight)
    axes.set_yticks(range(len(bars)), [bar.label for bar in bars])
    axes.tick_params(axis="y", length=0)
    axes.invert_yaxis()
    axes.set_xlim(0.0, 1.28 * longest)
    axes.set_xlabel("predicted round (s)")
    axes.set_ylabel("cut after")
