"""Makes a file appear whole or not at all, whoever else writes it; it does not know what is in it."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from slfac_sim.datasets import DataError


@contextlib.contextmanager
def whole(target: Path) -> Iterator[Path]:
    """Yield a path to write to; it becomes `target` if the block succeeds, and vanishes if not.

    The folder is made if need be. Raises `DataError` for anything that the file system refuses.
    """
    part = target.with_name(f"{target.name}.{os.getpid()}.part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        yield part
        os.replace(part, target)
    except OSError as error:
        raise DataError(f"{error.filename or target}: {error.strerror or error}") from None
    finally:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
