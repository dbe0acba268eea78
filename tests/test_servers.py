"""Several servers in a scenario: their names and settings, and who learns with whom."""

import json
from pathlib import Path

import pytest
from spokes import Spokes
from worlds import TINY, column, scenario, table

from slfac_sim.cli import main
from slfac_sim.foundation.errors import BadInput
from slfac_sim.foundation.plugins import find, kinds
from slfac_sim.foundation.roles import Hosts
from slfac_sim.ledger.folder import load as load_run
from slfac_sim.ledger.summary import KINDS
from slfac_sim.network.kinds.ideal import Ideal
from slfac_sim.runs.explain import explain
from slfac_sim.scenario.files import ScenarioError, dump, load
from slfac_sim.scenario.fingerprint import invisible, learning_key, visible_differences
from slfac_sim.scenario.hosts import cloud_of, edges_of, homes_of, hosts_of, servers_of
from slfac_sim.scenario.schema import Scenario
from slfac_sim.simulation.simulate import codec_speeds, host_speeds

EDGES = (
    "protocol={kind: hierarchical, rounds: 2, steps: 2}",
    "server=null",
    "servers={edge1: 500 GFLOP/s, edge2: {speed: 1 TFLOP/s, codec_speed: 2 GFLOP/s}, cloud: {}}",
    "network=spokes",
)
ROUTED = (
    *EDGES[:3],
    "network={kind: topology, access: {near: {network: ideal, devices: NEAR, server: edge1},"
    " far: {network: ideal, devices: FAR, server: edge2}}, links: {"
    "a: {between: [near, edge1], capacity: 1 Gbit/s, latency: 1 ms},"
    "b: {between: [far, edge2], capacity: 1 Gbit/s, latency: 1 ms},"
    "c: {between: [edge1, cloud], capacity: 1 Gbit/s, latency: 1 ms},"
    "d: {between: [edge2, cloud], capacity: 1 Gbit/s, latency: 1 ms}}}",
)


def routed(near: int, far: int, *more: str) -> Scenario:
    texts = (text.replace("NEAR", str(near)).replace("FAR", str(far)) for text in ROUTED)
    return scenario(*texts, *more)


def fault(*overrides: str) -> str:
    with pytest.raises(ScenarioError) as caught:
        load(TINY, overrides)
    return str(caught.value).partition(": ")[2]


def test_servers_have_settings_and_roles_by_name() -> None:
    one = scenario(*EDGES)
    assert hosts_of(one) == Hosts([f"d00{number}" for number in range(5)], ("edge1", "edge2", "cloud"))
    assert homes_of(one) == {
        "d000": "edge1", "d001": "edge1", "d002": "edge1", "d003": "edge2", "d004": "edge2"
    }  # fmt: skip
    assert (edges_of(one), cloud_of(one)) == (("edge1", "edge2"), "cloud")
    speeds, codec = host_speeds(one), codec_speeds(one)
    assert [speeds[name] for name in servers_of(one)] == [5e11, 1e12, 1e12]
    assert [codec[name] for name in servers_of(one)] == [1e10, 2e9, 1e10]
    assert load(TINY, [*EDGES, "servers.edge1.speed=3 GFLOP/s"]).servers["edge1"].speed == 3e9  # type: ignore[index]
    assert servers_of(scenario()) == {"server": scenario().server}


def test_one_server_is_as_it_was() -> None:
    one = scenario()
    assert hosts_of(one).server == "server"
    assert set(homes_of(one).values()) == {"server"}
    assert one.servers is None


def test_overrides_reach_into_servers_and_append_to_their_lists(tmp_path: Path) -> None:
    one = scenario(
        *EDGES, "servers.edge2.slowdowns+={kind: jitter, sigma: 0.5}", "servers.cloud.discipline=sharing"
    )
    assert one.servers is not None
    assert [len(server.slowdowns) for server in one.servers.values()] == [0, 1, 0]
    assert one.servers["cloud"].discipline == "sharing"
    (tmp_path / "whole.yaml").write_text(dump(one), encoding="utf-8")
    (tmp_path / "spokes.py").write_bytes(Path(__file__).with_name("spokes.py").read_bytes())
    again = load(tmp_path / "whole.yaml")
    assert dump(again) == dump(one)


NAMES = "expected a letter, then letters, digits, - and _"
TWO = "names two servers or more"


