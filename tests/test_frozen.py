"""Frozen blocks and starting weights: what learns, what is sent, what it costs, over every protocol."""

import copy
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from test_resume import killed, resumed, undisturbed
from told import sentences
from torch import nn
from worlds import TINY, column, live_run, scenario, table, world

from slfac_sim.cli import main
from slfac_sim.forecast.cuts import cuts_of
from slfac_sim.forecast.demands import compressed_sizes
from slfac_sim.forecast.round_time import round_time
from slfac_sim.foundation.errors import BadInput
from slfac_sim.foundation.plugins import find, kinds
from slfac_sim.learning.frozen import Frozen, fixed_tensors, frozen, host_of, learns
from slfac_sim.learning.given import blocks_of
from slfac_sim.learning.memory import memory_of
from slfac_sim.learning.optimisers.adam import Adam
from slfac_sim.learning.weights import fixed_vector, state_size, state_vector
from slfac_sim.learning.work import count_work
from slfac_sim.scenario.fingerprint import learning_key
from slfac_sim.simulation.instant import InstantPlayer
from slfac_sim.simulation.simulate import survey_of

SHAPE, CLASSES = (1, 12, 12), 4
PROTOCOLS = kinds("slfac_sim.protocols")
SPLIT = [kind for kind in PROTOCOLS if find("slfac_sim.protocols", kind).cuts_models]
PLACES = {
    "the device": ("cut=conv1", "learning.freeze=[conv1]"),
    "a part of it": ("cut=conv2", "learning.freeze=[conv1]"),
    "its end": ("cut=conv2", "learning.freeze=[conv2]"),
    "the server": ("cut=conv1", "learning.freeze=[conv2, conv3, head]"),
    "both ends": ("cut=conv2", "learning.freeze=[conv1, head]"),
}
ALL_BUT_TAIL = ("cut=conv1", "learning.freeze=[conv1, conv2, conv3]")
SHORT = ("protocol.rounds=2", "protocol.steps=2", "devices.count=3")


def given(*overrides: str) -> list[tuple[str, nn.Module]]:
    return blocks_of(scenario(*overrides), SHAPE, CLASSES)


def values_of(blocks: list[tuple[str, nn.Module]], name: str) -> np.ndarray[Any, Any]:
    part = dict(blocks)[name]
    return np.concatenate([state_vector(part), fixed_vector(part)])


def parts_of(one: Any) -> list[nn.Module]:
    """Return every module that a world holds."""
    held = [one.server, *one.devices]
    models = [thing.half.model for thing in held if "half" in dir(thing)]
    models += [thing.trainee.learner.model for thing in held if "trainee" in dir(thing)]
    return models


@pytest.mark.matrix
@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("kind", PROTOCOLS)
def test_frozen_weights_stay_and_others_learn_in_every_protocol(
    kind: str, place: str, tmp_path: Path
) -> None:
    overrides = (f"protocol.kind={kind}", *SHORT, *PLACES[place], "learning.clip_norm=1")
    _, _, digest = live_run(tmp_path / "one.sqlite", *overrides)
    assert live_run(tmp_path / "two.sqlite", *overrides)[2] == digest
    losses = column(table(tmp_path / "one.sqlite", "evals"), "loss")
    assert losses[-1] != losses[0]
    sent = table(tmp_path / "one.sqlite", "payloads")
    if kind in SPLIT and place == "the device" and kind != "u_shaped":
        assert {row["kind"] for row in sent} <= {"smashed_up", "labels", "edge_up", "edge_down"}


