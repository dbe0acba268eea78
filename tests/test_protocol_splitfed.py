"""SplitFed V1, V2 and V3: what each averages, in which order, and what a device that is missing changes."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from played import (
    PLAIN,
    assert_all_bodies_are_decoded,
    assert_learns_as,
    down_at,
    heard,
    in_words,
    learn_whole,
    on_the_clock,
    six_of_one,
    whole_model,
)
from torch import nn
from torch.nn.functional import cross_entropy
from worlds import column, scenario, world

from slfac_sim.effects import Compute, Offer, Send
from slfac_sim.learning.evaluation import mean_score
from slfac_sim.learning.weights import state_size, state_vector, weighted_mean
from slfac_sim.learning.world import World
from slfac_sim.protocols.splitfed_v2 import turns
from slfac_sim.runs.opening import build

VERSIONS = ("splitfed_v1", "splitfed_v2", "splitfed_v3")
Vector = NDArray[np.float32]


def of(kind: str, rounds: int = 1, steps: int = 1, **more: Any) -> str:
    rest = "".join(f", {name}: {value}" for name, value in more.items())
    return f"protocol={{kind: {kind}, rounds: {rounds}, steps: {steps}{rest}}}"


def words(kind: str, *overrides: str) -> list[str]:
    return [in_words(effect) for effect in heard(world(of(kind), "devices.count=2", *overrides))]


BEGIN = [
    "d000 forward", "d001 forward", "d000 encode", "d001 encode",
    "d000 -> server: smashed_up+labels", "d001 -> server: smashed_up+labels",
    "server decode", "server decode",
]  # fmt: skip
LEARN = [
    "server encode", "server encode", "server -> d000: smashed_down", "server -> d001: smashed_down",
    "d000 decode", "d001 decode", "d000 backward", "d001 backward", "note steps", "note steps",
]  # fmt: skip
HAND_IN = [
    "d000 encode_model", "d001 encode_model", "d000 -> server: model_up", "d001 -> server: model_up",
    "server decode_model", "server decode_model", "server average",
]  # fmt: skip
END = ["note evals", "note rounds"]
HAND_OUT = [
    "server encode_model", "server -> ('d000', 'd001'): model_down", "together 2", "d000 decode_model",
    "d001 decode_model",
]  # fmt: skip


def test_version_1_effect_by_effect() -> None:
    """The server trains on each mini-batch by itself; it averages device halves, then its copies."""
    train = ["server train"] * 2
    expected = [
        "note evals", "together 2", *BEGIN, *train, *LEARN, *HAND_IN, "server average", *END, *HAND_OUT,
    ]  # fmt: skip
    assert words("splitfed_v1") == expected


def test_version_2_effect_by_effect() -> None:
    """The server waits for both; there is one half on the server, and no average of it."""
    train = ["server train cohort 1.1 0 of 2", "server train cohort 1.1 1 of 2"]
    expected = ["note evals", "together 2", *BEGIN, *train, *LEARN, *HAND_IN, *END, *HAND_OUT]
    assert words("splitfed_v2") == expected


def test_version_3_effect_by_effect() -> None:
    """No model is ever on the air."""
    expected = [
        "note evals", "together 2", *BEGIN, *["server train"] * 2, *LEARN, "server average", *END,
    ]  # fmt: skip
    assert words("splitfed_v3") == expected


@pytest.mark.parametrize("kind", VERSIONS)
def test_every_body_is_decoded(kind: str) -> None:
    smashed = {"smashed_up": 20, "labels": 20, "smashed_down": 20}
    models = {"model_up": 10, "model_down": 2} if kind != "splitfed_v3" else {}
    assert_all_bodies_are_decoded(of(kind, rounds=2, steps=2), kinds=smashed | models)


@pytest.mark.parametrize("kind", VERSIONS)
@pytest.mark.parametrize("optimiser", ["adam", "{kind: sgd, momentum: 0.9}"])
def test_one_device_learns_as_the_unsplit_model(kind: str, optimiser: str) -> None:
    """Batch-norm and moments included: those of the server's copies go on from round to round."""
    chosen = (of(kind, rounds=2, steps=3), "codec=raw", f"learning.optimiser={optimiser}")
    assert_learns_as(*chosen, "devices.count=1", batches_of=six_of_one)


