"""The headline figures: accuracy through the uplink codec and without it, by a plain loop of their own."""

import re
import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn.functional import cross_entropy
from worlds import table, world

from slfac_sim.analysis.report.blocks import Facts
from slfac_sim.analysis.report.run import answer
from slfac_sim.cli.closing import print_summary
from slfac_sim.foundation.errors import BadInput
from slfac_sim.learning.batches import Shard
from slfac_sim.learning.weights import state_vector
from slfac_sim.learning.work import Exchange
from slfac_sim.learning.world import World
from slfac_sim.ledger.folder import load as load_run
from slfac_sim.runs.run import prepare, run
from slfac_sim.simulation.instant import InstantPlayer
from slfac_sim.simulation.simulate import host_speeds

LOSSY = ("codec.uplink={kind: slfac, theta: 0.3, b_min: 1, b_max: 1, scope: channel, normaliser: rel}",)


@pytest.fixture(scope="module")
def trained() -> World:
    one = world(*LOSSY, "codec.downlink=raw", "data.noise=90", "protocol.rounds=2", "protocol.steps=6")
    InstantPlayer().play(one.scenario.protocol.run(one))
    return one


def by_hand(one: World, lossy: bool, message: int = 8) -> tuple[float, float]:
    """Accuracy and mean loss on the test set, one message of the training batch's size at a time."""
    device, server = one.devices[0].half.model.eval(), one.server.half.model.eval()
    sender, receiver = one.scenario.codec.uplink.sender("x"), one.scenario.codec.uplink.receiver()
    right, loss = 0, 0.0
    everything = np.arange(len(one.data.test_labels))
    for first in range(0, len(everything), message):
        images, labels = one.data.test_batch(everything[first : first + message])
        with torch.no_grad():
            smashed = device(torch.from_numpy(images)).numpy()
            if lossy:
                smashed = receiver.decode(sender.encode(smashed).body)
            logits = server(torch.from_numpy(smashed))
        right += int((logits.argmax(1).numpy() == labels).sum())
        loss += float(cross_entropy(logits, torch.from_numpy(labels), reduction="sum"))
    return right / len(everything), loss / len(everything)


def test_accuracy_is_through_the_uplink_codec_and_loss_too(trained: World) -> None:
    row = trained.evaluate(trained.devices[0].model_payload().body, last=True)
    with_codec, without = by_hand(trained, lossy=True), by_hand(trained, lossy=False)
    assert row["accuracy"] == with_codec[0]
    assert row["accuracy_no_codec"] == without[0]
    assert row["loss"] == pytest.approx(with_codec[1], rel=1e-5)
    assert abs(with_codec[0] - without[0]) > 0.05  # the codec is lossy enough to tell them apart
    assert abs(with_codec[1] - without[1]) > 0.01


def test_accuracy_without_the_codec_takes_a_pass_in_the_last_round_or_in_every_one(tmp_path: Path) -> None:
    small = ("protocol.rounds=2", "protocol.steps=1")
    for chosen, known in (((), [False, False, True]), (("evaluation.no_codec=every",), [True, True, True])):
        one = world(*LOSSY, "codec.downlink=raw", *small, *chosen)
        run(prepare(one.scenario, tmp_path / str(len(chosen)), threads=1))
        evals = table(tmp_path / str(len(chosen)) / "ledger.sqlite", "evals")
        assert [row["accuracy_no_codec"] is not None for row in evals] == known
        there = load_run(tmp_path / str(len(chosen)))
        assert there.curve().accuracy.size == 3
        assert there.final_no_codec() == evals[-1]["accuracy_no_codec"]


