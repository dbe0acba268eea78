"""A checkpoint as a file: a tree of numbers, texts, arrays and tensors, whole or not there. It runs no code.

The file is a line that names the format, the length of a JSON text, that text, the bytes of all arrays end to
end, and the SHA-256 of everything before. It is written beside its place, brought to the disk and renamed,
so that a power cut or a kill leaves the old file, the new one, or a file whose checksum is wrong. Nothing in
it is ever executed: no pickle.
"""

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from slfac_sim.foundation.errors import BadInput
from slfac_sim.foundation.files import whole

_MAGIC = b"slfac_sim checkpoint 1\n"
_CHECKSUM_BYTES = hashlib.sha256().digest_size
_LENGTH_BYTES = 8
_PLAIN = (bool, int, float, str, type(None))


class BadCheckpoint(BadInput):
    """A file that is no checkpoint, is cut short or was changed; nothing of it was used."""


def write_tree(path: Path, tree: Any) -> int:
    """Write `tree` to `path` and return the size in bytes; a file of that name is replaced at once.

    Raises `TypeError` for a value that a tree cannot hold, `OSError` when the disk cannot take it; either
    way what was at `path` is as it was.
    """
    blobs: list[memoryview] = []
    text = json.dumps(_packed(tree, blobs, [0])).encode()
    with whole(path) as part, open(part, "wb") as file:
        size = _write(file, [_MAGIC, len(text).to_bytes(_LENGTH_BYTES, "little"), text, *blobs])
        file.flush()
        os.fsync(file.fileno())
    return size


def _write(file: BinaryIO, pieces: list[Any]) -> int:
    checksum, size = hashlib.sha256(), 0
    for piece in pieces:
        checksum.update(piece)
        size += file.write(piece)
    return size + file.write(checksum.digest())


def read_tree(path: Path) -> Any:
    """Return the tree that was written to `path`, its arrays in memory of its own. Raises `BadCheckpoint`."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise BadCheckpoint(f"{path}: cannot be read ({error.strerror})") from error
    end = len(raw) - _CHECKSUM_BYTES
    if not raw.startswith(_MAGIC) or end < len(_MAGIC) + _LENGTH_BYTES:
        raise BadCheckpoint(f"{path}: no checkpoint of this version ({len(raw)} bytes)")
    if hashlib.sha256(memoryview(raw)[:end]).digest() != raw[end:]:
        raise BadCheckpoint(f"{path}: damaged: its checksum is another ({len(raw)} bytes)")
    first = len(_MAGIC) + _LENGTH_BYTES
    length = int.from_bytes(raw[len(_MAGIC) : first], "little")
    return _unpacked(json.loads(raw[first : first + length]), memoryview(raw)[first + length : end])


def _packed(value: Any, blobs: list[memoryview], at: list[int]) -> Any:
    """Return `value` as JSON, its arrays appended to `blobs`; `at` holds how many bytes these are."""
    if isinstance(value, _PLAIN):
        return value
    if isinstance(value, list):
        return [_packed(item, blobs, at) for item in value]
    if isinstance(value, tuple):
        return {"tuple": [_packed(item, blobs, at) for item in value]}
    if isinstance(value, Mapping):
        return {"dict": [[_packed(k, blobs, at), _packed(v, blobs, at)] for k, v in value.items()]}
    kind, flat = _flat(value)
    place = {**kind, "at": at[0], "bytes": flat.nbytes}
    blobs.append(flat)
    at[0] += flat.nbytes
    return place


def _flat(value: Any) -> tuple[dict[str, Any], memoryview]:
    """Return what kind of array `value` is, and its bytes."""
    if isinstance(value, bytes):
        return {"array": "bytes"}, memoryview(value)
    if isinstance(value, np.ndarray | np.generic) and value.dtype.kind in "biufc":
        kind: dict[str, Any] = {"array": "numpy", "type": value.dtype.str, "shape": list(value.shape)}
        kind["scalar"] = isinstance(value, np.generic)
        return kind, np.ascontiguousarray(value).reshape(-1).view(np.uint8).data
    import torch

    if not isinstance(value, torch.Tensor):
        raise TypeError(f"a checkpoint cannot hold a {type(value).__module__}.{type(value).__qualname__}")
    here = value.detach().cpu().contiguous()
    kind = {"array": "torch", "type": str(here.dtype).removeprefix("torch."), "shape": list(here.shape)}
    return kind, here.reshape(-1).view(torch.uint8).numpy().data


def _unpacked(packed: Any, blob: memoryview) -> Any:
    if isinstance(packed, list):
        return [_unpacked(item, blob) for item in packed]
    if not isinstance(packed, dict):
        return packed
    if "tuple" in packed:
        return tuple(_unpacked(item, blob) for item in packed["tuple"])
    if "dict" in packed:
        return {_unpacked(key, blob): _unpacked(value, blob) for key, value in packed["dict"]}
    return _array(packed, blob[packed["at"] : packed["at"] + packed["bytes"]])


def _array(packed: Mapping[str, Any], flat: memoryview) -> Any:
    if packed["array"] == "bytes":
        return bytes(flat)
    if packed["array"] == "numpy":
        own = np.frombuffer(flat, packed["type"]).reshape(packed["shape"]).copy()
        return own[()] if packed["scalar"] else own
    import torch

    tensor = torch.empty(packed["shape"], dtype=getattr(torch, packed["type"]))
    tensor.reshape(-1).view(torch.uint8).numpy()[:] = np.frombuffer(flat, np.uint8)
    return tensor
