"""Where data sets may lie on this machine, in order of preference, and how they get there; it reads none."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from slfac_sim.foundation import files
from slfac_sim.learning.datasets import DataError
from slfac_sim.learning.idx.sets import IdxSet


class Place(NamedTuple):
    """One folder to look in, and why (`label`)."""

    label: str
    folder: Path


def cache_folder(name: str) -> Path:
    """Return the folder of data set `name` in the user's cache, whether it exists or not."""
    import platformdirs

    return Path(platformdirs.user_cache_dir("slfac_sim")) / name


def places(files: IdxSet) -> list[Place]:
    """Return the folders that may hold `files`: ``$SLFAC_DATA``, the user's cache, an installed package."""
    known = []
    if root := os.environ.get("SLFAC_DATA", ""):
        own = Path(root).expanduser()
        known += [Place(f"$SLFAC_DATA/{files.name}", own / files.name), Place("$SLFAC_DATA", own)]
    known.append(Place("user cache", cache_folder(files.name)))
    if files.package.installed_in is not None:
        known.append(Place(files.package.label, files.package.installed_in))
    return known


def offline() -> bool:
    """Say whether the environment forbids the network: ``SLFAC_OFFLINE`` is set, and not to 0."""
    return os.environ.get("SLFAC_OFFLINE", "") not in ("", "0")


@contextlib.contextmanager
def whole(target: Path) -> Iterator[Path]:
    """Yield a path to write to; it becomes `target` if the block succeeds, and vanishes if not.

    The folder is made if need be. Raises `DataError` for anything that the file system refuses.
    """
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with files.whole(target) as part:
            yield part
    except OSError as error:
        raise DataError(f"{error.filename or target}: {error.strerror or error}") from None
