"""How long a study will take on this host, and how much of it works side by side; it runs nothing."""

from collections.abc import Sequence

from slfac_sim.foundation.host import cores
from slfac_sim.studies.jobs import Demand


def workers_for(trainings: int, points: int, threads: int, asked: int | None = None) -> int:
    """Return how many processes work at once: `asked`, or one for each core that a thread of theirs can have.

    While trainings are left each has so many `threads`; a replay has one.
    """
    usual = max(1, cores() // threads) if trainings else cores()
    return min(asked or usual, max(trainings, points))


def seconds_of(demands: Sequence[Demand], points: int, workers: int) -> float:
    """Return the seconds of trainings that take `demands`, and of the replays of `points` from them."""
    if not demands:
        return 0.0
    trainings_s = [one.host_s for one in demands]
    replays_s = points * sum(one.replay_s for one in demands) / len(demands)
    return max(sum(trainings_s) / workers, *trainings_s) + replays_s / workers
