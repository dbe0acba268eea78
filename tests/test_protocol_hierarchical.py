"""Hierarchical split learning: edges beside each other under a cloud, and what a crash of one leaves be."""

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import simpy
from fakes import FakeDevice, FakeServer, participants, payload
from played import heard, on_the_clock
from spokes import Spokes
from worlds import column, scenario, world

from slfac_sim.codecs import Payload
from slfac_sim.effects import Compute
from slfac_sim.ledger.store import MemoryLedger
from slfac_sim.network import Hosts
from slfac_sim.protocols.hierarchical import Hierarchical
from slfac_sim.runs.opening import build
from slfac_sim.scenario.fingerprint import visible_differences
from slfac_sim.simulation.instant import InstantPlayer
from slfac_sim.simulation.simulated import SimulatedPlayer

MODEL_BYTES = 100_000


@dataclass
class FakeEdge(FakeServer):
    """The server of an edge: the whole model is twice as long as that of its devices."""

    averaged: int = 0
    samples: int = 0
    model: Payload = field(default_factory=lambda: payload(MODEL_BYTES))

    def keep(self, model: Payload, samples: int) -> None:
        self.samples += samples

    def whole_codec_flops(self) -> tuple[float, float]:
        return 0.0, 0.0

    def whole_payload(self) -> Payload:
        return payload(2 * MODEL_BYTES)

    def take(self, body: bytes, averaged: int) -> None:
        self.averaged, self.samples = averaged, 0
        self.heard.append(f"{self.name} takes {len(body)} bytes")


@dataclass
class FakeCloud(FakeServer):
    averaged: int = 0
    model: Payload = field(default_factory=lambda: payload(2 * MODEL_BYTES))

    def average_edges(self, states: Sequence[int], samples: Sequence[int]) -> Payload:
        self.averaged += 1
        self.heard.append(f"cloud averages {len(states)} edges of {', '.join(map(str, samples))} samples")
        return payload(states[0])

    def mean_of_edges(self, model: Payload) -> Payload:
        self.heard.append("a mean to look at")
        return model


@dataclass
class FakeEdges:
    """Four devices, two at each of two edges, and a cloud."""

    devices: list[FakeDevice]
    server: FakeCloud
    edges: Mapping[str, FakeEdge]
    homes: Mapping[str, str]
    waits_for_server: bool = True
    may_be_absent: bool = False
    seed: int = 0

    @property
    def servers(self) -> tuple[str, ...]:
        return tuple(self.edges)

    def at(self, name: str) -> Any:
        mine = [device for device in self.devices if self.homes[device.name] == name]
        part = {"waits_for_server": False, "may_be_absent": False, "seed": 0, "expected_s": self.expected_s}
        return SimpleNamespace(server=self.edges[name], devices=mine, **part)

    def expected_s(self, device: str) -> float:
        return 1.0

    stopped = False

    def begin_round(self, round_number: int) -> None:
        pass

    def begun(self) -> tuple[int, Payload]:
        return 0, payload(2 * MODEL_BYTES)

    def keep(self, number: int, model: Payload) -> None:
        pass

    def evaluate(self, model: bytes, last: bool = False) -> dict[str, Any]:
        return {"accuracy": 0.5, "loss": 1.0, "accuracy_no_codec": 0.5}

    def due(self, number: int, rounds: int) -> bool:
        return True


def two_edges() -> FakeEdges:
    cast = participants(steps=(1, 1, 1, 1), model_bytes=MODEL_BYTES)
    heard = cast.server.heard
    edges = {name: FakeEdge(heard, 500_000, name) for name in ("edge1", "edge2")}
    homes = {device.name: f"edge{1 + place // 2}" for place, device in enumerate(cast.devices)}
    return FakeEdges(cast.devices, FakeCloud(heard, 0, "cloud"), edges, homes)


