"""The reference engines: all rates and all bits anew at every event. They are there to be obviously right."""

from collections.abc import Iterable, Mapping, Sequence
from math import inf

from slfac_sim.network.engine.flow import Flow, Routed


def fill_plainly(
    capacities: Mapping[str, float], rows: Sequence[tuple[float, float, Mapping[str, float]]]
) -> list[float]:
    """Return the level of each row (weight, ceiling, use of links) by plain progressive filling.

    Each round freezes the rows that are bound by the lowest of the links' levels and the ceilings.
    """
    levels: dict[int, float] = {}
    while len(levels) < len(rows):
        rising = [i for i in range(len(rows)) if i not in levels]
        bounds = {}
        for name, capacity in capacities.items():
            load = sum(rows[i][0] * rows[i][2].get(name, 0) for i in rising)
            spent = sum(rows[i][0] * rows[i][2].get(name, 0) * level for i, level in levels.items())
            if load > 0:
                bounds[name] = max(0, (capacity - spent) / load)
        lowest = min([*bounds.values(), *(rows[i][1] for i in rising)])
        full = [name for name, bound in bounds.items() if bound == lowest]
        for i in rising:
            if rows[i][1] == lowest or any(name in rows[i][2] for name in full):
                levels[i] = lowest
    return [levels[i] for i in range(len(rows))]


class NaiveGraph:
    """A share (see `Share`) of links with `Routed` flows. `Flow.finish` is when it is due."""

    def __init__(self, capacities: Mapping[str, float]) -> None:
        self.due_s = inf
        self._capacities = dict(capacities)
        self._now_s = 0.0
        self._flows: list[Flow] = []
        self._rates: list[tuple[Flow, float]] = []

    def start(self, now_s: float, flow: Flow) -> None:
        """Let `flow` take part from now on."""
        self._advance(now_s)
        self._flows.append(flow)
        self._reallocate()

    def cancel(self, now_s: float, flow: Flow) -> None:
        """Take `flow` out; its `left_bits` and `airtime_s` say how far it came."""
        self._advance(now_s)
        self._flows.remove(flow)
        self._reallocate()

    def set_rates(self, now_s: float, rates_bps: Iterable[tuple[Flow, float]]) -> None:
        """Raise `TypeError`: what a routed flow has follows from its links."""
        raise TypeError("a routed flow has no rate of its own; change the capacities of its links")

    def set_capacity(self, now_s: float, capacity: float, link: str = "") -> None:
        """Change the capacity of `link`; at 0 every flow on it waits."""
        self._advance(now_s)
        self._capacities[link] = capacity
        self._reallocate()

    def finish(self, now_s: float) -> list[Flow]:
        """Take out the flows that are through by now, in the order of start."""
        self._advance(now_s)
        through = [flow for flow in self._flows if flow.left_bits == 0.0]
        self._flows = [flow for flow in self._flows if flow.left_bits > 0.0]
        self._reallocate()
        return through

    def _served(self) -> list[tuple[Flow, float]]:
        """Return each flow that is served, with its rate in bit/s."""
        rows = []
        for flow in self._flows:
            assert isinstance(flow, Routed)
            flow.rate_bps = 1.0 / flow.consumption[0]
            uses: dict[str, float] = {}
            for name, use in zip(flow.path, flow.consumption, strict=True):
                uses[name] = uses.get(name, 0.0) + use
            rows.append((flow.weight, flow.cap_bps / flow.weight, uses))
        levels = fill_plainly(self._capacities, rows)
        return [(flow, flow.weight * level) for flow, level in zip(self._flows, levels, strict=True)]

    def _advance(self, now_s: float) -> None:
        for flow, rate_bps in self._rates:
            had_bits = rate_bps * (now_s - self._now_s)
            had_bits = flow.left_bits if flow.finish <= now_s else min(had_bits, flow.left_bits)
            flow.airtime_s += had_bits / flow.rate_bps
            flow.left_bits -= had_bits
        self._now_s = now_s

    def _reallocate(self) -> None:
        self._rates = self._served()
        for flow in self._flows:
            flow.finish = self._now_s if flow.left_bits == 0.0 else inf
        for flow, rate_bps in self._rates:
            if rate_bps > 0.0:
                flow.finish = self._now_s + flow.left_bits / rate_bps
                flow.start_s = self._now_s if flow.start_s is None else flow.start_s
        self.due_s = min((flow.finish for flow in self._flows), default=inf)
