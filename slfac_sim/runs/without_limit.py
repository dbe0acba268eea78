"""A network without a limit on any rate: a replay on it tells what the air and the wires cost."""

from slfac_sim.analysis.structure import wire_of
from slfac_sim.network import NetworkSettings
from slfac_sim.network.kinds.ideal import Ideal
from slfac_sim.network.kinds.topology import Topology
from slfac_sim.network.topology.settings import Access, WiredLink
from slfac_sim.scenario.hosts import cloud_of, edges_of, homes_of
from slfac_sim.scenario.schema import Scenario
from slfac_sim.simulation.simulate import survey_of

NO_LIMIT = 1e30  # bit/s or FLOP/s, beyond what a scenario may say


def without_limit(scenario: Scenario) -> NetworkSettings:
    """Return a network without a limit on any rate, with the latencies of that of `scenario`.

    With several servers each is a hop from its devices, and its wires to every other one are as long as now.
    """
    survey, homes = survey_of(scenario), homes_of(scenario)
    air = Ideal(up_rate=NO_LIMIT, down_rate=NO_LIMIT, latency=survey.latency_s)
    if scenario.servers is None:
        return air
    devices = {edge: tuple(name for name in homes if homes[name] == edge) for edge in edges_of(scenario)}
    access = {f"at_{edge}": Access(network=air, devices=mine, server=edge) for edge, mine in devices.items()}
    links = {edge: _wire(f"at_{edge}", edge, 0.0) for edge in devices}
    cloud, latency_s = cloud_of(scenario), {wire.name: wire.latency_s for wire in survey.wires}
    ways_s = {
        route.src: sum(latency_s[wire_of(link)] for link in route.links)
        for route in survey.routes
        if route.src in devices and route.dst == cloud
    }
    links |= {f"{edge}_to_cloud": _wire(edge, cloud, ways_s.get(edge, 0.0)) for edge in devices}
    return Topology(access=access, links=links)


def _wire(one: str, other: str, latency_s: float) -> WiredLink:
    return WiredLink(between=(one, other), capacity=NO_LIMIT, latency=latency_s)
