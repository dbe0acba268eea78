"""The effects of changes on a path: its rate, latency and losses at each time. They know no clock.

Rates take each other's place, in the order in which they are written; factors multiply what that leaves.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from math import inf, prod

from slfac_sim.network.change import Effect
from slfac_sim.network.transfers import Bursts, Hop, Path
from slfac_sim.network.varying.courses import Course

Among = Callable[[int], float] | None
Losses = tuple[float, Bursts | None]  # a part of the packets, and how it comes in bursts


@dataclass(frozen=True, eq=False)
class Effects:
    """The effects on one path, in order: `all` those on its access, and those on each of its `wires`.

    Those on a wire have no wires.
    """

    all: Sequence[Effect] = ()
    wires: Mapping[str, "Effects"] = field(default_factory=dict)

    def rate(self, t_s: float, rate_bps: float, among: Among) -> tuple[float, Among]:
        """Return the rate of the path at `t_s`, alone and among n, where these are those of the air."""
        if not self.all:
            return rate_bps, among
        factor = 1.0
        for effect in self.all:
            if effect.rates_bps:
                others_bps = rate_bps if effect.of_some else inf
                rate_bps, among = min(_least(effect.rates_bps, t_s), others_bps), None
            if effect.factors:
                factor *= _least(effect.factors, t_s)
        if among is None or factor == 1.0:
            return factor * rate_bps, among
        whole = among
        return factor * rate_bps, lambda n: factor * whole(n)

    def latency_s(self, t_s: float, path: Path) -> float:
        """Return the latency of `path` at `t_s`."""
        if not self.all and not self.wires:
            return path.latency_s
        hops = [hop for hop in path.hops if hop.link in self.wires]
        later_s = sum(self.wires[hop.link].own_s(t_s, hop.latency_s) - hop.latency_s for hop in hops)
        if not any(effect.latencies_s for effect in self.all):
            return path.latency_s + later_s
        wires_s = sum(hop.latency_s for hop in path.hops)
        return self.own_s(t_s, path.latency_s - wires_s) + wires_s + later_s

    def own_s(self, t_s: float, latency_s: float) -> float:
        """Return the latency of one link at `t_s`, where it is `latency_s` by itself."""
        for effect in self.all:
            if effect.latencies_s:
                others_s = latency_s if effect.of_some else 0.0
                latency_s = max(others_s, *(course.at(t_s) for course in effect.latencies_s))
        return latency_s

    def seen(self, t_s: float, path: Path) -> Path:
        """Return `path` with its wires as they are at `t_s`."""
        return replace(path, hops=tuple(self._seen(t_s, hop) for hop in path.hops)) if self.wires else path

    def _seen(self, t_s: float, hop: Hop) -> Hop:
        effects = self.wires.get(hop.link)
        if effects is None:
            return hop
        loss, bursts = effects.losses(t_s) or (hop.loss, hop.bursts)
        capacity_bps, _ = effects.rate(t_s, hop.capacity_bps, None)
        return replace(hop, capacity_bps=capacity_bps, loss=loss, bursts=bursts)

    def losses(self, t_s: float) -> Losses | None:
        """Return what is lost of the packets of one link at `t_s`; None: what it loses by itself."""
        losses: Losses | None = None
        for effect in self.all:
            if effect.losses:
                losses = max(course.at(t_s) for course in effect.losses), None
            if effect.bursts is not None:
                losses = effect.bursts.mean, effect.bursts
        return losses

    def next_s(self, t_s: float) -> float:
        """Return when the rate changes next after `t_s`, infinite if it never does."""
        return min((course.next_s(t_s) for course in self._of_rates()), default=inf)

    def _of_rates(self) -> Iterator[Course]:
        return chain.from_iterable((*effect.rates_bps, *effect.factors) for effect in self.all)


class Capacity(Course):
    """What a link that has `own_bps` by itself carries under `effects`, which may say that themselves."""

    def __init__(self, effects: Effects, own_bps: float = 0.0) -> None:
        self._effects, self._own_bps = effects, own_bps

    def at(self, t_s: float) -> float:
        """Return the capacity at `t_s` in bit/s."""
        return self._effects.rate(t_s, self._own_bps, None)[0]

    def next_s(self, t_s: float) -> float:
        """Return when it changes next."""
        return self._effects.next_s(t_s)

    @property
    def mean(self) -> float:
        """The mean, as if several effects had nothing to do with each other."""
        return self._of(lambda courses: min(course.mean for course in courses))

    @property
    def least(self) -> float:
        """A bound from below."""
        return self._of(lambda courses: min(course.least for course in courses))

    @property
    def most(self) -> float:
        """A bound from above."""
        return self._of(lambda courses: min(course.most for course in courses))

    def _of(self, of: Callable[[Sequence[Course]], float]) -> float:
        capacity_bps = self._own_bps
        for effect in self._effects.all:
            if effect.rates_bps:
                others_bps = capacity_bps if effect.of_some else inf
                capacity_bps = min(of(effect.rates_bps), others_bps)
        return capacity_bps * prod(of(effect.factors) for effect in self._effects.all if effect.factors)


def worst(effects: Sequence[Effect]) -> Effect:
    """Return what several receivers of one transmission make of it: the worst of each, at each time."""
    bursts = [effect.bursts for effect in effects if effect.bursts is not None]
    return Effect(
        _all(effect.rates_bps for effect in effects),
        _all(effect.factors for effect in effects),
        _all(effect.latencies_s for effect in effects),
        _all(effect.losses for effect in effects),
        max(bursts, key=lambda one: one.mean, default=None),
    )


def _all(courses: Iterable[Sequence[Course]]) -> tuple[Course, ...]:
    return tuple(dict.fromkeys(chain.from_iterable(courses)))


def _least(courses: Sequence[Course], t_s: float) -> float:
    return min(course.at(t_s) for course in courses) if len(courses) > 1 else courses[0].at(t_s)
