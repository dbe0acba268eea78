"""What hosts drew energy for: all devices together, one device, and the server; it reads no file."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch
from matplotlib.ticker import MaxNLocator

from slfac_sim.analysis.bars import name_ends, stack
from slfac_sim.analysis.format import amount, unit_of
from slfac_sim.analysis.rows import rows_if_there
from slfac_sim.analysis.structure import is_server
from slfac_sim.analysis.style import fill, legend, stacked_canvas
from slfac_sim.analysis.ticks import plain_axis
from slfac_sim.ledger.folder import Run

MAIN = False
ONE_RUN = True
_PARTS = ("computing", "codec", "sending", "receiving", "idling")
_FILLS = (6, 7, 5, 2, 4)


@dataclass(frozen=True)
class Series:
    """One run: the joules of each host, by what they were for; devices in the order of their names."""

    label: str
    hosts: Mapping[str, Mapping[str, float]]


def data(run: Run) -> Series | None:
    """Return what every host drew; None where the run is too old to tell."""
    hosts = {row["host"]: _parts(row) for row in rows_if_there(run, ("energy",))["energy"]}
    return Series(run.label, hosts) if hosts else None


def _parts(row: Mapping[str, Any]) -> dict[str, float]:
    rest = (row[f"{name}_j"] for name in ("codec", "transmit", "receive", "idle"))
    return dict(zip(_PARTS, (row["compute_j"] - row["codec_j"], *rest), strict=True))


def table(series: Sequence[Series]) -> Iterator[dict[str, Any]]:
    """Yield one row for each bar."""
    for run in series:
        for name, parts in [*together(run), *single(run)]:
            drawn = {f"{part}_j": joules for part, joules in parts.items()}
            yield {"run": run.label, "bar": name, **drawn, "total_j": sum(parts.values())}


def together(run: Series) -> list[tuple[str, Mapping[str, float]]]:
    """Return what all devices drew, and each server, with its name."""
    devices = [parts for host, parts in run.hosts.items() if not is_server(host)]
    summed = {part: sum(parts[part] for parts in devices) for part in _PARTS}
    bars: list[tuple[str, Mapping[str, float]]] = [(f"{len(devices)} devices", summed)] if devices else []
    return bars + [(host, parts) for host, parts in run.hosts.items() if is_server(host)]


def single(run: Series) -> list[tuple[str, Mapping[str, float]]]:
    """Return the devices that drew least, most, and the median, with their names; the latter one of them."""
    devices = sorted((sum(parts.values()), host) for host, parts in run.hosts.items() if not is_server(host))
    if not devices:
        return []
    places = {"least": 0, "median": (len(devices) - 1) // 2, "most": len(devices) - 1}
    return [(f"{word}: {devices[place][1]}", run.hosts[devices[place][1]]) for word, place in places.items()]


def draw(series: Sequence[Series]) -> Figure:
    """Return the figure of the first run: two groups of stacked bars, each on a scale of its own."""
    run = series[0]
    groups = [group for group in (together(run), single(run)) if group]
    figure, panels = stacked_canvas(len(groups), 29.0, legend_rows=3)
    for axes, group in zip(panels, groups, strict=True):
        layers = _bars(axes, group)
    legend(figure, handles=layers, ncols=3, title=run.label, handlelength=1.6)
    return figure


def _bars(axes: Axes, group: Sequence[tuple[str, Mapping[str, float]]]) -> list[PathPatch]:
    scale, unit = unit_of([max(sum(parts.values()) for _, parts in group)], "J")
    places = range(len(group))
    drawn = (
        (part, fill(index), [parts[part] / scale for _, parts in group])
        for part, index in zip(_PARTS, _FILLS, strict=True)
    )
    layers, ends = stack(axes, places, drawn, width=0.66, along_x=True)
    name_ends(axes, places, ends, (f"{amount(end)} {unit}" for end in ends))
    axes.set_yticks(places, [name for name, _ in group])
    axes.tick_params(axis="y", length=0)
    axes.invert_yaxis()
    axes.set_xlim(0.0, 1.25 * max(ends) or 1.0)
    axes.xaxis.set_major_locator(MaxNLocator(5))
    plain_axis(axes.xaxis)
    axes.set_xlabel(f"energy drawn in the whole run ({unit})")
    return layers