@pytest.mark.matrix
@pytest.mark.parametrize("kind", PROTOCOLS)
def test_frozen_weights_are_those_of_the_seed_after_training(kind: str) -> None:
    one = world(f"protocol.kind={kind}", *SHORT, *PLACES["both ends"])
    before = given(*PLACES["both ends"])
    expected = {name: values_of(before, name) for name in ("conv1", "head")}
    InstantPlayer().play(one.scenario.protocol.run(one))
    seen = 0
    for model in parts_of(one):
        for layer in (layer for layer in model.modules() if isinstance(layer, Frozen)):
            values = np.concatenate([tensor.detach().reshape(-1).numpy() for tensor in layer.tensors()
                                     if tensor.is_floating_point()])  # fmt: skip
            assert any(np.array_equal(values, there) for there in expected.values())
            assert not layer._fixed[0].training
            seen += 1
    assert seen or kind in ("hierarchical", "splitfed_v1")  # where halves are copies of each other


@pytest.mark.matrix
@pytest.mark.parametrize("kind", SPLIT)
@pytest.mark.parametrize("place", ["the device", "a part of it"])
def test_a_round_takes_what_is_foretold(kind: str, place: str, tmp_path: Path) -> None:
    overrides = (
        f"protocol.kind={kind}",
        "protocol.rounds=2",
        "protocol.steps=3",
        "codec=raw",
        *PLACES[place],
    )
    one = world(*overrides)
    told = round_time(one, survey_of(one.scenario), one.scenario.protocol.schedule, compressed_sizes(one))
    seconds = live_run(tmp_path / "run.sqlite", *overrides)[1] / 2
    assert told.seconds == pytest.approx(seconds, rel=0.1)


@pytest.mark.matrix
@pytest.mark.parametrize("kind", ["parallel", "sequential", "u_shaped", "fedavg"])
@pytest.mark.parametrize("place", PLACES)
def test_a_killed_run_goes_on_as_if_nothing_had_been(kind: str, place: str, tmp_path: Path) -> None:
    overrides = (f"protocol.kind={kind}", "devices.count=3", *PLACES[place], "codec=slfac")
    expected = undisturbed(tmp_path / "whole", *overrides)
    killed(tmp_path / "cut", 11, *overrides)
    assert resumed(tmp_path / "cut")["digest"] == expected["digest"]
    assert main(["verify", str(tmp_path / "whole")]) == 0


@pytest.mark.matrix
@pytest.mark.parametrize("codec", kinds("slfac_sim.codecs"))
def test_every_codec_goes_without_an_answer(codec: str, tmp_path: Path) -> None:
    live_run(tmp_path / "run.sqlite", f"codec={codec}", *SHORT, *PLACES["the device"])
    sent = table(tmp_path / "run.sqlite", "payloads")
    assert {row["kind"] for row in sent} == {"smashed_up", "labels"}


def test_a_codec_that_remembers_samples_hears_that_they_have_arrived(tmp_path: Path) -> None:
    overrides = ("codec={kind: aq_sgd, bits: 2}", "protocol.rounds=4", *PLACES["the device"])
    live_run(tmp_path / "run.sqlite", *overrides)
    sizes = [
        row["bytes"] for row in table(tmp_path / "run.sqlite", "payloads") if row["kind"] == "smashed_up"
    ]
    assert min(sizes[-5:]) < 0.3 * sizes[0]


def test_only_the_tail_of_a_u_learns_without_gradients_on_the_air(tmp_path: Path) -> None:
    live_run(tmp_path / "run.sqlite", "protocol.kind=u_shaped", *SHORT, *ALL_BUT_TAIL)
    kinds_sent = {row["kind"] for row in table(tmp_path / "run.sqlite", "payloads")}
    assert kinds_sent == {"smashed_up", "middle_down", "model_up", "model_down"}
    losses = column(table(tmp_path / "run.sqlite", "evals"), "loss")
    assert losses[-1] < losses[0]


