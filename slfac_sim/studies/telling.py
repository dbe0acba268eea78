"""A point of a study told to callbacks: as the run that it stands for, when it has been replayed."""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Any

from slfac_sim.foundation.errors import BadInput
from slfac_sim.ledger.measured import Series
from slfac_sim.ledger.store import Ledger
from slfac_sim.runs.callbacks import Audience, Start, Trackers, in_public
from slfac_sim.scenario.plain import plain
from slfac_sim.studies.plan import Point

_TABLES = ("staleness", "steps", "misses", "evals", "rounds")  # in this order at one instant

Note = tuple[str, dict[str, Any]]


@dataclass(frozen=True)
class Told:
    """What is to be told of a point: its `notes` in order and `summary`, and what was `said` of callbacks."""

    notes: Sequence[Note]
    summary: Mapping[str, Any]
    said: Sequence[str]


def told_of(
    point: Point, notes: Sequence[Note], summary: Mapping[str, Any], trackers: Trackers, folder: Path
) -> Told:
    """Tell callbacks by name of `point`, by its `notes`; logs are for who has the `folder`."""
    said: list[str] = []
    try:
        callbacks = Trackers(names=trackers.names).open()
    except BadInput as error:
        callbacks, said = [], [str(error)]
    tell(Audience(callbacks, said.append), point, folder, notes, summary)
    return Told(notes, summary, said)


def tell(
    audience: Audience, point: Point, folder: Path, notes: Sequence[Note], summary: Mapping[str, Any]
) -> None:
    """Tell `audience` of a point of the study in `folder`, from its start to its end."""
    scenario = point.scenario
    audience.begin(
        Start(folder, plain(scenario), scenario.protocol.rounds, key=point.key, axes=dict(point.axes))
    )
    for table, row in notes:
        audience.note(table, row)
    audience.end(summary)


def notes_of(rows: Ledger, series: Series) -> list[Note]:
    """Return what callbacks are told of a run with these `rows` and metrics, in the order of time."""
    sent = rows.tuples("transfers", ("end_s", "payload_bytes", "outcome"))
    arrived = sorted((end_s, nbytes) for end_s, nbytes, outcome in sent if outcome == "delivered")
    times, sums = [end_s for end_s, _ in arrived], [0, *accumulate(nbytes for _, nbytes in arrived)]
    notes = [(table, dict(row)) for table in _TABLES for row in rows.rows(table)]
    evaluations = [row for table, row in notes if table == "evals"]
    for name, values in series.items():
        for row, value in zip(evaluations, values, strict=True):
            row[name] = value
    whole = [
        (table, {"payload_bytes": sums[bisect_right(times, row["at_s"])], **in_public(table, row)})
        for table, row in notes
    ]
    return sorted(whole, key=lambda note: note[1]["at_s"])  # stable: tables stay in their order
