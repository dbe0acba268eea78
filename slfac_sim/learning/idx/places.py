"""Where data sets may lie on this machine, in order of preference, and how they get there; it reads none."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from slfac_sim.foundation import files
from slfac_sim.learning.datasets import DataError
from slfac_sim.learning.datasets._places import Place, places_of
from slfac_sim.learning.idx.sets import IdxSet


def places(files: IdxSet) -> list[Place]:
    """Return the folders that may hold `files`: ``$SLFAC_DATA``, the user's cache, an installed package."""
    known = places_of(files.name)
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
