"""What every data set does, on small files of its format. A new kind says in `MADE` what it is tried on."""

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from data_files import write_tiny
from made_data import cifar10, cifar100, classes_of, derma, ham

from slfac_sim.foundation.plugins import find, kinds
from slfac_sim.learning.datasets import DataError, Dataset
from slfac_sim.learning.partitions.iid import Iid

FAMILY = "slfac_sim.learning.datasets"


def _idx(folder: Path) -> dict[str, Any]:
    return {"folder": write_tiny(folder), "verify": False}


def _cifar10(folder: Path) -> dict[str, Any]:
    cifar10(folder)
    return {"folder": folder, "verify": False}


def _cifar100(folder: Path) -> dict[str, Any]:
    cifar100(folder)
    return {"folder": folder, "verify": False}


def _npz(folder: Path) -> dict[str, Any]:
    file = derma(folder / "some.npz", size=12)
    return {"file": file, "axes": "nhwc", "columns": ("train_labels",)}


MADE: dict[str, Callable[[Path], dict[str, Any]]] = {
    "mnist": _idx,
    "fashion_mnist": _idx,
    "cifar10": _cifar10,
    "cifar100": _cifar100,
    "ham10000": lambda folder: {"folder": ham(folder), "size": 12, "verify": False},
    "image_folder": lambda folder: {"folder": classes_of(folder)},
    "npz": _npz,
    "synthetic": lambda folder: {"train_samples": 30, "test_samples": 8, "size": 8, "channels": 2},
}
KINDS = kinds(FAMILY)


@pytest.fixture
def made(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    """Return a data set of this kind on made files."""
    assert request.param in MADE, f"say in MADE what {request.param} is to be tried on"
    return find(FAMILY, request.param)(**MADE[request.param](tmp_path))


def _arrays(data: Dataset) -> list[np.ndarray]:
    parts = [data.train_images, data.train_labels, data.test_images, data.test_labels]
    return parts + [part for part in (data.validation_images, data.validation_labels) if part is not None]


@pytest.mark.parametrize("made", KINDS, indirect=True)
def test_it_is_the_same_at_every_load(made: Any) -> None:
    data, again = made.open(), made.open()
    assert data.sha256 == again.sha256
    assert all(np.array_equal(one, other) for one, other in zip(_arrays(data), _arrays(again), strict=True))
    assert sorted(data.columns) == sorted(again.columns)
    assert made.most_samples is None or made.most_samples >= len(data.train_labels)
    images, labels = data.train_batch(np.arange(3))
    assert (images.shape, images.dtype, labels.shape) == ((3, *data.image_shape), np.float32, (3,))


@pytest.mark.parametrize("made", KINDS, indirect=True)
def test_as_many_samples_are_kept_as_are_asked_for(made: Any) -> None:
    whole = made.open()
    few = dataclasses.replace(made, train_samples=5, test_samples=2).open()
    assert (len(few.train_labels), len(few.test_labels)) == (5, 2)
    assert few.classes == whole.classes
    assert all(len(values) == 5 for values in few.columns.values())
    if made.most_samples != 30:  # made-up data can be had in any number
        with pytest.raises(DataError, match="train_samples: found 100000, expected at most"):
            dataclasses.replace(made, train_samples=100_000).open()


@pytest.mark.parametrize("made", KINDS, indirect=True)
def test_a_part_of_the_training_samples_is_held_out(made: Any) -> None:
    whole, rest = made.open(), dataclasses.replace(made, validation=3).open()
    assert rest.validation_images is not None
    assert len(rest.validation_images) == 3
    images = (*rest.train_images, *rest.validation_images)
    assert sorted(image.tobytes() for image in images) == sorted(one.tobytes() for one in whole.train_images)
    assert np.array_equal(rest.test_images, whole.test_images)
    shares = Iid().split(rest.train_labels, ["a", "b", "c"], 0)
    assert sum(map(len, shares)) == len(rest.train_images)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "synthetic"])
def test_files_that_are_not_there_are_told_in_a_sentence(kind: str, tmp_path: Path) -> None:
    settings = MADE[kind](tmp_path / "there")
    place = "file" if "file" in settings else "folder"
    with pytest.raises(DataError) as fault:
        find(FAMILY, kind)(**settings | {place: tmp_path / "none"}).open()
    assert str(tmp_path / "none") in str(fault.value)
    assert "\n" not in str(fault.value)