@pytest.mark.parametrize(
    ("overrides", "text"),
    [
        (
            ("servers={a: {}, b: {}}",),
            "servers: a, b stand beside server:, and only one of the two may be there",
        ),
        (
            ("server=null", "servers={a: {}, b: {}}"),
            "servers: the protocol parallel learns with one server, and there are a, b; write server: for the"
            " only one, or protocol: hierarchical",
        ),
        (
            ("protocol=hierarchical",),
            "servers: the protocol hierarchical learns with edges and a cloud; name them there",
        ),
        (("servers={d001: {}, b: {}}",), "servers: 'd001' is a device's name, and cannot be a server's"),
        (("servers={'*': {}, b: {}}",), f"servers: '*' cannot be a server's name: {NAMES}"),
        (("servers={a/b: {}, b: {}}",), f"servers: 'a/b' cannot be a server's name: {NAMES}"),
        (("servers={my edge: {}, b: {}}",), f"servers: 'my edge' cannot be a server's name: {NAMES}"),
        (("servers={a: {}}",), f"servers: {TWO} (got a); the only one is written as server:"),
        (("servers={}",), f"servers: {TWO} (got none); the only one is written as server:"),
        ((*EDGES, "servers.edge1.sped=1"), "servers.edge1.sped: unknown key 'sped'; did you mean 'speed'?"),
        (
            (*EDGES[:3], "network=ideal"),
            "servers: edge1, edge2, cloud: expected one server, unless network.kind is topology",
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_is_one_error(overrides: tuple[str, ...], text: str) -> None:
    assert fault(*overrides).endswith(text)
    assert "\n" not in fault(*overrides)


def test_an_edge_without_devices_is_a_second_cloud() -> None:
    found = fault(
        *(text.replace("cloud: {}", "cloud: {}, spare: {}") for text in ROUTED[:3]), routed_network()
    )
    assert (
        "servers: expected one without devices, the cloud above the edges edge1, edge2 (got cloud, spare)"
        in found
    )


def routed_network() -> str:
    more = "c: {between: [edge1, cloud]"
    return (
        ROUTED[3]
        .replace("NEAR", "3")
        .replace("FAR", "2")
        .replace(more, f"e: {{between: [spare, cloud], capacity: 1 Gbit/s, latency: 1 ms}}, {more}")
    )


def test_a_network_with_one_place_for_a_server_refuses_several() -> None:
    with pytest.raises(
        BadInput, match=r"^servers: a, b: expected one server, unless network\.kind is topology$"
    ):
        Ideal().homes(Hosts(["d000"], ("a", "b")))
    assert Ideal().homes(Hosts(["d000"], ("a",))) == {"d000": "a"}
    assert Spokes().homes(Hosts(["d000", "d001"], ("a", "b", "c"))) == {"d000": "a", "d001": "b"}


def test_only_protocols_that_say_so_learn_with_several() -> None:
    family = "slfac_sim.protocols"
    assert [kind for kind in kinds(family) if find(family, kind).servers == "edges"] == ["hierarchical"]


def test_learning_sees_who_learns_with_whom_and_no_speed_of_a_server() -> None:
    one, other = routed(3, 2), routed(2, 3)
    assert visible_differences(one, other) == ["homes.d002: edge1 there, edge2 wanted"]
    assert learning_key(one, 1) != learning_key(other, 1)
    slow = routed(3, 2, "servers.edge1.speed=1 GFLOP/s", "network.links.c.capacity=1 Mbit/s")
    assert visible_differences(one, slow) == []
    assert learning_key(one, 1) == learning_key(slow, 1)
    assert invisible("servers.edge1.power.idle", one)
    assert not invisible("servers.edge1.availability.kind", one)


def test_an_edge_that_may_be_down_steers(tmp_path: Path) -> None:
    path = tmp_path / "off.csv"
    path.write_text("device,down_s,up_s\nedge2,1.0,2.0\n", encoding="utf-8")
    words = ["check", str(TINY), *EDGES, f"servers.edge2.availability={{kind: trace, file: '{path}'}}"]
    assert main(words) == 0


def test_a_run_is_recorded_and_replayed_with_all_its_servers(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A row of energy for each host, bytes by kind, and on another network the digest of a run there."""
    here, again, there = (tmp_path / name for name in ("here", "again", "there"))
    elsewhere = ("network.up_rate=1 Mbit/s", "servers.edge2.speed=10 GFLOP/s")
    assert main(["run", str(TINY), *EDGES, "--out", str(here), "--quiet", "--strict", "--draw", "none"]) == 0
    assert main(["run", str(TINY), *EDGES, *elsewhere, "--out", str(there), "--quiet", "--draw", "none"]) == 0
    assert main(["replay", str(here), *elsewhere, "--out", str(again), "--quiet", "--strict"]) == 0
    summaries = [json.loads((folder / "summary.json").read_text()) for folder in (here, again, there)]
    assert summaries[1]["digest"] == summaries[2]["digest"] != summaries[0]["digest"]
    assert {row["host"] for row in table(here / "ledger.sqlite", "energy")} == {
        *(f"d00{number}" for number in range(5)), "edge1", "edge2", "cloud"
    }  # fmt: skip
    drawn = table(here / "ledger.sqlite", "energy")
    servers_j = sum(row["total_j"] for row in drawn if not row["host"].startswith("d0"))
    assert summaries[0]["energy"]["server"]["total_j"] == pytest.approx(servers_j)
    assert column(table(here / "ledger.sqlite", "spent"), "server_j")[-1] <= servers_j
    sent = summaries[0]["bytes"]
    assert sent["edge_up"] > 0 < sent["edge_down"]
    assert sum(sent[kind] for kind in KINDS) == sent["total"]
    capsys.readouterr()
    for words in (
        ["explain", str(here), "--replay"],
        ["check", str(TINY), *EDGES],
        ["verify", str(here), "--quiet"],
    ):
        assert main(words) == 0
    assert "a round" in capsys.readouterr().out


def test_the_fastest_are_known_with_edges_too() -> None:
    select = "protocol.participation.select={kind: fastest, count: 2}"
    found = [main(["check", str(TINY), *EDGES, select])]
    assert found == [0]


def test_a_replay_without_limits_has_the_latencies_of_every_hop(tmp_path: Path) -> None:
    """Two edges over wires: with rates of no limit it takes less, and no less than the bound says."""
    texts = (text.replace("NEAR", "3").replace("FAR", "2").replace("1 Gbit/s", "5 Mbit/s") for text in ROUTED)
    here = tmp_path / "here"
    assert main(["run", str(TINY), *texts, "--out", str(here), "--quiet", "--draw", "none"]) == 0
    found = explain(load_run(here), True)
    whole_s, replayed_s = found.end.until_s, found.replays_s["infinite bandwidth"][-1]
    assert replayed_s is not None
    assert found.bounds_s["infinite bandwidth"][-1] <= replayed_s * (1 + 1e-9)
    assert replayed_s < 0.9 * whole_s
