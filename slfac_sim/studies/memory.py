"""The memory budget: how many trainings fit beside each other on this machine. It runs nothing."""

from pathlib import Path

from slfac_sim.foundation.errors import BadInput
from slfac_sim.foundation.units import parse_quantity

_SHARE = 0.8  # of the available memory, by default


def budget_bytes(text: str | None) -> float | None:
    """Return the budget in bytes: `text`, or 80 % of what is available; None if nobody can tell."""
    if text is None:
        available = available_bytes()
        return None if available is None else _SHARE * available
    try:
        found = parse_quantity(text, "size")
    except ValueError as error:
        raise BadInput(f"--memory {text}: {error}") from error
    if found <= 0:
        raise BadInput(f"--memory {text}: must be more than 0")
    return found


def available_bytes() -> float | None:
    """Return the memory that this process may still take; a control group may allow less than there is."""
    free = _meminfo()
    limit = _number(Path("/sys/fs/cgroup/memory.max"))
    used = _number(Path("/sys/fs/cgroup/memory.current"))
    left = limit - used if limit is not None and used is not None else None
    return min((one for one in (free, left) if one is not None), default=None)


def workers_within(budget: float | None, each_bytes: float, most: int) -> int:
    """Return how many workers of `each_bytes` fit into `budget`, at most `most` and at least 1."""
    return most if budget is None else max(1, min(most, int(budget // each_bytes)))


def _meminfo() -> float | None:
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    found = next((line.split()[1] for line in lines if line.startswith("MemAvailable:")), None)
    return None if found is None else 1024.0 * int(found)


def _number(path: Path) -> float | None:
    try:
        return float(path.read_text(encoding="ascii"))
    except (OSError, ValueError):  # no control groups, or no limit ("max")
        return None
