"""Where the files of a data set may lie on this machine, in order of preference; it reads none of them."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, TypeVar

from slfac_sim.learning.datasets._sound import DataError

Found = TypeVar("Found")


class Place(NamedTuple):
    """One folder to look in, and why (`label`)."""

    label: str
    folder: Path


def cache_folder(name: str) -> Path:
    """Return the folder of data set `name` in the user's cache, whether it exists or not."""
    import platformdirs

    return Path(platformdirs.user_cache_dir("slfac_sim")) / name


def places_of(name: str) -> list[Place]:
    """Return the folders in which a user may keep data set `name`: ``$SLFAC_DATA``, the user's cache."""
    known = []
    if root := os.environ.get("SLFAC_DATA", ""):
        own = Path(root).expanduser()
        known += [Place(f"$SLFAC_DATA/{name}", own / name), Place("$SLFAC_DATA", own)]
    return [*known, Place("user cache", cache_folder(name))]


def look_for(name: str, folder: Path | None, look: Callable[[Path], Found], wanted: str) -> Found:
    """Return what `look` finds in the first folder that has it; a `folder` of the scenario is binding.

    `look` raises `DataError` that says what a folder lacks. Where none has it, one `DataError` lists what was
    looked at, and the files `wanted` there.
    """
    if folder is not None:
        try:
            return look(existing(folder))
        except DataError as error:
            where = f"data.folder {folder}: {error} (no other place was looked in)"
            raise DataError(f"{where}; put {wanted} there") from None
    failures = []
    for place in places_of(name):
        try:
            return look(existing(place.folder))
        except DataError as error:
            failures.append(f"\n  {place.label} ({place.folder}): {error}")
    raise DataError(
        f"no files of {name} in any of these places:{''.join(failures)}\n"
        f"Put {wanted} into one of them,\nor into a folder that data.folder of the scenario names"
    )


def existing(folder: Path) -> Path:
    """Return `folder`, ``~`` replaced. Raises `DataError` unless it is one."""
    try:
        whole = folder.expanduser()
        there = whole.is_dir()
    except (OSError, ValueError, RuntimeError) as error:  # a name too long, a null byte, an unknown user
        raise DataError(str(error)) from error
    if not there:
        raise DataError("no such folder")
    return whole
