"""One medium whose rates and bits are all found anew at every event: the reference of `FluidShare`."""

from collections.abc import Iterable

from slfac_sim.network.engine import Flow, NaiveGraph
from slfac_sim.network.engine.naive import fill_plainly


class Rated(NaiveGraph):
    """A share whose flows have rates of their own, which change."""

    def set_rates(self, now_s: float, rates_bps: Iterable[tuple[Flow, float]]) -> None:
        """Give flows that take part new rates. A flow of rate 0 leaves its part to the others."""
        self._advance(now_s)
        for flow, rate_bps in rates_bps:
            if flow.left_bits > 0.0:
                flow.rate_bps = rate_bps
        self._reallocate()


class NaiveShare(Rated):
    """A share (see `Share`) of one medium, whose capacity is in parts of it, without a trick."""

    def __init__(self, capacity: float = 1.0) -> None:
        super().__init__({"": capacity})

    def _served(self) -> list[tuple[Flow, float]]:
        """Return each flow that is served, with its rate in bit/s."""
        served = [flow for flow in self._flows if flow.rate_bps > 0.0]
        rows = [(f.weight, f.cap_bps / f.rate_bps / f.weight, {"": 1.0}) for f in served]
        levels = fill_plainly(self._capacities, rows)
        return [
            (flow, flow.rate_bps * flow.weight * level) for flow, level in zip(served, levels, strict=True)
        ]
