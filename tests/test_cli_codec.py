"""`codec`: a tensor to a body and back, what a body says of itself, codecs side by side, and refusals."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from told import sentences

from slfac_sim.cli import main
from slfac_sim.codec_lab.choose import codec_of, shipped
from slfac_sim.codec_lab.files import read_body, read_tensor
from slfac_sim.codec_lab.measure import Measured, front, inspect, measure, relative_error
from slfac_sim.codec_lab.rate_distortion import rate_settings, sweep
from slfac_sim.codecs import BadBody, BadTensor
from slfac_sim.codecs.kit.stateless import StatelessReceiver
from slfac_sim.codecs.raw import Raw
from slfac_sim.codecs.slfac import SlFac
from slfac_sim.foundation.errors import BadInput
from slfac_sim.foundation.files import whole


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a small smooth tensor in x.npy."""
    monkeypatch.chdir(tmp_path)
    ramp = np.linspace(0.0, 1.0, 4 * 3 * 5 * 6, dtype=np.float32).reshape(4, 3, 5, 6)
    np.save("x.npy", np.sin(9.0 * ramp).astype(np.float32))
    return tmp_path


def codec(words: str) -> int:
    return main(["codec", *words.split()])


def test_encode_inspect_decode(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert codec("encode x.npy codec=slfac codec.theta=0.95 -o x.slf") == 0
    body, tensor = Path("x.slf").read_bytes(), np.load("x.npy")
    assert body == SlFac(theta=0.95).sender("x").encode(tensor).body
    assert f"{len(body):,} bytes, {8 * len(body) / 360:.4g} bits a value" in capsys.readouterr().out
    assert codec("inspect x.slf --json") == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["codec"], found["shape"], found["bytes"]) == ("slfac", [4, 3, 5, 6], len(body))
    assert found["parts"] == dict(SlFac(theta=0.95).sender("x").encode(tensor).parts)
    assert codec("inspect x.slf") == 0
    assert "ranges" in capsys.readouterr().out
    assert codec("decode x.slf -o y.npy") == 0
    assert capsys.readouterr().out == "y.npy: float32 [4, 3, 5, 6]\n"
    decoded = np.load("y.npy")
    assert np.array_equal(decoded, SlFac().receiver().decode(body))
    assert relative_error(tensor, decoded) < 0.1


def test_parts_add_up_for_every_shipped_codec(here: Path) -> None:
    """What a decoder tells of a body is what its encoder said, to the byte."""
    tensor = np.load("x.npy")
    for kind in shipped():
        try:
            payload = codec_of([f"codec={kind}"]).sender("s").encode(tensor, np.arange(4))
        except BadTensor:
            continue
        found = inspect(payload.body)
        assert found.kind == kind
        assert sum(found.parts.values()) == len(payload.body)
        told = {part: size for part, size in payload.parts.items() if size}
        assert not told or {part: size for part, size in found.parts.items() if size} == told


