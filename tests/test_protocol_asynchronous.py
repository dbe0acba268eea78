"""Asynchronous split learning: its effects, how stale steps and mixings are, and what a failure costs."""

import dataclasses
from collections.abc import Callable
from math import inf
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import simpy
import torch
from fakes import FakeParticipants, participants
from test_protocol_parallel import in_words
from test_resume import killed, resumed, undisturbed
from torch import nn
from torch.nn.functional import cross_entropy
from worlds import scenario, world

from slfac_sim.effects import Failure, Send, Task, Together, TransferLost
from slfac_sim.hosts.availability import Outage
from slfac_sim.hosts.names import SERVER, device_names
from slfac_sim.learning.weights import load_state_vector, state_vector
from slfac_sim.ledger.store import MemoryLedger
from slfac_sim.network import Hosts
from slfac_sim.network.kinds.ideal import Ideal
from slfac_sim.protocols.asynchronous import Asynchronous
from slfac_sim.protocols.kit.course import discount
from slfac_sim.runs.run import prepare, run
from slfac_sim.simulation.instant import InstantPlayer
from slfac_sim.simulation.simulated import SimulatedPlayer, Stalled

TINY = "protocol={kind: asynchronous, rounds: 3, steps: 2}"


def cast_of(devices: int, **more: Any) -> FakeParticipants:
    cast: Any = participants(steps=(1,) * devices, server_flops=0.0, **more)
    return cast  # type: ignore[no-any-return]


def losing(task: Task, is_lost: Callable[[Send], bool]) -> Task:
    """Yield the effects of `task` and of the tasks that it starts, but lose the transfers that `is_lost`."""
    answer: Any = None
    go_on: Callable[[Any], Any] = task.send
    while True:
        try:
            effect = go_on(answer)
        except StopIteration as stop:
            return stop.value
        if isinstance(effect, Together):
            effect = dataclasses.replace(effect, tasks=[losing(one, is_lost) for one in effect.tasks])
        if isinstance(effect, Send) and is_lost(effect):
            answer, go_on = TransferLost("lost on the air"), task.throw
            continue
        try:
            answer, go_on = (yield effect), task.send
        except Failure as failure:
            answer, go_on = failure, task.throw


def played(task: Task, speeds: dict[str, float], outages: dict[str, list[Outage]]) -> MemoryLedger:
    """Play `task` on a network and a server that take no time."""
    rows, env = MemoryLedger(), simpy.Environment(initial_time=0.0)
    network = Ideal(up_rate=1e300, down_rate=1e300).open(env, Hosts(device_names(len(speeds)), (SERVER,)), 0)
    plans = {host: iter(spans) for host, spans in outages.items()}
    player = SimulatedPlayer(env, network, {**speeds, SERVER: 1e300}, rows, availability=plans)
    player.play(task)
    return rows


def test_one_device_effect_by_effect() -> None:
    cast, heard = cast_of(1, codec_flops=5.0), []
    protocol = Asynchronous(rounds=1, steps=2)
    InstantPlayer(lambda effect: heard.append(in_words(effect))).play(protocol.run(cast))  # type: ignore[arg-type]
    minibatch = [
        "d000 forward 1e+09",
        "d000 encode 5",
        "d000 -> server: smashed_up+labels",
        "server decode 5",
        "server train 0",
        "note staleness",
        "server encode 5",
        "server -> d000: smashed_down",
        "d000 decode 5",
        "d000 backward 1e+09",
        "note steps",
    ]
    assert heard == [
        "note evals",
        *minibatch,
        *minibatch,
        "d000 encode_model 0",
        "d000 -> server: model_up",
        "server decode_model 0",
        "server mix 4",
        "note staleness",
        *("note evals", "note rounds"),
        "server encode_model 0",
        "server -> d000: model_down",
        "d000 decode_model 0",
    ]
    assert protocol.device_steps(cast) == 2  # type: ignore[arg-type]


