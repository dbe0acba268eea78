"""What a topology offers: the surveys of its access networks, with the wires and the routes."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import permutations
from math import nan

from slfac_sim.network.contract import Hosts, Link, Route, Station, Survey
from slfac_sim.network.topology.parts import Part
from slfac_sim.network.topology.routes import Routes


def survey_of(parts: Sequence[Part], hosts: Hosts, routes: Routes, crowded: bool) -> Survey:
    """Return the survey; the rates of a link alone are at most what its wires carry.

    What is one figure for the whole is that of all access networks, or the most or least of theirs. Where
    wires may be full (`crowded`), air may be idle while something waits.
    """
    own = {part.name: part.air.survey() for part in parts}
    links = {link.device: link for part in parts for link in _links(part, own[part.name], routes)}
    surveys = list(own.values())
    return Survey(
        links=[links[device] for device in hosts.devices],
        up_share=max(survey.up_share for survey in surveys),
        down_share=max(survey.down_share for survey in surveys),
        multicast_rate_bps=min(_multicast_bps(part, own[part.name], routes) for part in parts),
        redraws=sum(survey.redraws for survey in surveys),
        remarks=[f"{name}: {remark}" for name, survey in own.items() for remark in survey.remarks],
        medium=_each(survey.medium for survey in surveys),
        duplex=_each(survey.duplex for survey in surveys),
        crowd_independent=not crowded and all(survey.crowd_independent for survey in surveys),
        stations=[station for part in parts for station in _stations(part, own[part.name])],
        radius_m=surveys[0].radius_m if len(surveys) == 1 else nan,
        coherence_s=min((s.coherence_s for s in surveys if s.coherence_s is not None), default=None),
        header_bytes=surveys[0].header_bytes if _alike(surveys) else 0,
        packet_bytes=surveys[0].packet_bytes if _alike(surveys) else None,
        wires=routes.wires(),
        routes=[*_air_routes(parts, hosts.servers, routes), *_server_routes(hosts.servers, routes)],
        access=own,
    )


def _alike(surveys: Sequence[Survey]) -> bool:
    """Return whether packets are the same everywhere."""
    return len({(survey.header_bytes, survey.packet_bytes) for survey in surveys}) == 1


def _each(words: Iterator[str]) -> str:
    return ", ".join(dict.fromkeys(words))


def _links(part: Part, survey: Survey, routes: Routes) -> Iterator[Link]:
    """Yield the links of an access network, as far as the server that its devices learn with."""
    for link in survey.links:
        node = part.node(link.station)
        hops = routes.way(node, part.group.server)
        yield replace(
            link,
            station=node,
            latency_s=link.latency_s + sum(hop.latency_s for hop in hops),
            up_rate_bps=min(link.up_rate_bps, _most_bps(part, survey, routes, node, True)),
            down_rate_bps=min(link.down_rate_bps, _most_bps(part, survey, routes, node, False)),
        )


def _most_bps(part: Part, survey: Survey, routes: Routes, node: str, uplink: bool) -> float:
    """Return the rate at which a lane, in its part of the time, fills the narrowest wire behind it.

    A medium that is told of payload alone has less of the wire than it carries.
    """
    ends = (node, part.group.server) if uplink else (part.group.server, node)
    narrowest_bps = min(hop.capacity_bps for hop in routes.way(*ends))
    framing = part.air.framing(part.lanes[0].name)
    if framing.holds_headers and framing.packet_bytes is not None:
        narrowest_bps *= framing.packet_bytes / (framing.packet_bytes + framing.header_bytes)
    return narrowest_bps / (survey.up_share if uplink else survey.down_share)


def _multicast_bps(part: Part, survey: Survey, routes: Routes) -> float:
    nodes = {part.node(link.station) for link in survey.links}
    return min(
        survey.multicast_rate_bps, *(_most_bps(part, survey, routes, node, False) for node in sorted(nodes))
    )


def _stations(part: Part, survey: Survey) -> Iterator[Station]:
    for station in survey.stations:
        yield replace(station, name=part.node(station.name))


def _air_routes(parts: Sequence[Part], servers: Sequence[str], routes: Routes) -> Iterator[Route]:
    """Yield the way from each lane to each server, and back."""
    for part in parts:
        for lane in part.lanes:
            node, name = part.node(lane.station), part.lane(lane.name)
            for server in servers:
                for uplink in lane.ways:
                    src, dst = (node, server) if uplink else (server, node)
                    wires = tuple(hop.link for hop in routes.way(src, dst))
                    yield Route(src, dst, (name, *wires) if uplink else (*wires, name))


def _server_routes(servers: Sequence[str], routes: Routes) -> Iterator[Route]:
    for src, dst in permutations(servers, 2):
        yield Route(src, dst, tuple(hop.link for hop in routes.way(src, dst)))
