"""Files that several processes may want: whole or not there, and locked while somebody is at them."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO


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
