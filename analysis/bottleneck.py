"""Which of a run's resources its critical path spent most time on: the bottleneck, in one sentence.

It groups the parts of an `Attribution` by what a user can buy more of; `check` uses the same names before a
run. Waiting for the air counts as air: others had it. Where wires limited a transfer it waited for them, and
set-up counts as latency: it is round trips.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from math import fsum

from slfac_sim.analysis.attribution import Attribution
from slfac_sim.analysis.critical_path import (
    AIR_WAIT,
    AIRTIME,
    BARRIER,
    PROPAGATION,
    SET_UP,
    WIRE_WAIT,
    Segment,
)
from slfac_sim.analysis.format import fixed_percent
from slfac_sim.analysis.structure import is_server

WIRES = "wires"
NAMES = ("uplink air", "downlink air", WIRES, "devices", "server", "latency", "waiting for a deadline")
_TOLD = 0.05  # smaller shares are left out of the sentence


@dataclass(frozen=True)
class Bottleneck:
    """The share of the critical path of each of `NAMES` that it meets, the largest first.

    `wires` says which wires limited transfers for which part of the time that wires did; empty: not known.
    """

    shares: dict[str, float]
    wires: str = ""

    @property
    def sentence(self) -> str:
        """The largest share in words, and the others from 5 % on."""
        if not self.shares:
            return "bottleneck: none, nothing took time"
        (name, share), *others = self.shares.items()
        told = ", ".join(f"{other} {fixed_percent(part)}" for other, part in others if part >= _TOLD)
        which = f": {self.wires}" if self.wires and name == WIRES else ""
        most = f"bottleneck: {name}, {fixed_percent(share)} of the time{which}"
        return most + (f" ({told})" if told else "")


def bottleneck(attribution: Attribution) -> Bottleneck:
    """Return the bottleneck of the critical path of `attribution`."""
    seconds = resources_s(attribution.path)
    largest_first = sorted((name for name in NAMES if seconds[name] > 0.0), key=lambda name: -seconds[name])
    return Bottleneck({name: seconds[name] / attribution.until_s for name in largest_first})


def resources_s(path: Iterable[Segment]) -> dict[str, float]:
    """Return the seconds of each of `NAMES` on `path`."""
    lengths_s: dict[str, list[float]] = {name: [] for name in NAMES}
    for segment in path:
        lengths_s[_name(segment)].append(segment.to_s - segment.from_s)
    return {name: fsum(seconds) for name, seconds in lengths_s.items()}


def _name(segment: Segment) -> str:
    if segment.part == WIRE_WAIT or (segment.part in (AIR_WAIT, AIRTIME) and segment.what == "between"):
        return WIRES
    if segment.part in (AIR_WAIT, AIRTIME):
        return "uplink air" if segment.what == "up" else "downlink air"
    if segment.part in (PROPAGATION, SET_UP):
        return "latency"
    if segment.part == BARRIER:
        return "waiting for a deadline"
    return "server" if is_server(segment.host) else "devices"
