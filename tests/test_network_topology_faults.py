"""What a topology cannot be is refused in one sentence each, which names the place."""

from pathlib import Path
from typing import Any

import pytest
from told import sentences
from topologies import hosts, ideal, network, wire
from worlds import TINY

from slfac_sim.cli import main
from slfac_sim.foundation.errors import BadInput, BadSettings
from slfac_sim.foundation.plugins import settings
from slfac_sim.network import Hosts
from slfac_sim.network.fluid_settings import FluidSettings
from slfac_sim.network.kinds.ideal import Ideal
from slfac_sim.scenario.files import ScenarioError, load, placed

ACCESS: dict[str, Any] = {
    "campus": {"network": ideal(1e6), "devices": 3},
    "home": {"network": ideal(1e6), "devices": ["d3", "d4"]},
}
LINKS = {"core": wire("campus", "server", 1e6), "dsl": wire("home", "server", 1e6)}


def refused(access: dict[str, Any], links: dict[str, Any], *servers: str, devices: int = 5) -> str:
    """Return the sentence with which the hosts are refused, by all that needs them alike."""
    settings = network("topology", access=ACCESS | access, links=LINKS | links)
    on = hosts(devices, *servers)
    said = set()
    for ask in (settings.homes, lambda on: settings.survey(on, 0), lambda on: settings.open(None, on, 0)):
        with pytest.raises(BadInput) as caught:
            ask(on)
        said.add(str(caught.value))
    (sentence,) = said
    return sentence


def of(devices: Any, **more: Any) -> dict[str, Any]:
    return {"network": ideal(1e6), "devices": devices, **more}


NODES = "campus, home, server"
WHERE: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "devices_that_do_not_add_up": (
        {"campus": of(2)},
        {},
        "network.access: 4 devices are on its networks (campus 2, home 2), expected all 5 of devices.count",
    ),
    "unknown_device": (
        {"home": of(["d3", "d34"])},
        {},
        "network.access.home.devices: no 'd34' among d0 to d4; did you mean 'd4'?",
    ),
    "device_named_twice": ({"home": of(["d3", "d3"])}, {}, "network.access.home.devices: d3 is named twice"),
    "device_named_elsewhere": (
        {"campus": of(["d0", "d1", "d3"])},
        {},
        "network.access.home.devices: d3 is named by network.access.campus too",
    ),
    "unknown_server": (
        {"home": of(2, server="servr")},
        {},
        "network.access.home.server: no 'servr' among server; did you mean 'server'?",
    ),
    "name_of_a_server": (
        {"server": of(1), "campus": of(2)},
        {},
        "network.access.server: 'server' is the name of a server; give the access network another",
    ),
    "unknown_node": (
        {},
        {"dsl": wire("hom", "server", 1e6)},
        f"network.links.dsl.between: no 'hom' among {NODES}; did you mean 'home'? (and a switch joins two"
        " links or more)",
    ),
    "name_near_to_a_switch": (
        {},
        {
            "core": wire("campus", "site", 1e6),
            "dsl": wire("home", "sit", 1e6),
            "metro": wire("site", "server", 1e6),
        },
        f"network.links.dsl.between: no 'sit' among {NODES}, site; did you mean 'site'? (and a switch joins"
        " two links or more)",
    ),
    "node_of_no_station": (
        {"campus": {"network": {"kind": "multi_cell", "stations": 2}, "devices": 3}},
        {"core": wire("campus/s2", "server", 1e6)},
        "network.links.core.between: no 'campus/s2' among campus, home, campus/s0, campus/s1, server; did you"
        " mean 'campus/s1'?",
    ),
    "no_route": ({}, {"dsl": wire("campus", "server", 1e6)}, "network.links: no route from home to server"),
    "no_route_from_a_station": (
        {"campus": {"network": {"kind": "multi_cell", "stations": 2}, "devices": 3}},
        {"core": wire("campus/s1", "server", 1e6)},
        "network.links: no route from campus/s0 to server",
    ),
}


@pytest.mark.parametrize("case", WHERE)
def test_hosts_that_have_no_place_are_one_sentence(case: str) -> None:
    access, links, sentence = WHERE[case]
    assert refused(access, links) == sentence


