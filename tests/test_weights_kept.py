"""The trained model is a result: kept, the same in equal and resumed runs, exported, loaded and checked."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from studies import Here, swept, tiny_plan
from told import sentences
from worlds import TINY, scenario

import slfac_sim as sf
from slfac_sim.cli import main
from slfac_sim.cli.closing import print_summary
from slfac_sim.foundation.errors import BadInput
from slfac_sim.foundation.plugins import kinds
from slfac_sim.learning.kept import Kept
from slfac_sim.ledger.folder import load as load_run
from slfac_sim.ledger.folder import weights_file
from slfac_sim.runs.evaluate import evaluate
from slfac_sim.runs.resume import prepare_resume, resume
from slfac_sim.runs.run import prepare, run
from slfac_sim.runs.verify import prepare_verify, verify
from slfac_sim.runs.weights import model_of, weights_of
from slfac_sim.scenario.files import load
from slfac_sim.scenario.fingerprint import point_key
from slfac_sim.studies.trainings import Failed, pack, train, unpack

PROTOCOLS = kinds("slfac_sim.protocols")
OWN = ("splitfed_v3", "local_only")  # devices of which have nothing in common


def finished(folder: Path, *overrides: str, **more: Any) -> dict[str, Any]:
    return run(prepare(scenario(*overrides), folder, threads=1), **more)


def accuracy_of(model: torch.nn.Module, *overrides: str) -> float:
    data = scenario(*overrides).data.open()
    images, labels = data.test_batch(np.arange(len(data.test_labels)))
    with torch.inference_mode():
        return float((model(torch.from_numpy(images)).argmax(1).numpy() == labels).mean())


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run with a validation part; not to be changed."""
    folder = tmp_path_factory.mktemp("weights") / "r"
    finished(folder, "data.validation=40", "protocol.rounds=4")
    return folder


@pytest.fixture
def copy(kept: Path, tmp_path: Path) -> Path:
    import shutil

    return shutil.copytree(kept, tmp_path / "copy")


@pytest.mark.matrix
@pytest.mark.parametrize("kind", [kind for kind in PROTOCOLS if kind not in OWN])
def test_the_model_that_is_kept_is_the_one_that_was_measured(kind: str, tmp_path: Path) -> None:
    """By another road: the module alone, on the test set, with no codec and nobody who learns around it."""
    chosen = (f"protocol.kind={kind}", "codec=raw", "protocol.rounds=3")
    summary = finished(tmp_path / "r", *chosen)
    model = model_of(load_run(tmp_path / "r"))
    assert accuracy_of(model, *chosen) == pytest.approx(summary["accuracy"]["final"])
    assert summary["weights"]["final"]["round"] == 3


@pytest.mark.parametrize("kind", OWN)
def test_where_nothing_is_in_common_it_is_the_first_devices(kind: str, tmp_path: Path) -> None:
    chosen = (f"protocol={{kind: {kind}, rounds: 2, evaluate_devices: 1}}", "codec=raw")
    summary = finished(tmp_path / "r", *chosen)
    model = model_of(load_run(tmp_path / "r"))
    assert accuracy_of(model, *chosen) == pytest.approx(summary["accuracy"]["final"])


@pytest.mark.parametrize("more", [("devices.count=3",), ("learning.until.accuracy=0.3",)], ids=str)
def test_different_cuts_and_early_stops_are_kept_too(more: tuple[str, ...], tmp_path: Path) -> None:
    cut = "cut={d000: conv1, d001: conv2, d002: conv1}" if "devices" in more[0] else "cut=conv2"
    chosen = ("protocol={kind: splitfed_v1, rounds: 3}", cut, "codec=raw", *more)
    summary = finished(tmp_path / "r", *chosen)
    model = model_of(load_run(tmp_path / "r"))
    assert accuracy_of(model, *chosen) == pytest.approx(summary["accuracy"]["final"])


def test_the_file_says_what_it_is_of(kept: Path) -> None:
    about = Kept.read(weights_file(kept, "final")).about
    assert about["scenario_digest"] == point_key(scenario("data.validation=40", "protocol.rounds=4"))
    assert (about["scenario"], about["round"]) == ("tiny", "4")
    assert (about["image_shape"], about["classes"]) == ("1x12x12", "4")
    assert {name.partition(".")[0] for name in Kept.read(weights_file(kept, "final")).tensors} == {
        "conv1",
        "conv2",
        "conv3",
        "head",
    }


