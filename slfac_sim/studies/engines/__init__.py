"""Engines: where the jobs of a study are done. One file each; the study knows this contract only.

An engine does jobs in other processes, several at a time. It writes trainings into the cache and hands back
everything else; it knows nothing of points that are done, of retries or of tables.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Any, NamedTuple, Protocol, Self

from slfac_sim.foundation.errors import BadInput, Diverged
from slfac_sim.studies.jobs import Job


@dataclass(frozen=True)
class Outcome:
    """What came of `job`: a `value` (None for a training), or a `reason` why there is none.

    `again` says that another try may end otherwise: the worker died, or something unexpected was raised.
    `took_s` are the seconds it took, where the engine can tell.
    """

    job: Job
    value: Any = None
    reason: str = ""
    again: bool = False
    took_s: float = 0.0


class Engine(Protocol):
    """Does jobs, at most `workers` at a time, and yields their outcomes as they come."""

    @property
    def workers(self) -> int:
        """How many jobs are under way at once, as far as it is known."""
        ...

    def submit(self, job: Job) -> None:
        """Take a job; the training that it replays, if any, lies in the cache."""
        ...

    def next(self, timeout_s: float) -> Outcome | None:
        """Return the next outcome, or None when there is none after `timeout_s`."""
        ...

    def __enter__(self) -> Self:
        """Start, in a `with`."""
        ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop, at once, whatever is under way."""
        ...


class Attempt(NamedTuple):
    """A value, or a reason; `again` and `took_s` as in `Outcome`."""

    value: Any
    reason: str
    again: bool
    took_s: float


def attempt(work: Callable[..., Any], *arguments: Any) -> Attempt:
    """Return what came of ``work(*arguments)``, and never raise."""
    from slfac_sim.simulation.simulated import Stalled

    began_s = time.perf_counter()
    try:
        value, reason, again = work(*arguments), "", False
    except (BadInput, Diverged, Stalled) as error:  # the scenario's own fault: it would come again
        value, reason, again = None, str(error), False
    except Exception as error:  # whatever else it is, it costs this job alone
        value, reason, again = None, f"{type(error).__name__}: {error}", True
    return Attempt(value, reason, again, time.perf_counter() - began_s)
