"""Settings that data sets of several kinds have: where public files lie, and which samples are kept."""

import hashlib
from pathlib import Path
from typing import Annotated

from pydantic import Field

from slfac_sim.foundation.plugins import settings
from slfac_sim.foundation.units import Count
from slfac_sim.learning.datasets import DataError, DataSource

OTHER_DATA = "to use other data of the same form, set verify: false beside folder"


@settings
class PublicFiles(DataSource):
    """Files that are public, of which a user may have others of the same form."""

    folder: Path | None = None
    """Folder with the files, relative to the working folder, and nowhere else; null: $SLFAC_DATA and the
    user's cache are looked at, and what can be fetched is, once.
    """
    verify: bool = True
    """Whether it must be the public data: by hash or, where files have none, by their number; false takes
    other data of the same form from `folder`.
    """

    def __post_init__(self) -> None:
        if self.folder is None and not self.verify:
            raise ValueError("verify: false needs a folder: only data that you name yourself go unverified")


@settings
class FirstSamples(DataSource):
    """Samples in an order of their own, of which the first are kept."""

    train_samples: Count | None = None
    """So many samples to learn from, the first of the set; null: all."""
    test_samples: Count | None = None
    """So many test samples, the first of the set; null: all."""


@settings
class DrawnSamples(DataSource):
    """Samples in no order that matters, of which some are drawn."""

    test_part: Annotated[float, Field(gt=0.0, lt=1.0)] = 0.2
    """The part of all samples that is drawn for the test, where the files do not say which are."""
    train_samples: Count | None = None
    """So many samples to learn from, drawn at random; null: all."""
    test_samples: Count | None = None
    """So many test samples, drawn at random; null: all."""

    @property
    def most_samples(self) -> int | None:
        """How many training samples it has at most, as far as that is set."""
        return self.train_samples


def check_md5(path: Path, expected: str) -> None:
    """Raise `DataError` if the file at `path` is not the public one, whose MD5 is `expected`."""
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "md5").hexdigest()
    if found != expected:
        raise DataError(f"{path}: MD5 is {found}, expected {expected} ({OTHER_DATA})")
