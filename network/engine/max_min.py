"""Weighted max-min sharing of several links at once, at a cost that hardly depends on the number of flows.

Flows of one path, one consumption and one cap per weight have the same rate per weight for ever: such a
bundle needs one virtual clock and one heap (`Pool`), and counts once when rates are found. No clock here.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from heapq import heapify, heappop, heappush
from math import inf
from typing import cast

from slfac_sim.network.engine.filling import Link, Tenant, fill
from slfac_sim.network.engine.flow import Flow, Routed
from slfac_sim.network.engine.pool import Pool

Key = tuple[tuple[str, ...], tuple[float, ...], float]


@dataclass(eq=False, slots=True)
class Bundle(Tenant):
    """The flows of one `Key`. Its virtual time is the use of its first link per weight."""

    key: Key = ((), (), inf)
    rank: int = 0
    version: int = 0
    pool: Pool = field(default_factory=Pool)
    unserved: dict[Flow, None] = field(default_factory=dict)

    def rerun(self, now_s: float) -> None:
        """Let virtual time run at the present level."""
        self.version += 1
        self.pool.advance(now_s)
        self.pool.run(self.level * self.key[1][0], 1.0)
        if self.level > 0.0 and self.unserved:
            for flow in self.unserved:
                flow.start_s = now_s
            self.unserved.clear()


class BundledShare:
    """A share (see `Share`) of links with `Routed` flows. An event costs what its bundles do, and O(log N).

    However many changes one instant brings, rates are found once: when time goes on, or when `due_s` is
    asked for. Only the links and bundles that a change can reach are looked at. `solves` counts.
    """

    def __init__(self, capacities: Mapping[str, float]) -> None:
        self.solves = 0
        self._links = {name: Link(capacity) for name, capacity in capacities.items()}
        self._bundles: dict[Key, Bundle] = {}
        self._now_s = 0.0
        self._started = 0
        self._ranks = 0
        self._dirty: dict[Link, None] = {}  # their capacities or tenants have changed
        self._touched: dict[Bundle, None] = {}  # their flows have
        self._dues: list[tuple[float, int, int, Bundle]] = []

    @property
    def due_s(self) -> float:
        """When the next flow will be through; infinite when none will."""
        if self._dirty:
            self._solve()
        dues = self._dues
        while dues and dues[0][2] != dues[0][3].version:
            heappop(dues)
        return dues[0][0] if dues else inf

    def start(self, now_s: float, flow: Flow) -> None:
        """Let `flow`, a `Routed`, take part from now on. Raises `KeyError` for an unknown link."""
        self._advance(now_s)
        bundle = self._bundle(_key(flow))
        flow.order = self._started
        flow.rate_bps = 1.0 / bundle.key[1][0]
        self._started += 1
        bundle.pool.advance(now_s)
        bundle.pool.join(flow)
        bundle.unserved[flow] = None
        self._touch(bundle)

    def cancel(self, now_s: float, flow: Flow) -> None:
        """Take `flow` out; its `left_bits` and `airtime_s` say how far it came."""
        self._advance(now_s)
        if flow.finish == inf:
            return
        bundle = self._bundles[_key(flow)]
        bundle.pool.advance(now_s)
        bundle.pool.leave(flow)
        bundle.unserved.pop(flow, None)
        self._touch(bundle)

    def set_rates(self, now_s: float, rates_bps: Iterable[tuple[Flow, float]]) -> None:
        """Raise `TypeError`: what a routed flow has follows from its links."""
        raise TypeError("a routed flow has no rate of its own; change the capacities of its links")

    def set_capacity(self, now_s: float, capacity: float, link: str = "") -> None:
        """Change the capacity of `link`; at 0 every flow on it waits. Raises `KeyError` if unknown."""
        self._advance(now_s)
        self._links[link].capacity = capacity
        self._dirty[self._links[link]] = None

    def finish(self, now_s: float) -> list[Flow]:
        """Take out the flows that are through by now, in the order of start."""
        self._advance(now_s)
        through: list[Flow] = []
        dues = self._dues
        while dues and dues[0][0] <= now_s:
            _, _, version, bundle = heappop(dues)
            if version == bundle.version:
                bundle.pool.advance(now_s)
                through += bundle.pool.ripe()
                self._touch(bundle)
        if len(through) > 1:
            through.sort(key=lambda flow: flow.order)
        return through

    def _advance(self, now_s: float) -> None:
        if self._dirty and now_s > self._now_s:
            self._solve()
        self._now_s = now_s

    def _bundle(self, key: Key) -> Bundle:
        if key not in self._bundles:
            path, consumption, ceiling = key
            if not path:
                raise ValueError("a routed flow needs a link")
            uses = tuple((self._links[name], use) for name, use in zip(path, consumption, strict=True))
            self._bundles[key] = Bundle(uses, ceiling, key=key, rank=self._ranks)
            self._ranks += 1
        return self._bundles[key]

    def _touch(self, bundle: Bundle) -> None:
        """Note that the flows of `bundle` have changed, and let it come or go with them."""
        bundle.weight = bundle.pool.weights.value
        self._touched[bundle] = None
        for link, _ in bundle.uses:
            self._dirty[link] = None
            if bundle.pool.live:
                link.tenants[bundle] = None
            else:
                link.tenants.pop(bundle, None)

    def _solve(self) -> None:
        """Find the rates anew wherever the changes of this instant can reach."""
        self.solves += 1
        for bundle in self._touched:
            if not bundle.pool.live:
                bundle.version += 1
                bundle.pool.run(0.0, 1.0)
                del self._bundles[bundle.key]
        links, bundles = self._reached()
        before = [bundle.level for bundle in bundles]
        fill(links, bundles)
        for bundle, level in zip(bundles, before, strict=True):
            if bundle.level != level or bundle in self._touched:
                bundle.rerun(self._now_s)
                if bundle.pool.due_s < inf:
                    heappush(self._dues, (bundle.pool.due_s, bundle.rank, bundle.version, bundle))
        self._dirty, self._touched = {}, {}
        if len(self._dues) > 4 * len(self._bundles) + 16:
            self._dues = [entry for entry in self._dues if entry[2] == entry[3].version]
            heapify(self._dues)

    def _reached(self) -> tuple[list[Link], list[Bundle]]:
        """Return the links and bundles that are tied to the changed ones, however far."""
        links = dict(self._dirty)
        bundles: dict[Tenant, None] = {}
        todo = list(links)
        for link in todo:
            for bundle in link.tenants:
                if bundle not in bundles:
                    bundles[bundle] = None
                    for other, _ in bundle.uses:
                        if other not in links:
                            links[other] = None
                            todo.append(other)
        return todo, cast("list[Bundle]", list(bundles))  # nothing else sits on these links


def _key(flow: Flow) -> Key:
    assert isinstance(flow, Routed)
    return flow.path, flow.consumption, flow.cap_bps / flow.weight