def test_two_speeds_worked_by_hand() -> None:
    """d000 takes 1 s a mini-batch and d001 4.4 s; the server steps half-way through each, in no time.

    d000 is at the server at 0.5, 1.5, ... 7.5 s and d001 at 2.2 and 6.6 s; then all 10 are begun. Halves are
    handed in by d000 after 5 and at the end, at 5 and 8 s, and by d001 at the end, at 8.8 s.
    """
    protocol = Asynchronous(rounds=1, steps=5)
    rows = played(protocol.run(cast_of(2)), {"d000": 2e9, "d001": 1e9 / 2.2}, {})  # type: ignore[arg-type]
    found = rows.tuples("staleness", ("at_s", "device", "kind", "staleness", "weight"))
    one, other = "d000", "d001"
    expected = [
        (0.5, one, "step", 0, 1.0),
        (1.5, one, "step", 0, 1.0),
        (2.2, other, "step", 2, 3**-0.5),  # step 3, from a half that had learnt from none
        (2.5, one, "step", 1, 2**-0.5),
        (3.5, one, "step", 0, 1.0),
        (4.5, one, "step", 0, 1.0),
        (5.0, one, "mix", 0, 0.6),
        (5.5, one, "step", 0, 1.0),
        (6.5, one, "step", 0, 1.0),
        (6.6, other, "step", 5, 6**-0.5),  # step 9, from a half that had learnt from step 3
        (7.5, one, "step", 1, 2**-0.5),
        (8.0, one, "mix", 0, 0.6),
        (8.8, other, "mix", 2, 0.6 * 3**-0.5),
    ]
    assert [row[1:4] for row in found] == [row[1:4] for row in expected]
    for row, wanted in zip(found, expected, strict=True):
        assert (row[0], row[4]) == pytest.approx((wanted[0], wanted[4]), rel=1e-12)
    assert rows.tuples("rounds", ("at_s", "round", "devices", "samples")) == [(pytest.approx(8.8), 1, 2, 10)]


def test_rounds_end_when_as_many_mini_batches_have_ended() -> None:
    """At 1, 2, 3, 4 and 4.4 s: the second and the fourth close a round, and hand in before they do."""
    protocol = Asynchronous(rounds=2, steps=1, staleness_exponent=0.0)
    rows = played(protocol.run(cast_of(2)), {"d000": 2e9, "d001": 1e9 / 2.2}, {})  # type: ignore[arg-type]
    assert rows.tuples("rounds", ("at_s", "round", "devices", "samples")) == [
        (2.0, 1, 1, 2),
        (pytest.approx(4.4), 2, 2, 2),
    ]
    assert rows.tuples("evals", ("at_s", "round")) == [(0.0, 0), (2.0, 1), (pytest.approx(4.4), 2)]
    assert {row[0] for row in rows.tuples("staleness", ("weight",))} == {1.0, 0.6}


def test_a_crash_costs_the_mini_batch_and_the_device_goes_on_when_it_is_up() -> None:
    """Down in its second backward pass: the server has taken step 2, the device never learns from it."""
    cast = cast_of(2)
    cast.may_be_absent = True
    crash = {"d000": [Outage(1.7, 3.2, "crash")]}
    task = Asynchronous(rounds=1, steps=3).run(cast)  # type: ignore[arg-type]
    rows = played(task, {"d000": 2e9, "d001": 1e9 / 2.2}, crash)
    assert rows.tuples("misses", ("at_s", "round", "device", "reason")) == [
        (1.7, 1, "d000", "d000 is down: crash")
    ]
    steps = rows.tuples("staleness", ("at_s", "device", "staleness"))
    assert [row[1:] for row in steps[:4]] == [("d000", 0), ("d000", 0), ("d001", 2), ("d000", 2)]
    assert steps[3][0] == pytest.approx(3.7)  # step 4, begun at 3.2 s with what step 1 had taught
    assert len(rows.tuples("steps", ("step",))) + 1 == 6
    assert len(rows.tuples("rounds", ("round",))) == 1


def test_a_server_that_is_down_is_waited_for() -> None:
    cast = cast_of(1)
    cast.may_be_absent = True
    task = Asynchronous(rounds=1, steps=3).run(cast)  # type: ignore[arg-type]
    rows = played(task, {"d000": 2e9}, {SERVER: [Outage(0.3, 7.0, "restart")]})
    assert rows.tuples("misses", ("at_s", "reason")) == [(0.5, "server is down: restart")]
    assert [at_s for (at_s,) in rows.tuples("steps", ("at_s",))] == [8.0, 9.0]


def test_when_nobody_is_left_the_training_says_so() -> None:
    cast = cast_of(2)
    cast.may_be_absent = True
    ends = {name: [Outage(1.2, inf, "battery empty")] for name in ("d000", "d001")}
    with pytest.raises(Stalled, match="round 1 cannot end: no device can reach the server any more"):
        played(Asynchronous(rounds=1, steps=9).run(cast), {"d000": 2e9, "d001": 2e9}, ends)  # type: ignore[arg-type]


def test_devices_that_are_down_do_not_hold_up_the_end() -> None:
    cast = cast_of(2)
    cast.may_be_absent = True
    task = Asynchronous(rounds=1, steps=3).run(cast)  # type: ignore[arg-type]
    rows = played(task, {"d000": 2e9, "d001": 2e9}, {"d001": [Outage(0.2, 100.0, "off")]})
    assert rows.tuples("rounds", ("at_s", "devices", "samples")) == [(5.0, 1, 5)]


