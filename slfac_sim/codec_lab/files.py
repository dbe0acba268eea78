"""Tensors (.npy), bodies and captures in files: read with care, written whole or not at all."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from slfac_sim.codecs import Tensor
from slfac_sim.foundation.errors import BadInput
from slfac_sim.foundation.files import whole

FACTS = "capture.json"
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
    _write(path, lambda file: np.save(file, tensor, allow_pickle=False))


def write_body(path: Path, body: bytes) -> None:
    """Write `body` as the file `path`. Raises `BadInput`."""
    _write(path, lambda file: file.write(body))


def write_facts(folder: Path, facts: Mapping[str, Any]) -> Path:
    """Write what captured tensors are beside them; return the file. Raises `BadInput`."""
    text = json.dumps(facts, indent=2) + "\n"
    _write(folder / FACTS, lambda file: file.write(text.encode()))
    return folder / FACTS


def _write(target: Path, write: Callable[[IO[bytes]], object]) -> None:
    try:
        with whole(target) as part, part.open("wb") as file:
            write(file)
    except OSError as error:
        raise BadInput(f"{target}: cannot be written ({error.strerror or error})") from error


def read_body(path: Path) -> bytes:
    """Return the bytes of the file `path`. Raises `BadInput`, for more than 2 GiB unread."""
    try:
        if path.stat().st_size > _LARGEST_BODY_BYTES:
            raise BadInput(f"{path}: larger than any body ({path.stat().st_size} bytes)")
        return path.read_bytes()
    except OSError as error:
        raise BadInput(f"{path}: cannot be read ({error.strerror or error})") from error


def read_capture(folder: Path) -> tuple[str, list[tuple[Path, int, str]]]:
    """Return what was captured in `folder`, in words, and file, step and direction of each tensor.

    Raises `BadInput` for anything that `capture` did not write.
    """
    facts = _facts(folder / FACTS)
    tensors = []
    try:
        for tensor in facts["tensors"]:
            file, step, direction = tensor["file"], tensor["step"], tensor["direction"]
            if not (isinstance(file, str) and isinstance(step, int) and direction in ("up", "down")):
                raise TypeError(f"{tensor}")
            if "/" in file or "\\" in file or file.startswith("."):
                raise TypeError(f"{file!r} is not the name of a file beside it")
            tensors.append((folder / file, step, direction))
    except (KeyError, TypeError) as error:
        raise BadInput(f"{FACTS}: not written by `capture` ({error})") from error
    if not tensors:
        raise BadInput(f"{folder / FACTS}: no tensors in it")
    return f"{facts.get('scenario', '')}, cut after {facts.get('cut', '')}", tensors


def _facts(path: Path) -> dict[str, Any]:
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        why = f"cannot be read ({error.strerror}); expected a folder of `capture`"
        raise BadInput(f"{path}: {why}") from error
    except ValueError as error:
        raise BadInput(f"{path}: not JSON ({error})") from error
    if not isinstance(facts, dict):
        raise BadInput(f"{path}: found {type(facts).__name__}, expected an object")
    return facts


def make_folder(path: Path) -> Path:
    """Make the folder `path` if need be and return it. Raises `BadInput`."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BadInput(f"-o {path}: cannot be made a folder ({error.strerror or error})") from error
    return path
