"""The halves, their averages, their batches and their work."""

import numpy as np
import pytest
import torch
from torch import nn
from worlds import scenario, world

from slfac_sim.codecs import BadBody
from slfac_sim.effects import Compute
from slfac_sim.foundation.errors import BadInput
from slfac_sim.learning.batches import Shard
from slfac_sim.learning.models.resnet18 import ResNet18
from slfac_sim.learning.models.small_cnn import SmallCnn
from slfac_sim.learning.participants import decode_labels, encode_labels
from slfac_sim.learning.sizes import plain_sizes
from slfac_sim.learning.weights import initialise, load_state_vector, state_vector, weighted_mean
from slfac_sim.learning.work import count_work, smashed_shape
from slfac_sim.simulation.instant import InstantPlayer

PLAIN = ("codec=raw", "model.batch_norm=false", "protocol.rounds=1", "protocol.steps=1")


def test_resnet18_has_the_parameters_of_the_paper() -> None:
    blocks = ResNet18().blocks(3, 1000)
    assert sum(p.numel() for _, block in blocks for p in block.parameters()) == 11_689_512
    assert [name for name, _ in blocks][:3] == ["stem", "pool", "block1"]


@pytest.mark.parametrize(
    ("cut", "shape"),
    [(1, (64, 14, 14)), (2, (64, 7, 7)), (3, (64, 7, 7)), (6, (128, 4, 4)), (10, (512, 1, 1))],
)
def test_resnet18_cut_at_any_block(cut: int, shape: tuple[int, ...]) -> None:
    blocks = [block for _, block in ResNet18().blocks(1, 10)]
    device, server = nn.Sequential(*blocks[:cut]), nn.Sequential(*blocks[cut:])
    assert smashed_shape(device, (1, 28, 28)) == shape
    assert server(device(torch.zeros(2, 1, 28, 28))).shape == (2, 10)


def test_work_of_a_convolution_by_hand() -> None:
    # 3x3 convolution, 2 -> 4 channels, 6x6 maps: 2 * 9 * 2 * 4 * 36 FLOPs a sample; a linear layer
    # 144 -> 5: 2 * 720. Backward: the device has no gradient of its input, the server has.
    device = nn.Conv2d(2, 4, 3, padding=1, bias=False)
    server = nn.Sequential(nn.Flatten(), nn.Linear(144, 5, bias=False))
    work = count_work(device, server, (2, 6, 6))
    assert work.device_forward_flops == work.device_backward_flops == 5184
    assert work.server_forward_flops == 1440
    assert work.server_backward_flops == 2880
    assert work.server_step_flops == 4320


def test_initial_weights_depend_on_the_seed_and_not_on_the_cut() -> None:
    one = world("cut=conv1").layout.split
    other = world("cut=conv2").layout.split
    joined = [nn.Sequential(*half.device, *half.server) for half in (one, other)]
    assert np.array_equal(state_vector(joined[0]), state_vector(joined[1]))
    assert not np.array_equal(
        state_vector(one.device), state_vector(world("cut=conv1", "seed.learning=1").layout.split.device)
    )


def test_he_initialisation_has_its_variance() -> None:
    blocks: list[tuple[str, nn.Module]] = [("wide", nn.Conv2d(64, 128, 3))]
    initialise(blocks, seed=3)
    assert blocks[0][1].weight.std().item() == pytest.approx((2 / (128 * 9)) ** 0.5, rel=0.02)


def test_state_vector_holds_batch_norm_statistics_and_comes_back() -> None:
    source, target = (nn.Sequential(*[b for _, b in SmallCnn(width=2).blocks(1, 3)]) for _ in range(2))
    source(torch.randn(16, 1, 8, 8))  # moves the running statistics
    load_state_vector(target, state_vector(source))
    for name, value in source.state_dict().items():
        if value.is_floating_point():
            assert torch.equal(value, target.state_dict()[name]), name
    assert "0.1.running_var" in source.state_dict()
    with pytest.raises(ValueError, match="cannot take 3"):
        load_state_vector(target, np.zeros(3, np.float32))


