"""Traffic of others: Poisson flows with a law of sizes, or a source that is on and off in turn."""

from collections.abc import Iterator
from typing import Annotated, ClassVar, Literal

import numpy as np
from pydantic import Field

from slfac_sim.foundation.plugins import settings
from slfac_sim.foundation.streams import stream
from slfac_sim.foundation.units import BitsPerSecond, Bytes, Seconds
from slfac_sim.network.change import Burst, Change, Effect, Target

_AT_ONCE = 64
_Positive = Annotated[Seconds, Field(gt=0.0)]


@settings
class Background(Change):
    """Flows of others, from which nobody learns, on each link that is named; they share it as any transfer.

    The defaults are the FTP model 1 of 3GPP: files of 0.5 MB at Poisson times. With `source: on_off` there
    is one sender on each link, which sends at rate x (mean_on + mean_off) / mean_on while it is on, for
    exponential times, if the link lets it.
    """

    references: ClassVar[tuple[str, ...]] = ("tr36814",)

    rate: BitsPerSecond
    """Bits per second in the mean, on each link that is named and on each way of a wire."""
    on: Annotated[str, Field(min_length=1)] | None = None
    """The link: a wire (`core`, or one way of it, `core campus->edge1`), or a medium (`up`, `s0/up`; in a
    topology `campus/up`, and `campus` for all of them). On a medium each flow is that of a device on it,
    drawn by its name, and has the rate of that.
    """
    source: Literal["poisson", "on_off"] = "poisson"
    """Independent flows (`poisson`), or a sender that is on and off in turn."""
    size: Annotated[Bytes, Field(gt=0.0)] = 500e3
    """Mean size of a flow of `poisson`."""
    sizes: Literal["deterministic", "exponential", "pareto"] = "deterministic"
    """The law of sizes of `poisson`."""
    shape: Annotated[float, Field(gt=1.0, le=100.0)] = 1.5
    """The shape of `pareto`; up to 2 the variance is infinite."""
    mean_on: _Positive = 1.0
    """Mean time for which a sender of `on_off` is on."""
    mean_off: _Positive = 1.0
    """Mean time for which it is off."""

    def __post_init__(self) -> None:
        if self.on is None:
            raise ValueError("say over which link it goes, on: a medium or a wire")

    @property
    def offers_bps(self) -> float:
        """The mean rate."""
        return self.rate

    def effect(self, target: Target, seed: int) -> Effect:
        """Return that rates stay as they are."""
        return Effect()

    def bursts(self, change: str, link: str, seed: int) -> Iterator[Burst]:
        """Yield flows for ever; each `_AT_ONCE` of them have a stream of their own."""
        make = self._poisson if self.source == "poisson" else self._on_off
        return make(seed, f"change/{change}/{link}")

    def _poisson(self, seed: int, purpose: str) -> Iterator[Burst]:
        bits = 8.0 * self.size
        at_s, block = 0.0, 0
        while True:
            draws = stream(seed, purpose, block)
            times_s = at_s + np.cumsum(draws.standard_exponential(_AT_ONCE)) * (bits / self.rate)
            sizes_bits = bits * self._sizes(draws)
            own = draws.random(_AT_ONCE)
            yield from map(Burst, times_s.tolist(), sizes_bits.tolist(), own.tolist())
            at_s, block = float(times_s[-1]), block + 1

    def _sizes(self, draws: np.random.Generator) -> np.ndarray:
        """Return sizes of mean 1."""
        if self.sizes == "exponential":
            return draws.standard_exponential(_AT_ONCE)
        if self.sizes == "pareto":
            return (1.0 + draws.pareto(self.shape, _AT_ONCE)) * ((self.shape - 1.0) / self.shape)
        return np.ones(_AT_ONCE)

    def _on_off(self, seed: int, purpose: str) -> Iterator[Burst]:
        """Yield a burst for each time on; it begins as it is at any time."""
        both_s = self.mean_on + self.mean_off
        peak_bps = self.rate * both_s / self.mean_on
        at_s, block = 0.0, 0
        is_on = stream(seed, purpose).random() < self.mean_on / both_s
        while True:
            block += 1
            draws = stream(seed, purpose, block)
            on_s, off_s = draws.standard_exponential((2, _AT_ONCE)).tolist()
            for on, off, own in zip(on_s, off_s, draws.random(_AT_ONCE).tolist(), strict=True):
                if not is_on:
                    at_s, is_on = at_s + self.mean_off * off, True
                else:
                    yield Burst(at_s, peak_bps * self.mean_on * on, own, peak_bps)
                    at_s += self.mean_on * on + self.mean_off * off
