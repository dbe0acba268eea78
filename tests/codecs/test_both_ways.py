"""Uplink and downlink codecs of a whole exchange, by the participants that hold their ends."""

from pathlib import Path

import numpy as np
import pytest

from slfac_sim.protocols.kit.exchange import Meeting, exchange
from slfac_sim.runs.opening import build
from slfac_sim.scenario.files import load

TINY = Path(__file__).parent.parent / "tiny.yaml"


def energy(tensor):
    return float((tensor.astype(np.float64) ** 2).sum())


def exchanged(world, steps):
    """Run `steps` mini-batches of the first device, in the shipped protocol; yield the payloads of each."""
    device = world.devices[0]
    for _ in range(steps):
        sent, reply = {}, None
        task = exchange(world, device, [Meeting(1, 1, 1)], 1, device.next_batch())
        while True:
            try:
                effect = task.send(reply)
            except StopIteration:
                break
            reply = None
            if hasattr(effect, "job"):
                reply = effect.job()
            elif hasattr(effect, "item"):
                reply = world.server.train([effect.item])[0]
            else:
                sent |= effect.payloads
        yield sent


def test_gradients_of_a_whole_exchange_come_on_the_support():
    change = ["codec.uplink={kind: topk, rate: 0.1}", "codec.downlink={kind: on_support, codec: raw}"]
    world = build(load(TINY, change))
    for sent in exchanged(world, 3):
        kept = sent["smashed_up"].notes["kept_fraction"]
        values = sent["smashed_up"].values
        assert sent["smashed_down"].nbytes == pytest.approx(4 * kept * values, abs=60)


def test_the_answer_is_the_receipt_and_samples_keep_their_names():
    world = build(load(TINY, ["codec.uplink=aq_sgd", "codec.downlink=raw"]))
    device = world.devices[0]
    passes = len(device.shard.samples) // min(device.shard.batch, len(device.shard.samples))
    notes = [sent["smashed_up"].notes["changes_fraction"] for sent in exchanged(world, 3 * passes)]
    assert notes[:passes] == [0.0] * passes
    assert np.mean(notes[passes:]) > 0.5
    assert isinstance(world.evaluate(device.model_payload().body)["accuracy"], float)


BOTH_WAYS = [
    ("aq_sgd", "raw", 0.02),
    ("{kind: aq_sgd, rounding: stochastic, entropy: ans}", "qsgd", 0.02),
    ("{kind: error_feedback, codec: {kind: aq_sgd, bits: 3}}", "sl_acc", 0.1),
    ("{kind: error_feedback, codec: {kind: topk, rate: 0.3}}", "{kind: on_support, codec: raw}", 2.0),
    ("{kind: randtopk, rate: 0.3}", "{kind: on_support, codec: {kind: sl_acc, b_min: 6}}", 2.0),
    ("splitfc", "{kind: on_support, codec: aq_sgd}", np.inf),
    ("{kind: fedlite, correction: 0.01}", "fedlite", 2.0),
    ("sl_acc", "error_feedback", 2.0),
]


@pytest.mark.parametrize(("up", "down", "most"), BOTH_WAYS)
def test_participants_go_on_in_step_whatever_is_lost(up, down, most):
    """A third of the bodies does not arrive; the device then takes its next batch, and nobody is told."""
    world = build(load(TINY, [f"codec.uplink={up}", f"codec.downlink={down}", "devices.count=2"]))
    server, device, rng = world.server, world.devices[0], np.random.default_rng(0)
    done = 0
    for _ in range(30):
        smashed = device.forward(device.next_batch())
        asked = device.encode(smashed).body
        if rng.random() < 0.3:
            continue
        arrived, truth = server.decode(device.name, asked, device.encode_labels(smashed).body)
        assert energy(arrived - smashed.tensor) <= most * energy(smashed.tensor)
        answer = server.encode(device.name, server.train([(arrived, truth)])[0], asked).body
        if rng.random() < 0.3:
            continue
        gradient = device.decode(answer, asked)
        assert gradient.shape == smashed.tensor.shape
        device.backward(smashed.pending, gradient)
        done += 1
    assert 10 < done < 30


def test_codecs_of_a_run_draw_by_its_seed():
    change = ["codec.uplink={kind: error_feedback, codec: {kind: randtopk, seed: 2}}", "codec.downlink=qsgd"]
    codecs = build(load(TINY, [*change, "seed=5"])).devices[0].exchange
    assert (codecs.uplink.codec.seed, codecs.downlink.seed) == (7, 5)
