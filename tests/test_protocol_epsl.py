"""EPSL: aggregated last-layer gradients, their way back, and what they save in bytes and work."""

from collections import Counter
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
    on_the_clock,
    six_of_one,
    whole_model,
)
from torch import nn
from worlds import column, world

from slfac_sim.effects import Note, Offer, Send
from slfac_sim.foundation.errors import BadInput
from slfac_sim.learning.epsl import aggregating_step, joined
from slfac_sim.learning.halves import ServerHalf
from slfac_sim.learning.weights import state_vector

Cohort = list[tuple[NDArray[np.float32], NDArray[np.int64]]]


def of(phi: float, rounds: int = 1, steps: int | str = 1, **more: Any) -> str:
    rest = "".join(f", {name}: {value}" for name, value in more.items())
    return f"protocol={{kind: epsl, phi: {phi}, rounds: {rounds}, steps: {steps}{rest}}}"


def linear_half(rate: float = 0.5) -> ServerHalf:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Flatten(), nn.Linear(6, 3))
    return ServerHalf(model, torch.optim.SGD(model.parameters(), rate))


def made_up(sizes: tuple[int, ...] = (4, 4, 4)) -> Cohort:
    rng = np.random.default_rng(1)
    return [(rng.standard_normal((n, 2, 3)).astype(np.float32), rng.integers(0, 3, n)) for n in sizes]


