"""Files: those that a user names, read with care; our own, whole or not there; hashes of what they hold."""

import errno
import functools
import hashlib
import os
import secrets
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

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
        status = os.stat(path)
    except ValueError as error:
        raise OSError(errno.EINVAL, "a null byte in the name", name) from error
    if stat.S_ISDIR(status.st_mode):
        raise IsADirectoryError(errno.EISDIR, "a folder, not a file", name)
    if not stat.S_ISREG(status.st_mode):
        raise OSError(errno.EINVAL, "a pipe or a device, not a file", name)
    if status.st_size > most_bytes:
        raise OSError(errno.EFBIG, f"{status.st_size:,} bytes; at most {most_bytes:,} are read", name)
    with open(path, "rb") as file:
        return file.read()


def read_text(path: str | Path, most_bytes: int = MOST_BYTES) -> str:
    """Return the text of the file at `path`, which is UTF-8. Raises `OSError`, and `UnicodeDecodeError`."""
    return read_bytes(path, most_bytes).decode("utf-8-sig")


@contextmanager
def whole(target: Path) -> Iterator[Path]:
    """Yield a path beside `target` that nobody else uses; it becomes `target` if the block succeeds.

    Otherwise nothing is left of it. Raises `OSError` where the disk does not take it.
    """
    part = own_name(target)
    try:
        yield part
        os.replace(part, target)
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)


def own_name(target: Path) -> Path:
    """Return a path beside `target` that no other process, thread or call gets."""
    return target.with_name(f"{target.name}.{secrets.token_hex(4)}.{os.getpid()}.part")


def write_text(target: Path, text: str) -> None:
    """Write `text` to the file `target`, whole or not at all."""
    with whole(target) as part:
        part.write_text(text, encoding="utf-8")


def lock(file: IO[str], shared: bool = False, wait: bool = False) -> None:
    """Have `file` to ourselves, or `shared`, until it is closed or we are killed.

    Raises `BlockingIOError` if another has it, unless we `wait`. Where the system has no such locks nothing
    is locked.
    """
    try:
        import fcntl
    except ImportError:
        return
    kind = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
    fcntl.flock(file, kind if wait else kind | fcntl.LOCK_NB)


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


@functools.lru_cache(1 << 16)  # fewer than a folder of pictures has would remember none of them
def _remembered(file: Path, stamp: tuple[int, ...]) -> str:
    return _read(file)


def _read(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()
