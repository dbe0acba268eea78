"""Makes a file appear whole or not at all, whoever else writes it; it does not know what is in it."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from slfac_sim.foundation import own_files
from slfac_sim.learning.datasets import DataError


@contextlib.contextmanager
def whole(target: Path) -> Iterator[Path]:
    """Yield a path to write to; it becomes `target` if the block succeeds, and vanishes if not.

    The folder is made if need be. Raises `DataError` for anything that the file system refuses.
    """
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with own_files.whole(target) as part:
            yield part
    except OSError as error:
        raise DataError(f"{error.filename or target}: {error.strerror or error}") from None
