"""The two forms of HAM10000: MedMNIST's `.npz` archive, and the original pictures with their metadata."""

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from slfac_sim.learning.datasets._assembled import Labelled
from slfac_sim.learning.datasets._kept import OTHER_DATA, check_md5
from slfac_sim.learning.datasets._npz_arrays import labelled, read_arrays
from slfac_sim.learning.datasets._places import look_for
from slfac_sim.learning.datasets._sound import DataError

CLASSES = ("akiec", "bcc", "bkl", "df", "mel", "nv", "vasc")
SIZES = (28, 64, 128, 224)
SAMPLES = 10_015
_MD5 = {
    28: "0744692d530f8e62ec473284d019b0c7",
    64: "b70a2f5635c6199aeaa28c31d7202e1f",
    128: "2defd784463fa5243564e855ed717de1",
    224: "8974907d8e169bef5f5b96bc506ae45d",
}
_TABLES = ("HAM10000_metadata.csv", "HAM10000_metadata", "HAM10000_metadata.tab")
ORIGINAL = f"{_TABLES[0]} and the folders of ISIC_*.jpg (https://doi.org/10.7910/DVN/DBW86T)"
ARCHIVE = "{} (https://zenodo.org/records/10519652)"
_NEEDED = ("lesion_id", "image_id", "dx")
_TOLD = {"lesion": "lesion_id", "sex": "sex", "site": "localization", "camera": "dataset"}
_MOST_SHOWN = 3


class Pictures(NamedTuple):
    """The original: a path, a label and columns for each picture, in the order of the metadata."""

    folder: Path
    paths: list[Path]
    labels: NDArray[np.int64]
    columns: Mapping[str, NDArray[Any]]


def archive_name(size: int) -> str:
    """Return the name of MedMNIST's archive of images of `size` pixels a side."""
    return "dermamnist.npz" if size == 28 else f"dermamnist_{size}.npz"


def read_archive(folder: Path | None, size: int, verify: bool) -> tuple[Path, dict[str, Labelled]]:
    """Return where DermaMNIST was found and its parts ``train``, ``val``, ``test``. Raises `DataError`."""
    name = archive_name(size)
    path = look_for("ham10000", folder, lambda place: _file_in(place, (name,)), ARCHIVE.format(name))
    if verify:
        check_md5(path, _MD5[size])
    keys = {part: (f"{part}_images", f"{part}_labels") for part in ("train", "val", "test")}
    arrays = read_arrays(path, [key for pair in keys.values() for key in pair])
    return path, {part: labelled(path, arrays, *pair, "nhwc") for part, pair in keys.items()}


def find_pictures(folder: Path | None, verify: bool) -> Pictures:
    """Return the pictures of the original and what its metadata say of them. Raises `DataError`."""
    table = look_for("ham10000", folder, lambda place: _file_in(place, _TABLES), ORIGINAL)
    rows = _rows(table)
    if verify and len(rows) != SAMPLES:
        raise DataError(f"{table}: found {len(rows)} rows, expected {SAMPLES} ({OTHER_DATA})")
    files = {path.stem: path for path in sorted(table.parent.glob("**/ISIC_*.jpg"))}
    missing = [row["image_id"] for row in rows if row["image_id"] not in files]
    if missing:
        shown = ", ".join(f"{name}.jpg" for name in missing[:_MOST_SHOWN])
        more = f" and {len(missing) - _MOST_SHOWN} more" if len(missing) > _MOST_SHOWN else ""
        raise DataError(f"{table.parent}: lacks {shown}{more} of the {len(rows)} pictures in {table.name}")
    told = {name: column for name, column in _TOLD.items() if column in rows[0]}
    return Pictures(
        table.parent,
        [files[row["image_id"]] for row in rows],
        np.array([CLASSES.index(row["dx"]) for row in rows], np.int64),
        {name: np.array([row[column] for row in rows]) for name, column in told.items()},
    )


def _file_in(folder: Path, names: tuple[str, ...]) -> Path:
    path = next((folder / name for name in names if (folder / name).is_file()), None)
    if path is None:
        raise DataError(f"has no {names[0]}")
    return path


def _rows(table: Path) -> list[dict[str, str]]:
    """Return the rows of the metadata, comma- or tab-separated. Raises `DataError`."""
    try:
        with table.open(newline="", encoding="utf-8-sig") as file:
            tabs = "\t" in file.readline()
            file.seek(0)
            reader = csv.DictReader(file, delimiter="\t" if tabs else ",", restval="", strict=True)
            lacking = [name for name in _NEEDED if name not in (reader.fieldnames or ())]
            if lacking:
                found = ", ".join(reader.fieldnames or ()) or "nothing"
                raise DataError(f"{table}: found the columns {found}, expected {', '.join(lacking)} as well")
            rows = list(reader)
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{table}: cannot be read as CSV ({error})") from None
    except OSError as error:
        raise DataError(f"{table}: cannot be read ({error.strerror or error})") from None
    if not rows:
        raise DataError(f"{table}: found no row, expected one for each picture")
    for number, row in enumerate(rows, start=2):
        if row["dx"] not in CLASSES:
            raise DataError(
                f"{table}: found dx '{row['dx']}' in line {number}, expected {', '.join(CLASSES)}"
            )
    return rows
