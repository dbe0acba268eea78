"""What files hold, as hashes; a file that has not changed since is read once."""

import functools
import hashlib
import time
from pathlib import Path

_SETTLED_S = 2.0  # younger changes may share one time stamp


def hash_of(path: Path) -> str:
    """Return the SHA-256 of the file `path`, or of all files below the folder `path` with their names.

    Empty where there is neither. Raises `OSError` for what cannot be read.
    """
    if path.is_file():
        return _hash_of_file(path)
    if not path.is_dir():
        return ""
    whole = hashlib.sha256()
    for file in sorted(file for file in path.rglob("*") if file.is_file()):
        whole.update(f"{file.relative_to(path).as_posix()}\n{_hash_of_file(file)}\n".encode())
    return whole.hexdigest()


def _hash_of_file(file: Path) -> str:
    there = file.stat()
    stamp = (there.st_ino, there.st_size, there.st_mtime_ns, there.st_ctime_ns)
    if time.time() - there.st_ctime < _SETTLED_S:
        return _read(file)
    return _remembered(file.resolve(), stamp)


@functools.lru_cache(10_000)
def _remembered(file: Path, stamp: tuple[int, ...]) -> str:
    return _read(file)


def _read(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()
