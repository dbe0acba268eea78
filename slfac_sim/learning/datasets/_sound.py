"""What a data set must be made of; integers of another size and a missing channel axis are put right."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from slfac_sim.foundation.errors import BadInput

MOST_CLASSES = 1 << 16  # a label is sent as two bytes at most
_COLOURS = (3, 4)  # channels that stand last where images come from pictures


class DataError(BadInput):
    """Data that are missing, damaged, or not what they should be; the message says where and what to do."""


def sound_parts(data: Any) -> Mapping[str, NDArray[Any]]:
    """Return images and labels of the `Dataset` `data` as they are used. Raises `DataError`."""
    try:
        if not 2 <= data.classes <= MOST_CLASSES:
            raise DataError(f"classes: found {data.classes}, expected 2 to {MOST_CLASSES}")
        parts: dict[str, NDArray[Any]] = {}
        for part in ("train", "test", *(["validation"] if _has_validation(data) else [])):
            images, labels = f"{part}_images", f"{part}_labels"
            parts[images] = sound_images(getattr(data, images), images)
            parts[labels] = _labels(getattr(data, labels), labels, len(parts[images]), data.classes)
            shape, train = (list(parts[name].shape[1:]) for name in (images, "train_images"))
            if shape != train:
                raise DataError(f"{images}: found images of {shape}, expected {train} as in train_images")
        channels = parts["train_images"].shape[1]
        _check_moments(data.mean, "mean", channels, least=-math.inf)
        _check_moments(data.std, "std", channels, least=0.0)
        _check_columns(data.columns, len(parts["train_labels"]))
        _check_names(data.class_names, data.classes)
    except DataError as fault:
        raise DataError(f"data '{data.name}': {fault}") from None
    return parts


def sound_images(images: Any, where: str) -> NDArray[np.uint8]:
    """Return `images` as uint8 [n, channels, h, w]; [n, h, w] have one channel. Raises `DataError`."""
    levels = sound_levels(images, where)
    shape, wanted = levels.shape, "[n, channels, h, w] or [n, h, w]"
    if levels.ndim not in (3, 4) or 0 in shape:
        raise DataError(f"{where}: found the shape {list(shape)}, expected {wanted}, nothing of it 0")
    if levels.ndim == 3:
        return levels[:, np.newaxis]
    if _channels_last(*shape[1:]):
        raise DataError(
            f"{where}: found the shape {list(shape)}, which looks like [n, h, w, channels], expected "
            "[n, channels, h, w] (images.transpose(0, 3, 1, 2))"
        )
    return levels


def sound_levels(images: Any, where: str) -> NDArray[np.uint8]:
    """Return `images` of any shape as uint8, if they are whole levels from 0 to 255. Raises `DataError`."""
    _check_array(images, where)
    wanted = "expected uint8, levels from 0 to 255"
    if images.dtype == np.uint8:
        return images  # type: ignore[no-any-return]
    if images.dtype.kind not in "iu":
        raise DataError(f"{where}: found {images.dtype}, {wanted}{_as_levels(images)}")
    if images.size and not 0 <= images.min() <= images.max() <= 255:
        raise DataError(f"{where}: found levels from {images.min()} to {images.max()}, {wanted}")
    return images.astype(np.uint8)  # type: ignore[no-any-return]


def _channels_last(first: int, second: int, third: int) -> bool:
    """Whether an image of these sides is rather [h, w, channels]: few channels last, and many first."""
    if min(first, second) <= max(_COLOURS):
        return False
    return third in _COLOURS or (third == 1 and first == second)


def _as_levels(images: NDArray[Any]) -> str:
    """Return what makes levels of fractions from 0 to 1, where `images` are such."""
    if images.dtype.kind != "f" or not images.size or not 0.0 <= images.min() <= images.max() <= 1.0:
        return ""
    return "; of fractions: (255 * images).round().astype('uint8')"


def _labels(labels: Any, where: str, images: int, classes: int) -> NDArray[np.int64]:
    numbers = sound_labels(labels, where)
    if len(numbers) != images:
        raise DataError(f"{where}: found {len(numbers)} labels for {images} images, expected one for each")
    refuse_beyond(numbers, where, classes)
    return numbers.astype(np.int64, copy=False)


def sound_labels(labels: Any, where: str) -> NDArray[Any]:
    """Return `labels` [n] or [n, 1] as integers [n]. Raises `DataError`, also for negative ones."""
    _check_array(labels, where)
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    if labels.dtype.kind not in "iu" or labels.ndim != 1:
        fault = f"{labels.dtype} of the shape {list(labels.shape)}"
        raise DataError(f"{where}: found {fault}, expected integers [n]{_as_numbers(labels)}")
    negative = np.flatnonzero(labels < 0)
    if negative.size:
        fault = f"the negative label {labels[negative[0]]} at index {negative[0]}"
        raise DataError(f"{where}: found {fault}, expected 0 and so on")
    return labels  # type: ignore[no-any-return]


def _as_numbers(labels: NDArray[Any]) -> str:
    """Return what makes numbers of texts and of one-hot `labels`, where they are such."""
    if labels.ndim == 1 and labels.dtype.kind in "SU":
        return "; of texts: numpy.unique(labels, return_inverse=True)[1]"
    if labels.ndim == 2 and labels.dtype.kind in "biuf" and ((labels != 0).sum(axis=1) == 1).all():
        return "; of one-hot rows: labels.argmax(axis=1)"
    return ""


def refuse_beyond(labels: NDArray[Any], where: str, classes: int) -> None:
    """Raise `DataError` for a label that is not one of so many `classes`."""
    odd = np.flatnonzero(labels >= classes)
    if odd.size:
        fault = f"the label {labels[odd[0]]} at index {odd[0]}"
        raise DataError(f"{where}: found {fault}, expected 0 to {classes - 1} (classes: {classes})")


def _check_array(value: Any, where: str) -> None:
    if not isinstance(value, np.ndarray):
        raise DataError(f"{where}: found a {type(value).__name__}, expected a numpy array")


def _has_validation(data: Any) -> bool:
    given = [data.validation_images is not None, data.validation_labels is not None]
    if any(given) and not all(given):
        missing = ("validation_images", "validation_labels")[given.index(False)]
        raise DataError(f"{missing}: found none, expected images and labels, or neither")
    return all(given)


def _check_moments(found: Any, where: str, channels: int, least: float) -> None:
    numbers = "one number" if channels == 1 else f"{channels} numbers"
    if not isinstance(found, tuple) or len(found) != channels:
        raise DataError(f"{where}: found {found}, expected a tuple of {numbers}, one for each channel")
    for value in found:
        if not (math.isfinite(value) and value > least):
            above = " above 0" if least == 0.0 else ""
            raise DataError(f"{where}: found {value}, expected a finite number{above}")


def _check_columns(columns: Any, samples: int) -> None:
    for name, values in columns.items():
        where = f"columns['{name}']"
        _check_array(values, where)
        if values.shape != (samples,) or values.dtype.kind not in "biufSU":
            fault = f"{values.dtype} of the shape {list(values.shape)}"
            raise DataError(f"{where}: found {fault}, expected [{samples}], a number or text for each sample")


def _check_names(names: Any, classes: int) -> None:
    if not isinstance(names, tuple) or not all(isinstance(name, str) for name in names):
        raise DataError(f"class_names: found {names!r}, expected a tuple of texts")
    if names and len(names) != classes:
        raise DataError(f"class_names: found {len(names)} names for {classes} classes, expected one for each")