def test_a_lost_transfer_costs_its_mini_batch_or_its_mixing() -> None:
    cast, sends, rows = cast_of(1), 0, MemoryLedger()

    def lost(send: Send) -> bool:
        nonlocal sends
        sends += 1
        return sends in {1, 6}  # the first smashed data, and the half after the third mini-batch

    task = losing(Asynchronous(rounds=2, steps=3).run(cast), lost)  # type: ignore[arg-type]
    rows = played(task, {"d000": 2e9}, {})
    assert rows.tuples("misses", ("round", "reason")) == [(1, "lost on the air")] * 2
    kinds = [kind for (kind,) in rows.tuples("staleness", ("kind",))]
    assert kinds == ["step"] * 5 + ["mix"]
    assert rows.tuples("rounds", ("samples",)) == [(2,), (3,)]
    assert cast.server.heard.count("server averages 2 halves") == 1


def test_one_device_that_mixes_wholly_learns_as_the_whole_model_would() -> None:
    """Staleness is 0, the mixture is the half itself, and raw bytes change nothing."""
    plain = ("codec=raw", "model.batch_norm=false", "devices.count=1")
    ours = world(*plain, "protocol={kind: asynchronous, rounds: 2, steps: 3, mixing: 1}")
    heard: list[dict[str, Any]] = []
    InstantPlayer(
        lambda effect: heard.append(effect.row) if getattr(effect, "table", "") == "staleness" else None
    ).play(ours.scenario.protocol.run(ours))
    assert [(row["kind"], row["staleness"], row["weight"]) for row in heard] == [
        *([("step", 0, 1.0)] * 3 + [("mix", 0, 1.0)]) * 2
    ]
    alone = world(*plain)
    whole = nn.Sequential(*alone.layout.split.device, *alone.layout.split.server).train()
    optimiser = alone.scenario.learning.optimiser.open(whole.parameters())
    for _ in range(6):
        images, labels = alone.data.train_batch(alone.devices[0].next_batch())
        optimiser.zero_grad()
        cross_entropy(whole(torch.from_numpy(images)), torch.from_numpy(labels)).backward()
        optimiser.step()
    device = nn.Sequential(*alone.layout.split.device)
    load_state_vector(device, ours.server.decode_model(ours.devices[0].model_payload().body))
    learnt = np.concatenate([state_vector(device), state_vector(ours.server.half.model)])
    np.testing.assert_allclose(learnt, state_vector(whole), rtol=1e-4, atol=1e-6)


def test_a_discounted_step_is_a_step_of_a_smaller_rate() -> None:
    sgd = "learning.optimiser={{kind: sgd, learning_rate: {}, momentum: 0}}"
    late, small = world(sgd.format(0.1)), world(sgd.format(0.025))
    before = state_vector(late.server.half.model)
    answers = []
    for one, step in (
        (late, lambda batch: late.server.train([batch], discount(3, 1.0))[0]),
        (small, lambda batch: small.server.train([batch])[0]),
    ):
        smashed = one.devices[0].forward(one.devices[0].next_batch())
        answers.append(step((smashed.tensor, smashed.labels)))
    assert np.array_equal(answers[0].gradient, answers[1].gradient)
    np.testing.assert_allclose(
        state_vector(late.server.half.model), state_vector(small.server.half.model), rtol=1e-6, atol=1e-9
    )
    assert not np.array_equal(before, state_vector(late.server.half.model))
    assert [group["lr"] for group in late.server.half.optimiser.param_groups] == [0.1]


def test_the_discount_is_polynomial() -> None:
    assert [discount(s, 0.5) for s in (0, 3, 8)] == pytest.approx([1.0, 0.5, 1 / 3])
    assert discount(7, 0.0) == 1.0


def test_bytes_and_times_hold_together_while_devices_come_and_go(tmp_path: Path) -> None:
    away = "devices.availability={kind: on_off, mean_on: 40 ms, mean_off: 20 ms}"
    prepared = prepare(scenario(TINY, away), tmp_path / "run", threads=1)
    rows: list[tuple[str, Any]] = []
    summary = run(prepared, lambda table, row: rows.append((table, row)), strict=True)
    assert (summary["status"], summary["rounds"]) == ("finished", 3)
    tables = [table for table, _ in rows]
    assert tables.count("misses") > 0
    assert tables.count("steps") + tables.count("misses") >= 30  # a half may be missed after its mini-batch


def test_a_training_that_is_resumed_begins_again_and_ends_alike(tmp_path: Path) -> None:
    whole = undisturbed(tmp_path / "whole", TINY)
    killed(tmp_path / "cut", 30, TINY)
    again = resumed(tmp_path / "cut")
    assert (again["digest"], again["rounds"]) == (whole["digest"], whole["rounds"])
    assert again["resumed"] == 1
