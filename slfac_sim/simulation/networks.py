"""The network of a simulation: opened, and in rows what it offers, and what became of links and devices."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import simpy

from slfac_sim.foundation.errors import BadInput
from slfac_sim.foundation.plugins import kind_of
from slfac_sim.ledger.tables import AIR
from slfac_sim.network import Hosts, Network, Survey

Rows = list[dict[str, Any]]

_SIGHTINGS = 16_000  # of all devices that move, in a run
_FEWEST_INSTANTS, _MOST_INSTANTS = 24, 240


def open_network(settings: Any, env: simpy.Environment, hosts: Hosts, seed: int) -> Network:
    """Return the network of `settings` on `env`. Raises `BadInput` for one that lacks the contract."""
    network = settings.open(env, hosts, seed)
    if not isinstance(network, Network):
        got = f"open() returns {type(network).__name__}"
        wanted = "a class that inherits from slfac_sim.network.Network"
        raise BadInput(f"network.kind: {kind_of(settings)}: {got}, expected {wanted}")
    return network


def air_rows(survey: Survey) -> dict[str, Rows]:
    """Return `survey` as rows of the ledger's tables `AIR`."""
    networks = survey.access or {"": survey}
    access_of = {link.device: name for name, network in networks.items() for link in network.links}
    return {
        "air": [_row("air", network, access=name) for name, network in networks.items()],
        "stations": [_row("stations", station) for station in survey.stations],
        "links": [_row("links", link, access=access_of.get(link.device, "")) for link in survey.links],
        "wires": [_row("wires", wire, src=wire.ends[0], dst=wire.ends[1]) for wire in survey.wires],
        "routes": [
            {"src": route.src, "dst": route.dst, "hop": hop, "link": link}
            for route in survey.routes
            for hop, link in enumerate(route.links)
        ],
    }


def link_rows(network: Network) -> Rows:
    """Return what each link has carried until now as rows of `link_use`."""
    return [asdict(use) for use in network.link_use()]


def move_rows(network: Network, end_s: float) -> dict[str, Rows]:
    """Return how devices have moved until now, `end_s`, as rows of the ledger's tables `MOVES`."""
    first = network.sightings([0.0])
    sightings = [*first, *network.sightings(instants_s(end_s, len(first))[1:])]
    return {
        "handovers": [asdict(handover) for handover in network.handovers()],
        "trajectories": [asdict(sighting) for sighting in sightings],
    }


def instants_s(end_s: float, moving: int) -> Sequence[float]:
    """Return when to look where so many `moving` devices are: less often where they are many."""
    if not moving or end_s <= 0.0:
        return [0.0] if moving else []
    stretches = min(_MOST_INSTANTS, max(_FEWEST_INSTANTS, _SIGHTINGS // moving))
    return [end_s * (number / stretches) for number in range(stretches + 1)]


def _row(table: str, figures: Any, **given: Any) -> dict[str, Any]:
    return {name: given[name] if name in given else getattr(figures, name) for name in AIR[table]}