def test_two_rounds_of_two_edges_with_two_devices_each_by_hand() -> None:
    """8 Mbit/s on every lane. Devices of edge 1 compute at 1 GFLOP/s, those of edge 2 at 2, edges at 10.

    Edge 1: forward 1 s, two mini-batches of 500 kB up 1 s, a step over both 0.2 s, down 1 s, backward 1 s,
    two halves of 100 kB up 0.2 s, 200 kB to the cloud 0.2 s: 4.6 s. Edge 2 is there after 3.6 s. In round 2
    there are before that 200 kB from the cloud, 0.2 s, and 100 kB by a multicast, 0.1 s.
    """
    cast, env, rows = two_edges(), simpy.Environment(), MemoryLedger()
    hosts = Hosts(list(cast.homes), ("edge1", "edge2", "cloud"))
    speeds = {"d000": 1e9, "d001": 1e9, "d002": 2e9, "d003": 2e9, **dict.fromkeys(hosts.servers, 10e9)}
    player = SimulatedPlayer(env, Spokes().open(env, hosts, 0), speeds, rows)
    player.play(Hierarchical(rounds=2, steps=1).run(cast))  # type: ignore[arg-type]
    arrived = {
        (row["src"], round(row["end_s"], 3)) for row in rows.rows("transfers") if row["dst"] == "cloud"
    }
    assert arrived == {("edge1", 4.6), ("edge2", 3.6), ("edge1", 9.5), ("edge2", 8.5)}
    assert column(rows.rows("rounds"), "at_s") == pytest.approx([4.6, 9.5], abs=1e-3)
    sent = [(row["dst"], round(row["end_s"], 3)) for row in rows.rows("transfers") if row["src"] == "cloud"]
    assert sent == [("edge1", 4.8), ("edge2", 4.8), ("edge1", 9.7), ("edge2", 9.7)]
    assert env.now == pytest.approx(9.8, abs=1e-3)
    assert [line for line in cast.server.heard if "cloud" in line or "edge" in line] == [
        "cloud averages 2 edges of 2, 2 samples",
        "edge1 takes 200000 bytes", "edge2 takes 200000 bytes",
        "cloud averages 2 edges of 2, 2 samples",
        "edge1 takes 200000 bytes", "edge2 takes 200000 bytes",
    ]  # fmt: skip


def test_between_two_averages_of_the_cloud_edges_hear_nothing_of_it() -> None:
    """It averages after rounds 2, 4 and the last, by the samples of the rounds since."""
    cast, env, rows = two_edges(), simpy.Environment(), MemoryLedger()
    hosts = Hosts(list(cast.homes), ("edge1", "edge2", "cloud"))
    speeds = dict.fromkeys((*hosts.devices, *hosts.servers), 1e9)
    player = SimulatedPlayer(env, Spokes().open(env, hosts, 0), speeds, rows)
    player.play(Hierarchical(rounds=5, steps=1, cloud_every=2).run(cast))  # type: ignore[arg-type]
    told = [line for line in cast.server.heard if line.startswith(("cloud", "a mean"))]
    four = "cloud averages 2 edges of 4, 4 samples"
    two = "cloud averages 2 edges of 2, 2 samples"
    assert told == ["a mean to look at", four, "a mean to look at", four, two]


def edges(count: int, core: str = "1e11", more: Sequence[str] = (), **protocol: Any) -> tuple[str, ...]:
    """Return overrides with so many edges, a core of this rate, and settings of the protocol."""
    names = [*(f"edge{place}" for place in range(1, count + 1)), "cloud"]
    told = ", ".join(f"{name}: {value}" for name, value in {"rounds": 2, "steps": 3, **protocol}.items())
    return (
        "server=null",
        f"servers={{{', '.join(f'{name}: 1 GFLOP/s' for name in names)}}}",
        f"network={{kind: spokes, up_rate: 3 Mbit/s, down_rate: 5 Mbit/s, core_rate: {core}}}",
        f"protocol={{kind: hierarchical, {told}}}",
        *more,
    )


LEARNT = ("round", "step", "device", "samples", "loss", "accuracy")
SEEN = ("round", "accuracy", "loss", "accuracy_no_codec")


