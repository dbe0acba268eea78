"""The hosts of a scenario by role: its servers, whom each device learns with, the edges and the cloud."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from slfac_sim.foundation.errors import BadSettings
from slfac_sim.foundation.roles import Hosts
from slfac_sim.hosts.names import SERVER, device_names
from slfac_sim.hosts.settings import Server

if TYPE_CHECKING:
    from slfac_sim.scenario.schema import Scenario


def servers_of(scenario: Scenario) -> Mapping[str, Server]:
    """Return the settings of each server by its name."""
    return {SERVER: scenario.server} if scenario.servers is None else scenario.servers


def paths_of(scenario: Scenario) -> Mapping[str, Server]:
    """Return the settings of each server by the path at which they stand."""
    if scenario.servers is None:
        return {"server": scenario.server}
    return {f"servers.{name}": server for name, server in scenario.servers.items()}


def with_servers(scenario: Scenario, **settings: Any) -> Scenario:
    """Return `scenario` with these `settings` of every server."""
    if scenario.servers is None:
        return replace(scenario, server=replace(scenario.server, **settings))
    changed = {name: replace(server, **settings) for name, server in scenario.servers.items()}
    return replace(scenario, servers=changed)


def hosts_of(scenario: Scenario) -> Hosts:
    """Return who is on the network."""
    return Hosts(device_names(scenario.devices.count), tuple(servers_of(scenario)))


def homes_of(scenario: Scenario) -> Mapping[str, str]:
    """Return the server that each device learns with, in device order. Raises `BadInput`."""
    hosts = hosts_of(scenario)
    homes: Mapping[str, str] = scenario.network.homes(hosts)
    return {device: homes[device] for device in hosts.devices}


def edges_of(scenario: Scenario) -> tuple[str, ...]:
    """Return the servers that devices learn with, in the order of the scenario. Raises `BadInput`."""
    homes = set(homes_of(scenario).values())
    return tuple(server for server in servers_of(scenario) if server in homes)


def cloud_of(scenario: Scenario) -> str:
    """Return the one server without devices, which is above the edges. Raises `BadInput` for none or more."""
    edges = edges_of(scenario)
    above = [server for server in servers_of(scenario) if server not in edges]
    if len(above) != 1:
        text = f"expected one without devices, the cloud above the edges {', '.join(edges)}"
        raise BadSettings((("servers",), f"{text} (got {', '.join(above) or 'none'})"))
    return above[0]
