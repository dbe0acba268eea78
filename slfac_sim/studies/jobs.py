"""The jobs of a study, as functions of their arguments that any process may run.

Torch is imported by those that need it. They know neither pools nor clusters nor the study's folder.
"""

import functools
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from slfac_sim.analysis.attribution import attribute
from slfac_sim.analysis.bounds import bounds
from slfac_sim.analysis.studies.study import WIRE
from slfac_sim.analysis.wired import wired_bytes
from slfac_sim.ledger.measured import Series, measured
from slfac_sim.ledger.store import Ledger
from slfac_sim.ledger.summary import summary_of
from slfac_sim.ledger.tables import MEASURED, TABLES
from slfac_sim.runs.callbacks import NOBODY, Trackers
from slfac_sim.runs.replay import Finished, Record, load_training, timed
from slfac_sim.scenario.schema import Scenario
from slfac_sim.simulation.simulate import survey_of
from slfac_sim.studies.plan import Point
from slfac_sim.studies.telling import notes_of, told_of

CURVE = ("round", "at_s", "accuracy", "accuracy_no_codec", "loss", "payload_bytes")
_SUMMED_UP = (
    *("label", "simulated_s", "rounds", "transfers", "lost", "missed", "bytes", "bits_per_value"),
    "handovers",
    *("energy_j", "energy", "wire_bytes", "digest"),
)
TOLD = "told"
"""Where a row has what is to be told of its point, before it is written."""
_RECORDS_KEPT = 2  # points come training by training
_REPLAY_S = 0.02  # of a replay, whatever was sent


@dataclass(frozen=True)
class Demand:
    """What a training takes of a host: bytes at its peak and on disk, seconds; and the seconds of a replay.

    `cpu_s` are those of all threads, `weights_bytes` those of the trained model, where it is kept.
    """

    memory_bytes: int
    disk_bytes: int
    weights_bytes: int
    host_s: float
    cpu_s: float
    replay_s: float


@dataclass(frozen=True)
class Forecast:
    """Build the world of `scenario` and say what its training will take of the host."""

    key: str
    scenario: Scenario
    threads: int


@dataclass(frozen=True)
class Train:
    """Run the training `key`; the trained model is kept with it if its `weights` are wanted."""

    key: str
    scenario: Scenario
    threads: int
    weights: bool = False


@dataclass(frozen=True)
class Replay:
    """Replay the training of `point` under the point's scenario and return its row.

    Where there are `trackers`, callbacks are told of it there, and the row has what was `told`.
    """

    point: Point
    trackers: Trackers = NOBODY
    folder: Path = Path()

    @property
    def key(self) -> str:
        """The point's key."""
        return self.point.key


Job = Forecast | Train | Replay


def demand(job: Forecast) -> Demand:
    """Return the forecast of what a training takes of this host.

    Raises `BadInput` for an air that cannot be, and for what only building the world can find: a cut that the
    model lacks, missing data.
    """
    from slfac_sim.forecast.host import host_time
    from slfac_sim.forecast.host_bytes import disk_of, memory_of, weights_of
    from slfac_sim.runs.opening import build
    from slfac_sim.runs.starting import set_threads

    set_threads(job.threads)
    began_s = time.process_time()
    world = build(job.scenario)
    survey_of(world.scenario)
    taken = host_time(world, time.process_time() - began_s)
    return Demand(
        memory_of(world),
        disk_of(world),
        weights_of(world),
        taken.seconds,
        taken.cpu_s,
        _REPLAY_S + taken.parts_s["simulator"],
    )


@functools.lru_cache(_RECORDS_KEPT)
def record_in(folder: Path, chosen: bool) -> Record | Finished:
    """Return the training in `folder`, kept for the next points of the same one; as `load_training`."""
    return load_training(folder, chosen)


def replayed(record: Record | Finished, job: Replay) -> dict[str, Any]:
    """Return the finished row of a point, which replays `record` or is it. Raises `BadInput` or `Stalled`."""
    point = job.point
    rows = timed(record, point.scenario)
    series = measured(rows)
    summary = summary_of(point.scenario, record.summary["data"], rows, {}, "finished", "", series)
    tables = {table: rows.rows(table) for table in TABLES if table not in ("payloads", *MEASURED)}
    told = {}
    if job.trackers != NOBODY:
        told[TOLD] = told_of(point, notes_of(rows, series), summary, job.trackers, job.folder)
    return {
        **head(point, "finished", ""),
        **{name: summary[name] for name in _SUMMED_UP},
        "curve": {**_curve(rows, series), **_wired(tables)},
        **_attributed(tables),
        **told,
    }


def head(point: Point, status: str, reason: str) -> dict[str, Any]:
    """Return what every row says, a failed one too."""
    seed = point.scenario.seed
    return {
        "key": point.key,
        "training": point.training,
        "axes": dict(point.axes),
        "values": dict(point.values),
        "seed": {"learning": seed.learning, "air": seed.air},
        "air_draw": point.air_draw,
        "status": status,
        "reason": reason,
    }


def _curve(rows: Ledger, series: Series) -> dict[str, list[Any]]:
    """Return the evaluations with every metric, and the joules of devices if the record has them."""
    curve: dict[str, list[Any]] = {name: [row[0] for row in rows.tuples("evals", (name,))] for name in CURVE}
    curve |= {name: list(values) for name, values in series.items() if name not in curve}
    devices_j = [row[0] for row in rows.tuples("spent", ("devices_j",))]
    return curve | ({"devices_j": devices_j} if len(devices_j) == len(curve["round"]) else {})


def _wired(tables: Mapping[str, Sequence[Mapping[str, Any]]]) -> dict[str, list[int]]:
    """Return the bytes that had crossed each wire by each evaluation; none without wires."""
    crossed = wired_bytes(tables, [row["at_s"] for row in tables["evals"]])
    return {f"{WIRE}{name}": nbytes for name, nbytes in crossed.items()}


def _attributed(tables: Mapping[str, Sequence[Mapping[str, Any]]]) -> dict[str, Any]:
    attribution = attribute(tables)
    return {
        "parts_s": dict(attribution.parts_s),
        "bounds_s": _bounds(tables),
        "straggler": dict(attribution.straggler),
    }


def _bounds(tables: Mapping[str, Sequence[Mapping[str, Any]]]) -> dict[str, float]:
    """Return the lower bounds of the time; none where timing steered the run."""
    try:
        return dict(bounds(tables))
    except ValueError:
        return {}
