"""Your own images and labels, as arrays in one `.npz` file, each by its key."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from slfac_sim.foundation.plugins import settings
from slfac_sim.learning.datasets import DataError, Dataset, Report
from slfac_sim.learning.datasets._assembled import assembled, some, split_off
from slfac_sim.learning.datasets._kept import DrawnSamples
from slfac_sim.learning.datasets._npz_arrays import Axes, labelled, read_arrays
from slfac_sim.learning.datasets._sound import MOST_CLASSES, refuse_beyond


@settings
class Npz(DrawnSamples):
    """Pixels are whole levels from 0 to 255, labels integers from 0. Nothing that is pickled is opened."""

    file: Path
    """The `.npz` file: beside the scenario, else relative to the working folder."""
    axes: Axes
    """What the axes of images are: n samples, height h, width w and, where there are several, channels c."""
    train_images: str = "train_images"
    """Key of the images to learn from."""
    train_labels: str = "train_labels"
    """Key of their labels."""
    test_images: str | None = "test_images"
    """Key of the test images; null: `test_part` of the others are the test."""
    test_labels: str = "test_labels"
    """Key of their labels."""
    columns: tuple[str, ...] = ()
    """Keys of arrays that tell more of the training samples, a number or a text for each."""
    classes: Annotated[int, Field(ge=2, le=MOST_CLASSES)] | None = None
    """How many classes there are; null: as many as the training labels have, which must be 0 and so on
    without a gap.
    """

    def load(self, report: Report | None = None) -> Dataset:
        """Return the data. Raises `DataError`."""
        tests = [] if self.test_images is None else [self.test_images, self.test_labels]
        arrays = read_arrays(self.file, [self.train_images, self.train_labels, *tests, *self.columns])
        whole = rest = labelled(self.file, arrays, self.train_images, self.train_labels, self.axes)
        if self.test_images is None:
            learnt, tested = split_off(len(whole.labels), self.test_part)
        else:
            rest = labelled(self.file, arrays, self.test_images, self.test_labels, self.axes)
            learnt, tested = np.arange(len(whole.labels)), np.arange(len(rest.labels))
        learnt, tested = some(learnt, self.train_samples, "train"), some(tested, self.test_samples, "test")
        classes = self._classes(whole.labels)
        refuse_beyond(rest.labels, f"{self.file}: '{tests[-1] if tests else self.train_labels}'", classes)
        columns = {key: self._column(arrays[key], key, len(whole.labels))[learnt] for key in self.columns}
        train, test = whole.only(learnt), rest.only(tested)
        data = assembled(self.file.stem, train, test, classes, self.file, columns=columns)
        return replace(
            data, further_columns=f"data.columns names the arrays of {self.file.name} that are some"
        )

    def _classes(self, labels: NDArray[Any]) -> int:
        """Return how many classes there are; where it is not set, labels must have no gap."""
        if self.classes is not None:
            refuse_beyond(labels, f"{self.file}: '{self.train_labels}'", self.classes)
            return self.classes
        present = np.unique(labels)
        odd = np.flatnonzero(present != np.arange(len(present)))
        if odd.size:
            found = f"the label {present[odd[0]]}, and none of {odd[0]}"
            raise DataError(
                f"{self.file}: '{self.train_labels}': found {found}, expected 0 and so on without a gap;"
                " or set classes"
            )
        return len(present)

    def _column(self, values: NDArray[Any], key: str, samples: int) -> NDArray[Any]:
        if values.shape == (samples, 1):
            return values[:, 0]
        if values.shape != (samples,):
            fault = f"the shape {list(values.shape)}"
            raise DataError(
                f"{self.file}: '{key}': found {fault}, expected [{samples}], a value for each sample"
            )
        return values
