"""What a study sends to the workers of a cluster: records, data sets, and files that scenarios name."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from slfac_sim.foundation.plugins import kind_of
from slfac_sim.scenario.named_files import KEY, MOST_BYTES, files_in
from slfac_sim.studies.engines._shipped import ShippedData, ShippedFile, ShippedRecord, packed
from slfac_sim.studies.jobs import Forecast, Job, Replay, Train
from slfac_sim.studies.trainings import folder_of, pack

_RECORDS_HELD = 4  # more are held by the jobs that are waiting for them


class Sent:
    """What was put into the object store of `ray`, each once, with the trainings in the folder `cache`."""

    def __init__(self, ray: Any, cache: Path) -> None:
        self._ray, self._cache = ray, cache
        self._records: dict[str, ShippedRecord] = {}
        self._data: dict[str, ShippedData] = {}
        self._files: dict[Path, ShippedFile] = {}

    def record_of(self, key: str) -> ShippedRecord:
        """Return the training `key`, which lies in the cache."""
        if key not in self._records:
            while len(self._records) >= _RECORDS_HELD:
                del self._records[next(iter(self._records))]
            there = self._ray.put(pack(folder_of(self._cache, key)))
            self._records[key] = ShippedRecord(key, (there,))
        return self._records[key]

    def data_of(self, job: Train | Forecast) -> ShippedData | None:
        """Return the files of the job's data set, which are found here and needed there."""
        name = kind_of(job.scenario.data)
        if name not in self._data:
            files = _data_files(job.scenario.data, name)
            if files is None:
                return None
            self._data[name] = ShippedData(name, (self._ray.put(files),))
        return self._data[name]

    def files_of(self, job: Job) -> list[ShippedFile]:
        """Return what the scenario of `job` names and is here; a replay needs no more than records keep."""
        scenario = job.point.scenario if isinstance(job, Replay) else job.scenario
        shipped = {}
        for key, path in files_in(scenario):
            place = path.expanduser()
            small = key == KEY and place.is_file() and place.stat().st_size <= MOST_BYTES
            if small or (place.exists() and not isinstance(job, Replay)):
                if path not in self._files:
                    self._files[path] = ShippedFile(path, (self._ray.put(packed(place)),))
                shipped[path] = self._files[path]
        return list(shipped.values())


def _data_files(source: Any, name: str) -> Mapping[str, bytes] | None:
    """Return the files of a data set by name, found or fetched here; None where there are none to ship.

    A folder that the scenario names is one of its files.
    """
    from slfac_sim.learning.idx.folder import paths_in
    from slfac_sim.learning.idx.sets import fetchable

    files = fetchable().get(name)
    if files is None or source.folder is not None:
        return None
    return {path.name: path.read_bytes() for path in paths_in(files, Path(source.load().source))}
