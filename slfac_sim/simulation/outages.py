"""Outages on the simulated clock: which hosts are down, until when and why. It knows no effect.

What is to come is kept here and not on the calendar, one outage of each host at a time: an endless coming
and going keeps no simulation alive. At one instant everything else comes first.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from heapq import heappop, heappush
from math import inf, nextafter

import simpy

from slfac_sim.effects import HostDown
from slfac_sim.hosts.availability import Outage
from slfac_sim.ledger.store import Ledger
from slfac_sim.simulation.clock import Call


@dataclass
class _Down:
    since_s: float
    until_s: float
    reason: str

    @property
    def for_ever(self) -> bool:
        return self.until_s == inf


@dataclass(eq=False)
class _Waiter:
    hosts: tuple[str, ...]
    event: simpy.Event


class Outages:
    """Takes hosts down and up again as `plans` say; `went_down` and `came_up` are then told their names.

    `down` holds the hosts that are down.
    """

    def __init__(
        self,
        env: simpy.Environment,
        plans: Mapping[str, Iterator[Outage]],
        ledger: Ledger,
        went_down: Callable[[str], None],
        came_up: Callable[[str], None],
    ) -> None:
        self._env = env
        self._plans = dict(plans)
        self._ledger = ledger
        self._went_down = went_down
        self._came_up = came_up
        self.down: dict[str, _Down] = {}
        self._next: dict[str, Outage] = {}
        self._agenda: list[tuple[float, int, str]] = []
        self._order = {host: order for order, host in enumerate(plans)}
        self._waiters: dict[_Waiter, None] = {}
        for host in self._plans:
            self._plan_next(host, 0.0)

    def check(self, host: str) -> None:
        """Raise `HostDown` if `host` is down."""
        if host in self.down:
            raise self.failure(host)

    def failure(self, host: str) -> HostDown:
        """Return what is raised into who needs `host`, which is down."""
        return HostDown(f"{host} is down: {self.down[host].reason}")

    @property
    def next_s(self) -> float:
        """When the next host goes down or comes up; infinite if none will."""
        return self._agenda[0][0] if self._agenda else inf

    def will_go_down(self, host: str) -> bool:
        """Return whether an outage of `host`, which is up, is still to come."""
        return host in self._next

    @property
    def waited_for(self) -> bool:
        """Whether somebody waits for a host to come up; one that comes up is then planned."""
        return bool(self._waiters)

    def under_way(self) -> Iterator[str]:
        """Yield, in words, for whom somebody waits to come up."""
        for waiter in self._waiters:
            yield f"a wait for {', '.join(waiter.hosts)} to come up"

    def begin(self) -> None:
        """Take down, before anything happens, what is down at the present."""
        while self.next_s <= self._env.now:
            self._happen()

    def put_next_on_calendar(self) -> None:
        """Have the next thing happen, not an ulp early."""
        now_s, at_s = self._env.now, self.next_s
        delay_s = max(at_s - now_s, 0.0)
        Call(self._env, self._happen_if_due, delay_s if now_s + delay_s >= at_s else nextafter(delay_s, inf))

    def end(self, host: str, reason: str) -> None:
        """Take `host` down now and for ever."""
        before = self.down.get(host)
        if before is not None and before.for_ever:
            return
        self._next.pop(host, None)
        self._plans.pop(host, None)
        self._agenda = sorted(entry for entry in self._agenda if entry[2] != host)
        if before is not None:
            self._write(host, before, self._env.now)
        self.down[host] = _Down(self._env.now, inf, reason)
        if before is None:
            self._went_down(host)
        self._answer_waiters()

    def present(self, hosts: Sequence[str]) -> tuple[str, ...]:
        """Return those of `hosts` that are up, in the same order."""
        return tuple(host for host in hosts if host not in self.down)

    def wait(self, hosts: tuple[str, ...]) -> simpy.Event | None:
        """Return an event that happens once one of `hosts`, which are down, is up or none ever will be.

        None if there is nothing to wait for.
        """
        if not self._hopeful(hosts):
            return None
        waiter = _Waiter(hosts, self._env.event())
        self._waiters[waiter] = None
        return waiter.event

    def forget(self, event: simpy.Event) -> None:
        """Let nobody wait for `event` any longer."""
        self._waiters = {waiter: None for waiter in self._waiters if waiter.event is not event}

    def close(self) -> None:
        """Write the rows of the hosts that are still down."""
        for host, down in self.down.items():
            self._write(host, down, None)

    def _plan_next(self, host: str, earliest_s: float) -> None:
        outage = next(self._plans[host], None)
        if outage is None:
            return
        if not earliest_s <= outage.down_s <= outage.up_s:
            raise ValueError(f"the outages of {host} are not in order: {outage} after {earliest_s} s")
        if outage.down_s < inf:
            self._next[host] = outage
            heappush(self._agenda, (outage.down_s, self._order[host], host))

    def _happen_if_due(self, _: simpy.Event) -> None:
        if self.next_s <= self._env.now:  # else a battery was faster
            self._happen()

    def _happen(self) -> None:
        """Take down, or up, the host whose turn it is."""
        _at_s, order, host = heappop(self._agenda)
        if host in self.down:
            self._come_up(host)
            return
        outage = self._next.pop(host)
        self.down[host] = _Down(self._env.now, outage.up_s, outage.reason)
        if outage.up_s < inf:
            heappush(self._agenda, (outage.up_s, order, host))
        self._went_down(host)
        self._answer_waiters()

    def _come_up(self, host: str) -> None:
        down = self.down.pop(host)
        self._write(host, down, self._env.now)
        self._plan_next(host, down.until_s)
        self._came_up(host)
        self._answer_waiters()

    def _write(self, host: str, down: _Down, up_s: float | None) -> None:
        self._ledger.append("outages", (host, down.since_s, up_s, down.reason))

    def _answer_waiters(self) -> None:
        for waiter in list(self._waiters):
            if self.present(waiter.hosts) or not self._hopeful(waiter.hosts):
                del self._waiters[waiter]
                waiter.event.succeed()

    def _hopeful(self, hosts: Sequence[str]) -> bool:
        return not all(host in self.down and self.down[host].for_ever for host in hosts)


def cause_of(stop: simpy.Interrupt) -> Exception:
    """Return what to raise after the interruption `stop`: a new `HostDown` if that is why, or else `stop`."""
    return HostDown(stop.cause.reason) if isinstance(stop.cause, HostDown) else stop
