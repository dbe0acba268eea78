"""Who missed a round and why, and how many hosts were down meanwhile; it reads no file.

Reasons are those of the ledger without the names of hosts: `d003 is down: off` counts as `down: off` of the
device itself, and as `server down: off` where it is about the server. Runs in which nobody missed anything
and nothing was down have no such figure.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import inf
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from slfac_sim.analysis.bars import stack
from slfac_sim.analysis.laying_out import broken
from slfac_sim.analysis.rows import rows_if_there, rows_of
from slfac_sim.analysis.style import fill, head, legend_rows, stacked_canvas
from slfac_sim.analysis.ticks import whole_numbers
from slfac_sim.ledger.folder import Run

MAIN = True  # in whatever run there is anything of it
ONE_RUN = True
_FILLS = (3, 0, 6, 4, 1, 5, 2, 7)
_LETTERS, _SHORT = 48, 18  # in a line of the legend, and of reasons that stand two in a line


@dataclass(frozen=True)
class Series:
    """One run: by round and reason the devices that missed it, and the hosts down (mean over its time)."""

    label: str
    rounds: Sequence[int]
    missed: Mapping[str, Mapping[int, float]]
    down: Mapping[str, Mapping[int, float]]


def data(run: Run) -> Series | None:
    """Return what the tables `misses` and `outages` say; None where they have no rows, or are not there."""
    rows = rows_if_there(run, ("misses", "outages"))
    if not rows["misses"] and not rows["outages"]:
        return None
    ended = {row["round"]: row["at_s"] for row in rows_of(run, ("rounds",))["rounds"]}
    missed: dict[str, Counter[int]] = {}
    for row in rows["misses"]:
        missed.setdefault(reason_of(row["reason"], row["device"]), Counter())[row["round"]] += 1
    numbers = sorted({*ended, *(row["round"] for row in rows["misses"])})
    return Series(run.label, numbers, missed, _down(rows["outages"], ended))


def reason_of(reason: str, device: str) -> str:
    """Return a reason without the name of the device that it is about."""
    host, is_down, why = reason.partition(" is down: ")
    if not is_down:
        return reason.replace(device, "device")
    return f"down: {why}" if host == device else f"{host} down: {why}"


def _down(outages: Sequence[Mapping[str, Any]], ended: Mapping[int, float]) -> dict[str, dict[int, float]]:
    down: dict[str, dict[int, float]] = {}
    begin_s = 0.0
    for number, end_s in sorted(ended.items()):
        for row in outages:
            up_s = inf if row["up_s"] is None or row["up_s"] != row["up_s"] else row["up_s"]
            within_s = min(end_s, up_s) - max(begin_s, row["down_s"])
            if within_s > 0.0:
                of = down.setdefault(row["reason"], {})
                of[number] = of.get(number, 0.0) + within_s / (end_s - begin_s)
        begin_s = end_s
    return down


def table(series: Sequence[Series]) -> Iterator[dict[str, Any]]:
    """Yield one row for each round."""
    for run in series:
        for number in run.rounds:
            missed = {f"missed: {reason}": of.get(number, 0) for reason, of in run.missed.items()}
            down = {f"down: {reason}": of.get(number, 0.0) for reason, of in run.down.items()}
            yield {"run": run.label, "round": number, **missed, **down}


def draw(series: Sequence[Series]) -> Figure:
    """Return the figure of the first run: a panel of misses and, where hosts were down, one of these."""
    run = series[0]
    both = ((run.missed, "devices that missed\nthe round"), (run.down, "hosts down\n(mean)"))
    shown = [(counts, label) for counts, label in both if counts]
    rows = 2 + sum(legend_rows(names := _names(counts), _columns(names)) + 1 for counts, _ in shown)
    figure, panels = stacked_canvas(len(shown) or 1, 36.0 if len(shown) > 1 else 55.0, legend_rows=rows)
    for axes, (counts, label) in zip(panels, shown, strict=False):
        _stack(axes, run.rounds, counts)
        if counts is run.missed:
            axes.yaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
        axes.set_ylabel(label)
        columns = _columns(_names(counts))
        axes.legend(
            loc="lower left", bbox_to_anchor=(0.0, 1.0), ncols=columns, handlelength=1.6, columnspacing=1.2
        )
    panels[-1].set_xlabel("round")
    head(figure, run.label)
    return figure


def _by_size(counts: Mapping[str, Mapping[int, float]]) -> list[str]:
    return sorted(counts, key=lambda reason: (-sum(counts[reason].values()), reason))


def _names(counts: Mapping[str, Mapping[int, float]]) -> list[str]:
    """Return the reasons as the legend has them: whole, in lines that fit."""
    return ["\n".join(broken(reason, _LETTERS)) for reason in _by_size(counts)]


def _columns(names: Sequence[str]) -> int:
    return 2 if all(len(name) <= _SHORT for name in names) else 1


def _stack(axes: Axes, rounds: Sequence[int], counts: Mapping[str, Mapping[int, float]]) -> None:
    names = _names(counts)
    looks = [fill(_FILLS[place % len(_FILLS)]) for place in range(len(names))]
    heights = [[float(counts[reason].get(number, 0)) for number in rounds] for reason in _by_size(counts)]
    stack(axes, rounds, zip(names, looks, heights, strict=True))
    axes.set_xlim(0.4, max(rounds, default=1) + 0.6)
    whole_numbers(axes.xaxis)