def test_several_servers() -> None:
    edges = {"campus": of(3, server="edge1"), "home": of(2)}
    links = {"core": wire("campus", "edge1", 1e6), "dsl": wire("home", "edge1", 1e6)}
    assert refused(edges, links, "edge1", "edge2") == (
        "network.access.home.server: must be one of edge1, edge2, since there are several\n"
        "network.links: no route from campus to edge2"
    )
    edges["home"] = of(2, server="edge2")
    assert refused(edges, links, "edge1", "edge2") == "network.links: no route from campus to edge2"


def test_a_medium_that_cannot_follow_a_wire_says_which_can() -> None:
    cell = {"network": {"kind": "cell", "medium": "fifo"}, "devices": 3}
    with pytest.raises(BadInput) as caught:
        network("topology", access=ACCESS | {"campus": cell}, links=LINKS).open(None, hosts(5), 0)
    assert str(caught.value) == (
        "network.access.campus.network.medium: fifo does not divide anew what the wire core, which may be"
        " full, leaves of its air: expected csma, fair, ofdma, proportional_fair, or more capacity"
    )


def test_what_an_access_network_refuses_names_its_place_in_the_topology() -> None:
    far = {"kind": "cell", "positions": [[1e6, 0.0]] * 3, "shadowing": "none"}
    settings = network("topology", access=ACCESS | {"campus": {"network": far, "devices": 3}}, links=LINKS)
    with pytest.raises(BadInput) as caught:
        settings.survey(hosts(5), 0)
    assert str(caught.value) == (
        "network.access.campus.network.positions: no coverage for d0, d1, d2; move them, or write outage:"
        " allow"
    )


@settings
class Laneless(FluidSettings):
    """A network that says nothing of its lanes."""

    def air(self, hosts: Hosts, seed: int) -> Any:
        air: Any = Ideal().air(hosts, seed)
        air.lanes = tuple
        return air


def test_an_access_network_must_tell_its_lanes() -> None:
    access = ACCESS | {"home": {"network": Laneless(), "devices": 2}}
    with pytest.raises(BadInput) as caught:
        network("topology", access=access, links=LINKS).survey(hosts(5), 0)
    assert str(caught.value) == (
        "network.access.home.network: test_network_topology_faults does not tell its lanes to wires"
    )


# --- as a file has them ---

FILE = """\
base: tiny.yaml
network:
  kind: topology
  access:
    home: {network: ideal, devices: 5}
  links:
    core: {between: [home, server], capacity: 1 Mbit/s, latency: 1 ms}
"""
FAULTS = {
    "capacity: 0": ("capacity: 1 Mbit/s", "7:47: network.links.core.capacity: must be more than 0 (got 0)"),
    "one node": ("server]", "7:5: network.links.core: between: must name two nodes (got home twice)"),
    "three": ("server]", "7:21: network.links.core.between: must have at most 2 items (got a list of 3)"),
    "latency": (", latency: 1 ms", "7:5: network.links.core.latency: missing key 'latency'"),
    "capacty": (
        "capacity: 1 Mbit/s",
        "7:57: network.links.core.capacty: unknown key 'capacty'; did you mean 'capacity'?",
    ),
    "no devices": (
        "devices: 5",
        "5:37: network.access.home.devices: must be at least 1 (got 0), or must be a list (got 0)",
    ),
    "graph": ("  links:", "3:9: network: graph and links are two ways to say the same: leave one out"),
    "nested": ("network: ideal", "5:12: network.access.home.network: no topology can be in another"),
    "transport": (
        "network: ideal",
        "5:46: network.access.home.network.transport: goes with the topology, network.transport",
    ),
    "kind": ("network: ideal", "5:21: network.access.home.network.kind: no 'idael' among cell, ideal"),
}
WRITTEN = {
    "capacity: 0": "capacity: 0",
    "one node": "home]",
    "three": "x, server]",
    "latency": "",
    "capacty": "capacity: 1 Mbit/s, capacty: 1 Mbit/s",
    "no devices": "devices: 0",
    "graph": "  graph: {file: site.graphml}\n  links:",
    "nested": "network: {kind: topology, access: {x: {network: ideal, devices: 5}}}",
    "kind": "network: idael",
    "transport": "network: {kind: ideal, transport: udp}",
}


