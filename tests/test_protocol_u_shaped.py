"""U-shaped split learning: labels stay at home, and it learns what a large batch would."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from played import (
    PLAIN,
    assert_all_bodies_are_decoded,
    assert_learns_as,
    down_at,
    heard,
    in_words,
    large_batch,
    on_the_clock,
    six_of_one,
    whole_model,
)
from worlds import column, world

from slfac_sim.effects import Compute, Offer, Send
from slfac_sim.foundation.errors import BadInput
from slfac_sim.learning.weights import state_vector

U = "protocol={kind: u_shaped, rounds: 2, steps: 2}"
ONE_STEP = "protocol={kind: u_shaped, rounds: 1, steps: 1}"

MESSAGES = ["smashed_up", "middle_down", "middle_up", "smashed_down"]


def test_one_mini_batch_of_one_device_effect_by_effect() -> None:
    seen = [in_words(effect) for effect in heard(world(ONE_STEP, "devices.count=1"))]
    assert seen[:2] == ["note evals", "together 1"]
    assert seen[2 : seen.index("note steps")] == [
        "d000 forward", "d000 encode", "d000 -> server: smashed_up", "server decode",
        "server forward forward 1.1 0 of 1",
        "server encode", "server -> d000: middle_down", "d000 decode",
        "d000 tail",
        "d000 encode", "d000 -> server: middle_up", "server decode",
        "server backward backward 1.1 0 of 1",
        "server encode", "server -> d000: smashed_down", "d000 decode", "d000 backward",
    ]  # fmt: skip


def test_four_messages_and_no_label() -> None:
    sent = [effect for effect in heard(world(ONE_STEP)) if isinstance(effect, Send)]
    of_one = [kind for one in sent if "d002" in (one.src, one.dst) for kind in one.payloads]
    assert of_one == [*MESSAGES, "model_up"]
    assert not any("labels" in one.payloads for one in sent)


def test_every_body_is_decoded() -> None:
    kinds = dict.fromkeys(MESSAGES, 20) | {"model_up": 10, "model_down": 2}
    assert_all_bodies_are_decoded(U, kinds=kinds)


@pytest.mark.parametrize("tail", ["head", "conv3", "null"])
def test_one_device_learns_what_the_unsplit_model_learns(tail: str) -> None:
    """With momentum and batch-norm, wherever the tail begins."""
    one = f"protocol={{kind: u_shaped, rounds: 2, steps: 3, tail: {tail}}}"
    assert_learns_as(one, "devices.count=1", "codec=raw", batches_of=six_of_one)


def test_one_step_of_all_is_one_step_on_the_large_batch() -> None:
    assert_learns_as(ONE_STEP, *PLAIN, batches_of=large_batch)


def test_unequal_batches_weigh_by_samples() -> None:
    """A local epoch of unequal shards in one batch each: still one step on the large batch."""
    settings = (
        "protocol={kind: u_shaped, rounds: 1}",
        "learning.batch=200",
        "partition={kind: dirichlet, alpha: 0.5}",
        *PLAIN,
    )
    assert len({len(device.shard.samples) for device in world(*settings).devices}) > 1
    assert_learns_as(*settings, batches_of=lambda one: [np.arange(len(one.data.train_labels))])


@pytest.mark.parametrize(("steps", "equal"), [(1, True), (3, False)])
def test_with_one_step_a_round_it_learns_what_parallel_learns(steps: int, equal: bool) -> None:
    """With momentum, over several rounds; with more steps the tails, too, part between averages."""
    states = []
    for kind in ("u_shaped", "parallel"):
        settings = ("codec=raw", "model.batch_norm=false", "devices.count=3")
        one = world(f"protocol={{kind: {kind}, rounds: 3, steps: {steps}}}", *settings)
        heard(one)
        states.append(state_vector(whole_model(one)))
    assert np.allclose(*states, rtol=1e-4, atol=1e-5) == equal


def test_the_work_of_the_three_parts_is_that_of_the_two() -> None:
    two = world().layout.split.work
    parts = world(U).layout.thirds
    assert parts.work.device_forward_flops == two.device_forward_flops
    assert parts.work.device_backward_flops == two.device_backward_flops
    tail = parts.tail_work.device_forward_flops + parts.tail_work.device_backward_flops
    assert tail == 3 * 2 * 16 * 4  # the linear layer of 16 x 4 weights, three passes of 2 FLOPs a weight
    assert parts.work.server_step_flops + tail == two.server_step_flops


def test_every_pass_is_charged_where_it_is_done() -> None:
    one = world(ONE_STEP)
    effects, parts = heard(one), one.layout.thirds
    flops: dict[str, set[float]] = {}
    for effect in effects:
        if isinstance(effect, Compute | Offer):
            flops.setdefault(effect.what, set()).add(effect.flops)
    assert flops["tail"] == {8 * 384}
    assert flops["forward"] == {8 * parts.work.device_forward_flops, 8 * parts.work.server_forward_flops}
    assert flops["backward"] == {8 * parts.work.device_backward_flops, 8 * parts.work.server_backward_flops}


def test_accuracy_is_measured_through_both_codecs() -> None:
    """What split inference sees crosses the air twice."""

    def scores(codec: str) -> dict[str, Any]:
        one = world(U, f"codec={codec}")
        return one.evaluate(one.begun()[1].body, last=True)

    exact = scores("raw")
    assert exact["accuracy"] == exact["accuracy_no_codec"]
    for coarse in (
        "{uplink: {kind: topk, rate: 0.02}, downlink: raw}",
        "{uplink: raw, downlink: {kind: topk, rate: 0.02}}",
    ):
        found = scores(coarse)
        assert found["accuracy_no_codec"] == exact["accuracy"]
        assert found["loss"] != exact["loss"]


def test_the_codec_of_each_direction_is_used_on_both_messages() -> None:
    sent = heard(world(ONE_STEP, "codec={uplink: fp16, downlink: raw}"))
    per_value = {
        kind: one.nbytes / one.values
        for effect in sent
        if isinstance(effect, Send)
        for kind, one in effect.payloads.items()
    }
    assert all(2.0 < per_value[kind] < 2.2 for kind in ("smashed_up", "middle_up"))
    assert all(4.0 < per_value[kind] < 4.2 for kind in ("smashed_down", "middle_down"))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (("protocol.tail=conv9",), "protocol.tail: no block 'conv9' among conv2, conv3, head"),
        (
            ("protocol.tail=conv2",),
            "protocol.tail: between cut 'conv1' and tail 'conv2' the server would have",
        ),
        (("cut=conv3",), "protocol.tail: between cut 'conv3' and tail 'head' the server would have nothing"),
        (("cut=conv9",), "cut: no block 'conv9' among"),
    ],
)
def test_parts_that_cannot_be_are_refused(settings: tuple[str, ...], message: str) -> None:
    with pytest.raises(BadInput) as caught:
        world(U, *settings)
    assert str(caught.value).startswith(message)


def test_on_a_machine_whose_memory_is_slow_the_tail_takes_its_time_too() -> None:
    """With endless bandwidth the work is what was counted, the gradient for the server included."""
    counted, fast, slow = (
        world(U, *more).devices[0].inner.work
        for more in ((), ("devices.memory_bandwidth=1e18",), ("devices.memory_bandwidth=1e6",))
    )
    assert fast.device_forward_flops == pytest.approx(counted.device_forward_flops)
    assert fast.device_backward_flops == pytest.approx(counted.device_backward_flops)
    assert slow.device_forward_flops > 10 * counted.device_forward_flops


def test_both_ends_must_fit_into_a_device() -> None:
    with pytest.raises(BadInput, match=r"devices.memory: d000 has 1 kB"):
        world(U, "devices.memory=1 kB")
    part, two = (one.layout.memory() for one in (world(U), world()))
    assert part.weights == two.weights + 4 * (16 * 4 + 4)
    assert part.activations > two.activations


def test_what_devices_hold_counts_the_tail() -> None:
    one, two = (world(kind, "codec=raw") for kind in (U, "protocol={kind: parallel, rounds: 1, steps: 1}"))
    assert one.devices[0].model_values == two.devices[0].model_values + 16 * 4 + 4


@pytest.mark.parametrize("when", ["before the body", "after the body"])
def test_a_crash_in_mid_batch(when: str, tmp_path: Path) -> None:
    """The cohort goes on without it, whether or not the body has seen its activations."""
    _, undisturbed = on_the_clock(U)
    steps = [row["at_s"] for row in undisturbed.rows("steps") if row["device"] == "d001"]
    work = [
        row for row in undisturbed.rows("computes") if row["host"] == "d001" and row["start_s"] >= steps[0]
    ]
    what = "forward" if when == "before the body" else "tail"
    at = next(row for row in work if row["what"] == what)
    crash_s = 0.5 * (at["start_s"] + at["end_s"])
    world_, rows = on_the_clock(U, down_at(tmp_path / "trace.csv", "d001", crash_s))
    missed = [(row["round"], row["device"]) for row in rows.rows("misses")]
    assert missed == [(1, "d001"), (2, "d001")]
    assert column(rows.rows("rounds"), "devices") == [4, 4]
    queues = [row["queue"] for row in rows.rows("offers")]
    met = [queues.count(name) for name in ("forward 1.1", "backward 1.1", "forward 1.2", "backward 1.2")]
    assert met == [5, 5, 4 if when == "before the body" else 5, 4]
    assert all(np.isfinite(device.model_state()).all() for device in world_.devices)


def test_who_never_answers_counts_for_nothing() -> None:
    """A cohort of five of which four answer takes the step of those four (no batch-norm)."""

    def body_after(answering: int) -> Any:
        one = world(U, *PLAIN)
        devices, server = one.devices, one.server
        smashed = [device.forward(device.next_batch()) for device in devices]
        seen = smashed if answering == 4 else smashed[:4]
        middles = server.forward([part.tensor for part in seen])
        found = [
            (middle, device.judge(middle.tensor, part).gradient)
            for device, middle, part in zip(devices, middles, smashed, strict=False)
        ]
        gradients = server.backward(found[:4])
        return state_vector(server.half.model), gradients

    (kept, own), (alone, theirs) = body_after(4), body_after(5)
    np.testing.assert_allclose(kept, alone, rtol=1e-5, atol=1e-7)
    np.testing.assert_allclose(np.concatenate(own), np.concatenate(theirs), rtol=1e-4, atol=1e-7)


def test_a_body_that_does_not_fit_is_refused() -> None:
    one = world(U)
    body = one.devices[0].exchange.uplink.sender("d000/up").encode(np.zeros((8, 3, 6, 6), np.float32)).body
    with pytest.raises(BadInput, match="d000: smashed data of shape"):
        one.server.decode("d000", body)


def test_its_state_comes_back() -> None:
    """A world that takes the state of another goes on alike."""
    one, other = world(U), world(U)
    heard(one)
    other.set_state(one.get_state())
    assert np.array_equal(state_vector(whole_model(one)), state_vector(whole_model(other)))
    assert np.array_equal(one.devices[3].next_batch(), other.devices[3].next_batch())
