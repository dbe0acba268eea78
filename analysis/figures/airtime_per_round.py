"""Airtime of every round, up and down: as part of the round's time, and device by device; it reads no file.

A transfer counts in the round in which its last bit left. What comes after the last round is in the table.
A multicast is airtime of the downlink, and of no device.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from slfac_sim.analysis.air import DIRECTIONS, Offered, offered
from slfac_sim.analysis.bounds import UNSHARED
from slfac_sim.analysis.format import share
from slfac_sim.analysis.rows import rows_of
from slfac_sim.analysis.structure import device_of, direction
from slfac_sim.analysis.style import INK, WAYS, legend, nothing, stacked_canvas
from slfac_sim.analysis.ticks import from_zero_or_log, percents, whole_numbers
from slfac_sim.foundation.arrays import Floats
from slfac_sim.ledger.folder import Run

MAIN = False
ONE_RUN = True


@dataclass(frozen=True)
class Round:
    """One round: its number (None after the last), where it lies, and airtimes by direction.

    `devices_s` holds the airtime of each device that had any.
    """

    round: int | None
    from_s: float
    to_s: float
    airtime_s: dict[str, float]
    devices_s: dict[str, Floats]


@dataclass(frozen=True)
class Series:
    """One run, round by round; `shares` are the parts of the time that directions of one medium may have."""

    label: str
    rounds: Sequence[Round]
    shares: dict[str, float]


def data(run: Run) -> Series:
    """Return the airtimes of all transfers, those that were given up included."""
    rows = rows_of(run, ("transfers", "rounds"))
    ends_s = [row["at_s"] for row in rows["rounds"]]
    numbers: list[int | None] = [row["round"] for row in rows["rounds"]]
    last_s = max((row["last_bit_s"] for row in rows["transfers"]), default=0.0)
    if not ends_s or last_s > ends_s[-1]:
        ends_s, numbers = [*ends_s, last_s], [*numbers, None]
    places = np.searchsorted(ends_s, [row["last_bit_s"] for row in rows["transfers"]])
    spent: list[dict[str, dict[str, float]]] = [{way: {} for way in DIRECTIONS} for _ in ends_s]
    for row, place in zip(rows["transfers"], places.tolist(), strict=True):
        of, device = spent[place].get(direction(row), {}), device_of(row)  # between servers there is no air
        of[device] = of.get(device, 0.0) + row["airtime_s"]
    begins_s = [0.0, *ends_s[:-1]]
    rounds = [_round(*spans) for spans in zip(numbers, begins_s, ends_s, spent, strict=True)]
    return Series(run.label, rounds, _most(offered(run)))


def _most(air: Offered) -> dict[str, float]:
    """Return the part of the time that each direction may have; nothing where there are several media."""
    if len(air.air) != 1 or len({row["station"] for row in air.links}) != 1:
        return {}
    return {way: row[f"{way}_share"] for row in air.air for way in DIRECTIONS if row["medium"] != UNSHARED}


def _round(number: int | None, from_s: float, to_s: float, spent: dict[str, dict[str, float]]) -> Round:
    alone = {way: [spent[way][name] for name in sorted(spent[way].keys() - {"*"})] for way in DIRECTIONS}
    whole = {way: sum(spent[way].values()) for way in DIRECTIONS}
    return Round(number, from_s, to_s, whole, {way: np.array(alone[way]) for way in DIRECTIONS})


def table(series: Sequence[Series]) -> Iterator[dict[str, Any]]:
    """Yield one row for each round: airtime of each direction, and its spread over the devices."""
    for run in series:
        for row in run.rounds:
            cells: dict[str, Any] = {"run": run.label, "round": row.round or "after the last"}
            cells |= {"from_s": row.from_s, "to_s": row.to_s}
            for way in DIRECTIONS:
                cells[f"{way}_airtime_s"] = row.airtime_s[way]
                cells[f"{way}_share"] = row.airtime_s[way] / ((row.to_s - row.from_s) or 1.0)
                alone_s = row.devices_s[way]
                spread = np.quantile(alone_s, [0.0, 0.5, 1.0]) if alone_s.size else [""] * 3
                for name, value in zip(("least", "median", "most"), spread, strict=True):
                    cells[f"{way}_device_{name}_s"] = value
            yield cells


def draw(series: Sequence[Series]) -> Figure:
    """Return the figure of the first run."""
    run = series[0]
    rounds = [row for row in run.rounds if row.round is not None]
    figure, (above, below) = stacked_canvas(2, 34.0, legend_rows=3)
    if not rounds:
        return nothing(figure, run.label, "No round was finished.")
    for index, way in enumerate(DIRECTIONS):
        _shares(above, rounds, way, index)
        if way in run.shares:
            dashes = (3 * index, (3, 3))
            above.axhline(run.shares[way], color=WAYS[way].colour, linestyle=dashes, linewidth=0.8)
        _devices(below, rounds, way, index)
    percents(above.yaxis)
    more = "; dashed: what the direction may have" if run.shares else ""
    above.set_title(f"all devices{more}")
    above.set_ylabel("of the time")
    above.tick_params(labelbottom=False)
    from_zero_or_log(below, np.concatenate([row.devices_s[way] for row in rounds for way in DIRECTIONS]))
    below.set_title("a device: least, median, most")
    below.set_ylabel("airtime (s)")
    below.grid(axis="y")
    below.set_xlabel("round")
    for axes in (above, below):
        axes.set_xlim(0.4, len(rounds) + 0.6)
        whole_numbers(axes.xaxis)
    legend(figure, title=run.label)
    return figure


def _shares(axes: Axes, rounds: Sequence[Round], way: str, index: int) -> None:
    shares = [row.airtime_s[way] / ((row.to_s - row.from_s) or 1.0) for row in rounds]
    places = [row.round + 0.36 * (index - 0.5) for row in rounds if row.round is not None]
    whole_s = sum(row.to_s - row.from_s for row in rounds)
    mean = sum(row.airtime_s[way] for row in rounds) / (whole_s or 1.0)
    name = f"{way}: {share(mean, 3)} of the time"
    axes.bar(places, shares, 0.34, color=WAYS[way].colour, edgecolor=INK, linewidth=0.3, label=name)


def _devices(axes: Axes, rounds: Sequence[Round], way: str, index: int) -> None:
    with_some = [row for row in rounds if row.devices_s[way].size]
    places = [row.round + 0.36 * (index - 0.5) for row in with_some if row.round is not None]
    least, middle, most = (
        [float(np.quantile(row.devices_s[way], level)) for row in with_some] for level in (0.0, 0.5, 1.0)
    )
    axes.vlines(places, least, most, color=WAYS[way].colour, linewidth=1.6)
    axes.plot(places, middle, WAYS[way].marker, color=WAYS[way].colour, markersize=2.8)