def learnt_alone(reference: World, steps: int) -> tuple[list[nn.Module], list[int]]:
    """Return the unsplit models that each device would learn by itself, and the samples that it used."""
    models, samples = [], []
    for place, device in enumerate(reference.devices):
        batches = [device.next_batch() for _ in range(steps)]
        other = build(reference.scenario)
        models.append(learn_whole(other, batches))
        samples.append(sum(len(batch) for batch in batches))
        assert other.devices[place].name == device.name
    return models, samples


def mean_of(models: list[nn.Module], samples: list[int]) -> Vector:
    return weighted_mean([state_vector(model) for model in models], samples)


UNEVEN = ("partition={kind: dirichlet, alpha: 0.5}", "learning.batch=64", "devices.count=3", "codec=raw")


@pytest.mark.parametrize("optimiser", ["adam", "{kind: sgd, learning_rate: 0.05, momentum: 0.9}"])
def test_version_1_is_federated_averaging(optimiser: str) -> None:
    """Three steps of uneven devices: the mean of whole models that learnt apart, weighted by samples."""
    overrides = (of("splitfed_v1", steps=3), *UNEVEN, f"learning.optimiser={optimiser}")
    models, samples = learnt_alone(build(scenario(*overrides)), 3)
    assert len(set(samples)) > 1
    learnt = world(*overrides)
    heard(learnt)
    found = state_vector(whole_model(learnt))
    np.testing.assert_allclose(found, mean_of(models, samples), rtol=1e-4, atol=1e-5)


def test_version_3_averages_the_server_only() -> None:
    overrides = (of("splitfed_v3", steps=3), *UNEVEN)
    models, samples = learnt_alone(build(scenario(*overrides)), 3)
    learnt = world(*overrides)
    cut = len(learnt.layout.split.device)
    heard(learnt)
    for device, alone in zip(learnt.devices, models, strict=True):
        np.testing.assert_allclose(device.model_state(), state_vector(alone[:cut]), rtol=1e-4, atol=1e-5)
    expected = mean_of([model[cut:] for model in models], samples)
    np.testing.assert_allclose(state_vector(learnt.server.half.model), expected, rtol=1e-4, atol=1e-5)


def test_version_3_is_measured_as_a_mean_over_devices() -> None:
    """With 2 of 5 devices: the mean of what each of these two halves reaches before the server's."""
    one = world(of("splitfed_v3", steps=4, evaluate_devices=2))
    found = heard(one)
    figures = [effect.row for effect in found if getattr(effect, "table", "") == "evals"][-1]
    cut = one.layout
    scores = [mean_score([(cut.score(device.model_state(), True), 1)]) for device in one.devices[:2]]
    assert scores[0] != scores[1]
    for name in ("accuracy", "loss", "accuracy_no_codec"):
        assert figures[name] == pytest.approx((scores[0][name] + scores[1][name]) / 2)


def test_version_2_takes_a_step_for_each_device_in_turn() -> None:
    """The device halves as they were sent; the server's, as the turn before has left it."""
    overrides = (*PLAIN, of("splitfed_v2"), "seed.learning=3")
    one = world(*overrides)
    devices = {device.name: device for device in one.devices}
    order = turns(devices, 3, round_number=1, step=1)
    assert order != sorted(order)
    near, far = one.layout.split.device, one.layout.split.server
    rate, before = 0.05, state_vector(near)
    halves: dict[int, Vector] = {}
    for device in [devices[name] for name in order]:
        images, labels = one.data.train_batch(device.next_batch())
        cross_entropy(far(near(torch.from_numpy(images))), torch.from_numpy(labels)).backward()
        gradients = [weight.grad.reshape(-1).numpy() for weight in near.parameters()]  # type: ignore[union-attr]
        halves[device.place] = before - rate * np.concatenate(gradients)
        near.zero_grad()
        torch.optim.SGD(far.parameters(), rate).step()
        far.zero_grad()
    expected = state_vector(far)
    learnt = world(*overrides)
    heard(learnt)
    np.testing.assert_allclose(state_vector(learnt.server.half.model), expected, rtol=1e-4, atol=1e-6)
    mean = np.mean([halves[device.place] for device in one.devices], axis=0)
    np.testing.assert_allclose(learnt.devices[0].model_state(), mean, rtol=1e-4, atol=1e-6)


