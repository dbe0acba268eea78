"""The engine of this machine: a pool of processes, in which the death of one costs its job only.

Workers are forked from a server that has imported torch once, where the system can do that. They end
when the process that started them does, however it ends.
"""

import multiprocessing
import os
import queue
import threading
from collections import deque
from collections.abc import Callable, Mapping
from concurrent.futures import CancelledError, Future
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from pebble import ProcessExpired, ProcessPool

from slfac_sim.scenario.steering import cut_is_open
from slfac_sim.studies.engines import Attempt, Outcome, attempt
from slfac_sim.studies.engines._processes import context
from slfac_sim.studies.jobs import Forecast, Job, Train, demand, record_in, replayed
from slfac_sim.studies.trainings import folder_of, train

_PRELOADED = [
    "slfac_sim.runs.run",
    "slfac_sim.forecast.forecast",
    "slfac_sim.studies.jobs",
]


def perform(job: Job, cache: Path) -> Any:
    """Do `job` in this process, with the trainings in `cache`."""
    if isinstance(job, Forecast):
        return demand(job)
    if isinstance(job, Train):
        return train(job.scenario, job.threads, cache, job.key, job.weights)
    chosen = cut_is_open(job.point.scenario)
    return replayed(record_in(folder_of(cache, job.point.training), chosen), job)


class Local:
    """An engine of `workers` processes on this machine, with the trainings in the folder `cache`."""

    def __init__(self, cache: Path, workers: int) -> None:
        self.workers = workers
        self._cache = cache.resolve()
        self._waiting: deque[Job] = deque()
        self._under_way = 0
        self._done: queue.SimpleQueue[tuple[Job, Future[Attempt]]] = queue.SimpleQueue()
        self._pool = self._new_pool()

    def submit(self, job: Job) -> None:
        """Take a job. The pool gets few at a time, so that it loses few when it breaks as a whole."""
        self._waiting.append(job)
        self._feed()

    def next(self, timeout_s: float) -> Outcome | None:
        """Return the next outcome, or None when there is none after `timeout_s`."""
        try:
            job, future = self._done.get(timeout=timeout_s)
        except queue.Empty:
            return None
        self._under_way -= 1
        self._feed()
        return _outcome(job, future)

    def __enter__(self) -> Self:
        """Return the engine, which has begun to start its processes."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End all processes, at once."""
        self._pool.stop()
        self._pool.join()

    def _feed(self) -> None:
        while self._waiting and self._under_way < 2 * self.workers:
            job = self._waiting.popleft()
            self._under_way += 1
            self._begun(job).add_done_callback(partial(self._hear, job))

    def _hear(self, job: Job, done: "Future[Attempt]") -> None:
        self._done.put((job, done))

    def _begun(self, job: Job) -> "Future[Attempt]":
        """Return the future of `job`, begun in a new pool when the old one is broken."""
        for _ in range(2):
            try:
                return self._pool.schedule(attempt, args=(perform, job, self._cache))
            except (RuntimeError, OSError) as error:  # no more processes to be had, for instance
                broken = error
                self._pool.stop()
                self._pool = self._new_pool()
        future: Future[Attempt] = Future()
        future.set_exception(broken)
        return future

    def _new_pool(self) -> ProcessPool:
        return ProcessPool(
            max_workers=self.workers,
            initializer=_begin,
            initargs=(_ours(os.environ),),
            context=context(_PRELOADED),
        )


def _outcome(job: Job, future: "Future[Attempt]") -> Outcome:
    try:
        return Outcome(job, *future.result())
    except ProcessExpired as error:
        return Outcome(job, reason=f"its process died ({_exit_words(error.exitcode)})", again=True)
    except (Exception, CancelledError) as error:  # the pool broke: no fault of the job
        return Outcome(job, reason=f"{type(error).__name__}: {error}", again=True)


def _ours(environment: Mapping[str, str]) -> dict[str, str]:
    """Return what `environment` says to slfac_sim: log level, trust, folders."""
    return {name: value for name, value in environment.items() if name.startswith("SLFAC_")}


def _begin(environment: Mapping[str, str]) -> None:
    """Begin a worker: told what the parent is told now, not when the server of workers began."""
    for name in _ours(os.environ):
        del os.environ[name]
    os.environ.update(environment)
    _end_with_parent()


def _end_with_parent() -> None:
    """End this process when its parent has gone, even by SIGKILL: nobody waits for its work."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_watch, args=(parent.join,), daemon=True).start()


def _watch(join: Callable[[], Any]) -> None:
    join()
    os._exit(1)


def _exit_words(code: int | None) -> str:
    return f"signal {-code}" if code is not None and code < 0 else f"exit status {code}"
