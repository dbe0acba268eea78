"""HAM10000: 10,015 dermatoscopic pictures in 7 classes (Tschandl, Rosendahl, Kittler, 2018)."""

from typing import Annotated, ClassVar, Literal

import numpy as np
from pydantic import Field

from slfac_sim.foundation.plugins import settings
from slfac_sim.learning.datasets import Dataset, Report
from slfac_sim.learning.datasets._assembled import Labelled, assembled, some, split_off
from slfac_sim.learning.datasets._ham_files import (
    ARCHIVE,
    CLASSES,
    ORIGINAL,
    SAMPLES,
    SIZES,
    Pictures,
    archive_name,
    find_pictures,
    read_archive,
)
from slfac_sim.learning.datasets._kept import DrawnSamples, PublicFiles
from slfac_sim.learning.datasets._pictures import read_pictures


@settings
class Ham10000(DrawnSamples, PublicFiles):
    """Real HAM10000, which you put in place yourself, split for the test by image or by lesion.

    Pictures of one lesion are alike: where they are on both sides, as by image and in MedMNIST's own split,
    the test accuracy says less of new lesions.
    """

    references: ClassVar[tuple[str, ...]] = ("tschandl2018ham10000", "yang2023medmnist")
    by_hand: ClassVar[str | None] = f"{ORIGINAL}, or {ARCHIVE.format(archive_name(64))}"

    source: Literal["original", "medmnist"] = "original"
    """Whether the files are the `original` pictures with their metadata, resized here, or the archive of
    `medmnist` (DermaMNIST), which has no lesions.
    """
    size: Annotated[int, Field(ge=8, le=450)] = 64
    """Width and height of an image in pixels; of `medmnist` 28, 64, 128 or 224."""
    split: Literal["image", "lesion", "published"] = "image"
    """Which pictures are for the test: `test_part` of all, drawn by `image` or by `lesion`, or those of
    `medmnist` as `published`, which has a validation part too.
    """

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.source == "medmnist":
            if self.split == "lesion":
                raise ValueError("split: lesion needs source: original; medmnist does not say whose lesion")
            if self.size not in SIZES:
                sizes = ", ".join(map(str, SIZES))
                raise ValueError(f"size must be one of {sizes} with source: medmnist (got {self.size})")
        elif self.split == "published":
            raise ValueError("split: published needs source: medmnist; the original is not split")
        if self.split == "published" and self.validation is not None:
            raise ValueError("validation goes with split: image or lesion; published has its own part")

    @property
    def most_samples(self) -> int | None:
        """How many training samples it has at most; other data may have any number."""
        return self.train_samples or (SAMPLES if self.verify else None)

    @property
    def together(self) -> str | None:
        """Pictures of one lesion, where they are split by lesion."""
        return "lesion" if self.split == "lesion" else None

    def load(self, report: Report | None = None) -> Dataset:
        """Return the data, images [n, 3, size, size]. Raises `DataError`."""
        if self.source == "original":
            return self._original(find_pictures(self.folder, self.verify), report)
        source, parts = read_archive(self.folder, self.size, self.verify)
        if self.split == "published":
            train, test, validation = parts["train"], parts["test"], parts["val"]
        else:
            images, labels = (np.concatenate(each) for each in zip(*parts.values(), strict=True))
            learnt, tested = split_off(len(labels), self.test_part)
            whole, validation = Labelled(images, labels), None
            train, test = whole.only(learnt), whole.only(tested)
        train = train.only(some(np.arange(len(train.labels)), self.train_samples, "train"))
        test = test.only(some(np.arange(len(test.labels)), self.test_samples, "test"))
        return assembled("ham10000", train, test, len(CLASSES), source, validation, class_names=CLASSES)

    def _original(self, found: Pictures, report: Report | None) -> Dataset:
        groups = found.columns["lesion"] if self.split == "lesion" else None
        learnt, tested = split_off(len(found.labels), self.test_part, groups)
        learnt, tested = some(learnt, self.train_samples, "train"), some(tested, self.test_samples, "test")
        if report is not None:
            report(f"ham10000: reading {len(learnt) + len(tested):,} pictures")
        train, test = (
            Labelled(read_pictures([found.paths[i] for i in part], self.size, 3), found.labels[part])
            for part in (learnt, tested)
        )
        columns = {name: values[learnt] for name, values in found.columns.items()}
        return assembled(
            "ham10000", train, test, len(CLASSES), found.folder, columns=columns, class_names=CLASSES
        )
