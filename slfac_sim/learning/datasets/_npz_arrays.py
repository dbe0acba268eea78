"""Arrays of an `.npz` file by their keys, and images in the order of their axes; pickles are never opened."""

import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from slfac_sim.foundation.errors import did_you_mean
from slfac_sim.learning.datasets._assembled import Labelled
from slfac_sim.learning.datasets._sound import DataError, sound_labels, sound_levels

Axes = Literal["nhw", "nhwc", "nchw"]
_ORDERS: dict[str, tuple[int, int, int, int]] = {"nhwc": (0, 3, 1, 2), "nchw": (0, 1, 2, 3)}
_MOST_CHANNELS = 4


def labelled(
    path: Path, arrays: Mapping[str, NDArray[Any]], images: str, labels: str, axes: Axes
) -> Labelled:
    """Return the images [n, channels, h, w] and labels [n] of these keys of `arrays`, of the file `path`.

    Raises `DataError` for images of other `axes` or that are no levels, and unless each has a label from 0.
    """
    where = f"{path}: '{images}'"
    pictures = sound_levels(_in_order(arrays[images], where, axes), where)
    truth = sound_labels(arrays[labels], f"{path}: '{labels}'")
    if len(truth) != len(pictures):
        fault = f"{len(truth)} labels for {len(pictures)} images of '{images}'"
        raise DataError(f"{path}: '{labels}': found {fault}, expected one for each")
    return Labelled(pictures, truth)


def _in_order(images: NDArray[Any], where: str, axes: Axes) -> NDArray[Any]:
    """Return `images` as [n, channels, h, w]. Raises `DataError` where they are of other `axes`."""
    shape = list(images.shape)
    if images.ndim != len(axes) or 0 in shape:
        fault = f"the shape {shape}, expected {_shown(axes)} (axes: {axes})"
        raise DataError(f"{where}: found {fault}, nothing of it 0{_advice(shape, axes)}")
    if axes == "nhw":
        return images[:, np.newaxis]
    other = "nchw" if axes == "nhwc" else "nhwc"
    if _channels(shape, axes) > _MOST_CHANNELS >= _channels(shape, other):
        fault = f"the shape {shape}, which looks like {_shown(other)}"
        raise DataError(f"{where}: found {fault}, expected {_shown(axes)}; set axes: {other}")
    return images.transpose(_ORDERS[axes])


def _advice(shape: list[int], axes: Axes) -> str:
    """Return which `axes` an image array of this `shape` looks to have, where these are others."""
    if 0 in shape or len(shape) not in (3, 4):
        return ""
    last, first = shape[-1] <= _MOST_CHANNELS, shape[1] <= _MOST_CHANNELS
    looks = "nhw" if len(shape) == 3 else "nhwc" if last else "nchw" if first else axes
    return "" if looks == axes else f"; it looks like {_shown(looks)}: set axes: {looks}"


def _shown(axes: str) -> str:
    return f"[{', '.join(axes)}]"


def _channels(shape: list[int], axes: str) -> int:
    return shape[axes.index("c")]


def read_arrays(path: Path, keys: list[str]) -> dict[str, NDArray[Any]]:
    """Return the arrays of `keys` in the file at `path`. Raises `DataError`."""
    try:
        with path.expanduser().open("rb") as file:
            begins = file.read(4)
            if begins != b"PK\x03\x04":
                raise DataError(
                    f"{path}: begins with {begins.hex(' ') or 'nothing'}, expected 50 4b 03 04 (an .npz file)"
                )
            file.seek(0)
            with np.load(file, allow_pickle=False) as archive:
                return {key: _array(archive, key, path) for key in keys}
    except (zipfile.BadZipFile, zlib.error, EOFError) as error:
        raise DataError(f"{path}: is cut short or damaged ({error})") from None
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror or error})") from None


def _array(archive: Any, key: str, path: Path) -> NDArray[Any]:
    if key not in archive:
        known = ", ".join(archive.files)
        raise DataError(f"{path}: has no array '{key}'; it has {known}{did_you_mean(key, archive.files)}")
    try:
        return np.asarray(archive[key])
    except ValueError as error:
        reason = "pickled Python objects, which are never opened" if "pickle" in str(error) else f"{error}"
        raise DataError(f"{path}: '{key}': found {reason}, expected an array of numbers") from None