@pytest.mark.parametrize("case", FAULTS)
def test_a_file_with_a_fault_is_told_where(case: str, tmp_path: Path) -> None:
    old, said = FAULTS[case]
    file = tmp_path / "site.yaml"
    file.write_text(FILE.replace("tiny.yaml", str(TINY)).replace(old, WRITTEN[case]))
    with pytest.raises(ScenarioError) as caught:
        load(file)
    first = str(caught.value).splitlines()[0]
    assert first.removeprefix(f"{file}:").startswith(said), first


BASE = FILE.replace("devices: 5", "devices: 3").replace(
    "  links:", "    campus: {network: ideal, devices: 2}\n  links:"
)
OVER: dict[str, tuple[str, ...]] = {
    "network: {links: {core: {between: [home, servr]}}}": (
        "over.yaml:2:35: network.links.core.between: no 'servr' among",
    ),
    "network: {links: {core: {between: [home, campus]}, up: {between: [campus, server], capacity: 1 Mbit/s,"
    " latency: 1 ms}}, access: {home: {devices: 4}}}": (
        "site.yaml:4:3: network.access: 6 devices are on its networks",
    ),
    "network: {access: {home: {server: edge}}}": (
        "over.yaml:2:35: network.access.home.server: no 'edge' among server",
        "site.yaml:7:3: network.links: no route from campus to server",
    ),
    "devices: 6\nnetwork: {links: {core: {between: [hom, server]}}}": (
        "site.yaml:4:3: network.access: 5 devices are on its networks",
        "over.yaml:3:35: network.links.core.between: no 'hom' among",
    ),
}


