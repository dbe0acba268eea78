"""Access networks of any kind, wired to one or several servers: transfers cross their air, then links.

A transfer is one flow over all of that. What it gets is the least of what its air and each of its links would
let it have, where each shares by its own rule: the air as it would alone, links equally.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import field, replace
from functools import partial
from itertools import islice
from typing import Annotated, Self

from pydantic import Field

from slfac_sim.foundation.errors import BadInput, BadSettings, SettingFault, did_you_mean
from slfac_sim.foundation.plugins import kind_of, settings
from slfac_sim.network.air import Air
from slfac_sim.network.change import Change
from slfac_sim.network.contract import Hosts, NetworkSettings, Sharing, Survey
from slfac_sim.network.fluid_settings import FluidSettings
from slfac_sim.network.topology.air import TopologyAir
from slfac_sim.network.topology.changed import at_most, busy_wires, lane_most_bps, wire_effects
from slfac_sim.network.topology.graphml import links_in
from slfac_sim.network.topology.groups import Group, groups
from slfac_sim.network.topology.parts import Part
from slfac_sim.network.topology.remarks import remarks_on
from slfac_sim.network.topology.routes import Routes, check_nodes
from slfac_sim.network.topology.settings import Access, GraphFile, Name, WiredLink
from slfac_sim.network.transport.fluid import Fluid


@settings
class Topology(FluidSettings):
    """Routes are the shortest by latency, then by the number of links, then the first by the names of nodes.

    A multicast is one transmission in each cell and one copy on each link; it ends with its slowest branch.
    """

    access: Annotated[dict[Name, Access], Field(min_length=1)]
    """The access networks, by names that are their nodes."""
    links: dict[Name, WiredLink] = field(default_factory=dict)
    """The wired links between nodes, by their names."""
    graph: GraphFile | None = None
    """A file with the links, in place of `links`."""

    def __post_init__(self) -> None:
        if self.links and self.graph is not None:
            raise ValueError("graph and links are two ways to say the same: leave one out")
        for name, one in self.access.items():
            path = ("network", "access", name, "network")
            if isinstance(one.network, Topology):
                raise BadSettings((path, "no topology can be in another; join their links"))
            for key, none in (("transport", Fluid()), ("jitter", None), ("change", None)):
                if getattr(one.network, key) != none:
                    raise BadSettings(((*path, key), f"goes with the topology, network.{key}"))

    @property
    def loses_packets(self) -> bool:
        """Whether any link loses packets."""
        return super().loses_packets or any(link.loss > 0.0 for link in self._links().values())

    @property
    def shared(self) -> Sharing:
        """How transfers share the air: what can be said of all access networks."""
        first, *others = (one.network.shared for one in self.access.values())
        alike = all(other == first for other in others)
        return first if alike else Sharing(bounded=False, multicasts_bounded=False)

    @property
    def radiates_w(self) -> tuple[float | None, float | None]:
        """The most that a device, and that a station, of any access network radiates."""
        bounds = [one.network.radiates_w for one in self.access.values()]
        device_w, station_w = (None if None in way else max(way) for way in zip(*bounds, strict=True))
        return device_w, station_w

    @property
    def controls_power(self) -> bool:
        """Whether devices of any access network radiate less than the most where that suffices."""
        return any(one.network.controls_power for one in self.access.values())

    def access_settings(self, name: str) -> NetworkSettings:
        """Return the settings of the access network `name`."""
        settings: NetworkSettings = self.access[name].network
        return settings

    @property
    def still(self) -> Self:
        """The same with the means of each access network."""
        access = {name: replace(one, network=one.network.still) for name, one in self.access.items()}
        return replace(super().still, access=access)

    def homes(self, hosts: Hosts) -> Mapping[str, str]:
        """Return the server that each device learns with. Raises `BadInput` for hosts that have no place."""
        of_all, _ = self._wired(hosts, self._links())
        home = {device: group.server for group in of_all.values() for device in group.devices}
        return {device: home[device] for device in hosts.devices}

    def air(self, hosts: Hosts, seed: int) -> Air:
        """Return the air: each access network with its own devices, and what wires them."""
        links, changes = self._links(), self.change or {}
        effects = wire_effects(changes, links, seed)
        of_all, routes = self._wired(hosts, at_most(links, effects))
        parts = [self._part(name, group, seed) for name, group in of_all.items()]
        most_bps = partial(lane_most_bps, changes, seed=seed)
        busy = busy_wires(changes, routes.capacities_bps)
        return TopologyAir(parts, hosts, routes, effects, most_bps, busy)

    def survey(self, hosts: Hosts, seed: int) -> Survey:
        """Return what all of it offers, with remarks on odd links. Raises `BadInput`."""
        survey = super().survey(hosts, seed)
        return replace(survey, remarks=[*survey.remarks, *remarks_on(self._links(), self.graph)])

    @property
    def hands_over(self) -> bool:
        """Whether changes move devices among the stations of an access network."""
        several = any(len(one.network.nodes) > 1 for one in self.access.values())
        return several and any(change.moves for change in (self.change or {}).values())

    @property
    def lets_devices_move(self) -> bool:
        """Whether any of its access networks does."""
        return any(one.network.lets_devices_move for one in self.access.values())

    def _part(self, name: str, group: Group, seed: int) -> Part:
        network = self.access[name].network
        moving = {key: change for key, change in (self.change or {}).items() if change.moves}
        if moving and not network.lets_devices_move:
            self._refuse_movers(name, group, moving)
            moving = {}
        network = replace(network, transport=self.transport, change=moving or None)
        try:
            air = network.air(Hosts(group.devices, (group.server,)), seed)
        except BadInput as error:  # it names a place in the access network
            raise BadInput(f"network.access.{name}.{error}") from None
        if not air.lanes():
            raise BadInput(
                f"network.access.{name}.network: {kind_of(network)} does not tell its lanes to wires"
            )
        return Part(name, air, group, network.nodes, network.grant, self.in_packets)

    def _refuse_movers(self, access: str, group: Group, moving: Mapping[str, Change]) -> None:
        """Raise `BadInput` for a device of `group` that changes move: its access network does not."""
        for key, change in moving.items():
            for device in group.devices:
                if change.devices == "all" or device in (change.devices or ()):
                    able = [name for name, one in self.access.items() if one.network.lets_devices_move]
                    raise BadInput(
                        f"network.change.{key}.devices: {device} is on network.access.{access}, where devices"
                        f" stand still: expected some of those on {', '.join(able)}"
                    )

    def _links(self) -> Mapping[str, WiredLink]:
        return self.links if self.graph is None else links_in(self.graph.file)

    def _wired(self, hosts: Hosts, links: Mapping[str, WiredLink]) -> tuple[dict[str, Group], Routes]:
        """Return who is where, and the routes. Raises `BadInput` where somebody is not reached."""
        access = {name: one.network.nodes for name, one in self.access.items()}
        stations = {name: [f"{name}/{node}" for node in nodes] for name, nodes in access.items()}
        on, servers = partial(groups, self.access, hosts), hosts.servers
        nodes = _refused(partial(check_nodes, self.links, stations, servers))
        routes = Routes(links, stations)
        unreached = [] if nodes else self._unreached(routes, stations, servers)
        faults = [*_refused(on), *nodes, *unreached]
        if faults:
            raise BadSettings(*faults)
        return on(), routes

    def _unreached(
        self, routes: Routes, stations: Mapping[str, list[str]], servers: Sequence[str]
    ) -> list[SettingFault]:
        """Return the first pair of nodes without a route, as a fault, if there is one."""
        pairs = (ends for ends in self._ends(stations, servers) if not routes.leads(*ends))
        return [self._no_route(*ends, routes.nodes) for ends in islice(pairs, 1)]

    def _no_route(self, src: str, dst: str, nodes: Sequence[str]) -> SettingFault:
        if self.graph is None:
            return ("network", "links"), f"no route from {src} to {dst}"
        missing = [f"no node '{end}'{did_you_mean(end, nodes)}" for end in (src, dst) if end not in nodes]
        told = f" ({'; '.join(missing)})" if missing else ""
        return ("network", "graph", "file"), f"'{self.graph.file}': no route from {src} to {dst}{told}"

    def _ends(self, stations: Mapping[str, list[str]], servers: Sequence[str]) -> Iterator[tuple[str, str]]:
        """Yield the pairs of nodes between which there must be a route: each node and each server."""
        for name, nodes in stations.items():
            for node in nodes or [name]:
                yield from ((node, server) for server in servers)
        yield from ((servers[0], server) for server in servers[1:])


def _refused(check: Callable[[], object]) -> Sequence[SettingFault]:
    """Return what `check` refuses."""
    try:
        check()
    except BadSettings as error:
        return error.faults
    return ()
