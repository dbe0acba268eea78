"""A data set of somebody's own: what cannot be used is refused when it is made, in a sentence."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from told import sentences
from worlds import TINY

from slfac_sim.cli import main
from slfac_sim.learning.datasets import DataError, Dataset, hold_out, mean_and_std
from slfac_sim.learning.datasets.synthetic import Synthetic

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
        "mean": (0.5, 0.4, 0.6),
        "std": (0.25, 0.2, 0.3),
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
    channels = shape[1] if len(shape) == 4 else 1
    found = dataset(**given_, mean=(0.5,) * channels, std=(0.25,) * channels)
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
    classes=st.one_of(st.integers(0, 12), st.integers(65530, 65540)),
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
        and 2 <= classes <= 65536
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
            "train_labels: found the label 300 at index 5, expected 0 to 4 (classes: 5)",
        ),
        (
            {"train_images": np.zeros((6, 3, 8, 10), np.float32)},
            "train_images: found float32, expected uint8, levels from 0 to 255; of fractions:"
            " (255 * images).round().astype('uint8')",
        ),
        (
            {"train_images": np.full((6, 3, 8, 10), 300)},
            "train_images: found levels from 300 to 300, expected uint8, levels from 0 to 255",
        ),
        (
            {"test_images": np.zeros((4, 1, 8, 10), np.uint8)},
            "test_images: found images of [1, 8, 10], expected [3, 8, 10] as in train_images",
        ),
        ({"std": (0.2, 0.0, 0.2)}, "std: found 0.0, expected a finite number above 0"),
        ({"mean": (0.1, float("nan"), 0.1)}, "mean: found nan, expected a finite number"),
        ({"mean": 0.5}, "mean: found 0.5, expected a tuple of 3 numbers, one for each channel"),
        ({"std": (0.5,)}, "std: found (0.5,), expected a tuple of 3 numbers, one for each channel"),
        ({"classes": 65537}, "classes: found 65537, expected 2 to 65536"),
        (
            {"validation_images": np.zeros((1, 3, 8, 10), np.uint8)},
            "validation_labels: found none, expected images and labels, or neither",
        ),
        (
            {
                "validation_images": np.zeros((1, 3, 8, 9), np.uint8),
                "validation_labels": np.zeros(1, np.int64),
            },
            "validation_images: found images of [3, 8, 9], expected [3, 8, 10] as in train_images",
        ),
        (
            {"columns": {"role": np.zeros(5, np.int64)}},
            "columns['role']: found int64 of the shape [5], expected [6], a number or text for each sample",
        ),
        ({"class_names": ("a", "b")}, "class_names: found 2 names for 5 classes, expected one for each"),
        ({"class_names": ["a"] * 5}, f"class_names: found {['a'] * 5}, expected a tuple of texts"),
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


def test_each_channel_is_normalised_by_its_own_pixels() -> None:
    images = (
        np.random.default_rng(1).integers([[[0]], [[50]], [[100]]], 150, (300, 3, 8, 10)).astype(np.uint8)
    )
    mean, std = mean_and_std(images)
    assert mean == pytest.approx((images / 255).mean(axis=(0, 2, 3)), abs=1e-12)
    assert std == pytest.approx((images / 255).std(axis=(0, 2, 3)), abs=1e-12)
    data = dataset(train_images=images, train_labels=np.zeros(300, int), mean=mean, std=std)
    seen, _ = data.train_batch(np.arange(300))
    assert seen.flags.c_contiguous
    assert seen.mean(axis=(0, 2, 3), dtype=np.float64) == pytest.approx(np.zeros(3), abs=1e-6)
    assert seen.std(axis=(0, 2, 3), dtype=np.float64) == pytest.approx(np.ones(3), abs=1e-6)
    images[:, 1] = 7
    with pytest.raises(DataError, match="all pixels of the training images are equal in channel 1"):
        mean_and_std(images)


@given(st.integers(1, 40), st.integers(1, 45), st.booleans())
def test_what_is_held_out_is_learnt_from_no_more(samples: int, wanted: int, by_group: bool) -> None:
    images = np.random.default_rng(samples).integers(0, 256, (samples, 3, 8, 10)).astype(np.uint8)
    images[:, 0, 0, 0] = np.arange(samples)
    groups = np.random.default_rng(1).integers(0, 9, samples)
    columns = {"group": groups, "place": np.arange(samples)}
    data = dataset(train_images=images, train_labels=np.arange(samples) % 5, columns=columns)
    if wanted >= samples:
        with pytest.raises(DataError, match=f"found {wanted}, expected at most {samples - 1}, of {samples}"):
            hold_out(data, wanted)
        return
    rest = hold_out(data, wanted, "group" if by_group else None)
    assert rest.validation_images is not None
    assert rest.validation_labels is not None
    out, kept = rest.validation_images[:, 0, 0, 0].astype(int), rest.train_images[:, 0, 0, 0].astype(int)
    assert sorted([*out, *kept]) == list(range(samples))
    assert len(out) <= wanted
    assert by_group or len(out) == wanted
    assert not by_group or not set(groups[out]) & set(groups[kept])
    assert rest.columns["place"].tolist() == kept.tolist()
    assert rest.train_labels.tolist() == (kept % 5).tolist()
    assert rest.validation_labels.tolist() == (out % 5).tolist()
    assert (rest.mean, rest.std) == (data.mean, data.std)
    assert rest.sha256 != data.sha256


def test_any_data_set_holds_a_part_out() -> None:
    whole, rest = Synthetic().load(), Synthetic(validation=300).open()
    assert rest.validation_labels is not None
    assert (len(rest.train_labels), len(rest.validation_labels)) == (700, 300)
    assert np.array_equal(rest.test_images, whole.test_images)
    assert Synthetic(validation=300).open().sha256 == rest.sha256
    with pytest.raises(
        DataError, match=r"data\.validation: found 10, and the data set has a validation part"
    ):
        hold_out(rest, 10)


@pytest.mark.parametrize("form", ["nhwc", "labels", "float", "flat"])
def test_a_run_over_such_data_ends_in_one_line(form: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(TINY), f"data={{kind: foreign.odd_data, form: {form}}}"]) == 2
    (line,) = sentences(capsys.readouterr().err)
    assert "data 'odd': train_" in line


def test_images_without_a_channel_axis_have_one_channel(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(TINY), "data={kind: foreign.odd_data, form: grey}"]) == 0
