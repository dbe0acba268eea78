"""A network without a limit on any rate: a replay on it tells what the air and the wires cost."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from slfac_sim.analysis.structure import wire_of
from slfac_sim.network import NetworkSettings
from slfac_sim.network.contract import Survey
from slfac_sim.network.fluid_settings import FluidSettings
from slfac_sim.network.kinds.ideal import Ideal
from slfac_sim.network.kinds.topology import Topology
from slfac_sim.network.topology.settings import Access, WiredLink
from slfac_sim.scenario.hosts import cloud_of, edges_of, homes_of, hosts_of
from slfac_sim.scenario.schema import Scenario
from slfac_sim.simulation.simulate import survey_of

NO_LIMIT = 1e30  # bit/s or FLOP/s, beyond what a scenario may say


def without_limit(scenario: Scenario) -> NetworkSettings:
    """Return a network without a limit on any rate, with the latencies of that of `scenario`.

    Every device keeps its own, up and down; those that change with time stay at their mean. Each server is a
    hop from its devices, and with several its wires to the cloud are as long as now.
    """
    jitter = scenario.network.jitter if isinstance(scenario.network, FluidSettings) else None
    steady = replace(scenario, network=replace(scenario.network, jitter=None)) if jitter else scenario
    survey, homes = survey_of(steady), homes_of(scenario)
    alike: dict[tuple[str, float, float], list[str]] = {}
    for device, latencies_s in _latencies_s(steady, survey):
        alike.setdefault((homes[device], *latencies_s), []).append(device)
    airs = [_air(up_s, down_s) for _, up_s, down_s in alike]
    if len(alike) == 1 and scenario.servers is None:
        return replace(airs[0], jitter=jitter)
    access, links = {}, {}
    for i, ((server, _, _), devices) in enumerate(alike.items()):
        access[f"at_{i}"] = Access(network=airs[i], devices=tuple(devices), server=server)
        links[f"to_{i}"] = _wire(f"at_{i}", server, 0.0)
    if scenario.servers is not None:
        links |= _to_the_cloud(scenario, survey)
    return Topology(access=access, links=links, jitter=jitter)


def _air(up_s: float, down_s: float) -> Ideal:
    return Ideal(up_rate=NO_LIMIT, down_rate=NO_LIMIT, latency=down_s, up_latency=up_s)


def _latencies_s(scenario: Scenario, survey: Survey) -> Iterator[tuple[str, tuple[float, float]]]:
    """Yield the latency of each device up to the server that it learns with, and down."""
    network, steady = scenario.network, None
    if isinstance(network, FluidSettings) and not network.change:
        air = network.air(hosts_of(scenario), scenario.seed.air)
        steady = None if air.varies else air
    for link in survey.links:
        latencies_s = link.latency_s, link.latency_s
        if steady is not None:
            (up,) = steady.paths(link.device, (link.server,))
            (down,) = steady.paths(link.server, (link.device,))
            latencies_s = up.latency_s, down.latency_s
        yield link.device, latencies_s


def _to_the_cloud(scenario: Scenario, survey: Survey) -> Mapping[str, WiredLink]:
    """Return a wire from each edge to the cloud, as long as the route between them."""
    edges, cloud = edges_of(scenario), cloud_of(scenario)
    latency_s = {wire.name: wire.latency_s for wire in survey.wires}
    ways_s = {
        route.src: sum(latency_s[wire_of(link)] for link in route.links)
        for route in survey.routes
        if route.src in edges and route.dst == cloud
    }
    return {f"{edge}_to_cloud": _wire(edge, cloud, ways_s.get(edge, 0.0)) for edge in edges}


def _wire(one: str, other: str, latency_s: float) -> WiredLink:
    return WiredLink(between=(one, other), capacity=NO_LIMIT, latency=latency_s)
