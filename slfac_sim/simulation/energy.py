"""The energy of hosts: power integrated over what each did, and what comes of an empty battery.

A host draws `idle` while it is up, and on top of that `compute` while its processor works, `transmit` and
what its radio radiates while it is on the air, and `receive` while others send to it. Being on the air is
counted at full power, by the airtime of each transfer, whatever share of the medium that had. It knows no
protocol.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any

import simpy

from slfac_sim.effects import CODEC_WORK
from slfac_sim.foundation.roles import is_device
from slfac_sim.hosts.power import Power
from slfac_sim.network import Delivery

EMPTY = "battery empty"


class _Account:
    """What one host did so far, in seconds, and what its radio radiated."""

    __slots__ = ("codec_s", "compute_s", "radiated_j", "receive_s", "since_s", "transmit_s", "up_s")

    def __init__(self) -> None:
        self.compute_s = self.codec_s = self.transmit_s = self.receive_s = 0.0
        self.radiated_j = self.up_s = 0.0
        self.since_s: float | None = 0.0  # up since then; None while it is down


class Energy:
    """The books of all hosts; `batteries` are the joules that a host may spend, missing or None for any.

    The player tells what was done when it is over, and asks after each effect of a host whether its
    battery is `empty`. A battery so lasts to the end of the effect during which it is used up; a host that
    only idles is found empty at its next effect.
    """

    def __init__(
        self, powers: Mapping[str, Power], batteries: Mapping[str, float | None] | None = None
    ) -> None:
        self._powers = powers
        self._batteries = {host: full for host, full in (batteries or {}).items() if full is not None}
        self._accounts = {host: _Account() for host in powers}

    @property
    def limited(self) -> Collection[str]:
        """The hosts that have a battery."""
        return self._batteries.keys()

    def computed(self, host: str, what: str, busy_s: float) -> None:
        """Count `busy_s` of the processor's time, all of it or what an interrupted compute has had.

        On a processor that is shared this is the compute's share of it, so that busy time is counted once.
        """
        account = self._accounts[host]
        account.compute_s += busy_s
        if what in CODEC_WORK:
            account.codec_s += busy_s

    def sent(self, delivery: Delivery, receivers: Collection[str]) -> None:
        """Count a transfer, whatever its end, for its sender and for `receivers`."""
        sender = self._accounts[delivery.src]
        sender.transmit_s += delivery.airtime_s
        sender.radiated_j += delivery.energy_j
        for host in receivers:
            self._accounts[host].receive_s += delivery.airtime_s

    def down(self, host: str, at_s: float) -> None:
        """Take `host` off, if it is up: from now on it draws nothing."""
        account = self._accounts[host]
        if account.since_s is not None:
            account.up_s += at_s - account.since_s
            account.since_s = None

    def up(self, host: str, at_s: float) -> None:
        """Take `host` back, if it is down."""
        account = self._accounts[host]
        if account.since_s is None:
            account.since_s = at_s

    def empty(self, host: str, at_s: float) -> bool:
        """Return whether what `host` has spent until `at_s` has used up its battery."""
        battery = self._batteries.get(host)
        return battery is not None and self.spent_j(host, at_s) >= battery

    def spent_j(self, host: str, at_s: float) -> float:
        """Return the joules that `host` has drawn until `at_s`, as far as was told."""
        total: float = self._row(host, at_s)["total_j"]
        return total

    def spent_together_j(self, at_s: float) -> tuple[float, float]:
        """Return the joules that all devices together, and that all servers, have drawn until `at_s`.

        As far as was told: work and transfers that are under way are counted when they are over.
        """
        devices_j = servers_j = 0.0
        for host in self._accounts:
            if is_device(host):
                devices_j += self.spent_j(host, at_s)
            else:
                servers_j += self.spent_j(host, at_s)
        return devices_j, servers_j

    def rows(self, end_s: float) -> Iterator[dict[str, Any]]:
        """Yield the row of each host for the table `energy`, at the end `end_s` of a run."""
        for host in self._accounts:
            yield self._row(host, end_s)

    def _row(self, host: str, at_s: float) -> dict[str, Any]:
        account, power = self._accounts[host], self._powers[host]
        up_s = account.up_s + (at_s - account.since_s if account.since_s is not None else 0.0)
        compute_j = power.compute * account.compute_s
        transmit_j = power.transmit * account.transmit_s + account.radiated_j
        receive_j, idle_j = power.receive * account.receive_s, power.idle * up_s
        return {
            "host": host,
            "compute_j": compute_j,
            "codec_j": power.compute * account.codec_s,
            "transmit_j": transmit_j,
            "receive_j": receive_j,
            "idle_j": idle_j,
            "total_j": compute_j + transmit_j + receive_j + idle_j,
            "busy_s": account.compute_s,
            "up_s": up_s,
        }


class Meter:
    """Tells `energy`, and has `end(host, reason)` take down for ever the hosts whose battery is empty."""

    def __init__(self, env: simpy.Environment, energy: Energy, end: Callable[[str, str], None]) -> None:
        self._env = env
        self._energy = energy
        self._limited = frozenset(energy.limited)
        self._end = end

    def computed(self, host: str, what: str, busy_s: float) -> None:
        """Tell that `host` has worked."""
        self._energy.computed(host, what, busy_s)
        if host in self._limited:
            self._end_empty(host)

    def sent(self, delivery: Delivery, receivers: tuple[str, ...]) -> None:
        """Tell of a transfer that has ended."""
        self._energy.sent(delivery, receivers)
        if self._limited:
            for host in (delivery.src, *receivers):
                self._end_empty(host)

    def down(self, host: str) -> None:
        """Tell that `host` has gone down."""
        self._energy.down(host, self._env.now)

    def up(self, host: str) -> None:
        """Tell that `host` has come up."""
        self._energy.up(host, self._env.now)
        if host in self._limited:
            self._end_empty(host)

    def spent(self, round_number: int) -> dict[str, Any]:
        """Return the row of the table `spent` for an evaluation now, after round `round_number`."""
        devices_j, servers_j = self._energy.spent_together_j(self._env.now)
        return {"round": round_number, "at_s": self._env.now, "devices_j": devices_j, "server_j": servers_j}

    def _end_empty(self, host: str) -> None:
        if self._energy.empty(host, self._env.now):
            self._end(host, EMPTY)
