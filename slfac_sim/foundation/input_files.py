"""Files that a user names: read whole, and only what is a file, of a size that input has."""

import errno
import os
import stat
from pathlib import Path

from slfac_sim.foundation.errors import BadInput

MOST_BYTES = 64 * 2**20
"""More than any scenario, trace or table of times has."""

_LONGEST, _DEEPEST = 255, 4095  # bytes of a name and of a path, on all file systems in use


def check_name(path: str | os.PathLike[str]) -> None:
    """Raise `BadInput` for a name that no file and no folder can have."""
    name = os.fspath(path)
    longest = max(len(os.fsencode(part)) for part in name.split(os.sep))
    if "\0" in name:
        raise BadInput(f"{name[:60]!r}: no file can have this name (it has a null byte)")
    if longest > _LONGEST or len(os.fsencode(name)) > _DEEPEST:
        raise BadInput(f"'{name[:57]}...': no file can have this name (at most {_LONGEST} bytes a part)")


def read_bytes(path: str | Path, most_bytes: int = MOST_BYTES) -> bytes:
    """Return what is in the file at `path`.

    Raises `OSError` with a `strerror` for people, also for a folder, a pipe, a device, and a file with more
    than `most_bytes`.
    """
    name = str(path)
    try:
        found = os.stat(path)
    except ValueError as error:
        raise OSError(errno.EINVAL, "a null byte in the name", name) from error
    if stat.S_ISDIR(found.st_mode):
        raise IsADirectoryError(errno.EISDIR, "a folder, not a file", name)
    if not stat.S_ISREG(found.st_mode):
        raise OSError(errno.EINVAL, "a pipe or a device, not a file", name)
    if found.st_size > most_bytes:
        raise OSError(errno.EFBIG, f"{found.st_size:,} bytes; at most {most_bytes:,} are read", name)
    with open(path, "rb") as file:
        return file.read()


def read_text(path: str | Path, most_bytes: int = MOST_BYTES) -> str:
    """Return the text of the file at `path`, which is UTF-8. Raises `OSError`, and `UnicodeDecodeError`."""
    return read_bytes(path, most_bytes).decode("utf-8-sig")
