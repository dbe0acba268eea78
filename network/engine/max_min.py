"""Weighted max-min sharing of several links at once, at a cost that hardly depends on the number of flows.

Flows of one path, one consumption and one cap per weight have the same rate per weight for ever: such a
group needs one virtual clock and one heap (`Pool`), and counts once when rates are found. No clock here.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from heapq import heapify, heappop, heappush
from math import inf
from typing import cast

from slfac_sim.network.engine.filling import Link, LinkUser, fill
from slfac_sim.network.engine.flow import Flow, Routed
from slfac_sim.network.engine.pool import Pool

Key = tuple[tuple[str, ...], tuple[float, ...], float]


@dataclass(eq=False, slots=True)
class FlowGroup(LinkUser):
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


class MaxMinShare:
    """A share (see `Share`) of links with `Routed` flows. An event costs what its groups do, and O(log N).

    However many changes one instant brings, rates are found once: when time goes on, or when `due_s` is
    asked for. Only the links and groups that a change can reach are looked at. `solves` counts.
    """

    def __init__(self, capacities: Mapping[str, float]) -> None:
        self.solves = 0
        self._links = {name: Link(capacity) for name, capacity in capacities.items()}
        self._groups: dict[Key, FlowGroup] = {}
        self._now_s = 0.0
        self._started = 0
        self._ranks = 0
        self._dirty: dict[Link, None] = {}  # their capacities or users have changed
        self._touched: dict[FlowGroup, None] = {}  # their flows have
        self._dues: list[tuple[float, int, int, FlowGroup]] = []

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
        group = self._group(_key(flow))
        flow.order = self._started
        flow.rate_bps = 1.0 / group.key[1][0]
        self._started += 1
        group.pool.advance(now_s)
        group.pool.join(flow)
        group.unserved[flow] = None
        self._touch(group)

    def cancel(self, now_s: float, flow: Flow) -> None:
        """Take `flow` out; its `left_bits` and `airtime_s` say how far it came."""
        self._advance(now_s)
        if flow.finish == inf:
            return
        group = self._groups[_key(flow)]
        group.pool.advance(now_s)
        group.pool.leave(flow)
        group.unserved.pop(flow, None)
        self._touch(group)

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
            _, _, version, group = heappop(dues)
            if version == group.version:
                group.pool.advance(now_s)
                through += group.pool.take_finished()
                self._touch(group)
        if len(through) > 1:
            through.sort(key=lambda flow: flow.order)
        return through

    def _advance(self, now_s: float) -> None:
        if self._dirty and now_s > self._now_s:
            self._solve()
        self._now_s = now_s

    def _group(self, key: Key) -> FlowGroup:
        if key not in self._groups:
            path, consumption, ceiling = key
            if not path:
                raise ValueError("a routed flow needs a link")
            uses = tuple((self._links[name], use) for name, use in zip(path, consumption, strict=True))
            self._groups[key] = FlowGroup(uses, ceiling, key=key, rank=self._ranks)
            self._ranks += 1
        return self._groups[key]

    def _touch(self, group: FlowGroup) -> None:
        """Note that the flows of `group` have changed, and let it come or go with them."""
        group.weight = group.pool.weights.value
        self._touched[group] = None
        for link, _ in group.uses:
            self._dirty[link] = None
            if group.pool.live:
                link.users[group] = None
            else:
                link.users.pop(group, None)

    def _solve(self) -> None:
        """Find the rates anew wherever the changes of this instant can reach."""
        self.solves += 1
        for group in self._touched:
            if not group.pool.live:
                group.version += 1
                group.pool.run(0.0, 1.0)
                del self._groups[group.key]
        links, groups = self.reached()
        before = [group.level for group in groups]
        fill(links, groups)
        for group, level in zip(groups, before, strict=True):
            if group.level != level or group in self._touched:
                group.rerun(self._now_s)
                if group.pool.due_s < inf:
                    heappush(self._dues, (group.pool.due_s, group.rank, group.version, group))
        self._dirty, self._touched = {}, {}
        if len(self._dues) > 4 * len(self._groups) + 16:
            self._dues = [entry for entry in self._dues if entry[2] == entry[3].version]
            heapify(self._dues)

    def reached(self) -> tuple[list[Link], list[FlowGroup]]:
        """Return the links and groups that are tied to the changed ones, however far."""
        links = dict(self._dirty)
        groups: dict[LinkUser, None] = {}
        todo = list(links)
        for link in todo:
            for group in link.users:
                if group not in groups:
                    groups[group] = None
                    for other, _ in group.uses:
                        if other not in links:
                            links[other] = None
                            todo.append(other)
        return todo, cast("list[FlowGroup]", list(groups))  # nothing else sits on these links


def _key(flow: Flow) -> Key:
    assert isinstance(flow, Routed)
    return flow.path, flow.consumption, flow.cap_bps / flow.weight
