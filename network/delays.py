"""Delays beside the latency of a path: those that vary between transfers, and the wait for a grant."""

from dataclasses import dataclass, replace

from slfac_sim.foundation.plugins import settings
from slfac_sim.foundation.streams import stream
from slfac_sim.foundation.units import Seconds
from slfac_sim.network.transfers import Path, Plan


@settings
class Jitter:
    """A delay after the last bit, drawn for each transfer: a gamma law, so that it is never below 0.

    It adds to the latency; what was sent arrives later, never before it was sent.
    """

    mean: Seconds = 0.005
    """Mean of the delay."""
    spread: Seconds = 0.002
    """Standard deviation of the delay. 0: all have the mean; as much as the mean: an exponential law."""

    def __post_init__(self) -> None:
        if self.mean == 0.0:
            raise ValueError("mean must be above 0: a delay that is never negative has no spread around 0")

    @property
    def still(self) -> "Jitter":
        """The mean for every transfer."""
        return replace(self, spread=0.0)

    def delay_s(self, seed: int, src: str, dst: str, number: int) -> float:
        """Return the delay of the `number`-th transfer from `src` to `dst`."""
        if self.spread == 0.0:
            return self.mean
        law = stream(seed, f"jitter/{src}/{dst}", number)
        return float(law.gamma((self.mean / self.spread) ** 2, self.spread**2 / self.mean))


@dataclass(frozen=True)
class Delays:
    """What a network adds: `jitter`, if any, with draws keyed by `seed`; `grant_s` before each uplink."""

    seed: int = 0
    jitter: Jitter | None = None
    grant_s: float = 0.0

    def added(self, plan: Plan, path: Path, src: str, dst: str, number: int) -> Plan:
        """Return `plan`, that of the `number`-th transfer from `src` to `dst`, with these delays."""
        grant_s = self.grant_s + path.grant_s
        if path.uplink and grant_s > 0.0:
            plan = plan._replace(wait_s=plan.wait_s + grant_s)
        if self.jitter is not None:
            after_s = self.jitter.delay_s(self.seed, src, dst, number)
            later = plan.later._replace(kept_s=plan.later.kept_s + after_s)
            plan = plan._replace(latency_s=plan.latency_s + after_s, later=later)
        return plan

    def rtt_s(self, path: Path, latency_s: float) -> float:
        """Return the mean time in which a packet of no length goes there, in `latency_s`, and one back."""
        mean_s = 0.0 if self.jitter is None else self.jitter.mean
        grant_s = self.grant_s + path.grant_s if path.lane else 0.0  # one of the two goes up
        return 2.0 * (latency_s + mean_s) + path.back_longer_s + grant_s