@pytest.mark.parametrize("broadcast", ["multicast", "unicast"])
@pytest.mark.parametrize("kind", ["parallel", "sequential", "splitfed_v1", "u_shaped", "fedavg", "clustered"])
def test_frozen_weights_are_charged_once_where_the_initial_model_is_sent(
    kind: str, broadcast: str, tmp_path: Path
) -> None:
    overrides = (f"protocol.kind={kind}", *SHORT, "codec=raw", *PLACES["a part of it"])
    overrides += (f"protocol.model_broadcast={broadcast}",)
    rows = {}
    for initial in ("seed", "broadcast"):
        live_run(tmp_path / initial, *overrides, f"protocol.initial_model={initial}")
        rows[initial] = [row for row in table(tmp_path / initial, "payloads") if row["kind"] == "model_down"]
    one = world(*overrides)
    frozen_bytes = one.devices[0].frozen_payload().nbytes
    assert frozen_bytes > 4 * one.devices[0].frozen.size > 0
    seen = [row for row in rows["broadcast"] if row["bytes"] == frozen_bytes]
    times = 1 if broadcast == "multicast" and kind != "sequential" else 3
    assert len(seen) == times
    assert not [row for row in rows["seed"] if row["bytes"] == frozen_bytes]


def test_whoever_missed_the_multicast_of_frozen_weights_is_sent_them_later(tmp_path: Path) -> None:
    outages = tmp_path / "outages.csv"
    outages.write_text("device,down_s,up_s\nd001,0,0.2\n")
    live_run(
        tmp_path / "run.sqlite", "protocol.initial_model=broadcast", "protocol.rounds=6", "devices.count=3",
        "codec=raw", f"devices.availability={{kind: trace, file: '{outages}'}}", *PLACES["a part of it"],
    )  # fmt: skip
    frozen_bytes = world("devices.count=3", *PLACES["a part of it"]).devices[0].frozen_payload().nbytes
    rows = [row for row in table(tmp_path / "run.sqlite", "payloads") if row["bytes"] == frozen_bytes]
    assert len(rows) == 2
    transfers = {row["id"]: row for row in table(tmp_path / "run.sqlite", "transfers")}
    assert [transfers[row["transfer"]]["receivers"] for row in rows] == [2, 1]


def test_a_frozen_half_takes_no_backward_pass_and_no_room_for_one() -> None:
    blocks = given("learning.freeze=[conv1]")
    plain = given()
    for place, learnt in ((1, False), (2, True)):
        near, far = (
            nn.Sequential(*(block for _, block in part)) for part in (blocks[:place], blocks[place:])
        )
        there, beyond = (
            nn.Sequential(*(block for _, block in part)) for part in (plain[:place], plain[place:])
        )
        work, whole = count_work(near, far, SHAPE), count_work(there, beyond, SHAPE)
        assert work.device_forward_flops == whole.device_forward_flops
        assert (work.device_backward_flops > 0) == learnt
        assert work.device_backward_flops < whole.device_backward_flops
        if not learnt:  # the server needs no gradient of its input either
            assert work.server_backward_flops < whole.server_backward_flops
        memory, more = (memory_of(part, SHAPE, 8, Adam().open) for part in (near, there))
        assert memory.weights == more.weights
        assert memory.gradients == 4 * sum(weight.numel() for weight in near.parameters())
        assert memory.optimiser == 2 * memory.gradients
        assert memory.activations < more.activations
        assert memory.smashed == more.smashed * (1 + learnt) // 2


def test_a_frozen_block_is_a_fixed_function_with_no_state_of_its_own() -> None:
    block = nn.Sequential(nn.Linear(3, 3), nn.BatchNorm1d(3), nn.Dropout(0.5))
    ((_, fixed), (_, free)) = frozen([("fixed", block), ("free", nn.Linear(3, 2))], ["fixed"])
    whole = nn.Sequential(fixed, free).train()
    inputs = torch.randn(5, 3)
    assert torch.equal(fixed(inputs), fixed(inputs))
    assert block[1].running_mean.abs().sum() == 0.0
    assert (state_size(whole), fixed_vector(whole).size) == (3 * 2 + 2, 3 * 3 + 3 + 4 * 3)
    assert not learns(fixed)
    shared, twice = copy.deepcopy(whole), copy.deepcopy(whole).double()
    pointers = [next(iter(fixed_tensors(part))).data_ptr() for part in (whole, shared, twice)]
    assert pointers[0] == pointers[1] != pointers[2]
    assert next(iter(fixed_tensors(twice))).dtype == torch.float64
    assert next(iter(fixed_tensors(whole))).dtype == torch.float32
    assert host_of(fixed).type == "cpu"