def test_weighted_mean_weighs_samples() -> None:
    vectors = [np.array([1.0, 2.0], np.float32), np.array([5.0, 10.0], np.float32)]
    assert weighted_mean(vectors, [3, 1]).tolist() == [2.0, 4.0]


def test_labels_are_one_byte_each() -> None:
    labels = np.array([0, 9, 255])
    payload = encode_labels(labels)
    assert (payload.nbytes, payload.values) == (3, 3)
    assert np.array_equal(decode_labels(payload.body), labels)
    with pytest.raises(ValueError, match="within 0"):
        encode_labels(np.array([256]))


def test_labels_of_more_than_256_classes_are_two_bytes_each() -> None:
    labels = np.array([0, 256, 65535])
    payload = encode_labels(labels, 2)
    assert (payload.nbytes, payload.values) == (6, 3)
    assert np.array_equal(decode_labels(payload.body, 2), labels)
    with pytest.raises(ValueError, match="within 0"):
        encode_labels(np.array([65536]), 2)
    with pytest.raises(BadBody, match="labels: found 5 bytes, expected 2 for each"):
        decode_labels(payload.body[:-1], 2)


def test_a_device_and_its_server_agree_on_labels_of_two_bytes() -> None:
    many = world("data={kind: synthetic, classes: 300, size: 12, train_samples: 400, test_samples: 20}")
    device = many.devices[0]
    smashed = device.forward(device.next_batch())
    sent = device.encode_labels(smashed)
    assert sent.nbytes == 2 * len(smashed.labels)
    _, arrived = many.server.decode(device.name, device.encode(smashed).body, sent.body)
    assert arrived.tolist() == smashed.labels.tolist()
    assert plain_sizes(device, 16, models=False).labels == 32


def test_an_epoch_uses_every_sample_once_and_the_last_batch_is_short() -> None:
    shard = Shard("d000", np.arange(100, 121), batch=8, seed=0)
    batches = shard.epoch(0)
    assert [len(batch) for batch in batches] == [8, 8, 5]
    assert shard.steps_per_epoch() == 3
    assert sorted(np.concatenate(batches)) == list(range(100, 121))
    assert not np.array_equal(batches[0], shard.epoch(1)[0])


def test_endless_batches_are_full_and_fresh_every_pass() -> None:
    shard = Shard("d000", np.arange(20), batch=8, seed=0)
    stream = shard.endless()
    first_pass = [next(stream), next(stream)]
    assert len(set(np.concatenate(first_pass))) == 16
    assert all(len(next(stream)) == 8 for _ in range(10))
    small = Shard("d001", np.arange(3), batch=8, seed=0).endless()
    assert sorted(next(small)) == [0, 1, 2]


def test_another_device_does_not_change_my_batches() -> None:
    mine = [world(f"devices.count={n}").devices[0].shard for n in (5, 6)]
    pass_of = [Shard("d000", np.arange(40), 8, shard.seed).epoch(0) for shard in mine]
    assert all(np.array_equal(a, b) for a, b in zip(*pass_of, strict=True))


@pytest.mark.parametrize(
    ("cut", "message"),
    [
        ("conv9", "cut: no block 'conv9' among conv1, conv2, conv3; did you mean 'conv1'?"),
        ("head", "cut: after 'head' the server would have nothing to learn"),
    ],
)
def test_a_cut_that_cannot_be_is_refused(cut: str, message: str) -> None:
    with pytest.raises(BadInput) as caught:
        world(f"cut={cut}")
    assert str(caught.value).startswith(message.split(";")[0])


