"""Verification: a finished run is done again, with learning, and every row is compared with its record.

It changes nothing in the run folder.
"""

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Any

from slfac_sim.foundation.errors import BadInput
from slfac_sim.learning.datasets import Report
from slfac_sim.ledger.continued import difference
from slfac_sim.ledger.folder import LEDGER, SCENARIO, SUMMARY, Run
from slfac_sim.ledger.folder import load as load_run
from slfac_sim.ledger.reader import LedgerReader
from slfac_sim.ledger.tables import DIGESTED, MEASURED, MOVES, TABLES
from slfac_sim.runs.run import Prepared, prepare, run
from slfac_sim.runs.weights import weights_of
from slfac_sim.scenario.files import load
from slfac_sim.simulation.simulate import OnNote

_VERSIONS = ("python", "torch", "numpy", "simpy")


@dataclass(frozen=True)
class Verifiable:
    """A finished run, and the one that will be compared with it, which is ready to go in a folder of its own.

    `others` are versions that were others then, as ``torch: 2.12.0 then, 2.13.0 now``.
    """

    folder: Path
    summary: Mapping[str, Any]
    prepared: Prepared
    others: tuple[str, ...]


@dataclass(frozen=True)
class Verdict:
    """Whether it came out the same; `differences` name the first row that did not, of each table."""

    digest: str
    recorded: str
    differences: tuple[str, ...]

    @property
    def equal(self) -> bool:
        """Whether digest and rows are equal."""
        return self.digest == self.recorded and not self.differences


@contextmanager
def prepare_verify(folder: Path, report: Report | None = None) -> Iterator[Verifiable]:
    """Read the run in `folder`, build its world anew and give both; the second folder goes with the block.

    Raises `BadInput` for what cannot be verified.
    """
    recorded = load_run(folder)
    threads = _threads_of(recorded)
    scenario = load(recorded.folder / SCENARIO)
    with tempfile.TemporaryDirectory(prefix="slfac_sim-verify-") as there:
        prepared = prepare(scenario, Path(there) / "again", threads, report)
        then, now = recorded.summary["host"], prepared.clock.spent()
        others = [name for name in _VERSIONS if then.get(name) != now[name]]
        pairs = tuple(f"{name}: {then.get(name)} then, {now[name]} now" for name in others)
        yield Verifiable(recorded.folder, recorded.summary, prepared, pairs)


def _threads_of(recorded: Run) -> int:
    """Return how many threads a run had. Raises `BadInput` unless it can be verified."""
    folder, summary = recorded.folder, recorded.summary
    if summary["status"] != "finished":
        raise BadInput(f"{folder}: the run is {summary['status']}; only a finished one can be verified")
    if "replay_of" in summary:
        digest = str(summary["replay_of"])[:16]
        raise BadInput(
            f"{folder}: it is a replay, which learnt nothing; verify the run that it is of, {digest}"
        )
    host = summary.get("host")
    if "digest" not in summary or not isinstance(host, dict) or type(host.get("threads")) is not int:
        raise BadInput(
            f"{folder}: its summary has no digest, or does not tell the threads: nothing to compare"
        )
    return int(host["threads"])


def verify(verifiable: Verifiable, on_note: OnNote = lambda table, row: None) -> Verdict:
    """Do the run again and compare it. Raises `BadInput` if the record cannot be read."""
    again = verifiable.prepared.folder
    kept = "weights" in verifiable.summary
    summary = run(verifiable.prepared, on_note, checkpoint_every=0, weights=kept)
    if summary["status"] == "interrupted":
        raise KeyboardInterrupt
    differences = (
        *_differences(LedgerReader(verifiable.folder / LEDGER), LedgerReader(again / LEDGER)),
        *_told_otherwise(verifiable.summary, summary),
        *_altered_weights(verifiable),
    )
    return Verdict(summary["digest"], verifiable.summary["digest"], differences)


def _told_otherwise(record: Mapping[str, Any], again: Mapping[str, Any]) -> Iterator[str]:
    """Yield every figure of the summary that is another now; the digest and the host's are told elsewhere."""
    for key in (key for key in again if key not in ("host", "digest")):
        if record.get(key) != again[key]:
            yield f"{SUMMARY}, {key}: {record.get(key)!r} on record, {again[key]!r} now"


def _altered_weights(verifiable: Verifiable) -> Iterator[str]:
    """Yield what is wrong with the files of weights, which are to be as the summary says."""
    recorded = Run(verifiable.folder, verifiable.summary)
    for name in verifiable.summary.get("weights", {}):
        try:
            weights_of(recorded, name)
        except BadInput as fault:
            yield str(fault)


def _differences(record: LedgerReader, again: LedgerReader) -> Iterator[str]:
    """Yield the first difference of each table of what happened, was counted, and of how devices moved."""
    known = record.tables()
    for table in (*DIGESTED, *(table for table in MEASURED | MOVES if table in known)):
        names = list(TABLES[table])
        recorded = record.tuples(table, names) if table in known else ()
        pairs = zip_longest(recorded, again.tuples(table, names))
        for number, (there, here) in enumerate(pairs):
            if there != here:
                yield difference(table, number, there, here)
                break
