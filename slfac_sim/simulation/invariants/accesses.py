"""The access networks of a run: which of them carry a transfer, and which way, by roles and rows."""

from collections.abc import Sequence
from typing import Any

from slfac_sim.network import NetworkSettings
from slfac_sim.scenario.hosts import homes_of, hosts_of
from slfac_sim.scenario.schema import Scenario


class Accesses:
    """Who is a server and who a device, and on which access network each device is.

    `air` has the row of each access network by its name, `links` that of each device.
    """

    def __init__(self, scenario: Scenario) -> None:
        self._network: NetworkSettings = scenario.network
        self._homes = homes_of(scenario)
        self.servers = frozenset(hosts_of(scenario).servers)
        self.air: dict[str, dict[str, Any]] = {}
        self.links: dict[str, dict[str, Any]] = {}
        self._stations: list[str] = []

    def row(self, table: str, row: dict[str, Any]) -> None:
        """Hear of what the air offers."""
        if table == "air":
            self.air[row["access"]] = row
        elif table == "stations":
            self._stations.append(row["name"])
        elif table == "links":
            self.links[row["device"]] = row

    def on_air(self, transfer: dict[str, Any]) -> bool:
        """Return whether a device is at one end; servers talk to each other over wires alone."""
        if transfer["dst"] == "*":
            return transfer["src"] in self._homes.values()
        return not {transfer["src"], transfer["dst"]} <= self.servers

    def is_up(self, transfer: dict[str, Any]) -> bool:
        """Return whether a transfer is from a device."""
        return transfer["src"] not in self.servers

    def of(self, transfer: dict[str, Any]) -> Sequence[str]:
        """Return the access networks that carry a transfer: several for a multicast to several."""
        if transfer["dst"] == "*":
            homes = self._homes.items()
            devices = [device for device, server in homes if server == transfer["src"]]
            return list(dict.fromkeys(self.links[device]["access"] for device in devices))
        device = transfer["src" if self.is_up(transfer) else "dst"]
        return [self.links[device]["access"]]

    def stations(self, access: str) -> int:
        """Return how many stations an access network has; one without places is one."""
        if not access:
            return max(1, len(self._stations))
        return max(1, sum(name == access or name.startswith(f"{access}/") for name in self._stations))

    def senders(self, access: str, transfer: dict[str, Any]) -> int:
        """Return how many senders a transfer may have there: each station sends its part of a multicast."""
        return self.stations(access) if transfer["dst"] == "*" else 1

    def settings(self, access: str) -> NetworkSettings:
        """Return the settings of an access network."""
        return self._network.access_settings(access)
