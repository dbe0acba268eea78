"""Which of a run's resources its critical path spent most time on: the bottleneck, in one sentence.

It groups the parts of an `Attribution` by what a user can buy more of; `check` uses the same names before a
run. Waiting for the air counts as air: others had it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from math import fsum

from slfac_sim.analysis.attribution import Attribution
from slfac_sim.analysis.critical_path import AIR_WAIT, AIRTIME, BARRIER, PROPAGATION, Segment
from slfac_sim.analysis.format import fixed_percent
from slfac_sim.analysis.structure import SERVER

NAMES = ("uplink air", "downlink air", "devices", "server", "latency", "waiting for a deadline")
_TOLD = 0.05  # smaller shares are left out of the sentence


@dataclass(frozen=True)
class Bottleneck:
    """The share of the critical path of each of `NAMES` that it meets, the largest first."""

    shares: dict[str, float]

    @property
    def sentence(self) -> str:
        """The largest share in words, and the others from 5 % on."""
        if not self.shares:
            return "bottleneck: none, nothing took time"
        (name, share), *others = self.shares.items()
        told = ", ".join(f"{other} {fixed_percent(part)}" for other, part in others if part >= _TOLD)
        return f"bottleneck: {name}, {fixed_percent(share)} of the time" + (f" ({told})" if told else "")


def bottleneck(found: Attribution) -> Bottleneck:
    """Return the bottleneck of the critical path `found`."""
    seconds = resources_s(found.path)
    largest_first = sorted((name for name in NAMES if seconds[name] > 0.0), key=lambda name: -seconds[name])
    return Bottleneck({name: seconds[name] / found.until_s for name in largest_first})


def resources_s(path: Iterable[Segment]) -> dict[str, float]:
    """Return the seconds of each of `NAMES` on `path`."""
    found: dict[str, list[float]] = {name: [] for name in NAMES}
    for one in path:
        found[_name(one)].append(one.to_s - one.from_s)
    return {name: fsum(seconds) for name, seconds in found.items()}


def _name(segment: Segment) -> str:
    if segment.part in (AIR_WAIT, AIRTIME):
        return "uplink air" if segment.what == "up" else "downlink air"
    if segment.part == PROPAGATION:
        return "latency"
    if segment.part == BARRIER:
        return "waiting for a deadline"
    return "server" if segment.host == SERVER else "devices"
