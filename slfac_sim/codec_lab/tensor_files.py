"""Tensors (.npy) and bodies in files: read with care, written whole or not at all. It knows no codec."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from slfac_sim.foundation.errors import BadInput

Tensor = NDArray[np.float32]
_LARGEST_BODY_BYTES = 2**31


def read_tensor(path: Path) -> Tensor:
    """Return the tensor in the .npy file `path` as float32. Raises `BadInput` for anything else in it.

    float16 and float64 are converted; nothing executable is ever loaded.
    """
    try:
        with path.open("rb") as file:  # a path that is no .npy by its content must not be guessed at
            array = np.lib.format.read_array(file, allow_pickle=False)
    except OSError as error:
        raise BadInput(f"{path}: cannot be read ({error.strerror or error})") from error
    except (ValueError, EOFError, MemoryError) as error:
        raise BadInput(f"{path}: not a .npy file of numbers ({error})") from error
    if array.dtype.kind != "f":
        raise BadInput(f"{path}: expected floating-point numbers (got {array.dtype})")
    with np.errstate(over="ignore"):  # what does not fit is infinite, and the codec says where
        return np.ascontiguousarray(array, np.float32)


def write_tensor(path: Path, tensor: NDArray[np.generic]) -> None:
    """Write `tensor` as the .npy file `path`, exactly that name. Raises `BadInput`."""
    with whole(path) as part, part.open("wb") as file:
        np.save(file, tensor, allow_pickle=False)


def read_body(path: Path) -> bytes:
    """Return the bytes of the file `path`. Raises `BadInput`, for more than 2 GiB unread."""
    try:
        if path.stat().st_size > _LARGEST_BODY_BYTES:
            raise BadInput(f"{path}: larger than any body ({path.stat().st_size} bytes)")
        return path.read_bytes()
    except OSError as error:
        raise BadInput(f"{path}: cannot be read ({error.strerror or error})") from error


@contextlib.contextmanager
def whole(target: Path) -> Iterator[Path]:
    """Yield a path to write to; it becomes `target` if the block succeeds, and vanishes if not.

    Raises `BadInput` for anything that the file system refuses.
    """
    part = target.with_name(f"{target.name}.{os.getpid()}.part")
    try:
        yield part
        os.replace(part, target)
    except OSError as error:
        raise BadInput(f"{target}: cannot be written ({error.strerror or error})") from error
    finally:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)


def folder(path: Path) -> Path:
    """Make the folder `path` if need be and return it. Raises `BadInput`."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BadInput(f"-o {path}: cannot be made a folder ({error.strerror or error})") from error
    return path
