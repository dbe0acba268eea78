"""Devices whose models are cut at different places: what they learn and send, and how cuts are chosen."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from played import assert_all_bodies_are_decoded, heard, learn_whole, on_the_clock
from test_resume import killed, resumed, undisturbed
from told import sentences
from torch import nn
from worlds import live_run, scenario, world

from slfac_sim.analysis.studies.reading import load_study
from slfac_sim.cli import main
from slfac_sim.effects import Send
from slfac_sim.forecast.cuts import best_of, cuts_of, mixture_of
from slfac_sim.foundation.errors import BadInput
from slfac_sim.hosts.names import device_names
from slfac_sim.learning.evaluation import mean_score
from slfac_sim.learning.weights import state_size, state_vector, weighted_mean
from slfac_sim.learning.world import World
from slfac_sim.ledger.store import FileLedger
from slfac_sim.scenario.files import load
from slfac_sim.scenario.steering import steered
from slfac_sim.simulation.replay import protocol_of
from slfac_sim.simulation.simulate import simulate

TINY = str(Path(__file__).with_name("tiny.yaml"))
V1 = "protocol={kind: splitfed_v1, rounds: 2, steps: 3}"
MIXED = "cut={d000: conv2, d001: conv1, d002: conv3, d003: conv1, d004: conv2}"


def whole_models(learnt: World) -> dict[str, nn.Module]:
    """Return the model that a device and the server hold together, one for each cut."""
    return {
        cut: nn.Sequential(*part.devices[0].half.model, *part.server.half.model)
        for cut, part in learnt.layout.by_cut.items()
    }


@pytest.mark.parametrize("way", ["multicast", "unicast"])
def test_it_is_federated_averaging_wherever_the_models_are_cut(way: str) -> None:
    """Two rounds of uneven devices: the mean of whole models that learnt apart, weighted by samples."""
    overrides = (
        f"protocol={{kind: splitfed_v1, rounds: 1, steps: 3, model_broadcast: {way}}}", "codec=raw",
        "partition={kind: dirichlet, alpha: 0.5}", "learning.batch=64",
    )  # fmt: skip
    reference, models, samples = world(*overrides), [], []
    for device in reference.devices:
        batches = [device.next_batch() for _ in range(3)]
        models.append(learn_whole(world(*overrides), batches))
        samples.append(sum(len(batch) for batch in batches))
    assert len(set(samples)) > 1
    expected = weighted_mean([state_vector(model) for model in models], samples)
    learnt = world(*overrides, MIXED)
    heard(learnt)
    assert set(learnt.layout.by_cut) == {"conv1", "conv2", "conv3"}
    for model in whole_models(learnt).values():
        np.testing.assert_allclose(state_vector(model), expected, rtol=1e-4, atol=1e-5)


def test_one_cut_for_all_written_for_each_is_that_cut() -> None:
    """To rounding: the sums are made in another order."""
    same = "cut={" + ", ".join(f"d{place:03d}: conv2" for place in range(5)) + "}"
    one, other = world(V1, same), world(V1, "cut=conv2")
    heard(one)
    heard(other)
    joined = nn.Sequential(*other.devices[0].half.model, *other.server.half.model)
    (model,) = whole_models(one).values()
    np.testing.assert_allclose(state_vector(model), state_vector(joined), rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize(("way", "down"), [("multicast", 2), ("unicast", 10)])
def test_every_body_is_decoded_and_devices_are_sent_their_part(way: str, down: int) -> None:
    settings = f"protocol={{kind: splitfed_v1, rounds: 2, steps: 3, model_broadcast: {way}}}"
    kinds = {"smashed_up": 30, "labels": 30, "smashed_down": 30, "model_up": 10, "model_down": down}
    assert_all_bodies_are_decoded(settings, MIXED, kinds=kinds)
    one = world(settings, MIXED)
    values = {device.name: device.model_values for device in one.devices}
    assert values["d001"] < values["d000"] < values["d002"]
    models = [effect for effect in heard(one) if isinstance(effect, Send) and "model_up" in effect.payloads]
    assert {effect.src: effect.payloads["model_up"].values for effect in models} == values
    got = [
        effect for effect in heard(world(settings, MIXED)) if "model_down" in getattr(effect, "payloads", ())
    ]
    sent = Counter((effect.dst, effect.payloads["model_down"].values) for effect in got)
    everybody = tuple(values)
    to_all = {(everybody, values["d002"]): 2}
    assert sent == (to_all if way == "multicast" else dict.fromkeys(values.items(), 2))


def test_a_device_that_is_missing_counts_in_neither_part(tmp_path: Path) -> None:
    """With the only device of the deepest cut away, the mean is that of the others, and all are given it."""
    plan = tmp_path / "plan.csv"
    plan.write_text("device,down_s,up_s\nd002,0.0,\n", encoding="utf-8")
    learnt, rows = on_the_clock(V1, MIXED, f"devices.availability={{kind: trace, file: {plan}}}")
    assert rows.tuples("rounds", ("devices",)) == [(4,), (4,)]
    first = learnt.layout.by_cut["conv1"]
    whole = nn.Sequential(*first.devices[0].half.model, *first.server.half.model)
    deepest = learnt.layout.by_cut["conv3"].server.half.model
    assert np.array_equal(state_vector(whole)[-state_size(deepest) :], state_vector(deepest))


def test_it_is_resumed_to_the_same_digest(tmp_path: Path) -> None:
    there = undisturbed(tmp_path / "whole", "protocol.kind=splitfed_v1", MIXED)
    killed(tmp_path / "cut", 30, "protocol.kind=splitfed_v1", MIXED)
    assert load(tmp_path / "cut" / "scenario.yaml").cut == scenario(MIXED).cut
    assert resumed(tmp_path / "cut")["digest"] == there["digest"]


def test_recorded_here_it_is_the_live_run_there(tmp_path: Path) -> None:
    live_run(tmp_path / "here.sqlite", V1, MIXED)
    chosen, seconds, digest = live_run(tmp_path / "there.sqlite", V1, MIXED, "network.bandwidth=1 MHz")
    with FileLedger(tmp_path / "replayed.sqlite") as ledger:
        assert simulate(chosen, protocol_of(tmp_path / "here.sqlite", device_names(5)), ledger) == seconds
        assert ledger.digest() == digest


@pytest.mark.parametrize(
    ("cut", "message"),
    [
        ("{d000: conv1}", "cut: one for each of d000 to d004 is wanted; d001 has none"),
        (MIXED[4:-1] + ", d005: conv1}", "there is no device 'd005'"),
        (MIXED[4:].replace("conv3", "conv9"), r"cut\.d002: no block 'conv9' among conv1, conv2, conv3"),
    ],
)
def test_cuts_that_are_wrong_are_refused(cut: str, message: str) -> None:
    with pytest.raises(BadInput, match=message):
        world(V1, f"cut={cut}")


@pytest.mark.parametrize("cut", [MIXED[4:], "per_device"])
@pytest.mark.parametrize("kind", ["parallel", "splitfed_v3", "u_shaped", "sequential"])
def test_protocols_that_average_halves_refuse_cuts_that_differ(kind: str, cut: str) -> None:
    with pytest.raises(BadInput, match=f"cut: in {kind} all devices have one cut.*splitfed_v1"):
        world(f"protocol.kind={kind}", f"cut={cut}")


UNLIKE = ("devices.speed={kind: log_normal, median: 0.1 GFLOP/s, sigma: 2.0}", "network.bandwidth=3 MHz")


def test_each_device_has_the_cut_that_makes_rounds_shorter(tmp_path: Path) -> None:
    """Devices of very different speeds: a run of the chosen cuts is shorter than one of the best one."""
    one = scenario(V1, "codec=raw", *UNLIKE)
    cuts = cuts_of(one, one.data.load())
    best, mixed = best_of(cuts), mixture_of(one, cuts)
    assert len(set(mixed.cut_of.values())) > 1
    assert mixed.round_s < best.round_s
    assert world(V1, "codec=raw", *UNLIKE, "cut=per_device").scenario.cut == mixed.cut_of
    seconds = {
        cut: live_run(tmp_path / f"{cut}.sqlite", V1, "codec=raw", *UNLIKE, f"cut={cut}")[1]
        for cut in ("auto", "per_device")
    }
    assert seconds["per_device"] < seconds["auto"]


def test_devices_that_are_alike_have_one_cut() -> None:
    alike = ("devices.speed={kind: fixed, speed: 0.1 GFLOP/s}", "network={kind: ideal}")
    assert world(V1, "cut=per_device", *alike).scenario.cut == world(V1, "cut=auto", *alike).scenario.cut


def test_what_chooses_cuts_steers_learning_and_cuts_that_are_named_do_not() -> None:
    assert "cut: per_device" in str(steered(scenario(V1, "cut=per_device")))
    assert steered(scenario(V1, MIXED)) is None


def test_check_tells_of_cuts_that_differ(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", TINY, V1, MIXED]) == 0
    out = " ".join(capsys.readouterr().out.split())
    assert "cut after conv2 (2 devices), conv1 (2 devices), conv3" in out
    assert "the cuts of devices differ" in out
    assert main(["check", TINY, V1, "codec=raw", *UNLIKE, "--cuts"]) == 0
    assert "a round would take about" in (told := " ".join(capsys.readouterr().out.split()))
    assert "(cut: per_device)" in told
    assert main(["check", TINY, "codec=raw", *UNLIKE, "--cuts"]) == 0
    assert "only with protocol splitfed_v1" in " ".join(capsys.readouterr().out.split())


def test_a_device_needs_memory_for_its_own_half_only() -> None:
    memory = "devices.speed={kind: profiles, names: {raspberry_pi_4: 5}}", "devices.memory=70 kB"
    apart = "cut={d000: conv1, d001: conv1, d002: conv1, d003: conv1, d004: conv2}"
    with pytest.raises(BadInput, match=r"devices\.memory: d004 has 70 kB"):
        world(V1, apart, *memory)


def test_figures_are_means_over_devices() -> None:
    learnt = world(V1, MIXED)
    rows = [effect.row for effect in heard(learnt) if getattr(effect, "table", "") == "evals"]
    parts = learnt.layout.by_cut.items()
    scores = {cut: mean_score([(part.score(part.devices[0].model_state(), True), 1)]) for cut, part in parts}
    weights = {"conv1": 2, "conv2": 2, "conv3": 1}
    for name in ("accuracy", "loss", "accuracy_no_codec"):
        mean = sum(scores[cut][name] * count for cut, count in weights.items()) / 5
        assert rows[-1][name] == pytest.approx(mean)


def test_the_fastest_are_chosen_by_their_own_cuts() -> None:
    """What is expected of a device depends on no other's cut, and is that of a world of its cut alone."""
    overrides = (V1, "codec=raw", "network.bandwidth=500 kHz")
    mixed = world(*overrides, MIXED)
    for device, cut in (("d000", "conv2"), ("d001", "conv1"), ("d002", "conv3")):
        alike = world(*overrides, f"cut={cut}")
        assert mixed.expected_s(device) == pytest.approx(alike.expected_s(device))


