"""Reads picture files into one array, by Pillow; it does not know what they show."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from slfac_sim.learning.datasets._sound import DataError

ENDINGS = (".bmp", ".gif", ".jpeg", ".jpg", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp")
_MODES = {1: "L", 3: "RGB"}
_DEEP = ("I", "F")  # 16 or 32 bits a pixel: Pillow would cut them off


def read_pictures(paths: Sequence[Path], size: int | None, channels: int) -> NDArray[np.uint8]:
    """Return the pictures at `paths` as [n, channels, h, w], of 1 or 3 channels.

    With a `size` each is resized to a square of so many pixels, whatever its form; without one all must be of
    one size. Raises `DataError`.
    """
    image = _pillow()
    first = _read(image, paths[0], size, channels)
    pictures = np.empty((len(paths), channels, *first.shape[:2]), np.uint8)
    for place, path in enumerate(paths):
        picture = _read(image, path, size, channels) if place else first
        if picture.shape != first.shape:
            found, wanted = (f"{shape[1]} x {shape[0]}" for shape in (picture.shape, first.shape))
            raise DataError(
                f"{path}: found a picture of {found} pixels, expected {wanted} as {paths[0]} has;"
                " set data.size to have all resized"
            )
        pictures[place] = picture.transpose(2, 0, 1)
    return pictures


def _pillow() -> Any:
    try:
        from PIL import Image
    except ImportError:
        reason = 'needs Pillow: pip install "slfac_sim[images]"'
        raise DataError(f"data: reading pictures {reason}") from None
    return Image


def _read(image: Any, path: Path, size: int | None, channels: int) -> NDArray[np.uint8]:
    """Return the picture at `path` as [h, w, channels]."""
    try:
        with image.open(path) as picture:
            if picture.mode.startswith(_DEEP):
                raise DataError(f"{path}: found the mode {picture.mode}, expected 8 bits a channel")
            if size is not None:
                picture.draft(_MODES[channels], (size, size))  # a JPEG is decoded no larger than need be
            whole = picture.convert(_MODES[channels])
    except image.UnidentifiedImageError:
        raise DataError(f"{path}: cannot be read as a picture (of no format that is known)") from None
    except DataError:
        raise
    except (OSError, SyntaxError, ValueError, EOFError, image.DecompressionBombError) as error:
        raise DataError(f"{path}: cannot be read as a picture ({error})") from None
    if size is not None and whole.size != (size, size):
        whole = whole.resize((size, size), image.Resampling.BICUBIC)
    array = np.asarray(whole, np.uint8)
    return array.reshape(*array.shape[:2], channels)
