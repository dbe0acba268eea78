"""How many jobs of a study this host does at once, by its cores and its memory."""

from slfac_sim.foundation.errors import BadInput
from slfac_sim.foundation.host import available_bytes, cores
from slfac_sim.foundation.units import parse_quantity

_SHARE = 0.8  # of the available memory, by default


def workers_for(trainings: int, points: int, threads: int, wanted: int | None = None) -> int:
    """Return how many processes work at once: `wanted`, or one for each core that a thread of it can have.

    While trainings are left each has so many `threads`; a replay has one.
    """
    usual = max(1, cores() // threads) if trainings else cores()
    return max(1, min(wanted or usual, max(trainings, points)))


def budget_bytes(text: str | None) -> float | None:
    """Return the budget in bytes: `text`, or 80 % of what is available; None where nobody can tell."""
    if text is None:
        available = available_bytes()
        return None if available is None else _SHARE * available
    try:
        nbytes = parse_quantity(text, "size")
    except ValueError as error:
        raise BadInput(f"--memory {text}: {error}") from error
    if nbytes <= 0:
        raise BadInput(f"--memory {text}: must be more than 0")
    return nbytes


def workers_within(budget: float | None, each_bytes: float, most: int) -> int:
    """Return how many workers of `each_bytes` fit into `budget`, at most `most` and at least 1."""
    return most if budget is None else max(1, min(most, int(budget // each_bytes)))