@pytest.mark.parametrize("protocol", ["parallel", "u_shaped"])
def test_check_tells_cuts_with_frozen_blocks(protocol: str) -> None:
    chosen = scenario(f"protocol.kind={protocol}", "learning.freeze=[conv1, conv2]")
    cuts = cuts_of(chosen, chosen.data.load())
    assert [(cut.block, bool(cut.refused)) for cut in cuts][:2] == [("conv1", False), ("conv2", False)]
    assert all(cut.down_bytes == 0 for cut in cuts[:2]) or protocol == "u_shaped"
    assert all(cut.round_s > 0 for cut in cuts)


@pytest.mark.parametrize(
    ("freeze", "said"),
    [
        ("[conv9]", "learning.freeze: no block 'conv9' among conv1, conv2, conv3, head; did you mean"),
        ("[conv1, conv2, conv3, head]", "frozen nothing would be left to learn"),
        ("[conv1, conv1]", "learning.freeze: must differ from each other (got conv1 twice)"),
        ("conv1", "learning.freeze"),
    ],
)
def test_what_cannot_be_frozen_is_one_sentence(
    freeze: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check", str(TINY), f"learning.freeze={freeze}"]) == 2
    assert said in sentences(capsys.readouterr().err)[-1]


def test_check_says_what_is_frozen(capsys: pytest.CaptureFixture[str]) -> None:
    for initial, said in (("seed", "devices have it from the start"), ("broadcast", "sent once")):
        words = [*PLACES["a part of it"], f"protocol.initial_model={initial}"]
        assert main(["check", str(TINY), *words]) == 0
        told = capsys.readouterr().out
        assert "frozen" in told
        assert said in told
    assert main(["check", str(TINY), *PLACES["the device"]]) == 0
    told = capsys.readouterr().out
    assert "rate up all at once" in told
    assert "rate down all at once" not in told


# Starting weights


def trained(folder: Path, *names: str) -> Path:
    """Write a file of weights of other values for the blocks `names` of the tiny model."""
    blocks = dict(given("seed.learning=7"))
    file = folder / "weights.safetensors"
    save_file(
        {f"{name}.{key}": value for name in names for key, value in blocks[name].state_dict().items()}, file
    )
    return file


ALL = ("conv1", "conv2", "conv3", "head")


def test_a_run_begins_with_the_weights_of_a_file(tmp_path: Path) -> None:
    file = trained(tmp_path, *ALL)
    taken, theirs = given(f"learning.weights={{file: '{file}'}}"), given("seed.learning=7")
    assert all(np.array_equal(values_of(taken, name), values_of(theirs, name)) for name in ALL)
    part = given(f"learning.weights={{file: '{file}', blocks: [conv2]}}")
    same = [np.array_equal(values_of(part, name), values_of(theirs, name)) for name in ALL]
    assert same == [False, True, False, False]
    assert np.array_equal(values_of(part, "head"), values_of(given(), "head"))
    save_file({"conv1.0.weight": dict(theirs)["conv1"][0].weight.detach().bfloat16()}, tmp_path / "half")
    with pytest.raises(BadInput, match=r"has no 'conv1\.1\.weight'"):
        given(f"learning.weights={{file: '{tmp_path / 'half'}', blocks: [conv1]}}")


def test_what_is_in_the_file_makes_a_training(tmp_path: Path) -> None:
    file = trained(tmp_path, *ALL)
    words = [f"learning.weights={{file: '{file}'}}"]
    one = learning_key(scenario(*words), 1)
    save_file({"x": torch.zeros(1)}, file)
    assert learning_key(scenario(*words), 1) != one


@pytest.mark.matrix
@pytest.mark.parametrize("kind", ["parallel", "fedavg", "u_shaped"])
def test_a_run_from_trained_and_frozen_weights_is_verified(kind: str, tmp_path: Path) -> None:
    file = trained(tmp_path, "conv1", "conv2")
    words = [f"learning.weights={{file: '{file}', blocks: [conv1, conv2]}}", "learning.freeze=[conv1]"]
    undisturbed(tmp_path / "run", *words, f"protocol.kind={kind}", "devices.count=3", "cut=conv2")
    assert main(["verify", str(tmp_path / "run")]) == 0
    assert json.loads((tmp_path / "run" / "summary.json").read_text())["digest"]


def refusal(file: Path, capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert main(["check", str(TINY), f"learning.weights.file={file}", *words]) == 2
    out, err = capsys.readouterr()
    assert "Traceback" not in out + err
    return sentences(err)[-1]


def test_a_file_that_does_not_fit_is_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    state = {f"{name}.{key}": value for name, block in given() for key, value in block.state_dict().items()}
    file = tmp_path / "w.safetensors"
    wrong = {
        "has 'conv9.weight', which the model has not": {**state, "conv9.weight": torch.zeros(1)},
        "has no 'head.2.bias'": {key: value for key, value in state.items() if key != "head.2.bias"},
        "[4] in the model; learning.weights.blocks: [...] takes those of other blocks alone": {
            **state,
            "head.2.bias": torch.zeros(9),
        },
        "'head.2.bias' is [9] in": {**state, "head.2.bias": torch.zeros(9)},
        "has values that are not finite": {**state, "head.2.bias": torch.full((4,), torch.nan)},
    }
    for said, tensors in wrong.items():
        save_file(tensors, file)
        line = refusal(file, capsys)
        assert line.startswith("learning.weights.file: ")
        assert said in line
    assert "no block 'hed' among" in refusal(file, capsys, "learning.weights.blocks=[hed]")
    torch.save({"conv1.0.weight": torch.zeros(1)}, file)
    assert "no safetensors file" in refusal(file, capsys)
    pickled = file.with_suffix(".pt")
    torch.save({"conv1.0.weight": torch.zeros(1)}, pickled)
    assert refusal(pickled, capsys).endswith("; convert it with safetensors.torch.save_file")


def test_the_names_of_published_weights_on_the_docs_page_are_those_of_the_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = (Path(__file__).resolve().parent.parent / "docs" / "models.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"^```python\n(import torch.*?)^```$", page, re.MULTILINE | re.DOTALL)
    blocks = blocks_of(scenario("model=resnet18", "cut=stem"), (3, 28, 28), 1000)
    ours = {"norm": "bn", "shortcut": "downsample", "stem.0": "conv1", "stem.1": "bn1", "head.2": "fc"}
    theirs = {}
    for name, block in blocks:
        number = int(name[5:]) - 1 if name.startswith("block") else None
        for key, value in block.state_dict().items():
            long = f"{name}.{key}" if number is None else f"layer{number // 2 + 1}.{number % 2}.{key}"
            for mine, his in ours.items():
                long = long.replace(mine, his)
            theirs[long] = value
    assert {"conv1.weight", "layer2.0.downsample.0.weight", "layer4.1.bn2.running_var"} <= set(theirs)
    monkeypatch.chdir(tmp_path)
    torch.save(theirs, "resnet18.pth")
    exec(code, {})
    words = ("learning.weights.file=resnet18.safetensors", "seed.learning=5")
    again = blocks_of(scenario("model=resnet18", "cut=stem", *words), (3, 28, 28), 1000)
    for (name, part), (_, there) in zip(again, blocks, strict=True):
        assert np.array_equal(state_vector(part), state_vector(there)), name
