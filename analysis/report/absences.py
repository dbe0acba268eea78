"""Who missed rounds, what was down, and how stale what an asynchronous server took was: blocks of a page."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from math import fsum

import numpy as np

from slfac_sim.analysis.format import listed, one_decimal
from slfac_sim.analysis.missed import Missed, reason_of
from slfac_sim.analysis.report import cells
from slfac_sim.analysis.report.blocks import Block, Cell, Chart, Table
from slfac_sim.analysis.report.lines import bars, look, rounds_axis, titled
from slfac_sim.analysis.report.many import Column, few_or_quantiles
from slfac_sim.analysis.stale import KINDS, Stale, Taken, spread_words
from slfac_sim.analysis.structure import Row

_MOST_BARS = 40  # wider stretches of staleness beyond that
_MOST_ROWS = 200

Counts = Mapping[str, Mapping[int, float]]


def missed_blocks(missed: Missed, rows: Sequence[Row], devices: Sequence[str]) -> Iterator[Block]:
    """Yield misses and hosts down by round and reason, and the misses of each device."""
    if missed.missed:
        yield _misses(missed)
        yield from _by_device(rows, devices)
    if missed.down:
        yield _down(missed)


def _misses(missed: Missed) -> Chart:
    sums = {reason: sum(of.values()) for reason, of in missed.missed.items()}
    told = listed([f"{reason} {times:,}" for reason, times in sorted(sums.items(), key=lambda one: -one[1])])
    whole = int(sum(sums.values()))
    summary = f"{whole:,} times a device missed a round: {told}."
    return _stack("Devices that missed the round", "devices", summary, missed.rounds, missed.missed)


def _down(missed: Missed) -> Chart:
    means = [fsum(of.get(number, 0.0) for of in missed.down.values()) for number in missed.rounds]
    most = max(range(len(means)), key=means.__getitem__)
    summary = f"Most hosts were down in round {missed.rounds[most]}: {one_decimal(means[most])} in the mean."
    return _stack(
        "Hosts that were down", "hosts down (mean over the round)", summary, missed.rounds, missed.down
    )


def _stack(title: str, what: str, summary: str, rounds: Sequence[int], counts: Counts) -> Chart:
    reasons = sorted(counts, key=lambda reason: (-fsum(counts[reason].values()), reason))
    traces = [
        bars(
            reason,
            rounds,
            [round(counts[reason].get(number, 0.0), 6) for number in rounds],
            look(place),
            "round %{x}: %{y:.3~g}",
        )
        for place, reason in enumerate(reasons)
    ]
    rows = [
        (cells.whole(number), *(cells.number(counts[reason].get(number, 0.0)) for reason in reasons))
        for number in rounds[:_MOST_ROWS]
    ]
    return Chart(
        title,
        summary,
        traces,
        titled("round", what, barmode="stack", showlegend=True) | {"xaxis": rounds_axis(rounds)},
        Table(title, ("round", *reasons), rows),
    )


def _by_device(rows: Sequence[Row], devices: Sequence[str]) -> Iterator[Table]:
    times: dict[str, Counter[str]] = {device: Counter() for device in devices}
    for row in rows:
        times.setdefault(row["device"], Counter())[reason_of(row["reason"], row["device"])] += 1
    reasons = [reason for reason, _ in sum(times.values(), Counter()).most_common()]
    columns = [Column(why, [own[why] for own in times.values()], _whole) for why in reasons]
    whole = Column("all", [own.total() for own in times.values()], _whole)
    yield from few_or_quantiles("Rounds that devices missed", "device", list(times), [*columns, whole])


def _whole(value: float) -> Cell:
    return cells.whole(round(value))


def stale_blocks(stale: Stale) -> Iterator[Block]:
    """Yield how stale what was taken was, of each kind."""
    for place, (kind, taken) in enumerate(stale.taken.items()):
        yield _histogram(KINDS[kind], taken, place)


def _histogram(kind: str, taken: Taken, place: int) -> Chart:
    width = -(-(int(taken.staleness.max()) + 1) // _MOST_BARS)
    binned = taken.staleness // width
    times, weights = np.bincount(binned), np.bincount(binned, taken.weight)
    names = [
        str(low) if width == 1 else f"{low} to {low + width - 1}"
        for low in range(0, width * len(times), width)
    ]
    shares = (times / taken.staleness.size).round(6).tolist()
    rows = [
        (Cell(name, float(width * number)), cells.whole(int(own)), cells.share(own / times.sum(), 1), mean)
        for number, (name, own) in enumerate(zip(names, times.tolist(), strict=True))
        if own
        for mean in (cells.number(weights[number] / own),)
    ]
    layout = titled(f"staleness ({kind} behind)", "part of them")
    layout["yaxis"] |= {"tickformat": ".0%"}
    layout["xaxis"] |= {"type": "category"}
    title = f"Staleness of {kind}"
    return Chart(
        title,
        f"{kind.capitalize()}: {spread_words(taken)}.",
        [bars(kind, names, shares, look(place), "%{x} behind: %{y:.1%}")],
        layout,
        Table(title, ("behind", "times", "part of them", "mean weight"), rows),
    )