def test_best_is_the_first_with_the_highest_accuracy_on_the_validation_part(kept: Path) -> None:
    best = json.loads((kept / "summary.json").read_text())["weights"]["best"]
    data = scenario("data.validation=40").data.open()
    assert data.validation_images is not None
    model = model_of(load_run(kept), "best")
    with torch.inference_mode():
        logits = model(torch.from_numpy(data.normalised(data.validation_images)))
    right = float((logits.argmax(1).numpy() == data.validation_labels).mean())
    assert right == pytest.approx(best["validation_accuracy"], abs=1 / 40)  # here without the uplink's codec
    assert 1 <= best["round"] <= 4


def test_validation_changes_no_figure_of_the_test(tmp_path: Path) -> None:
    digests = [
        finished(tmp_path / str(wanted), "data.validation=40", weights=wanted)["digest"]
        for wanted in (True, False)
    ]
    assert digests[0] == digests[1]
    assert not (tmp_path / "False" / "weights").exists()


def test_a_resumed_run_keeps_the_same(kept: Path, tmp_path: Path) -> None:
    """The best may be of a round before the interruption."""

    def interrupt(table: str, row: Any) -> None:
        if table == "rounds" and row["round"] == 3:
            raise KeyboardInterrupt

    folder = tmp_path / "cut"
    prepared = prepare(scenario("data.validation=40", "protocol.rounds=4"), folder, threads=1)
    assert "weights" not in run(prepared, interrupt, checkpoint_every=1)
    resumable = prepare_resume(folder)
    assert resumable.rounds == 2
    expected = json.loads((kept / "summary.json").read_text())["weights"]
    assert resume(resumable)["weights"] == expected
    for name in expected:
        assert weights_of(load_run(folder), name).sha256 == weights_of(load_run(kept), name).sha256


def test_who_wants_no_weights_has_none_after_a_resume_either(tmp_path: Path) -> None:
    def interrupt(table: str, row: Any) -> None:
        if table == "rounds":
            raise KeyboardInterrupt

    run(prepare(scenario(), tmp_path / "r", threads=1), interrupt, checkpoint_every=1, weights=False)
    assert "weights" not in resume(prepare_resume(tmp_path / "r"))
    assert not (tmp_path / "r" / "weights").exists()


def test_verify_compares_the_weights(kept: Path, copy: Path) -> None:
    with prepare_verify(kept) as verifiable:
        assert verify(verifiable).equal
    bad = Kept(
        {name: value + 1 for name, value in Kept.read(weights_file(copy, "final")).tensors.items()}, {}
    )
    bad.write(weights_file(copy, "final"))
    with prepare_verify(copy) as verifiable:
        verdict = verify(verifiable)
    assert not verdict.equal
    file = weights_file(copy, "final")
    assert verdict.differences == (
        f"{file}: altered since the run: its weights are others than summary.json says",
    )


