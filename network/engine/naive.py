"""The reference engine: recomputes every flow at every event, O(N). It is there to be obviously right."""

from collections.abc import Iterable
from math import inf

from slfac_sim.network.engine.flow import Flow


class NaiveShare:
    """A share (see `Share`) without a trick. Here `Flow.finish` is the time of completion foreseen."""

    def __init__(self, capacity: float = 1.0) -> None:
        self.due_s = inf
        self._capacity = capacity
        self._now_s = 0.0
        self._flows: list[Flow] = []

    def start(self, now_s: float, flow: Flow) -> None:
        """Let `flow` take part from now on."""
        self._advance(now_s)
        self._flows.append(flow)
        self._foresee()

    def cancel(self, now_s: float, flow: Flow) -> None:
        """Take `flow` out; its `left_bits` and `airtime_s` say how far it came."""
        self._advance(now_s)
        self._flows.remove(flow)
        self._foresee()

    def set_rates(self, now_s: float, rates_bps: Iterable[tuple[Flow, float]]) -> None:
        """Give flows that take part new rates. A flow of rate 0 leaves its part to the others."""
        self._advance(now_s)
        for flow, rate_bps in rates_bps:
            if flow.left_bits > 0.0:
                flow.rate_bps = rate_bps
        self._foresee()

    def set_capacity(self, now_s: float, capacity: float) -> None:
        """Change the part of the time that the medium gives; at 0 every flow waits."""
        self._advance(now_s)
        self._capacity = capacity
        self._foresee()

    def finish(self, now_s: float) -> list[Flow]:
        """Take out the flows that are through by now, in the order of completion, then of start."""
        self._advance(now_s)
        through = [flow for flow in self._flows if flow.left_bits == 0.0]
        self._flows = [flow for flow in self._flows if flow.left_bits > 0.0]
        self._foresee()
        return through

    def _parts(self) -> list[tuple[Flow, float]]:
        served = [flow for flow in self._flows if flow.rate_bps > 0.0]
        weights = sum(flow.weight for flow in served)
        return [(flow, self._capacity * flow.weight / weights) for flow in served]

    def _advance(self, now_s: float) -> None:
        for flow, part in self._parts():
            had_s = part * (now_s - self._now_s)
            through = flow.finish <= now_s
            flow.airtime_s += flow.left_bits / flow.rate_bps if through else had_s
            flow.left_bits = 0.0 if through else max(0.0, flow.left_bits - had_s * flow.rate_bps)
        self._now_s = now_s

    def _foresee(self) -> None:
        for flow in self._flows:
            flow.finish = self._now_s if flow.left_bits == 0.0 else inf
        for flow, part in self._parts():
            if part > 0.0:
                flow.finish = self._now_s + flow.left_bits / (flow.rate_bps * part)
                flow.start_s = self._now_s if flow.start_s is None else flow.start_s
        self.due_s = min((flow.finish for flow in self._flows), default=inf)
