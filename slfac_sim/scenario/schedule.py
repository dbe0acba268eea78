"""What decides how long a protocol's round takes: who learns at once, who in turn, what waits for what."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

ServerStep = Literal["cohort", "in turn", "arrival", "batching"]
Broadcast = Literal["multicast", "unicast"]
Models = Literal["averaged", "relayed", "mixed", "kept"]


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """One round of a protocol as forecasts play it, with sizes in place of tensors.

    The devices that take part learn, `at_once` of them at the same time (None: all); the next begin when
    these have ended, or one by one where models are `mixed`. Each goes through `steps` mini-batches, or makes
    `passes` over its samples where `steps` is None. A mini-batch goes up and comes down `exchanges` times (2
    in a U, 0 where models lie whole), and up to `in_flight` mini-batches of a device are under way at once.

    `server_step`: the server takes one step over the whole `cohort` of those that learn at once; waits for
    them all and then steps on each `in turn`; steps on each mini-batch at its `arrival`; or on what a queue
    has once `max_items` are there or the first has waited for `wait_s` (`batching`). Of each mini-batch the
    gradients of the share `aggregated` are sent to the whole cohort in one multicast.

    `models`: device parts are handed out, handed in and `averaged`; `relayed` by the server from one
    device to the next; `mixed` one by one into a common part that the device is given back at once, so that
    nobody waits for anybody; or `kept` where they are. `broadcast` is how averages go down. With
    `averages_copies` the server also averages as many copies of its own part. With `on_server` the server
    learns alone.

    With `cloud_every` all of this is what the devices of each of several servers do, beside the others; a
    cloud averages the whole models of these servers once in so many rounds, and sends them the mean.
    """

    steps: int | None
    passes: int = 1
    at_once: int | None = None
    exchanges: int = 1
    in_flight: int = 1
    server_step: ServerStep = "cohort"
    max_items: int = 1
    wait_s: float = 0.0
    aggregated: float = 0.0
    models: Models = "averaged"
    broadcast: Broadcast = "multicast"
    averages_copies: bool = False
    on_server: bool = False
    cloud_every: int | None = None

    @property
    def order_matters(self) -> bool:
        """Whether what is learnt depends on the order in which mini-batches arrive, and so on the clock.

        It does not where the server waits for all, nor where it has a copy of its part for each device.
        """
        as_they_come = self.server_step in ("arrival", "batching") and not self.averages_copies
        return as_they_come or self.in_flight > 1 or self.models == "mixed"

    def smallest_cohort(self, devices: int) -> int:
        """Return the fewest mini-batches in a step of the server when so many `devices` take part."""
        if self.server_step != "cohort":
            return 1
        return devices if self.at_once is None else devices % self.at_once or min(self.at_once, devices)