def cut_short(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


def flip(path: Path) -> None:
    raw = bytearray(path.read_bytes())
    raw[-3] ^= 64
    path.write_bytes(bytes(raw))


DAMAGES: dict[str, tuple[Callable[[Path], Any], str]] = {
    "gone": (lambda path: path.unlink(), "no such file"),
    "empty": (lambda path: path.write_bytes(b""), "damaged, or no safetensors file"),
    "text": (lambda path: path.write_text("no weights at all"), "damaged, or no safetensors file"),
    "short": (cut_short, "damaged, or no safetensors file"),
    "flipped": (flip, "altered since the run: its weights are others than summary.json says"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_file_is_one_sentence(
    damage: str, copy: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    spoil, said = DAMAGES[damage]
    spoil(weights_file(copy, "final"))
    assert main(["export", str(copy), "--weights", "--out", str(tmp_path / "out")]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(f"{weights_file(copy, 'final')}: {said}")
    assert len(sentences(err)) == 1
    assert not (tmp_path / "out").exists()


def test_runs_without_weights_say_why(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    finished(tmp_path / "r", weights=False)
    with pytest.raises(BadInput, match=r"r: no weights in it: .* keep theirs with `sweep --weights`$"):
        weights_of(load_run(tmp_path / "r"))
    assert main(["replay", str(tmp_path / "r"), "--quiet", "--out", str(tmp_path / "again")]) == 0
    with pytest.raises(BadInput, match="it is a replay, which learnt nothing"):
        weights_of(load_run(tmp_path / "again"))
    finished(tmp_path / "w")
    with pytest.raises(BadInput, match="there was no validation part to choose them by"):
        weights_of(load_run(tmp_path / "w"), "best")


def test_exported_weights_are_numpys(copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export", str(copy), "--weights"]) == 0
    files = [Path(line) for line in capsys.readouterr().out.split()]
    assert [file.name for file in files] == ["final.npz", "best.npz"]
    there = Kept.read(weights_file(copy, "final")).tensors
    with np.load(files[0], allow_pickle=False) as arrays:
        assert sorted(arrays) == sorted(there)
        assert all(np.array_equal(arrays[name], there[name].numpy()) for name in there)
    assert main(["export", str(copy), "--weights"]) == 2
    assert "exists already; name a new folder with --out, or add --overwrite" in capsys.readouterr().err
    assert main(["export", str(copy), "--weights", "--overwrite"]) == 0


def test_no_weights_on_the_command_line_and_two_lines_of_python(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = str(tmp_path / "r")
    assert main(["run", str(TINY), "--quiet", "--no-weights", "--threads", "1", "--out", out]) == 0
    assert not (tmp_path / "r" / "weights").exists()
    made = sf.run(str(TINY), out=tmp_path / "p", threads=1, progress=False)
    model = sf.model(made)
    assert not model.training
    data = load(TINY).data.open()
    logits = model.of_levels(torch.from_numpy(data.test_images))
    assert logits.shape == (len(data.test_labels), 4)
    normalised = torch.from_numpy(data.normalised(data.test_images))
    torch.testing.assert_close(logits, model(normalised))
    assert model.pixel_mean.tolist() == pytest.approx(list(data.mean))
    about = weights_of(load_run(tmp_path / "p")).about
    assert [json.loads(about[name]) for name in ("pixel_mean", "pixel_std")] == [[*data.mean], [*data.std]]


def last_figures(folder: Path) -> tuple[float, float]:
    return list(load_run(folder).ledger.tuples("evals", ("accuracy", "loss")))[-1]


@pytest.mark.matrix
@pytest.mark.parametrize("kind", PROTOCOLS)
def test_a_model_is_measured_again_as_it_was(kind: str, tmp_path: Path) -> None:
    more = ", evaluate_devices: 1" if kind in OWN else ""
    chosen = (f"protocol={{kind: {kind}, rounds: 2, steps: 2{more}}}", "codec=slfac", "codec.model=fp16")
    if kind == "hierarchical":
        chosen = (f"protocol.kind={kind}", "codec=slfac", "codec.model=fp16")
    finished(tmp_path / "r", *chosen)
    measured = evaluate(tmp_path / "r")
    assert (measured.figures["accuracy"], measured.figures["loss"]) == last_figures(tmp_path / "r")
    assert evaluate(tmp_path / "r", ["codec=raw", "codec.model=fp16"]).figures["accuracy"] == pytest.approx(
        measured.figures["accuracy_no_codec"]
    )


def test_other_data_are_normalised_as_those_of_the_training(kept: Path) -> None:
    """The mean of other pixels is another; the model has learnt from the first."""
    others = ["data.seed=5", "data.noise=90.0", "codec=raw"]
    measured = evaluate(kept, others)
    data, trained_on = (scenario(*some).data.open() for some in (others, ["data.validation=40"]))
    assert data.mean != trained_on.mean
    model = model_of(load_run(kept))
    with torch.inference_mode():
        logits = model(torch.from_numpy(trained_on.normalised(data.test_images)))
    right = float((logits.argmax(1).numpy() == data.test_labels).mean())
    assert measured.figures["accuracy"] == pytest.approx(right)


def test_frozen_blocks_are_kept_too(tmp_path: Path) -> None:
    chosen = ("learning.freeze=[conv1]", "cut=conv2", "codec=raw")
    summary = finished(tmp_path / "r", *chosen)
    assert any(name.startswith("conv1.") for name in weights_of(load_run(tmp_path / "r")).tensors)
    assert accuracy_of(model_of(load_run(tmp_path / "r")), *chosen) == summary["accuracy"]["final"]
    assert evaluate(tmp_path / "r").figures["accuracy"] == summary["accuracy"]["final"]


def test_training_goes_on_from_kept_weights(kept: Path, tmp_path: Path) -> None:
    weights = f"learning.weights.file={weights_file(kept, 'final')}"
    finished(tmp_path / "r", weights, "protocol.rounds=1")
    first = next(iter(load_run(tmp_path / "r").ledger.tuples("evals", ("accuracy",))))
    assert first == (last_figures(kept)[0],)


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("cut=conv2", "evaluate changes codec, data and partition alone, not cut: conv1 there, conv2 wanted"),
        ("data.classes=5", "'head.2.weight' is [4, 16] in "),
        ("codec=slfak", "no 'slfak' among"),
    ],
)
def test_what_cannot_be_evaluated_is_one_sentence(
    override: str, said: str, kept: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["evaluate", str(kept), override]) == 2
    out, err = capsys.readouterr()
    assert (out, len(sentences(err))) == ("", 1)
    assert said in err


def test_evaluate_on_the_command_line(kept: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", str(kept), "codec=raw", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["figures"]["accuracy"] == told["figures"]["accuracy_no_codec"]
    assert (told["name"], told["codec"]) == ("final", "raw fp32")
    assert main(["evaluate", str(kept), "--best"]) == 0
    best = json.loads((kept / "summary.json").read_text())["weights"]["best"]
    assert f"{kept}: best weights, of after round {best['round']}" in capsys.readouterr().out
    print_summary(load_run(kept).summary)
    words = f"{100 * best['validation_accuracy']:.2f} % after round {best['round']}: weights/best.safetensors"
    assert re.search(rf"validation accuracy, best +{re.escape(words)}", capsys.readouterr().out)
    assert sf.evaluate(kept, "codec=raw").figures == told["figures"]


def test_trainings_of_studies_keep_none_unless_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = tiny_plan("codec=raw", seeds="1")
    assert swept(plan, tmp_path / "study", Here(tmp_path / "cache"), tmp_path / "cache") == []
    assert list((tmp_path / "cache").rglob("*.safetensors")) == []
    monkeypatch.chdir(tmp_path)
    words = ["sweep", str(TINY), "--axis", "codec=raw", "--seeds", "1", "--cache", "kept", "--workers", "1"]
    assert main([*words, "--weights", "--quiet"]) == 0
    (training,) = plan.trainings
    assert evaluate(tmp_path / "kept" / training).figures["accuracy"] is not None
    unpacked = unpack(pack(tmp_path / "kept" / training), tmp_path / "elsewhere", training)
    assert weights_of(load_run(unpacked)).sha256 == weights_of(load_run(tmp_path / "kept" / training)).sha256


def test_trainings_on_record_are_done_again_for_their_weights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("slfac_sim.analysis.studies.report.finish_study", lambda folder: [])
    words = [
        "sweep",
        str(TINY),
        "--axis",
        "codec=raw,slfac",
        "--seeds",
        "1",
        "--threads",
        "1",
        "--workers",
        "1",
    ]
    assert main([*words, "--quiet"]) == 0
    folders = sorted(Path("runs/trainings").iterdir())
    before = [load_run(folder).summary["digest"] for folder in folders]
    points = {file: file.stat().st_mtime_ns for file in Path("runs/studies/tiny/points").iterdir()}
    capsys.readouterr()
    assert main([*words, "--weights", "--quiet"]) == 0
    assert "2 trainings on record without a model: done again" in capsys.readouterr().err
    assert [load_run(folder).summary["digest"] for folder in folders] == before
    assert all(weights_of(load_run(folder)) for folder in folders)
    assert sorted(Path("runs/trainings").iterdir()) == folders
    assert {file: file.stat().st_mtime_ns for file in Path("runs/studies/tiny/points").iterdir()} == points
    assert main([*words, "--weights"]) == 0
    assert "all 2 points are there already" in capsys.readouterr().err


def test_a_training_that_comes_out_otherwise_keeps_its_record(tmp_path: Path) -> None:
    plan, cache = tiny_plan("codec=raw", seeds="1"), tmp_path / "cache"
    assert swept(plan, tmp_path / "study", Here(cache), cache) == []
    ((key, scenario),) = plan.trainings.items()
    file = cache / key / "summary.json"
    altered = {**json.loads(file.read_text()), "digest": "f" * 64}
    file.write_text(json.dumps(altered))
    with pytest.raises(Failed, match=r"it came out otherwise \(digest ffffffffffffffff on record, "):
        train(scenario, 1, cache, key, weights=True)
    assert json.loads(file.read_text()) == altered
    assert [path.name for path in cache.iterdir()] == [key]