def test_a_linear_half_by_hand() -> None:
    """Through a linear layer gradients go back alike from any point: W'g, summed over what was averaged."""
    half, cohort, cut = linear_half(), made_up((4, 4, 6)), 2
    layer = half.model[1]  # type: ignore[index]
    weight, bias = (one.detach().numpy().copy() for one in (layer.weight, layer.bias))
    inputs = [tensor.reshape(len(tensor), 6) for tensor, _ in cohort]
    gradients = []
    for rows, (_, labels) in zip(inputs, cohort, strict=True):
        scores = np.exp(rows @ weight.T + bias)
        gradients.append(scores / scores.sum(1, keepdims=True) - np.eye(3)[labels])
    answers = aggregating_step(half, cut, cohort)
    mean = np.mean([gradient[:cut] for gradient in gradients], axis=0)
    for answer, gradient in zip(answers, gradients, strict=True):
        np.testing.assert_allclose(answer.shared.reshape(cut, 6), mean @ weight, rtol=1e-4, atol=1e-6)
        own = (gradient[cut:] @ weight) / len(gradient)
        np.testing.assert_allclose(answer.gradient.reshape(-1, 6), own, rtol=1e-4, atol=1e-6)
    centre = np.mean([rows[:cut] for rows in inputs], axis=0)
    step = 3 * mean.T @ centre
    step = step + sum(gradient[cut:].T @ rows[cut:] for gradient, rows in zip(gradients, inputs, strict=True))
    expected = weight - 0.5 * step / 14
    np.testing.assert_allclose(layer.weight.detach().numpy(), expected, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("cohort", [made_up(), made_up((4, 2, 3))])
def test_without_aggregation_it_is_the_common_step(cohort: Cohort) -> None:
    one, other = linear_half(), linear_half()
    for found, expected in zip(aggregating_step(one, 0, cohort), other.step(cohort), strict=True):
        np.testing.assert_allclose(found.gradient, expected.gradient, rtol=1e-5, atol=1e-7)
        assert found.loss == pytest.approx(expected.loss)
        assert found.correct == expected.correct
    np.testing.assert_allclose(state_vector(one.model), state_vector(other.model), rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("cut", [1, 3, 4])
def test_devices_that_have_the_same_samples_lose_nothing(cut: int) -> None:
    """A mean over equals is each of them: the step and every device's gradient are those of `ServerHalf`."""
    cohort = made_up((4,)) * 3
    one, other = (
        ServerHalf(model, torch.optim.SGD(model.parameters(), 0.5)) for model in (_curved(), _curved())
    )
    for found, expected in zip(aggregating_step(one, cut, cohort), other.step(cohort), strict=True):
        own = found.gradient if len(found.gradient) else None
        np.testing.assert_allclose(joined(found.shared, own, 4), expected.gradient, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(state_vector(one.model), state_vector(other.model), rtol=1e-4, atol=1e-6)


def _curved() -> nn.Module:
    torch.manual_seed(2)
    return nn.Sequential(nn.Flatten(), nn.Linear(6, 8), nn.Tanh(), nn.Linear(8, 3))


def test_phi_0_is_parallel_effect_by_effect_and_bit_by_bit() -> None:
    found = []
    for protocol in (of(0.0, rounds=2, steps=3), "protocol={kind: parallel, rounds: 2, steps: 3}"):
        learnt, rows = on_the_clock(protocol)
        found.append((state_vector(whole_model(learnt)), rows.digest()))
    assert np.array_equal(found[0][0], found[1][0])
    assert found[0][1] == found[1][1]


def test_one_device_learns_as_the_unsplit_model() -> None:
    """The mean over one device is its own: nothing is lost (but with batch-norm, which sees it twice)."""
    assert_learns_as(*PLAIN, of(0.5, rounds=2, steps=3), "devices.count=1", batches_of=six_of_one)


def test_a_step_of_two_devices_effect_by_effect() -> None:
    """phi 0.3 of 8 samples are 3: the broadcast first, then each device's own part."""
    one = world(of(0.3), "devices.count=2", "codec=raw")
    effects = heard(one)
    seen = [in_words(effect) for effect in effects]
    first = seen.index("server train cohort 1.1 0 of 2")
    assert seen[first : seen.index("d000 encode_model")] == [
        "server train cohort 1.1 0 of 2", "server train cohort 1.1 1 of 2",
        "server encode", "server broadcast broadcast 1.1 1 of 2",
        "server -> ('d000', 'd001'): smashed_down", "server broadcast broadcast 1.1 0 of 2",
        "server encode", "server encode", "server -> d000: smashed_down", "server -> d001: smashed_down",
        "d000 decode", "d001 decode", "d000 backward", "d001 backward", "note steps", "note steps",
    ]  # fmt: skip
    values = one.layout.split.values_per_sample
    sent = [effect.payloads["smashed_down"].values for effect in effects if _is_down(effect)]
    assert sent == [3 * values, 5 * values, 5 * values]


def _is_down(effect: Any) -> bool:
    return isinstance(effect, Send) and "smashed_down" in effect.payloads


def test_phi_1_sends_gradients_by_multicast_only() -> None:
    effects = heard(world(of(1.0, rounds=2, steps=3)))
    down = Counter(effect.dst for effect in effects if _is_down(effect))
    assert down == {("d000", "d001", "d002", "d003", "d004"): 6}
    assert {effect.row["samples"] for effect in effects if getattr(effect, "table", "") == "steps"} == {8}


@pytest.mark.parametrize(("phi", "down"), [(0.5, 6 * (1 + 5)), (1.0, 6)])
def test_every_body_is_decoded(phi: float, down: int) -> None:
    kinds = {"smashed_up": 30, "labels": 30, "smashed_down": down, "model_up": 10, "model_down": 2}
    assert_all_bodies_are_decoded(of(phi, rounds=2, steps=3), kinds=kinds)


@pytest.mark.parametrize(("phi", "cut"), [(0.01, 1), (0.25, 2), (0.5, 4), (0.51, 5), (1.0, 8)])
def test_the_servers_work_shrinks(phi: float, cut: int) -> None:
    """5 devices of 8 samples: forward 40 and the means; backward those that are left and the means."""
    one = world(of(phi))
    offers = [effect for effect in heard(one) if isinstance(effect, Offer) and effect.what == "train"]
    work = one.layout.split.work
    forward, backward = 40 + cut, 5 * (8 - cut) + cut
    expected = forward * work.server_forward_flops + backward * work.server_backward_flops
    assert sum(offer.flops for offer in offers) == pytest.approx(expected)


def test_the_smallest_batch_says_how_many_are_aggregated() -> None:
    """One local epoch of uneven shards: short batches at the ends, and devices that have run out."""
    effects = heard(world(of(1.0, steps="null"), "partition={kind: dirichlet, alpha: 0.5}", *PLAIN))
    sizes: dict[int, list[int]] = {}
    for effect in effects:
        if isinstance(effect, Note) and effect.table == "steps":
            sizes.setdefault(effect.row["step"], []).append(effect.row["samples"])
    assert any(len(set(found)) > 1 for found in sizes.values())
    own = sum(samples > min(found) for found in sizes.values() for samples in found)
    sends = [effect.dst for effect in effects if _is_down(effect)]
    assert sum(isinstance(dst, tuple) for dst in sends) == len(sizes)
    assert len(sends) == len(sizes) + own


def test_timing_does_not_steer_what_is_learnt() -> None:
    found = [on_the_clock(of(0.5, steps=3), f"seed.air={seed}")[0] for seed in (0, 1)]
    one, other = (state_vector(whole_model(learnt)) for learnt in found)
    assert np.array_equal(one, other)
    assert not found[0].scenario.protocol.timing_steers_learning


@pytest.mark.parametrize("device", ["d000", "d003"])
def test_a_device_that_crashes_leaves_the_broadcast_to_the_others(device: str, tmp_path: Path) -> None:
    """Also the first of the cohort, which sees to the broadcast."""
    _, rows = on_the_clock(of(0.5, steps=3))
    step = next(row for row in rows.rows("steps") if row["device"] == device and row["step"] == 1)
    trace = down_at(tmp_path / "trace.csv", device, step["at_s"] + 1e-4)
    learnt, rows = on_the_clock(of(0.5, steps=3), trace)
    assert [(row["device"], row["reason"]) for row in rows.rows("misses")] == [
        (device, f"{device} is down: crash")
    ]
    many = [row["receivers"] for row in rows.rows("transfers") if row["dst"] == "*"]
    assert many[:4] == [5, 4, 4, 4]  # a broadcast each step, and the average to who is there
    assert np.isfinite(state_vector(whole_model(learnt))).all()


@pytest.mark.parametrize("at", [0, 3, 7])
def test_a_server_that_is_restarted_stops_nobody_for_ever(at: int, tmp_path: Path) -> None:
    """Wherever in the step that is: at the broadcast, too. All miss the round, and the next one is learnt."""
    _, rows = on_the_clock(of(0.5, rounds=2))
    broadcast = next(row for row in rows.rows("transfers") if row["dst"] == "*")
    down_s = broadcast["asked_s"] + (at - 2) * 0.25 * (broadcast["end_s"] - broadcast["asked_s"])
    trace = tmp_path / "trace.csv"
    trace.write_text(f"device,down_s,up_s\nserver,{down_s},{down_s + 0.01}\n", encoding="utf-8")
    _, rows = on_the_clock(of(0.5, rounds=2), f"server.availability={{kind: trace, file: '{trace}'}}")
    assert column(rows.rows("rounds"), "round") == [1, 2]
    assert column(rows.rows("rounds"), "devices")[1] == 5


def test_a_deadline_cuts_a_broadcast_short() -> None:
    _, rows = on_the_clock(of(0.5))
    broadcast = next(row for row in rows.rows("transfers") if row["dst"] == "*")
    limit = f"{{deadline: {(broadcast['asked_s'] + broadcast['end_s']) / 2}}}"
    _, rows = on_the_clock(of(0.5, participation=limit))
    assert {row["reason"] for row in rows.rows("misses")} == {"deadline"}
    assert column(rows.rows("rounds"), "devices") == [0]
    assert next(row["outcome"] for row in rows.rows("transfers") if row["dst"] == "*") == "cancelled"


def test_a_part_of_more_than_all_is_refused() -> None:
    with pytest.raises(BadInput, match="phi"):
        world(of(1.5))
