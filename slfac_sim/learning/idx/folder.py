"""Reads the four IDX files of a data set from one folder; it does not know how the folder was chosen."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from slfac_sim.learning.datasets import DataError
from slfac_sim.learning.idx.format import read_idx
from slfac_sim.learning.idx.sets import IdxFile, IdxSet, fetchable


class Arrays(NamedTuple):
    """The contents of the four files: images [n, h, w] and labels [n], all uint8."""

    train_images: NDArray[np.uint8]
    train_labels: NDArray[np.uint8]
    test_images: NDArray[np.uint8]
    test_labels: NDArray[np.uint8]


def paths_in(files: IdxSet, folder: Path) -> list[Path]:
    """Return the paths of the four files in `folder`, plain if there, else gzipped.

    Raises `DataError` that says which of them are missing.
    """
    try:
        there = folder.is_dir()
    except (OSError, ValueError) as error:  # a name too long, a null byte
        raise DataError(str(error)) from error
    if not there:
        raise DataError("no such folder")
    paths = [_path(file, folder) for file in files.files]
    missing = [file.name for file, path in zip(files.files, paths, strict=True) if path is None]
    if len(missing) == len(paths):
        raise DataError("has none of the four files")
    if missing:
        raise DataError(f"lacks {', '.join(missing)}")
    return [path for path in paths if path is not None]


def _path(file: IdxFile, folder: Path) -> Path | None:
    candidates = (folder / file.name, folder / f"{file.name}.gz")
    return next((path for path in candidates if path.is_file()), None)


def read_verified(files: IdxSet, folder: Path) -> Arrays:
    """Return the data set in `folder`, byte for byte as `files` states. Raises `DataError`."""
    return Arrays(*(read_file(*pair) for pair in zip(files.files, paths_in(files, folder), strict=True)))


def read_file(file: IdxFile, path: Path) -> NDArray[np.uint8]:
    """Return the array of `path`, which must be a copy of `file`. Raises `DataError`."""
    array, sha256 = read_idx(path, len(file.shape), file.shape)
    if sha256 == file.sha256:
        return array
    known = {other.sha256: name for name, known in fetchable().items() for other in known.files}
    whose = f" (this is {known[sha256]})" if sha256 in known else ""
    raise DataError(f"{path}: SHA-256 is {sha256}{whose}, expected {file.sha256}")


def read_unverified(files: IdxSet, folder: Path) -> Arrays:
    """Return whatever IDX data of the form of `files` lie in `folder`: numbers and sizes are free.

    Raises `DataError` unless there is a label below `files.classes` for each image, and all images are
    of one size.
    """
    paths = paths_in(files, folder)
    arrays = Arrays(
        *(read_idx(path, len(file.shape), None)[0] for file, path in zip(files.files, paths, strict=True))
    )
    _check_labels(files, arrays.train_images, arrays.train_labels, paths[1])
    _check_labels(files, arrays.test_images, arrays.test_labels, paths[3])
    train_size, test_size = arrays.train_images.shape[1:], arrays.test_images.shape[1:]
    if train_size != test_size:
        raise DataError(f"{paths[2]}: found images of {test_size}, expected {train_size} as in training")
    return arrays


def _check_labels(files: IdxSet, images: NDArray[np.uint8], labels: NDArray[np.uint8], path: Path) -> None:
    if len(images) != len(labels):
        raise DataError(f"{path}: found {len(labels)} labels, expected {len(images)}, one for each image")
    if labels.max() >= files.classes:
        raise DataError(f"{path}: found label {labels.max()}, expected 0 to {files.classes - 1}")
