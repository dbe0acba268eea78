"""Whole models: FedAvg, FedProx, centralised and local-only training, against loops written out here."""

import copy
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from test_protocol_parallel import in_words
from torch import nn
from torch.nn.functional import cross_entropy
from worlds import live_run, scenario, table, world

from slfac_sim.hosts.names import SERVER
from slfac_sim.learning.weights import initialise, load_state_vector, state_vector
from slfac_sim.learning.world import World
from slfac_sim.runs.opening import build
from slfac_sim.simulation.instant import InstantPlayer

PLAIN = ("learning.optimiser={kind: sgd, learning_rate: 0.05}", "model={kind: small_cnn, batch_norm: false}")


def model_of(one: World) -> nn.Module:
    blocks = one.scenario.model.blocks(one.data.image_shape[0], one.data.classes)
    initialise(blocks, one.scenario.seed.learning)
    return nn.Sequential(*(block for _, block in blocks))


def play(one: World) -> World:
    InstantPlayer().play(one.scenario.protocol.run(one))
    return one


def learnt(one: World) -> np.ndarray[Any, Any]:
    """Return the state in the model that the last round left."""
    return np.asarray(one.server.state_of(one.begun()[1]))


def loop(one: World, model: nn.Module, batches: Iterable[Any], mu: float = 0.0) -> nn.Module:
    """Train `model` on `batches` of indices as anybody would who knows nothing of protocols."""
    optimiser = one.scenario.learning.optimiser.open(model.parameters())
    began = [weight.detach().clone() for weight in model.parameters()]
    model.train()
    for batch in batches:
        images, labels = one.data.train_batch(batch)
        loss = cross_entropy(model(torch.from_numpy(images)), torch.from_numpy(labels))
        for weight, before in zip(model.parameters(), began, strict=True):
            loss = loss + mu / 2 * (weight - before).square().sum()
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
    return model


def fresh_batches(one: World, place: int, count: int) -> list[Any]:
    endless = one.devices[place].shard.endless()
    return [next(endless) for _ in range(count)]


@pytest.mark.parametrize(("kind", "mu"), [("fedavg", 0.0), ("fedprox", 0.5)])
def test_one_device_is_plain_training(kind: str, mu: float) -> None:
    more = ", mu: 0.5" if mu else ""
    one = play(world("devices.count=1", f"protocol={{kind: {kind}, rounds: 1, steps: 5{more}}}"))
    plain = loop(one, model_of(one), fresh_batches(one, 0, 5), mu)
    np.testing.assert_allclose(learnt(one), state_vector(plain), rtol=1e-4, atol=1e-6)


def test_one_step_of_k_devices_is_a_step_on_all_their_samples() -> None:
    one = play(world(*PLAIN, "protocol={kind: fedavg, rounds: 1, steps: 1}"))
    everything = np.concatenate([fresh_batches(one, place, 1)[0] for place in range(5)])
    plain = loop(one, model_of(one), [everything])
    np.testing.assert_allclose(learnt(one), state_vector(plain), rtol=1e-4, atol=1e-6)


def test_the_mean_is_weighted_by_the_samples_used() -> None:
    """In local epochs over uneven shards; one round of two passes."""
    one = play(
        world(
            *PLAIN,
            "devices.count=3",
            "partition={kind: dirichlet, alpha: 0.5}",
            "protocol={kind: fedavg, rounds: 1, local_epochs: 2}",
        )
    )
    states, samples = [], []
    for device in one.devices:
        batches = [*device.shard.epoch(0), *device.shard.epoch(1)]
        states.append(state_vector(loop(one, model_of(one), batches)))
        samples.append(sum(map(len, batches)))
    assert len(set(samples)) == 3
    np.testing.assert_allclose(learnt(one), np.average(states, 0, samples), rtol=1e-4, atol=1e-5)


def test_fedprox_without_its_term_is_fedavg(tmp_path: Path) -> None:
    kinds = ("kind: fedavg", "kind: fedprox, mu: 0", "kind: fedprox, mu: 1")
    digests = [
        live_run(tmp_path / f"{number}.sqlite", f"protocol={{{kind}, rounds: 2, steps: 2}}")[2]
        for number, kind in enumerate(kinds)
    ]
    assert digests[0] == digests[1] != digests[2]


