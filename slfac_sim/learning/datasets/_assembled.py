"""From images and labels to a `Dataset`: how many are kept, which are for the test, their mean."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from slfac_sim.learning.datasets import Dataset, mean_and_std
from slfac_sim.learning.datasets._held_out import drawn
from slfac_sim.learning.datasets._sound import DataError, sound_images

Indices = NDArray[np.int64]


class Labelled(NamedTuple):
    """Images ([n, channels, h, w] or [n, h, w]) and labels ([n])."""

    images: NDArray[Any]
    labels: NDArray[Any]

    def only(self, chosen: Indices | slice) -> "Labelled":
        """Return those at `chosen`; where these are all, in their order, nothing is copied."""
        if not isinstance(chosen, slice) and np.array_equal(chosen, np.arange(len(self.labels))):
            return self
        return Labelled(self.images[chosen], self.labels[chosen])


def assembled(
    name: str, train: Labelled, test: Labelled, classes: int, source: object,
    validation: Labelled | None = None, columns: Mapping[str, NDArray[Any]] | None = None,
    class_names: Sequence[str] = (),
) -> Dataset:  # fmt: skip
    """Return the real data set `name`, normalised by its training images. Raises `DataError`."""
    mean, std = mean_and_std(sound_images(train.images, f"data '{name}': train_images"))
    return Dataset(
        name=name,
        train_images=train.images,
        train_labels=train.labels,
        test_images=test.images,
        test_labels=test.labels,
        classes=classes,
        mean=mean,
        std=std,
        real=True,
        source=str(source),
        validation_images=None if validation is None else validation.images,
        validation_labels=None if validation is None else validation.labels,
        columns=columns or {},
        class_names=tuple(class_names),
    )


def first(found: int, wanted: int | None, part: str) -> slice:
    """Return the place of the first `wanted` of so many samples that were `found`; None: of all.

    Raises `DataError` where there are fewer; `part` is ``train`` or ``test``.
    """
    _refuse_more(found, wanted, part)
    return slice(found if wanted is None else wanted)


def some(indices: Indices, wanted: int | None, part: str) -> Indices:
    """Return `wanted` of `indices` in their order, drawn at random; more begin with the same ones.

    Raises `DataError` where there are fewer; `part` is ``train`` or ``test``.
    """
    _refuse_more(len(indices), wanted, part)
    if wanted is None:
        return indices
    return indices[drawn(f"data/{part}_samples", len(indices), wanted)]


def _refuse_more(found: int, wanted: int | None, part: str) -> None:
    if wanted is not None and wanted > found:
        raise DataError(f"data.{part}_samples: found {wanted}, expected at most {found}")


def split_off(
    samples: int, part: float, groups: NDArray[Any] | None = None, seed: int = 0
) -> tuple[Indices, Indices]:
    """Return the indices of samples to learn from and of those for the test: a `part` of all, at random.

    Those that are alike in `groups` are on one side. Raises `DataError` where one side would be empty.
    """
    test = drawn("data/test", samples, round(part * samples), groups, seed)
    if not 0 < test.sum() < samples:
        raise DataError(f"data.test_part: a part of {part:g} of {samples} samples leaves one side empty")
    return np.flatnonzero(~test), np.flatnonzero(test)
