"""Who keeps the books of energy, and what comes of an empty battery. It knows no power and no effect."""

from collections.abc import Callable, Collection
from typing import Any, Protocol

import simpy

from slfac_sim.network import Delivery

EMPTY = "battery empty"


class Energy(Protocol):
    """Is told what hosts did once it is over, and asked then whether a host's battery is used up.

    `players.energy.Energy` is one.
    """

    @property
    def limited(self) -> Collection[str]:
        """The hosts that have a battery; no other is ever `empty`."""
        ...

    def computed(self, host: str, what: str, busy_s: float) -> None:
        """Count `busy_s` of the processor's time for the work `what`, interrupted work included.

        On a processor that is shared it is this work's part of the time.
        """
        ...

    def sent(self, delivery: Delivery, receivers: tuple[str, ...]) -> None:
        """Count a transfer, whatever its end; `receivers` are those that received until then."""
        ...

    def down(self, host: str, at_s: float) -> None:
        """Take `host` off."""
        ...

    def up(self, host: str, at_s: float) -> None:
        """Take `host` back."""
        ...

    def empty(self, host: str, at_s: float) -> bool:
        """Return whether the battery of `host` is used up."""
        ...

    def spent_together_j(self, at_s: float) -> tuple[float, float]:
        """Return the joules that all devices together, and that the server, have drawn until `at_s`."""
        ...


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

    def spent(self, number: int) -> dict[str, Any]:
        """Return the row of the table `spent` for an evaluation now, after round `number`."""
        devices_j, server_j = self._energy.spent_together_j(self._env.now)
        return {"round": number, "at_s": self._env.now, "devices_j": devices_j, "server_j": server_j}

    def _end_empty(self, host: str) -> None:
        if self._energy.empty(host, self._env.now):
            self._end(host, EMPTY)
