"""What a data set must be made of; integers of another size and a missing channel axis are put right."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from slfac_sim.foundation.errors import BadInput

MOST_CLASSES = 256  # a label is sent as one byte
_COLOURS = (3, 4)  # channels that stand last where images come from pictures


class DataError(BadInput):
    """Data that are missing, damaged, or not what they should be; the message says where and what to do."""


def sound_parts(data: Any) -> Mapping[str, NDArray[Any]]:
    """Return images and labels of the `Dataset` `data` as they are used. Raises `DataError`."""
    try:
        _check_figures(data)
        parts: dict[str, NDArray[Any]] = {}
        for part in ("train", "test"):
            images, labels = f"{part}_images", f"{part}_labels"
            parts[images] = sound_images(getattr(data, images), images)
            parts[labels] = _labels(getattr(data, labels), labels, len(parts[images]), data.classes)
        train, test = (list(parts[f"{part}_images"].shape[1:]) for part in ("train", "test"))
        if train != test:
            raise DataError(f"test_images: found images of {test}, expected {train} as in train_images")
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
        raise DataError(f"{where}: found {images.dtype}, {wanted}")
    if images.size and not 0 <= images.min() <= images.max() <= 255:
        raise DataError(f"{where}: found levels from {images.min()} to {images.max()}, {wanted}")
    return images.astype(np.uint8)  # type: ignore[no-any-return]


def _channels_last(first: int, second: int, third: int) -> bool:
    """Whether an image of these sides is rather [h, w, channels]: few channels last, and many first."""
    if min(first, second) <= max(_COLOURS):
        return False
    return third in _COLOURS or (third == 1 and first == second)


def _labels(labels: Any, where: str, images: int, classes: int) -> NDArray[np.int64]:
    _check_array(labels, where)
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    if labels.dtype.kind not in "iu" or labels.ndim != 1:
        fault = f"{labels.dtype} of the shape {list(labels.shape)}"
        raise DataError(f"{where}: found {fault}, expected integers [n]")
    if len(labels) != images:
        raise DataError(f"{where}: found {len(labels)} labels for {images} images, expected one for each")
    odd = np.flatnonzero((labels < 0) | (labels >= classes))
    if odd.size:
        fault = f"the label {labels[odd[0]]} at {odd[0]}"
        raise DataError(f"{where}: found {fault}, expected 0 to {classes - 1} (classes: {classes})")
    return labels.astype(np.int64, copy=False)  # type: ignore[no-any-return]


def _check_array(value: Any, where: str) -> None:
    if not isinstance(value, np.ndarray):
        raise DataError(f"{where}: found a {type(value).__name__}, expected a numpy array")


def _check_figures(data: Any) -> None:
    if not 2 <= data.classes <= MOST_CLASSES:
        raise DataError(f"classes: found {data.classes}, expected 2 to {MOST_CLASSES}")
    if not math.isfinite(data.mean):
        raise DataError(f"mean: found {data.mean}, expected a finite number")
    if not (math.isfinite(data.std) and data.std > 0.0):
        raise DataError(f"std: found {data.std}, expected a finite number above 0")