@pytest.mark.parametrize(
    "more",
    [
        ("codec=raw",),
        ("codec=slfac", "learning.optimiser=adam"),
        ("codec={uplink: aq_sgd, downlink: {kind: uniform}}", "partition={kind: dirichlet, alpha: 1.0}"),
        ("partition={kind: dirichlet, alpha: 1.0}", "learning.batch=16"),
        ("protocol.participation={select: {kind: random, count: 3}}",),
    ],
    ids=str,
)
def test_one_edge_under_a_cloud_learns_bit_for_bit_what_parallel_learns(more: tuple[str, ...]) -> None:
    """The way to the cloud and back changes no number, and with a core of no cost hardly the time."""
    steps = "null" if "learning.batch=16" in more else "3"
    alone = ("network={kind: ideal, up_rate: 3 Mbit/s, down_rate: 5 Mbit/s}", f"protocol.steps={steps}")
    _, here = on_the_clock(*edges(1, steps=steps), *more)
    _, there = on_the_clock(*alone, *more)
    for table, names in (
        ("steps", LEARNT),
        ("evals", SEEN),
        ("rounds", ("round", "devices", "samples", "loss")),
    ):
        assert here.tuples(table, names) == there.tuples(table, names)
    ends_s = [column(rows.rows("rounds"), "at_s")[-1] for rows in (here, there)]
    assert ends_s[0] == pytest.approx(ends_s[1], rel=0.01)


def test_the_cloud_has_the_mean_of_edges_by_the_samples_that_they_learnt_from() -> None:
    """Uneven shards, a local epoch: whole models, and what is sent back is that mean."""
    one = world(*edges(2, steps="null", rounds=1), "partition={kind: dirichlet, alpha: 0.5}")
    before: list[Any] = []
    average = one.server.average_edges

    def noted(states: Any, samples: Any) -> Any:
        before.append((states, samples, [edge.whole_state() for edge in one.server.edges.values()]))
        return average(states, samples)

    one.server.average_edges = noted
    heard(one)
    ((states, samples, theirs),) = before
    learnt = {name: sum(len(device.shard.samples) for device in one.at(name).devices) for name in one.servers}
    assert list(samples) == list(learnt.values())
    assert len(set(samples)) == 2
    np.testing.assert_array_equal(np.stack(states), np.stack(theirs))
    mean = np.average(np.stack(theirs).astype(np.float64), axis=0, weights=samples).astype(np.float32)
    for edge in one.server.edges.values():
        np.testing.assert_allclose(edge.whole_state(), mean, rtol=1e-6, atol=1e-9)


def test_models_between_edges_and_cloud_go_through_their_codec() -> None:
    """With float16 both ways, an edge that has just taken the model holds what float16 can hold."""
    one, taken = world(*edges(2, more=("codec.model=fp16",))), []

    def check(effect: Any) -> None:
        if isinstance(effect, Compute) and effect.what == "decode_model" and effect.host.startswith("edge"):
            taken.append(effect.host)

    InstantPlayer(check).play(one.scenario.protocol.run(one))
    assert taken.count("edge1") > 2
    for edge in one.server.edges.values():
        state = edge.whole_state()
        np.testing.assert_array_equal(state, state.astype(np.float16).astype(np.float32))


def down(path: Path, host: str, down_s: float, up_s: float | str = "") -> str:
    path.write_text(f"device,down_s,up_s,reason\n{host},{down_s!r},{up_s},crash\n", encoding="utf-8")
    return f"servers.{host}.availability={{kind: trace, file: '{path}'}}"


TIMED = {"transfers": ("src", "dst"), "computes": ("host",), "offers": ("host",), "steps": ("device",)}


def rows_of_others(rows: MemoryLedger, devices: Sequence[str], from_s: float, to_s: float) -> list[Any]:
    """Return what happened at `edge1` and its devices within a time, whole rows but for their numbers."""
    hosts, found = {*devices, "edge1"}, []
    for table, ends in TIMED.items():
        for row in rows.rows(table):
            at_s = row.get("asked_s", row.get("at_s"))
            if from_s <= at_s < to_s and hosts & {row[end] for end in ends}:
                found.append((table, {name: value for name, value in row.items() if name != "id"}))
    return found


