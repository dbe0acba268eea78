"""Which share serves which transfer, for a case of links and transfers known in advance. No clock here.

1. A link that never binds is left out: one whose capacity is always enough for all that the other links
   of its transfers let through at most, as a server's fast link behind slow cells.
2. A link of constant capacity that only one transfer of the case uses becomes a cap of that transfer.
3. What is left falls into components that share no link. A component of one link is a `FluidShare`
   (O(log N) per event); one of several is a `MaxMinShare`.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from math import fsum, inf
from typing import Literal, NamedTuple

from slfac_sim.network.engine.flow import Flow, Routed, Share
from slfac_sim.network.engine.fluid import FluidShare
from slfac_sim.network.engine.max_min import MaxMinShare
from slfac_sim.network.engine.naive import NaiveGraph
from slfac_sim.network.engine.profiles import Profile


class Demand(NamedTuple):
    """A transfer of the case: `bits` over all links of `path` at once; a bit uses `consumption` of each.

    `path` is not empty and `consumption` is as long; `bits`, `weight` and each use are positive.
    `weight` is that of the bit rate (what is levelled is rate / weight), `cap_bps` the most that it takes.
    """

    path: tuple[str, ...]
    consumption: tuple[float, ...]
    bits: float
    weight: float = 1.0
    cap_bps: float = inf


class Plan(NamedTuple):
    """`places`: share and flow of each demand, in their order, for `Engine.start(share, flow, done)`.

    `follows`: arguments for `Engine.follow(share, profile, link)`, one for each link that changes.
    """

    places: Sequence[tuple[Share, Flow]]
    follows: Sequence[tuple[Share, Profile, str]]


def plan(
    links: Mapping[str, Profile], demands: Sequence[Demand], engine: Literal["auto", "naive"] = "auto"
) -> Plan:
    """Return who serves what. `Profile(c)` is a link of constant capacity c (bit/s where consumption is 1).

    `naive` serves all by one `NaiveGraph`, and leaves out nothing. Raises `KeyError` for a link of a
    path that is not among `links`.
    """
    count = Counter((demand.path, demand.consumption) for demand in demands)
    routes = {way: _Route(_uses(*way)) for way in count}
    profiles = {name: links[name] for path, _ in count for name in path}
    if engine == "naive":
        graph = NaiveGraph({name: profile.before for name, profile in profiles.items()})
        for route in routes.values():
            route.share = graph
    else:
        _leave_out(profiles, list(routes.values()))
        _make_caps(profiles, [(count[way], route) for way, route in routes.items()])
        _give_shares(profiles, list(routes.values()))
    places = {way: _place(route) for way, route in routes.items()}
    followed = {name: route for route in routes.values() for name in route.uses if profiles[name].changes}
    return Plan(
        [places[demand.path, demand.consumption](demand) for demand in demands],
        [
            (route.share, profiles[name], "" if isinstance(route.share, FluidShare) else name)
            for name, route in followed.items()
        ],
    )


_NOT_YET = FluidShare()  # of a route, until it has its own


class _Route:
    """What demands alike come to: the links that still count with their uses, a cap, and the share."""

    __slots__ = ("cap_bps", "share", "uses")

    def __init__(self, uses: dict[str, float]) -> None:
        self.uses = uses
        self.cap_bps = inf
        self.share: Share = _NOT_YET


def _uses(path: tuple[str, ...], consumption: tuple[float, ...]) -> dict[str, float]:
    uses: dict[str, float] = {}
    for name, use in zip(path, consumption, strict=True):  # a link on the way twice is used twice
        uses[name] = uses.get(name, 0.0) + use
    return uses


def _place(route: _Route) -> Callable[[Demand], tuple[Share, Flow]]:
    """Return what makes the flow of a demand on `route`; it is called for each of many."""
    share, most_bps = route.share, route.cap_bps
    if isinstance(share, FluidShare):
        (use,) = route.uses.values()
        rate_bps = 1.0 / use
        return lambda demand: (
            share,
            Flow(demand.bits, rate_bps, demand.weight * use, min(demand.cap_bps, most_bps)),
        )
    path, consumption = tuple(route.uses), tuple(route.uses.values())
    return lambda demand: (
        share,
        Routed(
            demand.bits, 1.0, demand.weight, min(demand.cap_bps, most_bps), path=path, consumption=consumption
        ),
    )


def _users(routes: list[_Route]) -> dict[str, list[_Route]]:
    users: dict[str, list[_Route]] = {}
    for route in routes:
        for name in route.uses:
            users.setdefault(name, []).append(route)
    return users


def _leave_out(profiles: Mapping[str, Profile], routes: list[_Route]) -> None:
    """Drop links that the others keep from filling up; one by one: each drop rests on links still there."""
    most = {name: max(p.before, *(c for _, c in p.changes), 0.0) for name, p in profiles.items()}
    for name, users in _users(routes).items():
        if any(len(route.uses) == 1 for route in users):
            continue
        through: dict[str, float] = {}  # the most that can come by way of another link, in units of this one
        for route in users:
            bounds = [
                (most[other] * route.uses[name] / u, other)
                for other, u in route.uses.items()
                if other != name
            ]
            bound, gate = min(bounds)
            through[gate] = max(through.get(gate, 0.0), bound)
        if fsum(through.values()) <= min([profiles[name].before, *(c for _, c in profiles[name].changes)]):
            for route in users:
                del route.uses[name]


def _make_caps(profiles: Mapping[str, Profile], routes: list[tuple[int, _Route]]) -> None:
    """Turn constant links of one transfer into its cap, but for its last link."""
    users = Counter(name for count, route in routes for name in route.uses for _ in range(min(count, 2)))
    for _, route in routes:
        for name in [name for name in route.uses if users[name] == 1 and not profiles[name].changes]:
            if len(route.uses) > 1:
                route.cap_bps = min(route.cap_bps, profiles[name].before / route.uses.pop(name))


def _give_shares(profiles: Mapping[str, Profile], routes: list[_Route]) -> None:
    """Give each component, of links tied by routes, the share that it needs."""
    users = _users(routes)
    shares: dict[str, Share] = {}
    for name in users:
        if name not in shares:
            names = _tied(name, users)
            share: Share = FluidShare(profiles[name].before)
            if len(names) > 1:
                share = MaxMinShare({name: profiles[name].before for name in names})
            shares.update(dict.fromkeys(names, share))
    for route in routes:
        route.share = shares[next(iter(route.uses))]


def _tied(name: str, users: Mapping[str, Sequence[_Route]]) -> list[str]:
    """Return the links that routes tie to `name`, however far, and itself."""
    tied = {name: None}
    todo = [name]
    for link in todo:
        new = dict.fromkeys(other for route in users[link] for other in route.uses if other not in tied)
        tied.update(new)
        todo.extend(new)
    return todo
