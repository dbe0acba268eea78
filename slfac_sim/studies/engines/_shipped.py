"""What a worker of a cluster does with what was shipped to it; it shares no files with the sender."""

import functools
import io
import os
import shutil
import socket
import tarfile
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from slfac_sim.foundation.files import write_text
from slfac_sim.learning.datasets import DataError
from slfac_sim.ledger.folder import LEDGER, SCENARIO
from slfac_sim.runs.replay import Finished, Record, load_training
from slfac_sim.scenario.files import dump, load
from slfac_sim.scenario.named_files import KEPT, moved
from slfac_sim.scenario.schema import Scenario
from slfac_sim.scenario.steering import cut_is_open
from slfac_sim.studies.jobs import Demand, Forecast, Replay, Train, demand, replayed
from slfac_sim.studies.trainings import folder_of, pack, train, unpack


@dataclass(frozen=True)
class ShippedRecord:
    """A packed training in Ray's object store; two of one key are the same."""

    key: str
    packed: tuple[Any, ...] = field(compare=False)


@dataclass(frozen=True)
class ShippedData:
    """The files of a data set in Ray's object store; two of one name are the same."""

    name: str
    files: tuple[Any, ...] = field(compare=False)


@dataclass(frozen=True)
class ShippedFile:
    """A file, or a folder, that a scenario names by `path`, packed in Ray's object store."""

    path: Path
    packed: tuple[Any, ...] = field(compare=False)


Files = Sequence[ShippedFile]


def packed(path: Path) -> bytes:
    """Return the file or the folder `path` as the bytes of a tar file."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        archive.add(path, path.name)
    return buffer.getvalue()


def trained(job: Train, data: ShippedData | None, files: Files) -> bytes:
    """Run a training in a folder of this machine and return what a replay needs of it."""
    _provide(data)
    with _on_this_node(), tempfile.TemporaryDirectory(prefix="slfac_sim-") as folder:
        train(_with(files, job.scenario), job.threads, Path(folder), job.key, job.weights)
        place = folder_of(Path(folder), job.key)
        if files:
            write_text(place / SCENARIO, dump(_without(files, load(place / SCENARIO))))
            shutil.rmtree(place / KEPT, ignore_errors=True)  # the sender has them
        return pack(place)


def measured(job: Forecast, data: ShippedData | None, files: Files) -> Demand:
    """Return the forecast of what a training takes of that host."""
    _provide(data)
    with _on_this_node():
        return demand(replace(job, scenario=_with(files, job.scenario)))


def played(job: Replay, record: ShippedRecord, files: Files) -> dict[str, Any]:
    """Return the row of a point."""
    point = replace(job.point, scenario=_with(files, job.point.scenario))
    return replayed(_record(record, cut_is_open(point.scenario)), replace(job, point=point))


@contextmanager
def _on_this_node() -> Iterator[None]:
    """Have what is said of data that are missing say where they are."""
    try:
        yield
    except DataError as error:
        raise DataError(f"{error} (on the node {socket.gethostname()})") from error


def _with(files: Files, scenario: Scenario) -> Scenario:
    """Return `scenario` with the paths of `files` as they are in this process."""
    here = {shipped.path: _unpacked(shipped) for shipped in files}
    return moved(scenario, lambda path: here.get(path, path)) if here else scenario


def _without(files: Files, scenario: Scenario) -> Scenario:
    """Return `scenario` with the paths of `files` as they were."""
    there = {_unpacked(shipped): shipped.path for shipped in files}
    as_sent: Scenario = moved(scenario, lambda path: there.get(path, path))
    return as_sent


@functools.lru_cache(2)
def _record(shipped: ShippedRecord, chosen: bool) -> Record | Finished:
    """Return the training; of what was unpacked the files that its scenario names stay."""
    import ray

    cache = Path(tempfile.mkdtemp(dir=_own_folder().name))
    folder = unpack(ray.get(shipped.packed[0]), cache, shipped.key)
    record = load_training(folder, chosen)
    (folder / LEDGER).unlink()
    return record


def _provide(data: ShippedData | None) -> None:
    """Put the files where the data set looks first, once in this process."""
    if data is not None:
        _put(data)


@functools.cache
def _put(data: ShippedData) -> None:
    import ray

    folder = Path(_data_folder().name) / data.name
    folder.mkdir()
    for name, content in ray.get(data.files[0]).items():
        (folder / name).write_bytes(content)


@functools.cache
def _data_folder() -> tempfile.TemporaryDirectory[str]:
    """Return a folder that lives as long as this process, and that holds its data sets."""
    folder = tempfile.TemporaryDirectory(prefix="slfac_sim-data-")
    os.environ["SLFAC_DATA"] = folder.name
    return folder


@functools.cache
def _unpacked(shipped: ShippedFile) -> Path:
    """Return where a file is in this process."""
    import ray

    folder = Path(tempfile.mkdtemp(dir=_own_folder().name))
    with tarfile.open(fileobj=io.BytesIO(ray.get(shipped.packed[0]))) as archive:
        archive.extractall(folder, filter="data")
    return folder / shipped.path.name


@functools.cache
def _own_folder() -> tempfile.TemporaryDirectory[str]:
    """Return a folder that lives as long as this process."""
    return tempfile.TemporaryDirectory(prefix="slfac_sim-files-")