def test_turns_are_drawn_for_each_device_and_step() -> None:
    names = [f"d{place:03d}" for place in range(8)]
    first, again, later, next_round = (turns(names, 0, *when) for when in ((1, 1), (1, 1), (1, 2), (2, 1)))
    assert first == again
    assert len({tuple(order) for order in (first, later, next_round)}) == 3
    assert sorted(first) == names
    assert turns(names[:5], 0, 1, 1) == [name for name in first if name in names[:5]]


@pytest.mark.parametrize("kind", VERSIONS)
@pytest.mark.parametrize("discipline", ["fifo", "sharing"])
def test_timing_does_not_steer_what_is_learnt(kind: str, discipline: str) -> None:
    """Other speeds and another air: other times and another order of arrival, the same weights to the bit."""
    chosen = (of(kind, steps=3), f"server.discipline={discipline}")
    found = [on_the_clock(*chosen, f"seed.air={seed}") for seed in (0, 1)]
    one, other = (state_vector(learnt.server.half.model) for learnt, _ in found)
    assert np.array_equal(one, other)
    ends = [[row["at_s"] for row in rows.rows("rounds")] for _, rows in found]
    assert ends[0] != ends[1]
    assert not found[0][0].scenario.protocol.timing_steers_learning


@pytest.mark.parametrize("kind", VERSIONS)
def test_a_device_that_crashes_is_missed_and_the_others_go_on(kind: str, tmp_path: Path) -> None:
    """It is down from its second mini-batch on; its copy and its half are in no average."""
    _, rows = on_the_clock(of(kind, rounds=2, steps=3))
    step = next(row for row in rows.rows("steps") if row["device"] == "d003" and row["step"] == 1)
    trace = down_at(tmp_path / "trace.csv", "d003", step["at_s"] + 1e-4)
    learnt, rows = on_the_clock(of(kind, rounds=2, steps=3), trace)
    misses = [(row["round"], row["device"], row["reason"]) for row in rows.rows("misses")]
    assert misses == [(1, "d003", "d003 is down: crash"), (2, "d003", "absent")]
    assert column(rows.rows("rounds"), "devices") == [4, 4]
    assert np.isfinite(state_vector(learnt.server.half.model)).all()


@pytest.mark.parametrize("kind", ["splitfed_v1", "splitfed_v3"])
def test_who_misses_a_deadline_leaves_no_trace_in_the_average(kind: str) -> None:
    """A deadline that nobody meets leaves the server's half as it was, and a next round can begin."""
    learnt, rows = on_the_clock(of(kind, rounds=2, steps=3, participation="{deadline: 30 ms}"))
    assert column(rows.rows("rounds"), "devices") == [0, 0]
    assert any(row["what"] == "train" for row in rows.rows("computes"))
    assert np.array_equal(state_vector(learnt.server.half.model), state_vector(world().layout.split.server))
    assert not learnt.server.half.optimiser.state
    assert scenario(of(kind, participation="{deadline: 1 s}")).protocol.timing_steers_learning


@pytest.mark.parametrize("kind", VERSIONS)
def test_work_is_charged(kind: str) -> None:
    one = world(of(kind))
    effects = heard(one)
    found = [effect for effect in effects if isinstance(effect, Compute)]
    trained = [effect.flops for effect in found if effect.what == "train"]
    if kind == "splitfed_v2":  # the work of an offer
        trained = [effect.flops for effect in effects if isinstance(effect, Offer)]
    assert trained == [8 * one.layout.split.work.server_step_flops] * 5
    averaged = [effect.flops for effect in found if effect.what == "average"]
    near, far = (10.0 * state_size(half) for half in (one.layout.split.device, one.layout.split.server))
    assert averaged == {"splitfed_v1": [near, far], "splitfed_v2": [near], "splitfed_v3": [far]}[kind]


def test_version_1_sends_what_parallel_sends() -> None:
    sends = []
    for kind in ("splitfed_v1", "parallel"):
        found = [effect for effect in heard(world(of(kind))) if isinstance(effect, Send)]
        sends.append([(effect.src, effect.dst, list(effect.payloads)) for effect in found])
    assert sends[0] == sends[1]
