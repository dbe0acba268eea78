"""`capture`: the tensors are those of the real run, step for step; and what cannot be captured is refused."""

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
from worlds import TINY, live_run, scenario, table

from slfac_sim.cli import main
from slfac_sim.codec_lab.spectra import spectrum_of


def test_captured_tensors_are_those_that_a_run_encodes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Encoded, they give the very bodies in the ledger of the run; also after a round's average."""
    assert main(["capture", str(TINY), "--steps", "5,2", "-o", str(tmp_path / "out"), "--threads", "1"]) == 0
    names = [f"step{step:05d}_d000_{way}.npy" for step in (2, 5) for way in ("up", "down")]
    assert capsys.readouterr().out.split() == [
        str(tmp_path / "out" / name) for name in [*names, "capture.json"]
    ]
    live_run(tmp_path / "live.sqlite")
    kinds = {row["sha256"]: row["kind"] for row in table(tmp_path / "live.sqlite", "payloads")}
    sender = scenario().codec.uplink.sender("s")
    for name in names:
        tensor = np.load(tmp_path / "out" / name)
        body = sender.encode(tensor).body
        kind = kinds[hashlib.sha256(body).hexdigest()[:16]]
        assert kind == ("smashed_up" if name.endswith("up.npy") else "smashed_down")
    facts = json.loads((tmp_path / "out" / "capture.json").read_text(encoding="utf-8"))
    assert (facts["scenario"], facts["cut"]) == ("tiny", "conv1")
    assert [(one["file"], one["step"], one["what"]) for one in facts["tensors"]] == [
        (names[0], 2, "activation"), (names[1], 2, "gradient"),
        (names[2], 5, "activation"), (names[3], 5, "gradient"),
    ]  # fmt: skip


def test_spectra_are_drawn_of_a_capture(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = str(tmp_path / "out")
    assert main(["capture", str(TINY), "codec=raw", "--steps", "1", "--device", "d003", "-o", out]) == 0
    capsys.readouterr()
    assert main(["codec", "spectra", out, "-o", str(tmp_path / "figures")]) == 0
    names = (
        "spectra.png",
        "spectra.svg",
        "compaction.png",
        "compaction.svg",
        "spectra.csv",
        "compaction.csv",
    )
    assert capsys.readouterr().out.split() == [str(tmp_path / "figures" / name) for name in names]


def test_a_spectrum_worked_by_hand() -> None:
    """A constant plane has all of its energy in k = 0; an alternating one in the last."""
    tensor = np.zeros((1, 3, 4, 4), np.float32)
    tensor[0, 0] = 2.0
    tensor[0, 1] = np.outer([1, -1, 1, -1], [1, -1, 1, -1])
    found = spectrum_of(tensor, 1, "up", 0.9)
    assert found.cuts[0] == 0
    assert found.cuts[1] > 8
    assert len(found.cuts) == 2, "a plane of zeros has no spectrum"
    assert found.mean_energy[0] == pytest.approx(64 / 80)
    assert found.mean_energy.sum() == pytest.approx(1.0)
    assert np.array_equal(found.kept[:, 0], np.zeros(3))
    assert found.kept[:, -1] == pytest.approx(np.ones(3))


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (["--steps", "0"], "--steps 0: expected whole numbers from 1, such as 5,50"),
        (["--steps", "5,x"], "--steps 5,x: expected whole numbers from 1, such as 5,50"),
        (["--steps", "1,7"], "--steps 7: d000 takes 6 steps in this scenario"),
        (["--steps", "1", "--device", "d9"], "--device d9: no such device among d000 to d004"),
    ],
)
def test_refusals_word_for_word(
    words: list[str], error: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert main(["capture", str(TINY), *words, "-o", str(out)]) == 2
    assert capsys.readouterr().err == error + "\n"
    assert not out.exists()