def test_compare_prints_every_codec_and_draws(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert (
        main(
            ["codec", "compare", "x.npy", "--axis", "codec={kind: slfac, theta: 0.5},raw,slfac", "-o", "out"]
        )
        == 0
    )
    printed = capsys.readouterr().out.splitlines()
    assert [line.split("  ")[0] for line in printed[:4]] == [
        "codec", "SL-FAC (our reading), theta 0.5, 2..8 bits", "raw fp32",
        "SL-FAC (our reading), theta 0.9, 2..8 bits",
    ]  # fmt: skip
    assert printed[4:] == [f"out/rate_distortion.{end}" for end in ("png", "svg", "csv")]
    points = Path("out/rate_distortion.csv").read_text(encoding="utf-8").splitlines()
    curves = [line.split(',"b_max, theta",')[0].strip('"') for line in points if "b_max, theta" in line]
    assert curves == 41 * [SlFac(theta=0.5).label] + 40 * [SlFac().label]
    assert [line for line in points if line.startswith("raw,,raw fp32,")]
    assert codec("compare x.npy --json") == 0
    found: list[dict[str, Any]] = json.loads(capsys.readouterr().out)
    assert [one["codec"] for one in found] == shipped()
    raw = next(one for one in found if one["codec"] == "raw")
    assert raw["relative_squared_error"] == 0.0
    assert raw["bits_per_value"] == pytest.approx(32.0, abs=0.5)
    assert raw["encode_s"] >= 0.0


def test_axes_of_compare_are_those_of_a_sweep(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert codec("compare x.npy codec=slfac --axis codec.theta=0.8,0.9 --axis codec.b_max=6,8 --json") == 0
    told = [one["label"].split(", ", 1)[1] for one in json.loads(capsys.readouterr().out)]
    assert told == [f"theta {theta}, 2..{b_max} bits" for theta in (0.8, 0.9) for b_max in (6, 8)]


def test_a_codec_that_refuses_the_tensor_says_so_in_its_line(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    np.save("x.npy", np.array([[1.0, 1e37]], np.float32))
    assert codec("compare x.npy --axis codec=c3_sl,raw") == 0
    printed = capsys.readouterr().out
    assert "refused, see below" in printed
    assert "float16: x.npy: expected magnitudes up to 7.92e+28 (got 1e+37)" in printed


def test_float16_and_float64_are_read_and_anything_else_refused(here: Path) -> None:
    for dtype in (np.float16, np.float64):
        np.save("y.npy", np.array([[0.5, 2.0]], dtype))
        assert read_tensor(Path("y.npy")).dtype == np.float32
    np.save("y.npy", np.array([1, 2]))
    with pytest.raises(BadInput) as caught:
        read_tensor(Path("y.npy"))
    assert str(caught.value) == "y.npy: expected floating-point numbers (got int64)"
    np.save("y.npy", np.array([{}], object), allow_pickle=True)
    with pytest.raises(BadInput, match=r"^y.npy: not a .npy file of numbers \(Object arrays cannot"):
        read_tensor(Path("y.npy"))


REFUSED = {
    "encode x.npy codec=slfac codec.theta=2 -o x.slf": (
        "override 'codec.theta=2': codec.theta: must be at most 1 (got 2)"
    ),
    "encode x.npy codec=slfac codec.b_min=9 -o x.slf": (
        "override 'codec.b_min=9': codec: b_min must not exceed b_max (got 9 and 8)"
    ),
    "encode x.npy -o x.slf": ("no codec is given; expected codec=KIND, such as codec=slfac codec.theta=0.9"),
    "encode x.npy codec=slfac codec=raw -o x.slf": (
        "override 'codec=raw': codec: is given twice, also by override 'codec=slfac'"
    ),
    "encode x.npy codec=raw cut=conv1 -o x.slf": (
        "override 'cut=conv1': cut: unknown key 'cut'; known are codec"
    ),
    "compare x.npy codec=raw --axis codec.theta=0.8": (
        "override 'codec.theta=0.8': codec.theta: unknown key 'theta'; known are kind"
    ),
    "compare x.npy codec=slfac --axis codec.theta=": (
        "--axis codec.theta=: expected key.path=VALUE,VALUE,..."
    ),
    "encode no.npy codec=raw -o x.slf": "no.npy: cannot be read (No such file or directory)",
    "encode x.npy codec=raw -o no/x.slf": "no/x.slf: cannot be written (No such file or directory)",
    "decode x.npy -o y.npy": "x.npy: body: begins with 934e, a frame with 5fac",
    "inspect no.slf": "no.slf: cannot be read (No such file or directory)",
    "spectra . -o out": (
        "capture.json: cannot be read (No such file or directory); expected a folder of `capture`"
    ),
    "spectra . --theta 0 -o out": "--theta 0: must be above 0 and at most 1",
    "compare x.npy codec=raw -o x.npy": "-o x.npy: cannot be made a folder (File exists)",
}


@pytest.mark.parametrize("words", REFUSED)
def test_refusals_word_for_word(words: str, here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = sorted(Path().iterdir())
    assert codec(words) == 2
    assert sentences(capsys.readouterr().err) == REFUSED[words].splitlines()
    assert sorted(Path().iterdir()) == before


def test_an_unknown_codec_is_refused_with_the_nearest(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert codec("encode x.npy codec=slfca -o x.slf") == 2
    error = capsys.readouterr().err
    assert error.startswith("override 'codec=slfca': codec.kind: no 'slfca' among ")
    assert "; did you mean 'slfac'? (and no slfca.py in " in error


@pytest.mark.parametrize("shape", [(), (1, 1), (3, 1, 7)], ids=str)
def test_compare_has_a_row_for_every_codec_whatever_the_shape(
    here: Path, capsys: pytest.CaptureFixture[str], shape: tuple[int, ...]
) -> None:
    values = np.random.default_rng(0).standard_normal(shape)
    np.save("x.npy", np.asarray(values, np.float32))
    assert codec("compare x.npy --json") == 0
    told = json.loads(capsys.readouterr().out)
    assert [one["codec"] for one in told] == list(shipped())
    assert all(one["refused"].startswith("x.npy: expected ") for one in told if one["bytes"] == 0)
    assert codec("compare x.npy -o out") == 0


def test_what_one_codec_refuses_is_told_in_its_row(
    here: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where its own decoder refuses the body."""

    def refuse(self: Any, body: bytes) -> None:
        raise BadBody("body: no")

    monkeypatch.setattr(StatelessReceiver, "decode", refuse)
    assert codec("compare x.npy --axis codec=raw,aq_sgd --json") == 0
    assert [one["refused"] for one in json.loads(capsys.readouterr().out)] == ["body: no", ""]


def test_compare_refuses_a_tensor_that_every_codec_refuses(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    np.save("nan.npy", np.array([1.0, np.nan], np.float32))
    assert codec("compare nan.npy --axis codec=raw,slfac") == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith("nan.npy: only finite values can be encoded (got nan at [1]")


def test_nan_is_refused_with_its_place(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    np.save("x.npy", np.array([[1.0, np.nan]], np.float32))
    assert codec("encode x.npy codec=raw -o x.slf") == 2
    assert "x.npy: only finite values can be encoded (got nan at [0, 1]" in capsys.readouterr().err
    assert not Path("x.slf").exists()


@pytest.mark.parametrize(
    "facts",
    [
        "[]",
        "{",
        "{}",
        '{"tensors": [{"file": "../x.npy", "step": 1, "direction": "up"}]}',
        '{"tensors": []}',
        '{"tensors": 3}',
    ],
)
def test_a_foreign_capture_json_is_refused(
    facts: str, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("capture.json").write_text(facts, encoding="utf-8")
    assert codec("spectra . -o out") == 2
    assert capsys.readouterr().err.startswith("capture.json: ")


def test_a_failed_write_leaves_the_old_file(tmp_path: Path) -> None:
    target = tmp_path / "x"
    target.write_bytes(b"old")

    def half_written() -> None:
        with whole(target) as part:
            part.write_bytes(b"half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        half_written()
    assert [path.name for path in tmp_path.iterdir()] == ["x"]
    assert read_body(target) == b"old"


def test_knobs_keep_to_what_the_settings_allow() -> None:
    moved = sweep(SlFac(b_min=4))
    assert rate_settings(SlFac()) == ["b_max", "theta"]
    assert SlFac(b_min=4) in moved
    assert all(isinstance(one, SlFac) and one.b_min <= one.b_max for one in moved)
    assert (rate_settings(Raw()), sweep(Raw())) == ([], [Raw()])


def test_the_front_is_what_no_other_beats() -> None:
    points = [Measured("k", "", 8, bits, error) for bits, error in [(4, 0.2), (1, 0.5), (3, 0.3), (2, 0.3)]]
    assert [(one.body_bytes, one.error) for one in front(points)] == [(1, 0.5), (2, 0.3), (4, 0.2)]
    assert front([Measured("k", "", refused="why")]) == []


def test_measured_figures_of_raw() -> None:
    tensor = np.ones((2, 3), np.float32)
    found = measure(Raw(), tensor, "s")
    assert (found.error, found.values) == (0.0, 6)
    assert found.body_bytes == len(Raw().sender("s").encode(tensor).body)
    assert relative_error(np.zeros(3, np.float32), np.ones(3, np.float32)) == float("inf")


def test_help_is_at_hand_without_numpy_or_torch() -> None:
    code = (
        "import sys; from slfac_sim.cli import main\n"
        "try: main(['codec', 'compare', '--help'])\n"
        "except SystemExit: pass\n"
        "print(sorted({'numpy', 'torch', 'matplotlib', 'pydantic'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_codecs_md_tells_of_every_shipped_codec_and_its_tables_are_there() -> None:
    text = (Path(__file__).parent.parent / "docs/codecs.md").read_text(encoding="utf-8")
    described = {name for line in text.splitlines() for name in re.findall(r"`(\w+)`", line.split(" | ")[0])}
    assert set(shipped()) <= described
    for name in ("codecs_table", "equal_bits"):
        inside = text.split(f"<!-- {name} begins -->")[1].split(f"<!-- {name} ends -->")[0]
        assert len([line for line in inside.splitlines() if line.startswith("|")]) > 9