@pytest.mark.parametrize("command", ["check", "run"])
@pytest.mark.parametrize("text", OVER)
def test_what_does_not_go_with_hosts_is_told_at_its_place(
    text: str,
    command: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("site.yaml").write_text(BASE.replace("tiny.yaml", str(TINY)))
    Path("over.yaml").write_text(f"base: site.yaml\n{text}\n")
    assert main([command, "over.yaml"]) == 2
    told = [line for line in sentences(capsys.readouterr().err) if not line.startswith("note: ")]
    assert len(told) == len(OVER[text])
    for wanted in OVER[text]:
        assert any(line.startswith(wanted) for line in told), told
    assert not Path("runs").exists()


def test_an_override_that_does_not_go_with_hosts_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "site.yaml"
    file.write_text(FILE.replace("tiny.yaml", str(TINY)))
    assert main(["check", str(file), "network.access.home.server=edge"]) == 2
    assert sentences(capsys.readouterr().err)[-1] == (
        "override 'network.access.home.server=edge': network.access.home.server: no 'edge' among server"
    )


def test_a_place_is_that_of_what_lacks_a_setting_or_none(tmp_path: Path) -> None:
    servers = "server: null\nservers: {edge: 1 GFLOP/s, cloud: 1 GFLOP/s}\nprotocol: hierarchical\n"
    Path(tmp_path / "site.yaml").write_text(FILE.replace("tiny.yaml", str(TINY)).replace("server]", "edge]"))
    over = tmp_path / "over.yaml"
    over.write_text(f"base: site.yaml\n{servers}network:\n  access:\n    home: {{}}\n")
    with pytest.raises(ScenarioError) as caught:
        load(over)
    assert f"{over}:7:5: network.access.home.server: must be one of edge, cloud" in str(caught.value)
    over.write_text(f"base: {TINY}\n{servers}")
    with pytest.raises(ScenarioError) as caught:
        load(over)
    assert "servers" in str(caught.value)
    unplaced = BadSettings((("network", "access", "home", "server"), "is none"))
    assert str(placed(unplaced, TINY, (), None)) == f"{TINY}: network.access.home.server: is none"


def test_a_link_that_is_new_by_its_misspelt_name_is_told_so(tmp_path: Path) -> None:
    file = tmp_path / "site.yaml"
    file.write_text(FILE.replace("tiny.yaml", str(TINY)))
    with pytest.raises(ScenarioError) as caught:
        load(file, ["network.links.cor.capacity=2 Mbit/s"])
    place = "override 'network.links.cor.capacity=2 Mbit/s': network.links.cor"
    assert str(caught.value).splitlines()[:2] == [
        f"{place}.between: missing key 'between'; did you mean 'network.links.core'?",
        f"{place}.latency: missing key 'latency'; did you mean 'network.links.core'?",
    ]
    link = "cord: {between: [home, server], capacity: 1 Mbit/s}"
    file.write_text(FILE.replace("tiny.yaml", str(TINY)) + f"    {link}\n")
    with pytest.raises(ScenarioError) as caught:  # both are new here
        load(file)
    assert str(caught.value).splitlines()[0].endswith("network.links.cord.latency: missing key 'latency'")


# --- graphs in files ---


def graph_fault(tmp_path: Path, text: str | None) -> str:
    """Return what is said of a graph; its file is called `g`."""
    file = tmp_path / "g"
    if text is not None:
        file.write_text(text)
    settings = network("topology", access={"home": of(1)}, graph={"file": str(file)})
    with pytest.raises(BadInput) as caught:
        settings.homes(hosts(1))
    return str(caught.value).replace(str(file), "g")


def graphml(**attributes: Any) -> str:
    import networkx as nx

    graph = nx.Graph()
    graph.add_edge("home", "server", **attributes)
    return "\n".join(nx.generate_graphml(graph))


GRAPHS = {
    "absent": (None, "network.graph.file: 'g' cannot be read as GraphML (No such file or directory)"),
    "empty": ("", "network.graph.file: 'g' cannot be read as GraphML (no element found: line 1, column 0)"),
    "html": (
        "<p/>",
        "network.graph.file: 'g' cannot be read as GraphML (file not successfully read as graphml)",
    ),
    "no capacity": (graphml(latency=0.1), "network.graph.file: 'g': edge home-server: has no capacity"),
    "nothing": (graphml(), "network.graph.file: 'g': edge home-server: has no capacity and no latency"),
    "zero": (
        graphml(capacity=0.0, latency=0.1),
        "network.graph.file: 'g': edge home-server: capacity: must be more than 0 (got 0.0)",
    ),
    "unit": (
        graphml(capacity="1 Mbot/s", latency=0.1, name="x"),
        "network.graph.file: 'g': edge x: capacity: unknown data rate unit 'Mbot/s'; did you mean 'Mbit/s'?",
    ),
}


@pytest.mark.parametrize("case", GRAPHS)
def test_a_graph_that_cannot_be_used_is_one_sentence(case: str, tmp_path: Path) -> None:
    text, said = GRAPHS[case]
    assert graph_fault(tmp_path, text) == said


def test_a_graph_of_other_edges(tmp_path: Path) -> None:
    import networkx as nx

    wired = {"capacity": 1e6, "latency": 0.1}
    twice = nx.Graph([("home", "server", {**wired, "name": "x"}), ("home", "y", {**wired, "name": "x"})])
    assert graph_fault(tmp_path, "\n".join(nx.generate_graphml(twice))) == (
        "network.graph.file: 'g': two edges are called x; tell them apart by the attribute name"
    )
    twice = nx.MultiDiGraph([("home", "server", wired)] * 2)
    assert graph_fault(tmp_path, "\n".join(nx.generate_graphml(twice))) == (
        "network.graph.file: 'g': two edges are called home-server; tell them apart by the attribute name"
    )
    loop = nx.Graph([("home", "home", wired)])
    assert graph_fault(tmp_path, "\n".join(nx.generate_graphml(loop))) == (
        "network.graph.file: 'g': edge home-home: between: must name two nodes (got home twice)"
    )
    island = nx.Graph([("home", "servr", wired)])
    assert graph_fault(tmp_path, "\n".join(nx.generate_graphml(island))) == (
        "network.graph.file: 'g': no route from home to server (no node 'server'; did you mean 'servr'?)"
    )


WIRED = {"capacity": 1e6, "latency": 0.1}
DIRECTED: dict[str, tuple[dict[str, Any], dict[str, Any] | None, str]] = {
    "one way": (
        {},
        None,
        "leads from home to server alone; a wire of a directed graph is two opposite edges, the other from"
        " server to home",
    ),
    "latencies": (
        {"loss": 0.1},
        {"latency": 0.2},
        "its two ways differ in latency and loss, expected in capacity alone",
    ),
    "half": (
        {"duplex": "half"},
        {"duplex": "half", "capacity": 2e6},
        "its two ways have capacities of their own; duplex: half shares one",
    ),
    "back": (
        {"back_capacity": 2e6},
        {},
        "back_capacity: the opposite edge says it, as its capacity",
    ),
}


@pytest.mark.parametrize("case", DIRECTED)
def test_a_directed_graph_holds_both_ways_of_each_wire(case: str, tmp_path: Path) -> None:
    import networkx as nx

    there, back, said = DIRECTED[case]
    graph = nx.DiGraph([("home", "server", WIRED | there)])
    if back is not None:
        graph.add_edge("server", "home", **WIRED | back)
    text = "\n".join(nx.generate_graphml(graph))
    assert graph_fault(tmp_path, text) == f"network.graph.file: 'g': edge home-server: {said}"


def test_attributes_that_cannot_be_meant_as_written(tmp_path: Path) -> None:
    edge = "network.graph.file: 'g': edge home-server: "
    assert graph_fault(tmp_path, graphml(**WIRED, back_capacity=1e6)) == (
        f"{edge}back_capacity: an undirected edge does not say which way is back; write a directed graph"
        " (networkx.DiGraph) with an edge for each way, each with its capacity"
    )
    for wrong, right in (("back_capcity", "back_capacity"), ("Latency", "latency"), ("los", "loss")):
        assert graph_fault(tmp_path, graphml(**WIRED, **{wrong: 1})) == (
            f"{edge}unknown attribute '{wrong}'; did you mean '{right}'?"
        )


def test_a_survey_remarks_what_may_not_be_meant(tmp_path: Path) -> None:
    file = tmp_path / "g"
    file.write_text(graphml(capacity=20, latency=15, length_km=3, cost=1))
    settings = network("topology", access={"home": of(1)}, graph={"file": str(file)})
    assert list(settings.survey(hosts(1), 0).remarks) == [
        "network.graph.file: links have no cost, length_km, so these attributes of edges are ignored",
        "the latency of home-server is 15 s; is it ms that was meant? A plain number is in s, and a unit is"
        " taken as text, such as '15 ms'",
        "the capacity of home-server is 20 bit/s; is it Mbit/s that was meant? A plain number is in bit/s,"
        " and a unit is taken as text, such as '20 Mbit/s'",
    ]
    file.write_text(graphml(capacity=1000, latency=0.999))
    assert not settings.survey(hosts(1), 0).remarks


def test_many_odd_links_are_one_remark() -> None:
    links = {f"l{i}": wire("home", "server", 1e6, latency_s=1.0 + i) for i in range(5)}
    (remark,) = network("topology", access={"home": of(1)}, links=links).survey(hosts(1), 0).remarks
    assert remark.startswith("the latency of l0 is 1 s, l1 is 2 s, l2 is 3 s (and 2 more); is it ms")


def test_one_access_network_has_the_devices_that_are_left() -> None:
    rest = {"campus": of(None), "home": of(["d0"])}
    home = network("topology", access=rest, links=LINKS).homes(hosts(5))
    assert list(home) == ["d0", "d1", "d2", "d3", "d4"]
    survey = network("topology", access=rest, links=LINKS).survey(hosts(5), 0)
    assert [len(survey.access[name].links) for name in ("campus", "home")] == [4, 1]
    assert refused({"campus": of(None), "home": of(5)}, {}) == (
        "network.access.campus.devices: none is left of devices.count for it"
    )
    assert refused({"campus": of(None), "home": of(None)}, {}) == (
        "network.access.home.devices: missing; campus takes all that are left already"
    )
