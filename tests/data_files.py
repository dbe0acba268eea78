"""Writes tiny IDX files, and describes them as a data set named `tiny`; it holds no tests."""

import gzip
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from slfac_sim.learning.datasets import DataError, Report
from slfac_sim.learning.idx.sets import IdxFile, IdxSet, Run

NAMES = (
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
)
_rng = np.random.default_rng(7)
ARRAYS = (
    _rng.integers(0, 256, (6, 4, 5), dtype=np.uint8),
    np.array([0, 1, 2, 2, 1, 0], dtype=np.uint8),
    _rng.integers(0, 256, (3, 4, 5), dtype=np.uint8),
    np.array([2, 0, 1], dtype=np.uint8),
)


def idx_bytes(array: np.ndarray) -> bytes:
    header = bytes([0, 0, 8, array.ndim]) + b"".join(length.to_bytes(4, "big") for length in array.shape)
    return header + array.tobytes()


BODIES = tuple(idx_bytes(array) for array in ARRAYS)


def write_tiny(folder: Path, zipped: bool = False) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, body in zip(NAMES, BODIES, strict=True):
        if zipped:
            (folder / f"{name}.gz").write_bytes(gzip.compress(body))
        else:
            (folder / name).write_bytes(body)
    return folder


@dataclass(frozen=True)
class FakePackage:
    """A package whose fetching is one command, `get`, that the test's runner acts out."""

    installed_in: Path | None = None
    label: str = "the tiny package"

    def unpack(self, folder: Path, run: Run, report: Report) -> Path:
        report("get tiny")
        run(["get"], folder, 1.0)
        return folder


def tiny(package: FakePackage | None = None) -> IdxSet:
    files = [
        IdxFile(name, array.shape, hashlib.sha256(body).hexdigest())
        for name, array, body in zip(NAMES, ARRAYS, BODIES, strict=True)
    ]
    mirrors = ("https://one.example/tiny/", "https://two.example/tiny/")
    return IdxSet("tiny", 3, *files, mirrors=mirrors, package=package or FakePackage())


@dataclass
class FakeResponse:
    """Answers with `body`, as much at a time as is asked for; `breaks` raises at the end instead."""

    body: bytes
    breaks: Exception | None = None
    closed: bool = False
    length: int | None = field(init=False)

    def __post_init__(self) -> None:
        self.length = len(self.body)

    def read(self, amount: int, /) -> bytes:
        taken, self.body = self.body[:amount], self.body[amount:]
        if not taken and self.breaks is not None:
            raise self.breaks
        return taken

    def close(self) -> None:
        self.closed = True


def no_network(address: str) -> FakeResponse:
    raise DataError("no route to host")


def no_program(command: Sequence[str], folder: Path, limit_s: float) -> None:
    raise DataError(f"{command[0]} is not installed")
