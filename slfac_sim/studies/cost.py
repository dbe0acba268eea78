"""What a study costs: time, hours of CPU, memory and disk, from what its trainings and replays will take."""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from slfac_sim.analysis.format import about, quantity
from slfac_sim.foundation.errors import BadInput
from slfac_sim.ledger.folder import load
from slfac_sim.studies.jobs import Demand, Train
from slfac_sim.studies.plan import Plan, Point
from slfac_sim.studies.trainings import folder_of

# As measured: reading a study, starting workers and drawing; of each point the row in tables and figures.
_STUDY_S, _REPORT_S = 4.0, 0.004
_FIGURES_BYTES, _POINT_BYTES, _EVALUATION_BYTES = 1.9e6, 2.5e3, 290.0
_TRANSFER_S = 2e-4  # of a replay


@dataclass(frozen=True)
class Cost:
    """What is left of a study takes: seconds one after the other, and bytes of memory and disk.

    So many `workers` are at trainings at once, and `replaying` at replays.
    """

    workers: int
    replaying: int
    trainings_s: float
    longest_s: float
    trainings_cpu_s: float
    replays_s: float
    study_s: float
    trainings_bytes: float
    study_bytes: float
    memory_bytes: int

    @property
    def seconds(self) -> float:
        """By the clock, if the host has nothing else to do."""
        trainings_s = max(self.trainings_s / self.workers, self.longest_s)
        return trainings_s + self.replays_s / self.replaying + self.study_s

    @property
    def cpu_s(self) -> float:
        """Of all processes and threads."""
        return self.trainings_cpu_s + self.replays_s + self.study_s

    @property
    def disk_bytes(self) -> float:
        """Of trainings, rows of points, tables and figures."""
        return self.trainings_bytes + self.study_bytes

    @property
    def disk_words(self) -> str:
        """The bytes on disk."""
        return quantity(self.disk_bytes, "B")

    @property
    def words(self) -> str:
        """The cost in a line; hours of CPU are what clusters count."""
        hours = f"{self.cpu_s / 3600:.2g} CPU hours"
        return f"about {about(self.seconds)} by the clock, {hours} and {self.disk_words} of disk"

    def remark_on(self, folder: Path) -> str:
        """Return what is to be said where the disk of `folder` is too small; empty if it is not."""
        free = _free_bytes(folder)
        if self.disk_bytes <= free:
            return ""
        return f"{folder}: the study takes about {self.disk_words}, and {quantity(free, 'B')} are free there"

    def lines(self, folder: Path) -> list[tuple[str, str]]:
        """Return the cost as lines of a table, with what is free on the disk of `folder`."""
        trainings, replays = about(self.trainings_cpu_s), about(self.replays_s)
        parts = f"trainings {trainings}, replays {replays}, tables and figures {about(self.study_s)}"
        disk = f"trainings {quantity(self.trainings_bytes, 'B')}, points and figures"
        memory = f"about {quantity(self.memory_bytes, 'B')} at the peak of a training"
        if self.workers > 1:
            memory += f", {quantity(self.workers * self.memory_bytes, 'B')} for {self.workers} at once"
        free = f"{quantity(_free_bytes(folder), 'B')} are free"
        return [
            ("time on this host", f"about {about(self.seconds)}"),
            ("CPU hours", f"about {self.cpu_s / 3600:.2g}: {parts}"),
            ("memory", memory if self.memory_bytes else "that of replays: nothing is trained"),
            ("disk", f"about {self.disk_words}: {disk} {quantity(self.study_bytes, 'B')}; {free}"),
        ]


def cost_of(
    plan: Plan,
    points: Sequence[Point],
    jobs: Sequence[Train],
    demands: Mapping[str, Demand],
    cache: Path,
    workers: int,
    replaying: int | None = None,
) -> Cost:
    """Return what `jobs`, which take `demands`, and the replays of `points` cost.

    So many `workers` are at trainings at once, and `replaying` at replays (None: as many). What a replay of a
    training takes that is in `cache` is seen by its record.
    """
    new = [demands[job.key] for job in jobs if job.key in demands]
    keys = {point.training for point in points}
    replay_s = {key: demands[key].replay_s if key in demands else _recorded_s(cache, key) for key in keys}
    rows_bytes = sum(_row_bytes(point) for point in points)
    kept = any(job.weights for job in jobs)
    return Cost(
        workers=workers,
        replaying=replaying or workers,
        trainings_s=sum(demand.host_s for demand in new),
        longest_s=max((demand.host_s for demand in new), default=0.0),
        trainings_cpu_s=sum(demand.cpu_s for demand in new),
        replays_s=sum(replay_s[point.training] for point in points),
        study_s=_STUDY_S + _REPORT_S * len(plan.points) if points or jobs else 0.0,
        trainings_bytes=sum(demand.disk_bytes + kept * demand.weights_bytes for demand in new),
        study_bytes=rows_bytes + _FIGURES_BYTES if points else 0.0,
        memory_bytes=max((demand.memory_bytes for demand in new), default=0),
    )


def _free_bytes(folder: Path) -> int:
    """Return what the disk has left on which `folder` lies, or will lie."""
    places = (folder.absolute(), *folder.absolute().parents)
    return shutil.disk_usage(next(place for place in places if place.exists())).free


def _recorded_s(cache: Path, key: str) -> float:
    """Return the seconds of a replay of the training `key` on record; 0 for one that cannot be read."""
    try:
        return _TRANSFER_S * float(load(folder_of(cache, key)).summary["transfers"])
    except BadInput:
        return 0.0


def _row_bytes(point: Point) -> float:
    """Return the bytes of a point in its own file, in tables and in the summary."""
    scenario = point.scenario
    evaluations = 1 + scenario.protocol.rounds // scenario.evaluation.every_rounds
    return _POINT_BYTES + float(_EVALUATION_BYTES * evaluations)
