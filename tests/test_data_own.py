"""A data set of somebody's own: what cannot be used is refused when it is made, in a sentence."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from worlds import TINY

from slfac_sim.cli import main
from slfac_sim.learning.datasets import DataError, Dataset, mean_and_std

DTYPES = ("uint8", "int8", "int32", "int64", "uint16", "bool", "float32", "float64", "object", "U1")


def dataset(**changes: Any) -> Dataset:
    """Return a sound data set of 6 and 4 images of 3 x 8 x 10 in 5 classes, with `changes`."""
    draws = np.random.default_rng(0)
    told: dict[str, Any] = {
        "name": "mine",
        "train_images": draws.integers(0, 256, (6, 3, 8, 10)).astype(np.uint8),
        "train_labels": np.arange(6) % 5,
        "test_images": draws.integers(0, 256, (4, 3, 8, 10)).astype(np.uint8),
        "test_labels": np.arange(4) % 5,
        "classes": 5,
        "mean": 0.5,
        "std": 0.25,
        "real": False,
        "source": "made up",
    }
    return Dataset(**told | changes)


def refused(**changes: Any) -> str:
    with pytest.raises(DataError) as fault:
        dataset(**changes)
    assert "\n" not in str(fault.value)
    return str(fault.value)


SHAPES = st.lists(st.integers(0, 12), min_size=0, max_size=5).map(tuple)


@given(shape=SHAPES, dtype=st.sampled_from(DTYPES))
def test_images_are_as_promised_or_refused(shape: tuple[int, ...], dtype: str) -> None:
    images = np.ones(shape, dtype)
    labels = np.zeros(shape[0] if shape else 1, np.int64)
    given_ = {f"{side}_images": images for side in ("train", "test")}
    given_ |= {f"{side}_labels": labels for side in ("train", "test")}
    channels_last = (
        len(shape) == 4
        and min(shape[1:3]) > 4
        and (shape[3] in (3, 4) or (shape[3] == 1 and shape[1] == shape[2]))
    )
    usable = np.dtype(dtype).kind in "ui" and len(shape) in (3, 4) and 0 not in shape
    if channels_last or not usable:
        assert refused(**given_).startswith("data 'mine': train_images: found ")
        return
    found = dataset(**given_)
    assert found.train_images.dtype == np.uint8
    assert found.train_images.ndim == 4
    assert found.train_images.shape == (shape if len(shape) == 4 else (shape[0], 1, *shape[1:]))
    normalised, _ = found.train_batch(np.arange(1))
    assert normalised.dtype == np.float32
    assert np.isfinite(normalised).all()


@given(
    labels=st.lists(st.integers(-2, 8), min_size=1, max_size=9),
    dtype=st.sampled_from(DTYPES[:-2]),
    column=st.booleans(),
    classes=st.integers(0, 300),
)
def test_labels_are_within_the_classes_or_refused(
    labels: list[int], dtype: str, column: bool, classes: int
) -> None:
    if np.dtype(dtype).kind in "ub":
        labels = [abs(label) for label in labels]
    array = np.array(labels).astype(dtype)
    sound = (
        np.dtype(dtype).kind in "ui"
        and len(labels) == 6
        and 2 <= classes <= 256
        and all(0 <= label < classes for label in labels)
        and classes >= 4  # of the test set's labels
    )
    given_ = {"train_labels": array[:, None] if column else array, "classes": classes}
    if sound:
        found = dataset(**given_)
        assert found.train_labels.dtype == np.int64
        assert found.train_labels.tolist() == labels
    else:
        assert refused(**given_).startswith("data 'mine': ")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            {"train_images": np.zeros((6, 12, 12, 3), np.uint8)},
            "train_images: found the shape [6, 12, 12, 3], which looks like [n, h, w, channels], "
            "expected [n, channels, h, w] (images.transpose(0, 3, 1, 2))",
        ),
        (
            {"train_labels": np.zeros(5, int)},
            "train_labels: found 5 labels for 6 images, expected one for each",
        ),
        (
            {"train_labels": np.array([0, 1, 2, 3, 4, 300])},
            "train_labels: found the label 300 at 5, expected 0 to 4 (classes: 5)",
        ),
        (
            {"train_images": np.zeros((6, 3, 8, 10), np.float32)},
            "train_images: found float32, expected uint8, levels from 0 to 255",
        ),
        (
            {"train_images": np.full((6, 3, 8, 10), 300)},
            "train_images: found levels from 300 to 300, expected uint8, levels from 0 to 255",
        ),
        (
            {"test_images": np.zeros((4, 1, 8, 10), np.uint8)},
            "test_images: found images of [1, 8, 10], expected [3, 8, 10] as in train_images",
        ),
        ({"std": 0.0}, "std: found 0.0, expected a finite number above 0"),
        ({"mean": float("nan")}, "mean: found nan, expected a finite number"),
        ({"classes": 257}, "classes: found 257, expected 2 to 256"),
        ({"train_images": [[1]]}, "train_images: found a list, expected a numpy array"),
    ],
)
def test_a_refusal_says_what_where_and_what_is_allowed(changes: dict[str, Any], said: str) -> None:
    assert refused(**changes) == f"data 'mine': {said}"


def test_the_moments_of_what_cannot_be_used_are_refused_alike() -> None:
    with pytest.raises(DataError, match="found float32, expected uint8"):
        mean_and_std(np.zeros((2, 1, 3, 3), np.float32))  # type: ignore[arg-type]
    levels = np.array([[0, 255], [255, 0]])
    assert mean_and_std(levels) == mean_and_std(levels.astype(np.uint8))  # type: ignore[arg-type]


@pytest.mark.parametrize("form", ["nhwc", "labels", "float", "flat"])
def test_a_run_over_such_data_ends_in_one_line(form: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(TINY), f"data={{kind: foreign.odd_data, form: {form}}}"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "data 'odd': train_" in line


def test_images_without_a_channel_axis_have_one_channel(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(TINY), "data={kind: foreign.odd_data, form: grey}"]) == 0
