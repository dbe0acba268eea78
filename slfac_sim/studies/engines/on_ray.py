"""The engine of a Ray cluster, an existing one or one started here: nothing is shared but Ray itself.

Code, data and records travel through Ray, results come back, and this process writes all files. Ray is
imported when such an engine is made.
"""

import atexit
import logging
import os
import secrets
import shutil
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import slfac_sim
from slfac_sim.foundation.errors import BadInput
from slfac_sim.foundation.plugins import NO_PLUGINS
from slfac_sim.scenario.named_files import keep_files
from slfac_sim.studies.engines import Outcome, attempt
from slfac_sim.studies.engines._head import Head, ask
from slfac_sim.studies.engines._sent import Sent
from slfac_sim.studies.engines._shipped import (
    measured,
    played,
    trained,
)
from slfac_sim.studies.jobs import Demand, Forecast, Job, Train
from slfac_sim.studies.trainings import unpack

_ALIKE = "RAY_AUTH_MODE, RAY_AUTH_TOKEN, Python and Ray must be those of the cluster"
_LOST = {
    "OutOfMemoryError": "its node had no memory left, and Ray ended it",
    "WorkerCrashedError": "its process died",
    "NodeDiedError": "its node died",
    "ObjectLostError": "its node died",
    "RuntimeEnvSetupError": "its node could not be given the code",
}


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
        self._head = Head(self._head_of(address))
        self._sent = Sent(self._ray, self._cache)
        self._memory: dict[str, float] = {}

    def check(self, threads: int) -> None:
        """Raise `BadInput` unless some node has a processor for each of `threads`: Ray would wait for one."""
        most = int(self._largest("CPU"))
        if threads > most:
            found = f"no node of the Ray cluster has {threads} processors, the largest {most}"
            raise BadInput(f"--threads {threads}: {found}; say --threads {most}, or add a larger node")

    def reserve(self, demands: Mapping[str, Demand]) -> None:
        """Have trainings begin only where their memory is free; one that is too large has a node alone."""
        most = self._largest("memory")
        self._memory = {key: min(demand.memory_bytes, most) for key, demand in demands.items()}

    def _largest(self, resource: str) -> float:
        """Return what the node has that has most of `resource`."""
        nodes = (node["Resources"] for node in self._ray.nodes() if node["Alive"])
        return float(max((resources.get(resource, 0) for resources in nodes), default=0))

    def submit(self, job: Job) -> None:
        """Take a job; Ray decides where it is done."""
        files = self._sent.files_of(job)
        if isinstance(job, Train):
            takes = {"num_cpus": job.threads, "memory": self._memory.get(job.key, 0)}
            task = self._attempt.options(**takes).remote(trained, job, self._sent.data_of(job), files)
        elif isinstance(job, Forecast):
            task = self._attempt.remote(measured, job, self._sent.data_of(job), files)
        else:
            task = self._attempt.remote(played, job, self._sent.record_of(job.point.training), files)
        self._open[task] = job

    def next(self, timeout_s: float) -> Outcome | None:
        """Return the next outcome, or None when there is none after `timeout_s`."""
        self._head.check()
        try:
            done, _ = self._ray.wait(list(self._open), num_returns=1, timeout=timeout_s)
        except ConnectionError as error:
            raise self._head.lost(str(error)) from error
        if not done:
            return None
        job = self._open.pop(done[0])
        try:
            outcome = Outcome(job, *self._ray.get(done[0]))
        except self._ray.exceptions.RayTaskError as error:  # the job could not even be read there
            return Outcome(job, reason=str(error).strip().splitlines()[-1], again=True)
        except self._ray.exceptions.RayError as error:  # a worker, or its whole machine, was lost
            name = type(error).__name__
            why = f"{name}: {_LOST[name]}" if name in _LOST else name
            return Outcome(job, reason=f"its worker was lost ({why})", again=True)
        if isinstance(job, Train) and not outcome.reason:
            keep_files(unpack(outcome.value, self._cache, job.key, job.weights), job.scenario)
            return Outcome(job, took_s=outcome.took_s)
        return outcome

    def __enter__(self) -> Self:
        """Return the engine, which is connected."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave the cluster, which drops what is under way; one that was started here is stopped."""
        if self._head.gone:  # Ray would wait for it, and crash when this process ends
            atexit.unregister(self._ray.shutdown)
            atexit.register(_end)
        else:
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
            alike = "" if address is None else f"; {_ALIKE}"
            told = f"no Ray cluster to be had ({reason}{alike})"
            raise BadInput(f"--address {address or 'local'}: {told}") from error

    def _head_of(self, address: str | None) -> str:
        """Return where the head answers, ``host:port``."""
        if address is not None and address.startswith("ray://"):
            return address.removeprefix("ray://")
        return str(self._ray.get_runtime_context().gcs_address)


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


def _end() -> None:
    """End this process as one that failed, without what else happens at its end."""
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(1)


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


def _refuse_silence(address: str) -> None:
    """Refuse an address ``host:port`` that nobody answers: Ray itself would go on asking for minutes."""
    place = address.removeprefix("ray://")
    if ":" not in place or not place.rpartition(":")[2].isdigit():
        return  # "auto", for instance, which Ray looks up itself
    try:
        ask(place)
    except (OSError, OverflowError) as error:
        raise BadInput(f"--address {address}: no Ray cluster answers there ({error})") from error
