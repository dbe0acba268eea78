"""Pipelined split learning: what overlaps, which weights a gradient goes through, what a failure costs."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import simpy
import torch
from fakes import FakeParticipants, participants
from test_protocol_asynchronous import losing
from test_protocol_parallel import in_words
from torch import nn
from worlds import live_run, scenario, world

from slfac_sim.effects import Excuse, Send
from slfac_sim.hosts.availability import Outage
from slfac_sim.hosts.names import SERVER, device_names
from slfac_sim.learning.halves import DeviceHalf, StashingHalf
from slfac_sim.learning.weights import state_vector
from slfac_sim.ledger.store import MemoryLedger
from slfac_sim.network import Hosts
from slfac_sim.network.kinds.ideal import Ideal
from slfac_sim.protocols.pipelined import Pipelined
from slfac_sim.runs.run import prepare, run
from slfac_sim.simulation.instant import InstantPlayer
from slfac_sim.simulation.simulated import SimulatedPlayer

DEEP = "protocol={{kind: pipelined, rounds: 2, steps: 4, depth: {}}}"


def played(task: Any, devices: int, outages: dict[str, list[Outage]] | None = None) -> MemoryLedger:
    """Play `task` at 1 MB/s each way for every device, 1 GFLOP/s on devices, 10 on the server."""
    rows, env, names = MemoryLedger(), simpy.Environment(initial_time=0.0), device_names(devices)
    network = Ideal(up_rate=8e6, down_rate=8e6, sharing="none").open(env, Hosts(names, (SERVER,)), 0)
    speeds = {**dict.fromkeys(names, 1e9), SERVER: 10e9}
    plans = {host: iter(spans) for host, spans in (outages or {}).items()}
    SimulatedPlayer(env, network, speeds, rows, availability=plans).play(task)
    return rows


def work_of(rows: MemoryLedger, host: str) -> list[tuple[str, float, float]]:
    found = rows.tuples("computes", ("what", "start_s", "end_s", "host", "flops"))
    return [(what, start, end) for what, start, end, where, flops in found if where == host and flops >= 1e9]


def test_one_device_effect_by_effect() -> None:
    """Forward passes of steps 1 and 2, then each lane goes on with the next step after its backward pass."""
    cast, heard = participants(steps=(1,)), []
    task = Pipelined(rounds=1, steps=3, depth=2).run(cast)  # type: ignore[arg-type]
    InstantPlayer(lambda effect: heard.append(in_words(effect))).play(task)
    told = [line for line in heard if "codec" not in line]
    assert told[:6] == [
        "note evals",
        "together 1",
        "d000 forward 1e+09",
        "d000 encode 0",
        "together 2",
        "d000 -> server: smashed_up+labels",
    ]
    queues = [line for line in heard if "train" in line]
    assert queues == [f"server train cohort 1.{step} 0 of 1" for step in (1, 2, 3)]
    passes = [line.split()[1] for line in heard if "forward" in line or "backward" in line]
    assert passes == ["forward", "forward", "backward", "forward", "backward", "backward"]


def test_the_next_forward_pass_overlaps_the_wait_for_a_gradient() -> None:
    """By hand, one device: passes of 1 s, half a megabyte each way in 0.5 s, a step of the server in 0.1 s.

    Step 1 is away from 1 to 2.1 s, and the forward pass of step 2 takes 1 to 2 s; that is away from 2 to
    3.1 s. The forward pass of step 3 follows the backward pass of step 1 at once.
    """
    cast: Any = participants(steps=(1,))
    rows = played(Pipelined(rounds=1, steps=3, depth=2).run(cast), 1)
    expected = [
        ("forward", 0.0, 1.0),  # 1
        ("forward", 1.0, 2.0),  # 2
        ("backward", 2.1, 3.1),  # 1
        ("forward", 3.1, 4.1),  # 3, asked for when the gradient of 2 came, at 3.1 s too
        ("backward", 4.1, 5.1),  # 2
        ("backward", 5.2, 6.2),  # 3
    ]
    found = work_of(rows, "d000")
    assert [what for what, _, _ in found] == [what for what, _, _ in expected]
    assert [times for _, *times in found] == [pytest.approx(times) for _, *times in expected]
    alone = played(Pipelined(rounds=1, steps=3, depth=1).run(participants(steps=(1,))), 1)  # type: ignore[arg-type]
    assert work_of(alone, "d000")[-1][2] == pytest.approx(3 * 3.1)


@pytest.mark.parametrize("depth", [1, 2, 3, 9])
def test_never_more_in_flight_than_the_depth_and_none_at_the_end_of_a_round(depth: int) -> None:
    cast: Any = participants(steps=(1, 1, 1))
    rows = played(Pipelined(rounds=2, steps=5, depth=depth).run(cast), 3)
    for name in device_names(3):
        passes = [what for what, _, _ in work_of(rows, name)]
        assert passes.count("forward") == passes.count("backward") == 10
        flying = np.cumsum([1 if what == "forward" else -1 for what in passes])
        assert flying.max() == min(depth, 4)  # a gradient is back before a fifth could begin
        assert flying[9] == flying[19] == 0
    assert [row[0] for row in rows.tuples("rounds", ("samples",))] == [15, 15]


def test_a_depth_of_one_is_parallel_to_the_last_row(tmp_path: Path) -> None:
    digests = [
        live_run(tmp_path / f"{place}.sqlite", protocol)[1:]
        for place, protocol in enumerate(("protocol={kind: parallel, rounds: 2, steps: 4}", DEEP.format(1)))
    ]
    assert digests[0] == digests[1]


def test_deeper_pipelines_are_faster_and_send_as_many_bytes(tmp_path: Path) -> None:
    chosen = [run_of(tmp_path / f"{depth}", DEEP.format(depth)) for depth in (1, 2)]
    assert chosen[1]["simulated_s"] < 0.9 * chosen[0]["simulated_s"]
    assert chosen[0]["bytes"] == chosen[1]["bytes"]
    assert chosen[0]["digest"] != chosen[1]["digest"]


def run_of(folder: Path, *overrides: str) -> dict[str, Any]:
    summary = run(prepare(scenario("codec=raw", *overrides), folder, threads=1), strict=True)
    assert summary["status"] == "finished"
    return summary


def test_one_device_at_depth_one_learns_as_an_ordinary_half_does() -> None:
    for protocol in ("parallel", "pipelined, depth: 1"):
        ours = world("devices.count=1", "codec=raw", f"protocol={{kind: {protocol}, rounds: 2, steps: 3}}")
        InstantPlayer().play(ours.scenario.protocol.run(ours))
        learnt = state_vector(ours.server.half.model), ours.devices[0].model_payload().sha256
        if protocol == "parallel":
            expected = learnt
    assert np.array_equal(learnt[0], expected[0])
    assert learnt[1] == expected[1]


def test_a_gradient_goes_through_the_weights_that_its_batch_came_through() -> None:
    """Two in flight: both gradients are those at the first weights; both updates reach the newest."""
    images = [torch.randn(4, 1, 5, 5, generator=torch.Generator().manual_seed(seed)) for seed in (0, 1)]
    gradient = np.ones((4, 2, 3, 3), np.float32)
    labels = np.zeros(4, np.int64)

    def fresh() -> nn.Module:
        torch.manual_seed(3)
        return nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.Tanh())

    ours = fresh()
    half = StashingHalf(ours, torch.optim.SGD(ours.parameters(), lr=0.1))
    one, other = (half.forward(batch, labels) for batch in images)
    half.backward(one.pending, gradient)
    half.backward(other.pending, gradient)

    expected = fresh()
    optimiser = torch.optim.SGD(expected.parameters(), lr=0.1)
    for batch in images:  # gradients add up, both at the first weights
        expected(batch).backward(torch.from_numpy(gradient))
    optimiser.step()
    np.testing.assert_allclose(state_vector(ours), state_vector(expected), rtol=1e-5, atol=1e-6)
    assert int(ours.get_buffer("1.num_batches_tracked")) == 2  # the statistics have seen both, in this order


def test_an_ordinary_half_refuses_what_a_stashing_one_does() -> None:
    """Without the stash the first update would spoil the graph of the second: torch says so."""
    model = nn.Sequential(nn.Conv2d(1, 2, 3), nn.Tanh(), nn.Conv2d(2, 2, 3))
    half = DeviceHalf(model, torch.optim.SGD(model.parameters(), lr=0.1))
    images, labels = torch.randn(4, 1, 7, 7), np.zeros(4, np.int64)
    one, other = (half.forward(images, labels) for _ in range(2))
    half.backward(one.pending, np.ones((4, 2, 3, 3), np.float32))
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        half.backward(other.pending, np.ones((4, 2, 3, 3), np.float32))


def test_a_crash_ends_the_round_of_a_device_and_nobody_waits_for_it() -> None:
    """d001 is down from 1.4 s, in its second forward pass, its first mini-batch on the way back."""
    cast: FakeParticipants = participants(steps=(1, 1))
    cast.may_be_absent = True
    task = Pipelined(rounds=2, steps=4, depth=2).run(cast)  # type: ignore[arg-type]
    rows = played(task, 2, {"d001": [Outage(1.4, 2.0, "crash")]})
    assert rows.tuples("misses", ("round", "device", "reason")) == [(1, "d001", "d001 is down: crash")]
    trained = [line for line in cast.server.heard if "trains" in line]
    assert trained[:4] == ["server trains on d000"] * 4
    assert trained[4:] == ["server trains on d000 d001"] * 4
    assert rows.tuples("rounds", ("devices", "samples")) == [(1, 4), (2, 8)]


@pytest.mark.parametrize("lost", range(1, 9))
def test_a_lost_transfer_ends_the_round_of_its_device_and_excuses_it_once(lost: int) -> None:
    """Whichever transfer is lost, each cohort hears of the device once: by its offer or by its excuse."""
    cast: Any = participants(steps=(1, 1))
    sends, excused = 0, []

    def is_lost(send: Send) -> bool:
        nonlocal sends
        sends += "d001" in (send.src, send.dst)
        return "d001" in (send.src, send.dst) and sends == lost

    def hear(effect: Any) -> None:
        if isinstance(effect, Excuse):
            excused.append(effect.queue)

    protocol = Pipelined(rounds=1, steps=4, depth=2)
    rows = played(losing(protocol.run(cast), is_lost), 2)
    assert len(rows.tuples("misses", ("reason",))) == 1
    assert rows.tuples("rounds", ("devices", "samples")) == [(1, 4)]
    sends, cast = 0, participants(steps=(1, 1))
    InstantPlayer(hear).play(losing(protocol.run(cast), is_lost))
    offered = [line for line in cast.server.heard if "trains" in line]
    assert len(offered) == 4
    assert len(excused) == len(set(excused)) == sum("d001" not in line for line in offered)


def test_timing_steers_learning_beyond_one_in_flight() -> None:
    assert not Pipelined(depth=1).timing_steers_learning
    assert Pipelined(depth=2).timing_steers_learning
    assert Pipelined(rounds=3, steps=5).device_steps(participants(steps=(1, 1))) == 30  # type: ignore[arg-type]
