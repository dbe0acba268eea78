"""`data: npz`: one's own arrays by their keys, axes said and not guessed, nothing that is pickled opened."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made_data import pixels
from worlds import TINY

from slfac_sim.cli import main
from slfac_sim.foundation.errors import BadInput
from slfac_sim.learning.datasets import DataError
from slfac_sim.learning.datasets.npz import Npz
from slfac_sim.learning.dealing import deal
from slfac_sim.learning.partitions.by import By


def written(path: Path, **changes: Any) -> Path:
    """Write 40 training and 10 test images [n, 8, 9, 3] in 4 classes, with `changes`; None leaves out."""
    arrays: dict[str, Any] = {
        "train_images": pixels(40, 8, 9, 3),
        "train_labels": np.arange(40) % 4,
        "test_images": pixels(10, 8, 9, 3, seed=1),
        "test_labels": np.arange(10) % 4,
    }
    np.savez(path, **{key: value for key, value in (arrays | changes).items() if value is not None})
    return path


def refused(source: Any) -> str:
    with pytest.raises(DataError) as fault:
        source.load()
    assert "\n" not in str(fault.value)
    return str(fault.value)


@pytest.mark.parametrize(("axes", "order"), [("nhwc", (0, 1, 2, 3)), ("nchw", (0, 3, 1, 2)), ("nhw", None)])
def test_images_come_in_the_axes_that_are_said(tmp_path: Path, axes: Any, order: Any) -> None:
    images = pixels(40, 8, 9, 3)
    tests = pixels(10, 8, 9, 3, seed=1)
    kept = [one.transpose(order) if order else one[..., 0] for one in (images, tests)]
    file = written(tmp_path / "mine.npz", train_images=kept[0], test_images=kept[1])
    data = Npz(file=file, axes=axes).load()
    expected = images.transpose(0, 3, 1, 2)
    assert np.array_equal(data.train_images, expected if order else expected[:, :1])
    assert (data.name, data.classes, len(data.mean)) == ("mine", 4, 3 if order else 1)
    assert data.train_labels.tolist() == [place % 4 for place in range(40)]


def test_keys_of_ones_own_and_columns(tmp_path: Path) -> None:
    owner = np.array([f"user {place % 7}" for place in range(40)])
    file = written(tmp_path / "a.npz", train_images=None, x=pixels(40, 8, 9, 3), owner=owner)
    data = Npz(file=file, axes="nhwc", train_images="x", columns=("owner",), train_samples=30).load()
    assert len(data.train_labels) == 30
    whole = Npz(file=file, axes="nhwc", train_images="x", columns=("owner",)).load()
    kept = [
        np.flatnonzero((whole.train_images == image).all(axis=(1, 2, 3)))[0] for image in data.train_images
    ]
    assert kept == sorted(set(kept))
    assert data.columns["owner"].tolist() == owner[kept].tolist()
    assert data.train_labels.tolist() == [place % 4 for place in kept]
    told = "no column 'owner' among label; data.columns names the arrays of a.npz that are some"
    with pytest.raises(BadInput, match=re.escape(told)):
        deal(By(column="owner"), Npz(file=file, axes="nhwc", train_images="x").load(), ["d000", "d001"], 0)


@pytest.mark.parametrize("part", [0.05, 0.2, 0.5, 0.93])
def test_without_test_images_a_part_of_the_others_is_drawn(tmp_path: Path, part: float) -> None:
    file = written(tmp_path / "mine.npz", test_images=None)
    data = Npz(file=file, axes="nhwc", test_images=None, test_part=part).load()
    found = [image.tobytes() for image in (*data.train_images, *data.test_images)]
    assert len(data.test_labels) == round(40 * part)
    assert sorted(found) == sorted(image.tobytes() for image in pixels(40, 8, 9, 3).transpose(0, 3, 1, 2))
    last = Npz(file=file, axes="nhwc", test_images=None, test_part=0.99)
    assert refused(last) == "data.test_part: a part of 0.99 of 40 samples leaves one side empty"


HIGH = np.where(np.arange(40) == 5, 300, np.arange(40) % 4)


@pytest.mark.parametrize(
    ("changes", "settings", "said"),
    [
        (
            {"train_images": pixels(400, 28, 28, 3)},
            {"axes": "nchw"},
            "'train_images': found the shape [400, 28, 28, 3], which looks like [n, h, w, c], expected"
            " [n, c, h, w]; set axes: nhwc",
        ),
        (
            {"train_images": pixels(40, 3, 28, 28)},
            {},
            "'train_images': found the shape [40, 3, 28, 28], which looks like [n, c, h, w], expected"
            " [n, h, w, c]; set axes: nchw",
        ),
        (
            {},
            {"axes": "nhw"},
            "'train_images': found the shape [40, 8, 9, 3], expected [n, h, w] (axes: nhw), nothing of it 0;"
            " it looks like [n, h, w, c]: set axes: nhwc",
        ),
        (
            {"train_labels": np.where(np.arange(40) == 5, -1, np.arange(40) % 4)},
            {},
            "'train_labels': found the negative label -1 at index 5, expected 0 and so on",
        ),
        (
            {"train_labels": None, "labels": HIGH},
            {"classes": 4, "train_labels": "labels", "test_images": None},
            "'labels': found the label 300 at index 5, expected 0 to 3 (classes: 4)",
        ),
        (
            {"test_labels": np.full(10, 4)},
            {},
            "'test_labels': found the label 4 at index 0, expected 0 to 3 (classes: 4)",
        ),
        (
            {"train_labels": np.eye(4)[np.arange(40) % 4]},
            {},
            "'train_labels': found float64 of the shape [40, 4], expected integers [n]; of one-hot rows:"
            " labels.argmax(axis=1)",
        ),
        (
            {"train_labels": np.array(["cat", "dog"] * 20)},
            {},
            "'train_labels': found <U3 of the shape [40], expected integers [n]; of texts:"
            " numpy.unique(labels, return_inverse=True)[1]",
        ),
        (
            {"train_images": (pixels(40, 8, 9, 3) / 255).astype(np.float32)},
            {},
            "'train_images': found float32, expected uint8, levels from 0 to 255; of fractions:"
            " (255 * images).round().astype('uint8')",
        ),
        (
            {"train_images": pixels(400, 8, 9, 3), "train_labels": np.arange(390) % 4},
            {},
            "'train_labels': found 390 labels for 400 images of 'train_images', expected one for each",
        ),
        (
            {"train_labels": HIGH},
            {},
            "'train_labels': found the label 300, and none of 4, expected 0 and so on without a gap;"
            " or set classes",
        ),
        (
            {"train_labels": np.arange(40) / 4},
            {},
            "'train_labels': found float64 of the shape [40], expected integers [n]",
        ),
        (
            {"train_labels": np.array([{"label": 1}] * 40, object)},
            {},
            "'train_labels': found pickled Python objects, which are never opened, expected an array of"
            " numbers",
        ),
        (
            {},
            {"test_images": "tset_images"},
            "has no array 'tset_images'; it has train_images, train_labels, test_images, test_labels;"
            " did you mean 'test_images'?",
        ),
        (
            {"owner": np.arange(39)},
            {"columns": ("owner",)},
            "'owner': found the shape [39], expected [40], a value for each sample",
        ),
    ],
)
def test_a_fault_of_an_array_is_one_sentence(
    tmp_path: Path, changes: dict[str, Any], settings: dict[str, Any], said: str
) -> None:
    file = written(tmp_path / "mine.npz", **changes)
    assert refused(Npz(**{"file": file, "axes": "nhwc"} | settings)) == f"{file}: {said}"


@pytest.mark.parametrize(
    ("changes", "settings", "said"),
    [
        (
            {"test_images": pixels(10, 9, 9, 3)},
            {},
            "data 'mine': test_images: found images of [3, 9, 9], expected [3, 8, 9] as in train_images",
        ),
        ({}, {"train_samples": 41}, "data.train_samples: found 41, expected at most 40"),
    ],
)
def test_what_any_data_set_must_be_is_told_of_it_too(
    tmp_path: Path, changes: dict[str, Any], settings: dict[str, Any], said: str
) -> None:
    file = written(tmp_path / "mine.npz", **changes)
    assert refused(Npz(**{"file": file, "axes": "nhwc"} | settings)) == said


def test_a_file_that_is_none_is_told_by_how_it_begins(tmp_path: Path) -> None:
    file = tmp_path / "mine.npz"
    np.save(tmp_path / "mine.npy", np.arange(3))
    (tmp_path / "mine.npy").rename(file)
    expected = "expected 50 4b 03 04 (an .npz file)"
    assert refused(Npz(file=file, axes="nhwc")) == f"{file}: begins with 93 4e 55 4d, {expected}"
    file.write_bytes(b"")
    assert refused(Npz(file=file, axes="nhwc")) == f"{file}: begins with nothing, {expected}"
    whole = written(file).read_bytes()
    file.write_bytes(whole[: len(whole) // 2])
    said = refused(Npz(file=file, axes="nhwc"))
    assert said == f"{file}: is cut short or damaged (File is not a zip file)"
    file.write_bytes(whole[:200] + bytes(50) + whole[250:])
    assert refused(Npz(file=file, axes="nhwc")).startswith(f"{file}: is cut short or damaged (Bad CRC-32")
    gone = tmp_path / "none.npz"
    assert refused(Npz(file=gone, axes="nhwc")) == f"{gone}: cannot be read (No such file or directory)"


def test_a_run_over_ones_own_arrays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    written(tmp_path / "mine.npz")
    data = "data={kind: npz, file: mine.npz, axes: nhwc, validation: 8}"
    assert main(["run", str(TINY), data, "protocol.rounds=1", "--strict", "--quiet"]) == 0
    assert main(["check", str(TINY), "data={kind: npz, file: mine.npz}"]) == 2
    assert "data.axes: " in capsys.readouterr().err


def test_axes_that_are_not_said_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(TINY), f"data={{kind: npz, file: {tmp_path}/a.npz}}"]) == 2
    assert "data.axes: missing key 'axes', one of nhw, nhwc, nchw" in capsys.readouterr().err
