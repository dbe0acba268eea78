"""Weighted max-min sharing of several links at once. No clock here.

Flows of one path are a `Route`, whatever their weights, caps and consumptions, and `settle` finds the levels
of routes. A change costs what its frontier does, and O(log N): the routes whose level it moves, those that
share a link with them, and the flows that come to their caps, or leave them, by that.
"""

from collections.abc import Iterable, Mapping
from heapq import heappop, heappush
from math import inf

from slfac_sim.network.engine.flow import Flow, Routed
from slfac_sim.network.engine.levels import Link, Way, settle
from slfac_sim.network.engine.pool import EntryOf, head, shrink
from slfac_sim.network.engine.route import Route


class MaxMinShare:
    """A share (see `Share`) of links with `Routed` flows.

    However many changes one instant brings, rates are found once: when time goes on, or when `due_s` is
    asked for. Only the links and routes that a change can reach are looked at. `solves` counts.
    """

    def __init__(self, capacities: Mapping[str, float]) -> None:
        self.solves = 0
        self._links = {name: Link(capacity, rank) for rank, (name, capacity) in enumerate(capacities.items())}
        self._routes: dict[tuple[str, ...], Route] = {}
        self._ways: dict[Route, list[tuple[Link, Way]]] = {}
        self._now_s = 0.0
        self._started = 0
        self._ranks = 0
        self._dirty: dict[Link, None] = {}  # their capacities or flows have changed
        self._touched: dict[Route, None] = {}  # their flows have
        self._dues: list[EntryOf[Route]] = []

    @property
    def due_s(self) -> float:
        """When the next flow will be through; infinite when none will."""
        if self._dirty:
            self._solve()
        return head(self._dues)

    def start(self, now_s: float, flow: Flow) -> None:
        """Let `flow`, a `Routed`, take part from now on. Raises `KeyError` for an unknown link."""
        assert isinstance(flow, Routed)
        self._advance(now_s)
        route = self._routes.get(flow.path) or self._new_route(flow.path)
        flow.order = self._started
        self._started += 1
        if flow.cap_bps > 0.0:
            route.advance(now_s)
            route.join(flow)
            self._touch(route)

    def cancel(self, now_s: float, flow: Flow) -> None:
        """Take `flow` out; its `left_bits` and `airtime_s` say how far it came."""
        assert isinstance(flow, Routed)
        self._advance(now_s)
        if flow.finish == inf:
            return
        route = self._routes[flow.path]
        route.advance(now_s)
        route.leave(flow)
        self._touch(route)

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
            _, _, version, route = heappop(dues)
            if version == route.version:
                route.advance(now_s)
                through += route.take_finished()
                self._touch(route)
        if len(through) > 1:
            through.sort(key=lambda flow: flow.order)
        return through

    def _advance(self, now_s: float) -> None:
        if self._dirty and now_s > self._now_s:
            self._solve()
        self._now_s = now_s

    def _new_route(self, path: tuple[str, ...]) -> Route:
        if not path:
            raise ValueError("a routed flow needs a link")
        links = {name: self._links[name] for name in path}
        route = self._routes[path] = Route(path, self._ranks)
        self._ranks += 1
        self._ways[route] = [
            (link, Way(route, load, tuple(other for other in links.values() if other is not link)))
            for link, load in zip(links.values(), route.loads, strict=True)
        ]
        return route

    def _touch(self, route: Route) -> None:
        """Note that the flows of `route` have changed, and let it come or go with them."""
        self._touched[route] = None
        for link, way in self._ways[route]:
            self._dirty[link] = None
            if route.live:
                link.ways[route] = way
            else:
                link.ways.pop(route, None)

    def _solve(self) -> None:
        """Find the rates anew wherever the changes of this instant can reach."""
        self.solves += 1
        for route in self._touched:
            if not route.live:
                route.run(self._now_s)
                del self._routes[route.path], self._ways[route]
        for route in settle(self._dirty, self._now_s):
            if route.ran != route.level:
                route.run(self._now_s)
                if route.due_s < inf:
                    heappush(self._dues, (route.due_s, route.rank, route.version, route))
        self._dirty, self._touched = {}, {}
        shrink(self._dues, 2 * len(self._routes))
