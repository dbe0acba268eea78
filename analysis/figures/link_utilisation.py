"""How busy the air was over time, in each direction of each access network; it reads no file.

Shown is the part of each bin of time in which at least one transfer was on the air in the direction (between
its first and its last bit). A direction that has half of the medium's time can so be busy to 100 %.
A multicast is on the air of all access networks with devices that learn with its server.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from slfac_sim.analysis.air import DIRECTIONS, busy
from slfac_sim.analysis.format import share
from slfac_sim.analysis.rows import rows_if_there, rows_of
from slfac_sim.analysis.structure import EVERYBODY, Row, device_of
from slfac_sim.analysis.style import INK, WAYS, head, stacked_canvas, text_pt
from slfac_sim.analysis.ticks import percents
from slfac_sim.foundation.arrays import Floats
from slfac_sim.ledger.folder import Run

MAIN = False
ONE_RUN = True
_BINS = 60
_MOST = 4  # access networks that are drawn, the busiest; the table has all
_Lane = tuple[str, str]  # an access network, "" where there is one alone, and the direction


@dataclass(frozen=True)
class Series:
    """One run: edges of the bins, and by access network and direction the busy part of each and of all."""

    label: str
    edges_s: Floats
    busy: dict[_Lane, Floats]
    mean: dict[_Lane, float]


def data(run: Run) -> Series:
    """Return how busy each direction of each access network was, in equal bins over the run."""
    transfers = rows_of(run, ("transfers",))["transfers"]
    until_s = max((row["end_s"] for row in transfers), default=0.0) or 1.0
    edges_s = np.linspace(0.0, until_s, _BINS + 1)
    parts = {
        (access, way): busy(own, way).within_s(edges_s)
        for access, own in _by_access(transfers, rows_if_there(run, ("links",))["links"]).items()
        for way in DIRECTIONS
    }
    return Series(
        run.label,
        edges_s,
        {lane: seconds / np.diff(edges_s) for lane, seconds in parts.items()},
        {lane: float(seconds.sum()) / until_s for lane, seconds in parts.items()},
    )


def _by_access(transfers: Sequence[Row], links: Sequence[Row]) -> dict[str, list[Row]]:
    """Return the transfers that are on the air of each access network, if there are several."""
    access_of = {link["device"]: link["access"] for link in links}
    accesses = list(dict.fromkeys(access_of.values()))
    if len(accesses) < 2:
        return {"": list(transfers)}
    of_server: dict[str, set[str]] = {}
    for link in links:
        of_server.setdefault(link["server"], set()).add(link["access"])
    own: dict[str, list[Row]] = {access: [] for access in accesses}
    for transfer in transfers:
        device, is_multicast = device_of(transfer), transfer["dst"] == EVERYBODY
        there = of_server.get(transfer["src"], set()) if is_multicast else {access_of.get(device, "")}
        for access in there & own.keys():
            own[access].append(transfer)
    return own


def table(series: Sequence[Series]) -> Iterator[dict[str, Any]]:
    """Yield one row for each bin."""
    for run in series:
        for place, from_s in enumerate(run.edges_s[:-1]):
            parts = {f"busy {_name(lane)}": float(part[place]) for lane, part in run.busy.items()}
            yield {"run": run.label, "from_s": float(from_s), "to_s": float(run.edges_s[place + 1]), **parts}


def _name(lane: _Lane) -> str:
    return " ".join(filter(None, lane))


def draw(series: Sequence[Series]) -> Figure:
    """Return the figure of the first run."""
    run = series[0]
    accesses = dict.fromkeys(access for access, _ in run.mean)
    by_use = sorted(accesses, key=lambda access: -max(run.mean[access, way] for way in DIRECTIONS))
    lanes = [lane for lane in run.mean if lane[0] in by_use[:_MOST]]
    figure, panels = stacked_canvas(len(lanes), 30.0 if len(accesses) == 1 else 22.0, legend_rows=1)
    for lane, axes in zip(lanes, panels, strict=True):
        axes.stairs(run.busy[lane], run.edges_s, fill=True, color=WAYS[lane[1]].colour, alpha=0.45)
        axes.stairs(run.busy[lane], run.edges_s, color=INK, linewidth=0.5)
        axes.set_title(f"{_name(lane)}: busy for {share(run.mean[lane], 3)} of the run")
        axes.set_ylim(0.0, 1.0)
        axes.set_xlim(0.0, run.edges_s[-1])
        axes.tick_params(labelbottom=axes is panels[-1])
        percents(axes.yaxis)
    panels[-1].set_xlabel("simulated time (s)")
    figure.supylabel("busy part of the time", fontsize=text_pt(7.5))
    more = "" if len(accesses) <= _MOST else f": {_MOST} of {len(accesses)} access networks, the busiest"
    head(figure, run.label + more)
    return figure
