"""One attempt at a job inside a worker: what it returns, or why not, as something that travels.

It knows no pool; every engine wraps its jobs in it, so that all tell failures alike.
"""

import time
from collections.abc import Callable
from typing import Any, NamedTuple

from slfac_sim.foundation.errors import BadInput, Diverged


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
