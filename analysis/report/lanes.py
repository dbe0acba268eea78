"""Who is shown one by one, where there are many devices, and what servers did: lanes of a page."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import compress

import numpy as np

from slfac_sim.analysis.critical_path import CODEC_WORK
from slfac_sim.analysis.days import CODING, SERVED, Stretch
from slfac_sim.analysis.format import count
from slfac_sim.analysis.report.blocks import Lane
from slfac_sim.analysis.report.crowd import crowd_of
from slfac_sim.analysis.structure import Row, is_server

FEW = 24  # devices that can all be shown
MOST_SPANS = 5000  # of a lane: more than a page shows side by side


def chosen(fastest_first: Sequence[str], wanted: Iterable[str], most: int = FEW) -> list[str]:
    """Return the devices that are shown, fastest first: all if they are few.

    Of many: the fastest, the median and the slowest, those `wanted` most, others at even steps of speed.
    """
    devices, last = fastest_first, len(fastest_first) - 1
    if len(devices) <= most:
        return list(devices)
    ends, half = [devices[0], devices[last // 2], devices[last]], most // 2
    eligible = set(devices) - set(ends)
    known = [device for device in wanted if device in eligible][: half - 1]
    named = {*ends, *known}
    others = [device for device in devices if device not in named]
    left = most - len(named)
    taken = {*named, *(others[(2 * place + 1) * len(others) // (2 * left)] for place in range(left))}
    return [device for device in devices if device in taken]


def chosen_words(shown: Sequence[str], of: Sequence[str], wanted: str) -> str:
    """Return in words which devices are shown, fastest first; the `wanted` are called so."""
    if not of:
        return "No device did anything"
    if len(shown) == len(of):
        return f"{count(len(of), 'device')}, the fastest on top"
    few = f"{len(shown)} of {len(of):,} devices, the fastest on top"
    return f"{few}, among them the median, the slowest and those {wanted}"


def served(computes: Iterable[Row], from_s: float, to_s: float) -> dict[str, list[Stretch]]:
    """Return when each server worked between two times, and whether on codecs; neighbours are joined."""
    spans: dict[str, list[Stretch]] = defaultdict(list)
    own = (row for row in computes if is_server(row["host"]))
    for row in sorted(own, key=lambda row: (row["start_s"], row["end_s"])):
        start_s, end_s = max(row["start_s"], from_s), min(row["end_s"], to_s)
        if start_s < end_s:
            lane = CODING if row["what"] in CODEC_WORK else SERVED
            _append(spans[row["host"]], start_s, end_s, lane)
    return dict(sorted(spans.items()))


def _append(spans: list[Stretch], from_s: float, to_s: float, lane: str) -> None:
    if spans and spans[-1][2] == lane and spans[-1][1] >= from_s:
        spans[-1] = (spans[-1][0], max(spans[-1][1], to_s), lane)
    else:
        spans.append((from_s, to_s, lane))


def thinned(lane: Lane, n_looks: int, to_s: float) -> Lane:
    """Return a lane from 0 to `to_s` that a page can hold; of too many spans it has what took most time."""
    if len(lane.spans) <= MOST_SPANS:
        return lane
    shares = np.asarray(crowd_of(lane.name, [lane], n_looks, 0.0, to_s, MOST_SPANS).shares)
    edges_s = np.linspace(0.0, to_s, MOST_SPANS + 1).tolist()
    looks, known = shares.argmax(axis=1).tolist(), shares.max(axis=1) > 0.0
    spans = zip(edges_s[:-1], edges_s[1:], looks, strict=True)
    return Lane(lane.name, list(compress(spans, known.tolist())))