def test_centralised_is_a_plain_loop_over_everything() -> None:
    one = play(world("protocol={kind: centralised, rounds: 2, steps: 3}"))
    shard = one.server.trainee.shard
    assert shard.batch == 5 * 8
    assert list(shard.samples) == list(range(240))
    endless = shard.endless()
    plain = loop(one, model_of(one), [next(endless) for _ in range(6)])
    np.testing.assert_allclose(learnt(one), state_vector(plain), rtol=1e-4, atol=1e-6)


def test_centralised_needs_no_network_and_only_the_server_works(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    _, seconds, _ = live_run(path, "protocol={kind: centralised, rounds: 2}")
    steps, computes = table(path, "steps"), table(path, "computes")
    assert table(path, "transfers") == []
    assert {row["device"] for row in steps} == {row["host"] for row in computes} == {SERVER}
    assert [row["samples"] for row in steps] == [40] * 12  # 240 samples a pass, as all devices have
    assert seconds == pytest.approx(sum(row["flops"] for row in computes) / 1e9)  # nothing else takes time


def test_local_only_is_one_plain_loop_for_each_device(tmp_path: Path) -> None:
    settings = "protocol={kind: local_only, rounds: 2, steps: 2, evaluate_devices: 3}"
    one = play(world(settings))
    models = [loop(one, model_of(one), fresh_batches(one, place, 4)) for place in range(5)]
    for device, model in zip(one.devices, models, strict=True):
        np.testing.assert_allclose(device.trainee.state(), state_vector(model), rtol=1e-4, atol=1e-6)
    _, _, _ = live_run(tmp_path / "ledger.sqlite", settings)
    assert table(tmp_path / "ledger.sqlite", "transfers") == []
    images, labels = one.data.test_batch(np.arange(100))
    right = [
        float((model.eval()(torch.from_numpy(images)).argmax(1).numpy() == labels).mean())
        for model in models[:3]
    ]
    last = table(tmp_path / "ledger.sqlite", "evals")[-1]
    assert last["accuracy"] == last["accuracy_no_codec"] == pytest.approx(np.mean(right))


def test_a_round_effect_by_effect() -> None:
    heard: list[str] = []
    one = world("devices.count=2", "protocol={kind: fedavg, rounds: 2, steps: 1}")
    work = one.devices[0].work
    InstantPlayer(lambda effect: heard.append(in_words(effect))).play(one.scenario.protocol.run(one))
    values = one.devices[0].model_values
    encode, decode = f"encode_model {74 * values:g}", f"decode_model {56 * values:g}"
    forward, backward = f"{8 * work.device_forward_flops:g}", f"{8 * work.device_backward_flops:g}"

    def turn(device: str) -> list[str]:
        passes = [f"{device} forward {forward}", f"{device} backward {backward}", "note steps"]
        return [*passes, f"{device} {encode}", f"{device} -> server: model_up", f"server {decode}"]

    down = [f"server {encode}", "server -> ('d000', 'd001'): model_down", "together 2"]
    ends = [f"server average {4 * values:g}", "note evals", "note rounds"]
    expected = ["note evals", "together 2", *turn("d000"), *turn("d001"), *ends, *down]
    expected += [f"d000 {decode}", *turn("d000"), f"d001 {decode}", *turn("d001"), *ends, *down]
    assert sorted(heard) == sorted([*expected, f"d000 {decode}", f"d001 {decode}"])
    assert heard[:2] == expected[:2]
    for device in ("d000", "d001"):
        own = [line for line in heard if line.startswith(device)]
        assert own == [line for line in [*expected, f"{device} {decode}"] if line.startswith(device)]


def test_every_byte_sent_arrives_and_only_models_travel(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    live_run(path, "protocol={kind: fedavg, rounds: 2, steps: 1, initial_model: broadcast}")
    transfers, payloads = table(path, "transfers"), table(path, "payloads")
    assert {row["outcome"] for row in transfers} == {"delivered"}
    assert sum(row["payload_bytes"] for row in transfers) == sum(row["bytes"] for row in payloads)
    kinds = [row["kind"] for row in payloads]
    assert (kinds.count("model_up"), kinds.count("model_down"), len(kinds)) == (10, 3, 13)
    assert len({row["value_count"] for row in payloads}) == 1


@pytest.mark.parametrize("codec", ["raw", "{uplink: {kind: topk, rate: 0.2}, downlink: fp16}", "qsgd"])
def test_devices_hold_what_the_server_believes_they_hold(codec: str) -> None:
    """So that a difference is added to what it was taken from."""
    one = world("protocol={kind: fedavg, rounds: 3, steps: 2, send: difference}", f"codec.model={codec}")
    play(one)
    for device in one.devices:
        np.testing.assert_array_equal(device.trainee.state(), sound(one, one.server.handed_out))


def sound(one: World, state: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Return `state` with variances below 0 set to 0, as whoever loads it does."""
    model = model_of(one)
    load_state_vector(model, state)
    for name, buffer in model.named_buffers():
        if name.endswith("running_var"):
            buffer.clamp_(min=0.0)
    return state_vector(model)


def test_exact_differences_are_exact_models() -> None:
    ways = (
        learnt(play(world(f"protocol={{kind: fedavg, rounds: 2, steps: 2, send: {send}}}")))
        for send in ("model", "difference")
    )
    np.testing.assert_allclose(*ways, rtol=1e-3, atol=1e-5)


def test_compressed_models_cost_fewer_bytes(tmp_path: Path) -> None:
    sizes = []
    for codec in ("raw", "{uplink: {kind: topk, rate: 0.1}, downlink: raw}"):
        path = tmp_path / f"{len(sizes)}.sqlite"
        live_run(
            path, "protocol={kind: fedavg, rounds: 1, steps: 1, send: difference}", f"codec.model={codec}"
        )
        sizes.append({row["kind"]: row["bytes"] for row in table(path, "payloads")})
    assert sizes[1]["model_down"] == sizes[0]["model_down"]
    assert sizes[1]["model_up"] < 0.15 * sizes[0]["model_up"]


@pytest.mark.parametrize(
    "protocol",
    ["kind: fedavg, send: difference", "kind: fedprox, mu: 0.1", "kind: centralised", "kind: local_only"],
)
def test_a_training_goes_on_where_another_process_left_it(protocol: str) -> None:
    second = world(f"protocol={{{protocol}, rounds: 2, steps: 2}}", "codec.model=qsgd")
    left: dict[int, Any] = {}
    second.when_kept = lambda number: left.update({number: copy.deepcopy(second.get_state())})
    play(second)
    continued = build(second.scenario)
    continued.set_state(left[1])
    play(continued)
    if protocol == "kind: local_only":
        both = zip(second.devices, continued.devices, strict=True)
        pairs = [(one.trainee.state(), other.trainee.state()) for one, other in both]
    else:
        pairs = [(learnt(second), learnt(continued))]
    for one, other in pairs:
        np.testing.assert_array_equal(one, other)


def test_a_server_that_restarts_takes_up_centralised_training_again(tmp_path: Path) -> None:
    (tmp_path / "restart.csv").write_text("device,down_s,up_s\nserver,0.002,1\n")
    trace = f"server.availability={{kind: trace, file: {tmp_path}/restart.csv}}"
    settings = "protocol={kind: centralised, rounds: 2, steps: 2}"
    _, seconds, _ = live_run(tmp_path / "whole.sqlite", settings)
    _, later, _ = live_run(tmp_path / "cut.sqlite", settings, trace)
    assert 0.002 < seconds < 1.0 < later
    evals = [
        [row["accuracy"] for row in table(tmp_path / name, "evals")]
        for name in ("whole.sqlite", "cut.sqlite")
    ]
    assert evals[0] == evals[1]
    assert [row["outcome"] for row in table(tmp_path / "cut.sqlite", "computes")].count("down") == 1


def test_progress_counts_the_steps_that_come(tmp_path: Path) -> None:
    for number, protocol in enumerate(("fedavg, local_epochs: 2", "centralised", "local_only")):
        settings, path = f"protocol={{kind: {protocol}, rounds: 1}}", tmp_path / f"{number}.sqlite"
        live_run(path, settings)
        assert build(scenario(settings)).device_steps == len(table(path, "steps"))
