"""Finds a data set of IDX files and makes a `Dataset` of it; the one place that knows the order of search."""

from pathlib import Path
from typing import ClassVar

from slfac_sim.foundation.plugins import settings
from slfac_sim.foundation.program import program
from slfac_sim.learning.datasets import DataError, Dataset, Report
from slfac_sim.learning.datasets._assembled import Labelled, assembled, first
from slfac_sim.learning.datasets._kept import FirstSamples, PublicFiles
from slfac_sim.learning.datasets._places import cache_folder
from slfac_sim.learning.idx.download import Open, download, open_url
from slfac_sim.learning.idx.folder import Arrays, read_unverified, read_verified
from slfac_sim.learning.idx.places import offline, places
from slfac_sim.learning.idx.sets import IdxSet, put_where


@settings
class IdxData(FirstSamples, PublicFiles):
    """The settings of a data set of four public files; an abstract class, which lacks these `files`."""

    files: ClassVar[IdxSet]

    @property
    def most_samples(self) -> int | None:
        """How many training samples it has at most; other data may have any number."""
        return self.train_samples or (self.files.train_labels.shape[0] if self.verify else None)

    def load(self, report: Report | None = None) -> Dataset:
        """Return the data, images [n, 1, h, w]. Raises `DataError`."""
        return load_idx(self.files, self.folder, self.verify, self.train_samples, self.test_samples, report)


def load_idx(
    files: IdxSet,
    folder: Path | None,
    verify: bool,
    train_samples: int | None,
    test_samples: int | None,
    report: Report | None,
    opener: Open = open_url,
) -> Dataset:
    """Return the data set `files`: the first `train_samples` and `test_samples` of it (None: all).

    A `folder` is binding: nothing else is looked at. Otherwise the order is ``$SLFAC_DATA``, the user's
    cache, an installed package, and a download into the cache. Raises `DataError`.
    """
    if folder is None:
        source, arrays = _search(files, report, opener)
    else:
        source = folder.expanduser()
        arrays = _named(files, source, verify)
    kept = first(len(arrays.train_labels), train_samples, "train")
    test_kept = first(len(arrays.test_labels), test_samples, "test")
    train = Labelled(arrays.train_images, arrays.train_labels).only(kept)
    test = Labelled(arrays.test_images, arrays.test_labels).only(test_kept)
    names = files.class_names if verify else ()  # other data may have other classes
    return assembled(files.name, train, test, files.classes, source, class_names=names)


def _named(files: IdxSet, folder: Path, verify: bool) -> Arrays:
    try:
        return read_verified(files, folder) if verify else read_unverified(files, folder)
    except DataError as error:
        hint = "; to use other data in IDX form, set verify: false beside folder" if verify else ""
        raise DataError(f"data.folder {folder}: {error} (no other place was looked in{hint})") from None


def _search(files: IdxSet, report: Report | None, opener: Open) -> tuple[Path, Arrays]:
    failures = []
    for place in places(files):
        try:
            return place.folder, read_verified(files, place.folder)
        except DataError as error:
            failures.append(f"{place.label} ({place.folder}): {error}")
    if offline():
        raise DataError(_not_found(files, [*failures, "download: switched off by SLFAC_OFFLINE"]))
    target = cache_folder(files.name)
    try:
        if report is not None:
            report(f"{files.name}: download to {target}")
        download(files, target, report, opener)
        return target, read_verified(files, target)
    except DataError as error:
        raise DataError(_not_found(files, [*failures, f"download: {error}"])) from None


def _not_found(files: IdxSet, failures: list[str]) -> str:
    lines = "".join(f"\n  {failure}" for failure in failures)
    return (
        f"no usable copy of {files.name} in any of these places:{lines}\n"
        f"Run `{program('data')} fetch {files.name}`, or {put_where(files)}"
    )
