"""Your own pictures: a folder for each class, of PNG, JPEG and other files."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from slfac_sim.foundation.plugins import settings
from slfac_sim.learning.datasets import DataError, Dataset, Report
from slfac_sim.learning.datasets._assembled import Indices, Labelled, assembled, some, split_off
from slfac_sim.learning.datasets._kept import DrawnSamples
from slfac_sim.learning.datasets._pictures import ENDINGS, read_pictures
from slfac_sim.learning.datasets._places import existing

_LAID_OUT = "put the pictures of each class into a folder of its name there, or in folders train and test"
_MOST_SHOWN = 5


@settings
class ImageFolder(DrawnSamples):
    """Classes are numbered in the order of their folders' names. Files that are no pictures are left out."""

    folder: Path
    """Folder with a folder of pictures for each class, or with folders `train` and `test` of these; relative
    to the working folder.
    """
    size: Annotated[int, Field(ge=1, le=1024)] | None = None
    """Width and height to which each picture is resized; null: they are all of one size."""
    channels: Literal[1, 3] = 3
    """Channels of an image: 3 is red, green and blue, 1 is grey."""

    def load(self, report: Report | None = None) -> Dataset:
        """Return the data. Raises `DataError`."""
        try:
            folder = existing(self.folder)
        except DataError as error:
            raise DataError(f"data.folder {self.folder}: {error}; {_LAID_OUT}") from None
        if (folder / "train").is_dir() and (folder / "test").is_dir():
            classes = _classes(folder / "train")
            found = _pictures(folder / "train", classes)
            rest = _pictures(folder / "test", _same_classes(folder / "test", classes))
            learnt, tested = np.arange(len(found[0])), np.arange(len(rest[0]))
        else:
            classes = _classes(folder)
            rest = found = _pictures(folder, classes)
            learnt, tested = split_off(len(found[0]), self.test_part)
        train = self._read(*found, some(learnt, self.train_samples, "train"), report)
        test = self._read(*rest, some(tested, self.test_samples, "test"), report)
        return assembled(folder.resolve().name, train, test, len(classes), folder, class_names=classes)

    def _read(
        self, paths: Sequence[Path], labels: NDArray[np.int64], chosen: Indices, report: Report | None
    ) -> Labelled:
        if report is not None:
            report(f"{self.folder}: reading {len(chosen):,} pictures")
        pictures = read_pictures([paths[place] for place in chosen], self.size, self.channels)
        return Labelled(pictures, labels[chosen])


def _classes(folder: Path) -> list[str]:
    """Return the names of the classes in `folder`, sorted. Raises `DataError` for fewer than two."""
    names = sorted(path.name for path in folder.iterdir() if path.is_dir() and path.name[0] != ".")
    if len(names) < 2:
        found = f"only the folder {names[0]}" if names else "no folder in it"
        raise DataError(f"{folder}: found {found}, one is needed for each class; {_LAID_OUT}")
    return names


def _same_classes(folder: Path, classes: list[str]) -> list[str]:
    """Return `classes`, all of which `folder` must have, and no other. Raises `DataError`."""
    names = _classes(folder)
    for fault, odd in (
        ("lacks the class folder", [name for name in classes if name not in names]),
        ("has the class folder", [name for name in names if name not in classes]),
    ):
        if odd:
            more = f" and {len(odd) - _MOST_SHOWN} more" if len(odd) > _MOST_SHOWN else ""
            told = f"{fault}{'s' * (len(odd) > 1)} {', '.join(odd[:_MOST_SHOWN])}{more}"
            which = "that train has" if "lacks" in fault else "that train lacks"
            raise DataError(f"{folder}: {told} {which}")
    return classes


def _pictures(folder: Path, classes: list[str]) -> tuple[list[Path], NDArray[np.int64]]:
    """Return the pictures of all classes, in the order of their names, and labels. Raises `DataError`."""
    paths: list[Path] = []
    labels: list[int] = []
    for label, name in enumerate(classes):
        mine = sorted(path for path in (folder / name).iterdir() if path.suffix.lower() in ENDINGS)
        if not mine:
            raise DataError(f"{folder / name}: found no picture, expected some ({', '.join(ENDINGS)})")
        paths += mine
        labels += [label] * len(mine)
    return paths, np.array(labels, np.int64)
