"""The engine of a Ray cluster, an existing one or one started here: nothing is shared but Ray itself.

Code, data and records travel through Ray, results come back, and this process writes all files. Ray is
imported when such an engine is made.
"""

import logging
import os
import secrets
import shutil
import socket
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import slfac_sim
from slfac_sim.foundation.errors import BadInput
from slfac_sim.foundation.plugins import NO_PLUGINS, kind_of
from slfac_sim.studies.engines import Outcome, attempt
from slfac_sim.studies.engines._shipped import ShippedData, ShippedRecord, measured, played, trained
from slfac_sim.studies.jobs import Forecast, Job, Train
from slfac_sim.studies.trainings import folder_of, pack, unpack

_ANSWERS_WITHIN_S = 5.0
_RECORDS_HELD = 4  # more are held by the jobs that are waiting for them


class OnRay:
    """An engine on the cluster at `address`; None starts one here, of `workers` processors (None: all).

    Trainings come back as bytes and are put into the folder `cache`. slfac_sim itself goes to the workers,
    and so do the Python packages in the folders `packages`; what these need, in the versions of this
    machine, must be there. Raises `BadInput` without Ray, or without a cluster.
    """

    def __init__(
        self,
        cache: Path,
        address: str | None = None,
        workers: int | None = None,
        packages: Sequence[Path] = (),
    ) -> None:
        self._ray = _ray(alone=address is None)
        self._cache = cache.resolve()
        self._code = tempfile.TemporaryDirectory(prefix="slfac_sim-")
        self._start(address, workers, packages)
        self.workers = int(self._ray.cluster_resources().get("CPU", 1))
        self._attempt = self._ray.remote(max_retries=0)(attempt)  # the sweep counts the tries
        self._open: dict[Any, Job] = {}
        self._records: dict[str, ShippedRecord] = {}
        self._data: dict[str, ShippedData] = {}

    def submit(self, job: Job) -> None:
        """Take a job; Ray decides where it is done."""
        if isinstance(job, Train):
            task = self._attempt.options(num_cpus=job.threads).remote(trained, job, self._data_of(job))
        elif isinstance(job, Forecast):
            task = self._attempt.remote(measured, job, self._data_of(job))
        else:
            task = self._attempt.remote(played, job, self._record_of(job.point.training))
        self._open[task] = job

    def next(self, timeout_s: float) -> Outcome | None:
        """Return the next outcome, or None when there is none after `timeout_s`."""
        done, _ = self._ray.wait(list(self._open), num_returns=1, timeout=timeout_s)
        if not done:
            return None
        job = self._open.pop(done[0])
        try:
            outcome = Outcome(job, *self._ray.get(done[0]))
        except self._ray.exceptions.RayTaskError as error:  # the job could not even be read there
            return Outcome(job, reason=str(error).strip().splitlines()[-1], again=True)
        except self._ray.exceptions.RayError as error:  # a worker, or its whole machine, was lost
            return Outcome(job, reason=f"its worker was lost ({type(error).__name__})", again=True)
        if isinstance(job, Train) and not outcome.reason:
            unpack(outcome.value, self._cache, job.key, job.weights)
            return Outcome(job, took_s=outcome.took_s)
        return outcome

    def __enter__(self) -> Self:
        """Return the engine, which is connected."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave the cluster, which drops what is under way; one that was started here is stopped."""
        self._ray.shutdown()
        self._code.cleanup()

    def _start(self, address: str | None, workers: int | None, packages: Sequence[Path]) -> None:
        if address is not None:
            _refuse_silence(address)
        modules = [_package(Path(self._code.name)), *packages]
        here = {"num_cpus": workers, "include_dashboard": False} if address is None else {}
        try:
            self._ray.init(
                address=address or "local",
                runtime_env={"py_modules": [str(folder) for folder in modules], "env_vars": _trusting()},
                log_to_driver=False,
                logging_level=logging.ERROR,
                **here,
            )
        except (ConnectionError, RuntimeError, ValueError, OSError) as error:
            self._code.cleanup()
            reason = " ".join(str(error).split())
            raise BadInput(f"--address {address or 'local'}: no Ray cluster to be had ({reason})") from error

    def _record_of(self, key: str) -> ShippedRecord:
        if key not in self._records:
            while len(self._records) >= _RECORDS_HELD:
                del self._records[next(iter(self._records))]
            packed = self._ray.put(pack(folder_of(self._cache, key)))
            self._records[key] = ShippedRecord(key, (packed,))
        return self._records[key]

    def _data_of(self, job: Train | Forecast) -> ShippedData | None:
        """Return the files of the job's data set, which are found here and needed there."""
        name = kind_of(job.scenario.data)
        if name not in self._data:
            files = _data_files(job.scenario.data, name)
            if files is None:
                return None
            self._data[name] = ShippedData(name, (self._ray.put(files),))
        return self._data[name]


def _ray(alone: bool) -> Any:
    """Return Ray; a cluster of this machine `alone` answers on loopback, and only to those with its token.

    Ray reads its environment when it is imported.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # a study is nobody else's business
    if alone and "ray" not in sys.modules:
        os.environ["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] = "0"  # despite its name: nodes of one machine only
        if os.environ.setdefault("RAY_AUTH_MODE", "token") == "token":
            os.environ.setdefault("RAY_AUTH_TOKEN", secrets.token_hex(32))
    try:
        import ray
    except ImportError as error:
        raise BadInput(
            "--engine ray: Ray is not installed; pip install 'slfac_sim[ray]' installs it"
        ) from error
    return ray


def _trusting() -> dict[str, str]:
    """Return the environment in which workers trust modules that inputs name as much as this process does."""
    return {NO_PLUGINS: os.environ[NO_PLUGINS]} if NO_PLUGINS in os.environ else {}


def _package(folder: Path) -> Path:
    """Return a folder with the whole package, as it would be installed: what workers import.

    In a checkout three of its sub-packages lie beside it, and are copied to where they belong.
    """
    inside = Path(slfac_sim.__file__).parent
    whole = folder / "slfac_sim"
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(inside, whole, ignore=ignored)
    for name in ("network", "analysis", "scenarios"):
        if not (whole / name).is_dir():
            shutil.copytree(inside.parent / name, whole / name, ignore=ignored)
    return whole


def _data_files(source: Any, name: str) -> Mapping[str, bytes] | None:
    """Return the files of a data set by name, found or fetched here; None where there are none to ship.

    A folder that the scenario names is looked for on the workers, under the same name.
    """
    from slfac_sim.learning.idx.folder import paths_in
    from slfac_sim.learning.idx.sets import fetchable

    files = fetchable().get(name)
    if files is None or source.folder is not None:
        return None
    return {path.name: path.read_bytes() for path in paths_in(files, Path(source.load().source))}


def _refuse_silence(address: str) -> None:
    """Refuse an address ``host:port`` that nobody answers: Ray itself would go on asking for minutes."""
    host, colon, port = address.removeprefix("ray://").rpartition(":")
    if not colon or not port.isdigit():
        return  # "auto", for instance, which Ray looks up itself
    try:
        socket.create_connection((host, int(port)), timeout=_ANSWERS_WITHIN_S).close()
    except (OSError, OverflowError) as error:
        raise BadInput(f"--address {address}: no Ray cluster answers there ({error})") from error
