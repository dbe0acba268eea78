"""What a worker of a cluster does with what was shipped to it; it shares no files with the sender."""

import functools
import os
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from slfac_sim.runs.replay import Finished, Record, load_training
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


def trained(job: Train, data: ShippedData | None) -> bytes:
    """Run a training in a folder of this machine and return what a replay needs of it."""
    _provide(data)
    with tempfile.TemporaryDirectory(prefix="slfac_sim-") as folder:
        train(job.scenario, job.threads, Path(folder), job.key, job.weights)
        return pack(folder_of(Path(folder), job.key))


def measured(job: Forecast, data: ShippedData | None) -> Demand:
    """Return the forecast of what a training takes of that host."""
    _provide(data)
    return demand(job)


def played(job: Replay, record: ShippedRecord) -> dict[str, Any]:
    """Return the row of a point."""
    return replayed(_record(record, cut_is_open(job.point.scenario)), job)


@functools.lru_cache(2)
def _record(shipped: ShippedRecord, chosen: bool) -> Record | Finished:
    import ray

    with tempfile.TemporaryDirectory(prefix="slfac_sim-") as folder:
        return load_training(unpack(ray.get(shipped.packed[0]), Path(folder), shipped.key), chosen)


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