def test_one_step_of_parallel_sl_equals_one_large_batch_step() -> None:
    """Raw codec, SGD, no batch-norm, unequal devices: the same weights as the unsplit model has."""
    overrides = (*PLAIN, "learning.optimiser.momentum=0.0")
    reference = world(*overrides)
    batches = [device.next_batch() for device in reference.devices]
    images, labels = reference.data.train_batch(np.concatenate(batches))
    whole = nn.Sequential(*reference.layout.split.device, *reference.layout.split.server)
    optimiser = torch.optim.SGD(whole.parameters(), lr=scenario(*overrides).learning.optimiser.learning_rate)
    nn.functional.cross_entropy(whole(torch.from_numpy(images)), torch.from_numpy(labels)).backward()
    optimiser.step()

    split = world(*overrides)
    InstantPlayer().play(split.scenario.protocol.run(split))
    learnt = nn.Sequential(*split.devices[0].half.model, *split.server.half.model)
    before = state_vector(nn.Sequential(*world(*overrides).layout.split.device))
    assert not np.allclose(state_vector(split.devices[0].half.model), before, atol=1e-4)
    np.testing.assert_allclose(state_vector(learnt), state_vector(whole), rtol=1e-4, atol=1e-6)


def test_unequal_batches_weigh_by_samples() -> None:
    """One local epoch of unequal shards whose batch holds the shard: still one large-batch step."""
    plain = [override for override in PLAIN if override != "protocol.steps=1"]
    overrides = (*plain, "learning.optimiser.momentum=0.0", "protocol.steps=null", "learning.batch=200")
    overrides += ("partition={kind: dirichlet, alpha: 0.5}",)
    split = world(*overrides)
    sizes = {len(device.shard.samples) for device in split.devices}
    assert len(sizes) > 1
    images, labels = split.data.train_batch(np.arange(len(split.data.train_labels)))
    reference = world(*overrides)
    whole = nn.Sequential(*reference.layout.split.device, *reference.layout.split.server)
    optimiser = torch.optim.SGD(whole.parameters(), lr=0.05)
    nn.functional.cross_entropy(whole(torch.from_numpy(images)), torch.from_numpy(labels)).backward()
    optimiser.step()
    InstantPlayer().play(split.scenario.protocol.run(split))
    learnt = nn.Sequential(*split.devices[0].half.model, *split.server.half.model)
    np.testing.assert_allclose(state_vector(learnt), state_vector(whole), rtol=1e-4, atol=1e-6)


def test_learning_learns() -> None:
    """Three rounds on easy made-up images beat guessing by far, on the SL-FAC bytes."""
    one = world("protocol.rounds=4", "protocol.steps=8")
    scores: list[float] = []
    protocol = one.scenario.protocol.run(one)
    InstantPlayer(
        lambda effect: (
            scores.append(effect.row["accuracy"]) if getattr(effect, "table", "") == "evals" else None
        )
    ).play(protocol)
    assert scores[0] < 0.6
    assert scores[-1] > 0.85


def test_every_device_keeps_its_own_moments_and_takes_the_average() -> None:
    one = world("protocol.rounds=1", "protocol.steps=2")
    InstantPlayer().play(one.scenario.protocol.run(one))
    states = [state_vector(device.half.model) for device in one.devices]
    assert all(np.array_equal(states[0], state) for state in states[1:])
    moments = [next(iter(device.half.optimiser.state.values()))["momentum_buffer"] for device in one.devices]
    assert not torch.equal(moments[0], moments[1])


def test_evaluation_does_not_change_what_is_learnt() -> None:
    results = []
    for every in (1, 2):
        one = world(f"evaluation.every_rounds={every}")
        InstantPlayer().play(one.scenario.protocol.run(one))
        results.append(state_vector(one.server.half.model))
    assert np.array_equal(*results)


def test_work_is_charged_by_samples() -> None:
    one = world("protocol.rounds=1", "protocol.steps=1")
    heard: list[Compute] = []
    InstantPlayer(lambda effect: heard.append(effect) if isinstance(effect, Compute) else None).play(
        one.scenario.protocol.run(one)
    )
    forward = [effect for effect in heard if effect.what == "forward"]
    assert {effect.flops for effect in forward} == {8 * one.layout.split.work.device_forward_flops}
