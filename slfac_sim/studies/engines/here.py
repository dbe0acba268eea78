"""The engine that has no processes: a forecast is made here and now, and nothing else is."""

from collections import deque
from types import TracebackType
from typing import Self

from slfac_sim.studies.engines import Outcome
from slfac_sim.studies.engines._attempt import attempt
from slfac_sim.studies.jobs import Forecast, Job, demand


class Here:
    """An engine for forecasts alone, one after the other in this process."""

    workers = 1

    def __init__(self) -> None:
        self._waiting: deque[Job] = deque()

    def submit(self, job: Job) -> None:
        """Take a forecast."""
        assert isinstance(job, Forecast)
        self._waiting.append(job)

    def next(self, timeout_s: float) -> Outcome | None:
        """Return the next outcome."""
        job = self._waiting.popleft()
        return Outcome(job, *attempt(demand, job))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing is under way."""