def test_both_final_accuracies_are_told_where_they_differ(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(prepare(world(*LOSSY, "codec.downlink=raw").scenario, tmp_path / "r", threads=1))
    there = load_run(tmp_path / "r")
    exact, final = there.final_no_codec(), there.summary["accuracy"]["final"]
    assert exact is not None
    assert exact != final
    print_summary(there.summary, exact)
    assert re.search(rf"without the codec, final +{100 * exact:.2f} %", capsys.readouterr().out)
    facts = next(block for block in answer.blocks(there) if isinstance(block, Facts))
    both = f"{100 * final:.2f} % through the codec; {100 * exact:.2f} % without"
    assert dict(facts.rows)["final test accuracy"] == both
    print_summary(there.summary, final)
    assert "without the codec" not in capsys.readouterr().out
    with closing(sqlite3.connect(there.ledger.path)) as ledger, ledger:  # as of an interrupted run
        ledger.execute("UPDATE evals SET accuracy_no_codec = NULL")
    facts = next(block for block in answer.blocks(load_run(there.folder)) if isinstance(block, Facts))
    assert dict(facts.rows)["final test accuracy"] == f"{100 * final:.2f} %"


def test_what_a_codec_leaves_as_it_is_is_known_without_another_pass() -> None:
    one = world("codec=raw")
    row = one.evaluate(one.devices[0].model_payload().body)
    assert row["accuracy_no_codec"] == row["accuracy"]


def test_messages_have_the_size_of_a_training_batch(trained: World) -> None:
    """The scope is the channel of a message, so that another size of message gives another loss."""
    row = trained.evaluate(trained.devices[0].model_payload().body)
    assert row["loss"] != pytest.approx(by_hand(trained, lossy=True, message=100)[1], rel=1e-5)


def test_running_statistics_are_used_and_kept(trained: World) -> None:
    before = state_vector(trained.server.half.model)
    trained.evaluate(trained.devices[0].model_payload().body)
    assert np.array_equal(state_vector(trained.server.half.model), before)


def test_targets_are_crossed_by_the_accuracy_with_the_codec(tmp_path: Path) -> None:
    trained = ("data.noise=90", "protocol.rounds=4", "protocol.steps=8", "evaluation.no_codec=every")
    overrides = (*LOSSY, "codec.downlink=raw", *trained)
    one = world(*overrides)
    summary = run(prepare(one.scenario, tmp_path / "r", threads=1))
    evals = table(tmp_path / "r" / "ledger.sqlite", "evals")
    between = max(row["accuracy_no_codec"] for row in evals)
    assert between > summary["accuracy"]["best"]  # a target between the two tells which one counts
    target = (between + summary["accuracy"]["best"]) / 2
    asked = world(*overrides, f"evaluation.targets=[{target}]").scenario
    again = run(prepare(asked, tmp_path / "s", threads=1))
    assert list(again["time_to_accuracy_s"].values()) == [None]
    assert again["accuracy"]["best"] == max(row["accuracy"] for row in evals)


def test_codec_work_is_that_of_the_direction_and_of_the_end() -> None:
    one = world("codec.uplink=raw", "codec.downlink=slfac")
    exchange: Exchange = one.devices[0].exchange
    up, down = one.scenario.codec.uplink, one.scenario.codec.downlink
    values = 4 * 6 * 6
    assert exchange.encode_up_flops == values * up.encode_flops_per_value
    assert exchange.decode_up_flops == values * up.decode_flops_per_value
    assert exchange.encode_down_flops == values * down.encode_flops_per_value
    assert exchange.decode_down_flops == values * down.decode_flops_per_value
    assert len({up.encode_flops_per_value, down.encode_flops_per_value, down.decode_flops_per_value}) == 3


def test_speeds_are_of_the_air_and_weights_of_learning() -> None:
    base, air, learning = (world(*seed).scenario for seed in ((), ("seed.air=9",), ("seed.learning=9",)))
    assert host_speeds(base) == host_speeds(learning) != host_speeds(air)


def test_batches_are_fresh_every_epoch_and_of_ones_own() -> None:
    one = world()
    shard = one.devices[0].shard
    assert not np.array_equal(np.concatenate(shard.epoch(0)), np.concatenate(shard.epoch(1)))
    other = type(shard)("d001", shard.samples, shard.batch, shard.seed)
    assert not np.array_equal(np.concatenate(shard.epoch(0)), np.concatenate(other.epoch(0)))


@pytest.mark.parametrize(
    ("samples", "sizes"), [(17, [8, 9]), (18, [8, 8, 2]), (16, [8, 8]), (1, [1]), (9, [9])]
)
def test_a_single_sample_left_over_joins_the_batch_before(samples: int, sizes: list[int]) -> None:
    shard = Shard("d000", np.arange(samples), 8, seed=0)
    assert [len(batch) for batch in shard.epoch(0)] == sizes
    assert shard.steps_per_epoch() == len(sizes)


def test_single_samples_on_single_values_are_refused_before_anything_runs() -> None:
    with pytest.raises(BadInput, match="cannot be normalised on 1 x 1 maps"):
        world("learning.batch=1", "devices.count=1", "data.size=4", "cut=conv1")
    world("learning.batch=1", "devices.count=1", "data.size=8", "cut=conv1")
    world("learning.batch=1", "devices.count=2", "data.size=4", "cut=conv1")  # the cohort has two
