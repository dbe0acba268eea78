"""Topologies for the tests, of nodes as a scenario has them, and what is played on them."""

from collections.abc import Mapping, Sequence
from typing import Any

import simpy

from slfac_sim.foundation.plugins import adapter, find
from slfac_sim.network import Delivery, Hosts, LinkUse, NetworkSettings

Sent = tuple[str, str | tuple[str, ...], int]


def network(kind: str, **node: Any) -> NetworkSettings:
    """Return the settings of a network of this `kind`."""
    settings: NetworkSettings = adapter(find("slfac_sim.network.kinds", kind)).validate_python(node)
    return settings


def ideal(rate_bps: float, **more: Any) -> dict[str, Any]:
    """Return the node of an ideal network with this rate both ways."""
    return {"kind": "ideal", "up_rate": rate_bps, "down_rate": rate_bps, **more}


def wire(one: str, other: str, capacity_bps: float, latency_s: float = 0.0, **more: Any) -> dict[str, Any]:
    """Return the node of a link."""
    return {"between": (one, other), "capacity": capacity_bps, "latency": latency_s, **more}


def hosts(devices: int, *servers: str) -> Hosts:
    """Return as many devices, and these servers or the one."""
    return Hosts(tuple(f"d{i}" for i in range(devices)), servers or ("server",))


def played(
    settings: NetworkSettings, on: Hosts, sent: Sequence[Sent], seed: int = 0
) -> tuple[list[Delivery], dict[str, LinkUse]]:
    """Send all of it at once; return the deliveries and what each link has carried."""
    env = simpy.Environment()
    opened = settings.open(env, on, seed)
    transfers = [opened.transfer(*one) for one in sent]
    env.run()
    return [transfer.value for transfer in transfers], {use.link: use for use in opened.link_use()}


def ends_s(settings: NetworkSettings, on: Hosts, sent: Sequence[Sent]) -> list[float]:
    """Return when each of what is sent at once has arrived."""
    return [delivery.end_s for delivery in played(settings, on, sent)[0]]


def is_whole(use: Mapping[str, LinkUse]) -> bool:
    """Return whether every link's bits are carried, lost or in flight, exactly."""
    return all(
        one.offered_bits == one.carried_bits + one.lost_bits + one.in_flight_bits for one in use.values()
    )
