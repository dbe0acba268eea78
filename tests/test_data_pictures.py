"""`data: image_folder`: a folder for each class, and every fault of a picture or a folder in a sentence."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made_data import classes_of, picture
from PIL import Image
from worlds import TINY

from slfac_sim.cli import main
from slfac_sim.learning.datasets import DataError
from slfac_sim.learning.datasets.image_folder import ImageFolder


def refused(source: Any) -> str:
    with pytest.raises(DataError) as fault:
        source.load()
    assert "\n" not in str(fault.value)
    return str(fault.value)


def split(folder: Path) -> Path:
    classes_of(folder / "train")
    classes_of(folder / "test", each=2)
    return folder


def test_classes_are_the_folders_in_the_order_of_their_names(tmp_path: Path) -> None:
    split(tmp_path / "mine")
    (tmp_path / "mine/train/cat/notes.txt").write_text("no picture", encoding="utf-8")
    (tmp_path / "mine/train/.hidden").mkdir()
    data = ImageFolder(folder=tmp_path / "mine").load()
    assert (data.name, data.classes, data.image_shape) == ("mine", 3, (3, 12, 12))
    assert data.class_names == tuple(sorted(path.name for path in (tmp_path / "mine/test").iterdir()))
    assert data.train_labels.tolist() == [0] * 5 + [1] * 5 + [2] * 5
    assert data.test_labels.tolist() == [0, 0, 1, 1, 2, 2]
    shown = np.asarray(Image.open(tmp_path / "mine/train/dog/1.png"))
    assert np.array_equal(data.train_images[6], shown.transpose(2, 0, 1))
    grey = ImageFolder(folder=tmp_path / "mine", channels=1, size=6).load()
    assert grey.image_shape == (1, 6, 6)


def test_without_two_parts_the_test_is_drawn(tmp_path: Path) -> None:
    classes_of(tmp_path)
    data = ImageFolder(folder=tmp_path).load()
    assert (len(data.train_labels), len(data.test_labels)) == (12, 3)
    images = [image.tobytes() for image in (*data.train_images, *data.test_images)]
    assert len(set(images)) == 15
    few = ImageFolder(folder=tmp_path, train_samples=6, test_samples=2).load()
    assert (len(few.train_labels), len(few.test_labels)) == (6, 2)
    assert len(set(few.train_labels.tolist())) > 1  # drawn, where the first six are of one class or two
    assert {image.tobytes() for image in few.train_images} <= {image.tobytes() for image in data.train_images}


def test_a_resized_jpeg_is_near_to_the_one_that_is_decoded_whole(tmp_path: Path) -> None:
    down, across = np.mgrid[0:300, 0:400]
    shown = np.stack([down * 0.8, across * 0.6, 255 - down * 0.8], axis=2).astype(np.uint8)
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        Image.fromarray(shown).save(tmp_path / name / f"{name}.jpg", quality=95)
        picture(tmp_path / name / "other.png", 1)
    data = ImageFolder(folder=tmp_path, size=32, test_part=0.5).load()
    whole = Image.open(tmp_path / "a/a.jpg").resize((32, 32), Image.Resampling.BICUBIC)
    apart = [
        np.abs(image.astype(int) - np.asarray(whole).transpose(2, 0, 1)).mean()
        for image in (*data.train_images, *data.test_images)
    ]
    assert min(apart) < 1.5


def _cut(folder: Path) -> None:
    path = folder / "train/dog/3.png"
    path.write_bytes(path.read_bytes()[:200])


def _no_picture(folder: Path) -> None:
    (folder / "train/dog/3.png").write_bytes(b"GIF or so")


def _larger(folder: Path) -> None:
    picture(folder / "train/dog/3.png", 0, 20, 14)


def _deep(folder: Path) -> None:
    Image.fromarray(np.zeros((12, 12), np.uint16)).save(folder / "train/dog/3.png")


def _no_class(folder: Path) -> None:
    for path in (folder / "test/dog").iterdir():
        path.unlink()
    (folder / "test/dog").rmdir()


def _one_more(folder: Path) -> None:
    picture(folder / "test/emu/0.png", 0, 12, 12)


def _empty(folder: Path) -> None:
    for path in (folder / "train/owl").iterdir():
        path.unlink()


KNOWN = ".bmp, .gif, .jpeg, .jpg, .pgm, .png, .ppm, .tif, .tiff, .webp"


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (_cut, "train/dog/3.png: cannot be read as a picture (image file is truncated"),
        (_no_picture, "train/dog/3.png: cannot be read as a picture (of no format that is known)"),
        (
            _larger,
            "train/dog/3.png: found a picture of 20 x 14 pixels, expected 12 x 12 as {at}/train/cat/0.png"
            " has; set data.size to have all resized",
        ),
        (_deep, "train/dog/3.png: found the mode I;16, expected 8 bits a channel"),
        (_no_class, "test: lacks the class folder dog that train has"),
        (_one_more, "test: has the class folder emu that train lacks"),
        (_empty, f"train/owl: found no picture, expected some ({KNOWN})"),
    ],
)
def test_a_fault_of_a_picture_or_a_folder_is_one_sentence(
    tmp_path: Path, spoil: Callable[[Path], None], said: str
) -> None:
    spoil(split(tmp_path))
    found = refused(ImageFolder(folder=tmp_path))
    assert found.startswith(f"{tmp_path}/{said.format(at=tmp_path)}")
    assert found.endswith(")") or said.endswith(found[-10:])


LAID_OUT = "put the pictures of each class into a folder of its name there, or in folders train and test"


def test_a_folder_without_classes_is_told_how_to_be_laid_out(tmp_path: Path) -> None:
    gone = tmp_path / "none"
    assert refused(ImageFolder(folder=gone)) == f"data.folder {gone}: no such folder; {LAID_OUT}"
    needed = f"one is needed for each class; {LAID_OUT}"
    assert refused(ImageFolder(folder=tmp_path)) == f"{tmp_path}: found no folder in it, {needed}"
    classes_of(tmp_path, ("cat",))
    assert refused(ImageFolder(folder=tmp_path)) == f"{tmp_path}: found only the folder cat, {needed}"


def test_without_pillow_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    classes_of(tmp_path)
    monkeypatch.setitem(sys.modules, "PIL", None)
    said = 'data: reading pictures needs Pillow: pip install "slfac_sim[images]"'
    assert refused(ImageFolder(folder=tmp_path)) == said


def test_a_run_over_ones_own_pictures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    classes_of(tmp_path / "mine", each=12)
    data = "data={kind: image_folder, folder: mine}"
    assert main(["run", str(TINY), data, "protocol.rounds=1", "--strict", "--quiet"]) == 0
