"""What every device did in one round, and when: a timeline, fastest device on top; it reads no file.

The round shown is the second, the first that begins with an average handed out, or the first of a run that
has no second. `server` is the time in which the server works on what the device waits for, or has it queued.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib.collections import PolyCollection
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from slfac_sim.analysis.attribution import device_days
from slfac_sim.analysis.critical_path import BARRIER, CODEC, CODEC_WORK, DEVICE_COMPUTE, Segment
from slfac_sim.analysis.rows import recorded
from slfac_sim.analysis.structure import is_server
from slfac_sim.analysis.style import INK, WAYS, Fill, fill, legend, stacked_canvas
from slfac_sim.ledger.folder import Run

MAIN = False
ONE_RUN = True
LANES = ("compute", "codec", "uplink", "downlink", "server", "waits for others")
_WAY_LOOKS = (Fill(look.colour, "") for look in WAYS.values())
_LOOKS = dict(zip(LANES, (fill(6), fill(7), *_WAY_LOOKS, fill(2), fill(4)), strict=True))
_NAMED = 24  # devices that can all be named beside their rows
_PANEL_MM = 62.0


@dataclass(frozen=True)
class Series:
    """One run's round: (from_s, to_s, lane) of each device, fastest first, and how fast each computes.

    `speeds_flops` are FLOP/s, or 0 for a device that computed nothing.
    """

    label: str
    round: int | None
    from_s: float
    to_s: float
    days: dict[str, list[tuple[float, float, str]]]
    speeds_flops: dict[str, float]


def data(run: Run) -> Series:
    """Return the timeline of the second round, or of the first, or of the whole if none was finished."""
    rows = recorded(run)
    ends = [(row["round"], row["at_s"]) for row in rows["rounds"]][:2]
    number, to_s = ends[-1] if ends else (None, None)
    from_s = ends[0][1] if len(ends) == 2 else 0.0
    days = device_days(rows, to_s, from_s)
    speeds = {
        row["host"]: row["flops"] / (row["end_s"] - row["start_s"])
        for row in rows["computes"]
        if row["end_s"] > row["start_s"] and row["outcome"] == "done" and row["what"] not in CODEC_WORK
    }
    order = sorted(days, key=lambda device: (-speeds.get(device, 0.0), device))
    lanes = {device: _joined(days[device]) for device in order}
    until_s = to_s if to_s is not None else max((day[-1][1] for day in lanes.values() if day), default=1.0)
    return Series(run.label, number, from_s, until_s, lanes, {d: speeds.get(d, 0.0) for d in order})


def table(series: Sequence[Series]) -> Iterator[dict[str, Any]]:
    """Yield one row for each stretch of each device's time."""
    for run in series:
        for device, day in run.days.items():
            for from_s, to_s, lane in day:
                speed = run.speeds_flops[device]
                yield {"device": device, "speed_flops": speed, "from_s": from_s, "to_s": to_s, "doing": lane}


def draw(series: Sequence[Series]) -> Figure:
    """Return the figure of the first run."""
    run = series[0]
    figure, (axes,) = stacked_canvas(1, _PANEL_MM, legend_rows=4)
    half = 0.5 if len(run.days) > _NAMED else 0.42  # rows touch where they are too thin to be told apart
    for lane in LANES:
        bars = [
            [(from_s, row - half), (from_s, row + half), (to_s, row + half), (to_s, row - half)]
            for row, day in enumerate(run.days.values())
            for from_s, to_s, doing in day
            if doing == lane
        ]
        colour = _LOOKS[lane].colour
        axes.add_collection(PolyCollection(bars, facecolor=colour, linewidth=0, rasterized=True))
    devices = list(run.days)
    axes.set_ylim(max(len(devices), 1) - 0.5, -0.5)
    axes.set_xlim(run.from_s, run.to_s)
    if len(devices) <= _NAMED:
        axes.set_yticks(range(len(devices)), devices)
        axes.set_ylabel("devices, fastest on top")
    else:
        axes.set_yticks([0, len(devices) - 1], [devices[0], devices[-1]])
        axes.set_ylabel(f"{len(devices)} devices, fastest on top")
    axes.set_xlabel("simulated time (s)")
    style: dict[str, Any] = {"edgecolor": INK, "linewidth": 0.4}
    handles = [Patch(facecolor=_LOOKS[lane].colour, label=lane, **style) for lane in LANES]
    doing = "the whole run" if run.round is None else f"round {run.round}"
    legend(figure, handles=handles, ncols=3, title=f"{run.label}: {doing}", handlelength=1.4)
    return figure


def _joined(day: Sequence[Segment]) -> list[tuple[float, float, str]]:
    """Return a day by lanes, with neighbours of one lane joined."""
    joined: list[tuple[float, float, str]] = []
    for segment in day:
        lane = _lane(segment)
        if joined and joined[-1][2] == lane and joined[-1][1] == segment.from_s:
            joined[-1] = (joined[-1][0], segment.to_s, lane)
        else:
            joined.append((segment.from_s, segment.to_s, lane))
    return joined


def _lane(segment: Segment) -> str:
    if segment.part == BARRIER:
        return "waits for others"
    if is_server(segment.host):
        return "server"
    if segment.part in (DEVICE_COMPUTE, CODEC):
        return "codec" if segment.part == CODEC else "compute"
    return "uplink" if segment.what == "up" else "downlink"