def test_devices_that_the_first_round_does_not_ask_have_their_best_cut_too() -> None:
    few = "protocol={kind: splitfed_v1, participation: {select: {kind: random, count: 2}}}"
    one = scenario(few, "codec=raw", *UNLIKE)
    cut = cuts_of(one, one.data.load())[0]
    assert len(cut.asked) == 2
    assert set(cut.actors) == set(device_names(5))


SMALL_AND_LARGE = (
    "devices.speed={kind: profiles, names: {microcontroller: 2, laptop: 3}, hardware: true}",
    "model.width=16", "learning.batch=32", "codec=raw",
)  # fmt: skip


def test_a_cut_that_some_devices_have_no_memory_for_is_for_the_others() -> None:
    one = scenario(V1, *SMALL_AND_LARGE)
    by_block = {cut.block: cut for cut in cuts_of(one, one.data.load())}
    assert by_block["conv2"].refused
    assert len(by_block["conv2"].fits) == 3
    chosen = world(V1, *SMALL_AND_LARGE, "cut=per_device").scenario.cut
    assert isinstance(chosen, dict)
    assert {name for name, cut in chosen.items() if cut != "conv1"} == set(by_block["conv2"].fits)
    assert world(V1, *SMALL_AND_LARGE, "cut=auto").scenario.cut == "conv1"


def test_a_study_over_cuts_that_are_chosen_and_named(tmp_path: Path) -> None:
    short = ("protocol={kind: splitfed_v1, rounds: 1, steps: 1}", *UNLIKE)
    words = ["sweep", TINY, *short, "--axis", "cut=auto,per_device,conv2", "--seeds", "1", "--workers", "1"]
    assert (
        main([*words, "--cache", str(tmp_path / "cache"), "--out", str(tmp_path / "study"), "--quiet"]) == 0
    )
    study = load_study(tmp_path / "study")
    assert study.columns["status"] == ["finished"] * 3


@pytest.mark.parametrize("cut", ["conv9", "1", "{a: b}"])
def test_a_wrong_cut_names_its_device(cut: str, capsys: pytest.CaptureFixture[str]) -> None:
    others = ", ".join(f"d{place:03d}: conv1" for place in range(1, 5))
    assert main(["check", TINY, V1, f"cut={{d000: {cut}, {others}}}"]) == 2
    (line,) = [line for line in sentences(capsys.readouterr().err) if line]
    assert "cut.d000: " in line