@pytest.mark.parametrize("part", [0.1, 0.4, 0.7])
def test_a_killed_edge_leaves_the_rows_of_the_others_bit_equal_and_comes_back(
    tmp_path: Path, part: float
) -> None:
    """Killed in round 3 of 5, for a round or so: the others go on, its devices miss that round and return."""
    plan = edges(2, "8e6", rounds=5)
    _, undisturbed = on_the_clock(*plan)
    ends_s = column(undisturbed.rows("rounds"), "at_s")
    length_s = ends_s[2] - ends_s[1]
    at_s = ends_s[1] + part * length_s
    one, rows = on_the_clock(*plan, down(tmp_path / "t.csv", "edge2", at_s, at_s + 1.1 * length_s))
    mine = [device.name for device in one.at("edge1").devices]
    theirs = [device.name for device in one.at("edge2").devices]
    whole, killed = (rows_of_others(played, mine, ends_s[1], ends_s[2]) for played in (undisturbed, rows))
    assert len(whole) > 50
    assert killed == whole
    missed = {(row["round"], row["device"]) for row in rows.rows("misses")}
    assert {(3, name) for name in theirs} <= missed
    assert not missed & {(number, name) for number in range(1, 6) for name in mine}
    took_part = column(rows.rows("rounds"), "devices")
    assert took_part[:3] == [5, 5, len(mine)]
    assert took_part[-1] == 5
    reasons = {row["reason"] for row in rows.rows("misses")}
    assert reasons <= {"edge2 is down: crash", "edge2 is down"}


ROUTED = (
    "network={kind: topology, access: {"
    "near: {network: {kind: cell, bandwidth: 5 MHz}, devices: 3, server: edge1},"
    " far: {network: wifi, devices: 2, server: edge2}}, transport: %s, links: {"
    "a: {between: [near, edge1], capacity: 50 Mbit/s, latency: 1 ms},"
    "b: {between: [far, edge2], capacity: 50 Mbit/s, latency: 1 ms},"
    "c: {between: [edge1, cloud], capacity: 5 Mbit/s, latency: 1 ms},"
    "d: {between: [edge2, cloud], capacity: 5 Mbit/s, latency: 1 ms}}}"
)


@pytest.mark.parametrize("transport", ["fluid", "tcp", "udp"])
def test_so_it_is_over_wires_and_whatever_the_transport(tmp_path: Path, transport: str) -> None:
    plan = (*edges(2, rounds=4)[:2], edges(2, rounds=4)[3], ROUTED % transport)
    _, undisturbed = on_the_clock(*plan)
    ends_s = column(undisturbed.rows("rounds"), "at_s")
    at_s = ends_s[1] + 0.3 * (ends_s[2] - ends_s[1])
    one, rows = on_the_clock(*plan, down(tmp_path / "t.csv", "edge2", at_s, ends_s[2] + 0.1))
    mine = [device.name for device in one.at("edge1").devices]
    whole, killed = (rows_of_others(played, mine, ends_s[1], ends_s[2]) for played in (undisturbed, rows))
    assert len(whole) > 50
    assert killed == whole
    assert column(rows.rows("rounds"), "devices")[:3] == [5, 5, 3]


def test_an_edge_that_is_back_goes_on_from_the_newest_model(tmp_path: Path) -> None:
    plan = edges(2, "8e6", rounds=4)
    _, undisturbed = on_the_clock(*plan)
    ends_s = column(undisturbed.rows("rounds"), "at_s")
    off = down(tmp_path / "t.csv", "edge2", ends_s[0] + 1e-3, 0.5 * (ends_s[2] + ends_s[3]))
    one, rows = on_the_clock(*plan, off)
    sent = [
        row["dst"]
        for row in rows.rows("transfers")
        if row["src"] == "cloud" and row["outcome"] == "delivered"
    ]
    assert sent.count("edge2") == 1  # after the last round
    states = [edge.whole_state() for edge in one.server.edges.values()]
    np.testing.assert_array_equal(*states)


