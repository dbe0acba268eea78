"""The binary archives of CIFAR: records of one or two labels and an image of 32 x 32 in three planes."""

import tarfile
import zlib
from pathlib import Path
from typing import ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from slfac_sim.foundation.plugins import settings
from slfac_sim.learning.datasets import DataError, Dataset, Report
from slfac_sim.learning.datasets._assembled import Labelled, assembled, first
from slfac_sim.learning.datasets._kept import OTHER_DATA, FirstSamples, PublicFiles, check_md5
from slfac_sim.learning.datasets._places import look_for

_SHAPE = (3, 32, 32)
_PIXELS = 3 * 32 * 32


class CifarForm(NamedTuple):
    """What is published: the archive, its MD5, its folder, files of training and test samples.

    `classes` and `class_names` are those of each label of a record; `records` those of a file of `train` and
    of `test`.
    """

    name: str
    archive: str
    md5: str
    folder: str
    train: tuple[str, ...]
    test: str
    classes: tuple[int, ...]
    records: tuple[int, int]
    class_names: tuple[tuple[str, ...], ...]

    @property
    def by_hand(self) -> str:
        """The files that a user puts in place."""
        return f"{self.archive} (https://www.cs.toronto.edu/~kriz/{self.archive}) or the files in it"


class Bodies(NamedTuple):
    """Where the files were found, and their contents."""

    source: Path
    train: list[tuple[str, bytes]]
    test: tuple[str, bytes]


@settings
class CifarData(FirstSamples, PublicFiles):
    """The settings of a CIFAR set; an abstract class, which lacks its `form`."""

    form: ClassVar[CifarForm]

    @property
    def most_samples(self) -> int | None:
        """How many training samples it has at most; other data may have any number."""
        return self.train_samples or (self.form.records[0] * len(self.form.train) if self.verify else None)

    @property
    def label(self) -> int:
        """Which of a record's labels is learnt: the first, by default."""
        return 0

    def load(self, report: Report | None = None) -> Dataset:
        """Return the data, images [n, 3, 32, 32]. Raises `DataError`."""
        found = look_for(self.form.name, self.folder, self._look, self.form.by_hand)
        bodies = self._from_archive(found) if found.is_file() else self._from_files(found)
        parts = [self._records(*body, self.form.records[0]) for body in bodies.train]
        labels, images = (np.concatenate(each) for each in zip(*parts, strict=True))
        test_labels, test_images = self._records(*bodies.test, self.form.records[1])
        kept = first(len(labels), self.train_samples, "train")
        test_kept = first(len(test_labels), self.test_samples, "test")
        return assembled(
            self.form.name,
            Labelled(images, labels[:, self.label]).only(kept),
            Labelled(test_images, test_labels[:, self.label]).only(test_kept),
            self.form.classes[self.label],
            bodies.source,
            columns=self.columns(labels[kept]),
            class_names=self.form.class_names[self.label],
        )

    def columns(self, labels: NDArray[np.int64]) -> dict[str, NDArray[np.int64]]:
        """Return what `labels` [n, of a record] tell beside the one that is learnt: nothing, by default."""
        return {}

    def _look(self, folder: Path) -> Path:
        """Return the folder with all files, at or below `folder`, or else the archive."""
        needed = (*self.form.train, self.form.test)
        for at in (folder, folder / self.form.folder):
            if all((at / name).is_file() for name in needed):
                return at
        if (folder / self.form.archive).is_file():
            return folder / self.form.archive
        missing = [name for name in needed if not (folder / name).is_file()]
        lacks = ", ".join(missing) if len(missing) < len(needed) else f"{needed[0]} and the other files"
        raise DataError(f"has neither {self.form.archive} nor {lacks}")

    def _from_files(self, folder: Path) -> Bodies:
        try:
            train = [(str(folder / name), (folder / name).read_bytes()) for name in self.form.train]
            return Bodies(
                folder, train, (str(folder / self.form.test), (folder / self.form.test).read_bytes())
            )
        except OSError as error:
            raise DataError(f"{error.filename}: cannot be read ({error.strerror or error})") from None

    def _from_archive(self, path: Path) -> Bodies:
        try:
            if self.verify:
                check_md5(path, self.form.md5)
            with tarfile.open(path, "r:gz") as archive:
                train = [(f"{path}: {name}", self._member(archive, name)) for name in self.form.train]
                return Bodies(
                    path, train, (f"{path}: {self.form.test}", self._member(archive, self.form.test))
                )
        except KeyError as error:
            raise DataError(f"{path}: has no {error.args[0]}") from None
        except (tarfile.TarError, EOFError, zlib.error, OSError) as error:
            raise DataError(f"{path}: cannot be unpacked ({error})") from None

    def _member(self, archive: tarfile.TarFile, name: str) -> bytes:
        """Return the content of the file `name` of the archive. Raises `KeyError` if there is none."""
        path = f"{self.form.folder}/{name}"
        try:
            file = archive.extractfile(path)
        except KeyError:
            file = None
        if file is None:
            raise KeyError(path)
        return file.read()

    def _records(
        self, where: str, body: bytes, published: int
    ) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
        """Return labels [n, of a record] and images [n, 3, 32, 32] of a file. Raises `DataError`."""
        size = len(self.form.classes) + _PIXELS
        records, rest = divmod(len(body), size)
        if rest or not records:
            short = f"; the last one has {rest}" if rest else ""
            raise DataError(f"{where}: found {len(body)} bytes, expected whole records of {size}{short}")
        if self.verify and records != published:
            raise DataError(f"{where}: found {records} records, expected {published} ({OTHER_DATA})")
        table = np.frombuffer(body, np.uint8).reshape(records, size)
        labels, pixels = np.split(table, [len(self.form.classes)], axis=1)
        odd = np.argwhere(labels >= np.array(self.form.classes))
        if len(odd):
            record, which = odd[0]
            fault, most = (
                f"the label {labels[record, which]} in record {record}",
                self.form.classes[which] - 1,
            )
            raise DataError(f"{where}: found {fault}, expected 0 to {most}")
        return labels.astype(np.int64), pixels.reshape(records, *_SHAPE)