def test_a_cloud_that_is_away_is_waited_for(tmp_path: Path) -> None:
    plan = edges(2, "8e6", rounds=3)
    _, undisturbed = on_the_clock(*plan)
    first_s, second_s, _ = column(undisturbed.rows("rounds"), "at_s")
    _, rows = on_the_clock(*plan, down(tmp_path / "t.csv", "cloud", 0.9 * second_s, second_s + 1.0))
    ends_s = column(rows.rows("rounds"), "at_s")
    assert ends_s[0] == first_s
    assert ends_s[1] > second_s + 1.0
    assert column(rows.rows("rounds"), "devices") == [5, 5, 5]
    learnt = [rows.tuples("evals", SEEN) for rows in (undisturbed, rows)]
    assert learnt[0] == learnt[1]


def test_rounds_wait_where_all_edges_are_down_and_end_where_none_comes_back(tmp_path: Path) -> None:
    plan = edges(1, "8e6", rounds=3)
    _, undisturbed = on_the_clock(*plan)
    first_s, *_ = column(undisturbed.rows("rounds"), "at_s")
    _, rows = on_the_clock(*plan, down(tmp_path / "t.csv", "edge1", first_s + 1e-3, first_s + 2.0))
    ends_s = column(rows.rows("rounds"), "at_s")
    assert ends_s[1] < first_s + 2.0 < ends_s[2]
    assert column(rows.rows("rounds"), "devices") == [5, 0, 5]
    with pytest.raises(RuntimeError, match="round 3 cannot begin: no device is left"):
        on_the_clock(*plan, down(tmp_path / "u.csv", "edge1", first_s + 1e-3))


def test_limits_are_those_of_an_edge() -> None:
    """Two of the three devices of edge 1 are enough there, and both of edge 2."""
    one, rows = on_the_clock(*edges(2, "8e6", participation="{enough: 2}"))
    sizes = [len(one.at(name).devices) for name in one.servers]
    assert sizes == [3, 2]
    assert column(rows.rows("rounds"), "devices") == [4, 4]
    assert {row["reason"] for row in rows.rows("misses")} == {"enough"}


@pytest.mark.parametrize("cloud_every", [1, 2, 3])
def test_it_goes_on_from_any_round_as_if_nothing_had_been(cloud_every: int) -> None:
    """What an edge has of its own between two averages of the cloud is kept too."""
    plan = edges(2, rounds=4, cloud_every=cloud_every, more=("codec.model=fp16", "learning.optimiser=adam"))
    one, states = world(*plan), {}
    one.when_kept = lambda number: states.update({number: copy.deepcopy(one.get_state())})
    heard(one)
    for number in (1, 2, 3):
        continued = build(one.scenario)
        continued.set_state(states[number])
        heard(continued)
        assert continued.begun()[1].body == one.begun()[1].body
        for name, edge in continued.server.edges.items():
            np.testing.assert_array_equal(edge.whole_state(), one.server.edges[name].whole_state())


def test_no_clock_steers_what_is_learnt_and_a_replay_is_the_run_there() -> None:
    """Recorded here, played on another network: the same rows that a run there has."""
    plan = edges(3, "8e6", rounds=3, cloud_every=2)
    elsewhere = (
        "network.up_rate=1 Mbit/s",
        "network.core_rate=0.5 Mbit/s",
        "servers.edge2.speed=0.1 GFLOP/s",
    )
    _, here = on_the_clock(*plan)
    _, there = on_the_clock(*plan, *elsewhere)
    for table, names in (("steps", LEARNT), ("evals", SEEN)):
        assert sorted(here.tuples(table, names)) == sorted(there.tuples(table, names))
    assert visible_differences(scenario(*plan), scenario(*plan, *elsewhere)) == []
