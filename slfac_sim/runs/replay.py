"""A finished run as a record of what learning did, to be played again on another network. No torch here.

A replay is exact where timing does not steer learning; anything else is refused, with the reason.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from slfac_sim.effects import Task
from slfac_sim.foundation.errors import BadInput
from slfac_sim.foundation.host import no_collection
from slfac_sim.hosts.names import device_names
from slfac_sim.ledger.folder import LEDGER, SCENARIO, Run
from slfac_sim.ledger.folder import load as load_run
from slfac_sim.ledger.reader import LedgerReader
from slfac_sim.ledger.store import Ledger, MemoryLedger
from slfac_sim.ledger.summary import HostClock
from slfac_sim.ledger.tables import TABLES
from slfac_sim.runs.folder import RunFolder, check_place, make_folder
from slfac_sim.runs.watching import Ended, Watcher
from slfac_sim.scenario.files import changed, load
from slfac_sim.scenario.fingerprint import READ_AFTERWARDS, invisible_in, visible_differences
from slfac_sim.scenario.schema import Scenario
from slfac_sim.scenario.steering import cut_is_open, steered
from slfac_sim.simulation.invariants import strictly
from slfac_sim.simulation.replay import Script, TimingSteered, follow, script_of
from slfac_sim.simulation.simulate import OnNote, check_air, simulate


@dataclass(frozen=True)
class Record:
    """A finished run, read once: its scenario, its summary, and the effects of its protocol."""

    folder: Path
    scenario: Scenario
    summary: Mapping[str, Any]
    script: Script

    @classmethod
    def load(cls, folder: Path) -> "Record":
        """Return the record in the run folder `folder`.

        Raises `BadInput` for anything but a finished, undamaged run in which timing steered nothing.
        """
        run = _finished(folder)
        scenario = load(run.folder / SCENARIO)
        _refuse_steered(folder, scenario)
        return cls(run.folder, scenario, run.summary, _script(run.folder, scenario, run.summary))

    def protocol(self) -> Task:
        """Return the recorded protocol, to be played once."""
        return follow(self.script)

    @property
    def device_steps(self) -> int:
        """How many mini-batches all devices together went through."""
        return self.script.counts["steps"]


@dataclass(frozen=True)
class Finished:
    """A finished run in which timing steered learning: it stands for its own scenario and no other.

    `rows` are those of its ledger.
    """

    folder: Path
    scenario: Scenario
    summary: Mapping[str, Any]
    rows: MemoryLedger


def load_training(folder: Path, chosen: bool = False) -> Record | Finished:
    """Return the run in `folder`, to be timed under other scenarios if that can be. Raises `BadInput`.

    It cannot if the clock has `chosen` where the model is cut, which the run's own scenario does not tell.
    """
    scenario = load(folder / SCENARIO)
    if steered(scenario) is None and not chosen:
        return Record.load(folder)
    run = _finished(folder)
    return Finished(run.folder, scenario, run.summary, _rows_in(run.folder))


def timed(training: Record | Finished, scenario: Scenario) -> MemoryLedger:
    """Return the rows that a live run of `scenario` would have left. Raises as `retime` does."""
    if isinstance(training, Finished):
        chosen = ("cut",) if cut_is_open(scenario) else ()  # by the training, for the very same clock
        differences = visible_differences(training.scenario, scenario, (*READ_AFTERWARDS, *chosen))
        if differences:
            reason = f"{steered(scenario)}, and it ran otherwise: {'; '.join(differences)}"
            raise BadInput(f"{training.folder}: {reason}")
        return training.rows
    rows = MemoryLedger()
    retime(training, scenario, rows)
    return rows


def _rows_in(folder: Path) -> MemoryLedger:
    """Return the rows of the ledger of the run in `folder`."""
    recorded, rows = LedgerReader(folder / LEDGER), MemoryLedger()
    there = recorded.tables()
    for table in (table for table in TABLES if table in there):
        for row in recorded.tuples(table, [name for name in TABLES[table] if name != "id"]):
            rows.append(table, row)
    return rows


def replayed_scenario(
    record: Record,
    overrides: Sequence[str],
    seed: int | None = None,
    report: Callable[[str], None] = lambda sentence: None,
) -> Scenario:
    """Return the record's scenario with `overrides` applied, and `seed.air` set to `seed`.

    `report` is told of settings that an override drops. Raises `BadInput` with all
    faults, or for settings that learning sees.
    """
    seeds = () if seed is None else (f"seed.air={seed}",)
    source = str(record.folder / SCENARIO)
    scenario = changed(record.scenario, source, [*seeds, *overrides], report)
    _refuse_visible(record, scenario)
    return scenario


def retime(
    record: Record,
    scenario: Scenario,
    ledger: Ledger,
    on_note: OnNote = lambda table, row: None,
    laws: dict[str, Any] | None = None,
) -> float:
    """Play `record` on the network, the speeds and the server of `scenario`; return the simulated seconds.

    `ledger` then holds what a live run of `scenario` would have written. Raises `BadInput` where learning
    would have seen the difference, and `simulated.Stalled` where a live run would. With `laws` the
    `invariants` are checked, and it is given what came of that.
    """
    _refuse_visible(record, scenario)
    with strictly(scenario, ledger, record.protocol(), laws) as watched, no_collection():
        seconds = simulate(*watched, on_note)
    for table, rows in record.script.sums.items():
        for row in rows:
            ledger.append(table, row)
    return seconds


@dataclass(frozen=True)
class PreparedReplay:
    """A replay that is ready to go: everything that a user could have got wrong has been tried."""

    record: Record
    scenario: Scenario
    folder: Path
    clock: HostClock
    notes: Sequence[str] = ()


def prepare_replay(
    folder: Path, overrides: Sequence[str], seed: int | None = None, out: Path | None = None
) -> PreparedReplay:
    """Read the record in `folder` and make the folder of its replay: `out`, or one under ``runs/``.

    Raises `BadInput`, and then leaves nothing behind.
    """
    clock = HostClock(threads=1)
    check_place(out)
    record = Record.load(folder)
    notes: list[str] = []
    scenario = replayed_scenario(record, overrides, seed, notes.append)
    check_air(scenario)
    return PreparedReplay(record, scenario, make_folder(out, scenario.name), clock, notes)


def carry_out(
    folder: Path,
    overrides: Sequence[str],
    watcher: Watcher,
    seed: int | None = None,
    out: Path | None = None,
    strict: bool = False,
) -> Ended:
    """Prepare and play a replay, while `watcher` looks on; see `prepare_replay`. Raises `BadInput`."""
    prepared = prepare_replay(folder, overrides, seed, out)
    for sentence in prepared.notes:
        watcher.note(sentence)
    record = prepared.record
    rounds = record.scenario.protocol.rounds
    watcher.begin(prepared.folder, prepared.scenario.name, record.device_steps, rounds)
    return prepared.folder, replay(prepared, watcher.on_note, strict)


def replay(
    prepared: PreparedReplay, on_note: OnNote = lambda table, row: None, strict: bool = False
) -> dict[str, Any]:
    """Play the record, and return the summary, which lies in the folder with everything that a run leaves.

    `strict` checks the `invariants` live.
    """
    record, scenario = prepared.record, prepared.scenario
    with RunFolder.open(prepared.folder) as folder:
        folder.extra["replay_of"] = record.summary["digest"]
        with folder.fill(scenario, record.summary["data"], prepared.clock, prepared.notes) as ledger:
            laws = folder.extra if strict else None
            retime(record, scenario, ledger, folder.report(ledger, on_note), laws)
    return folder.summary


def _finished(folder: Path) -> Run:
    """Return the run in `folder`. Raises `BadInput` for one that is damaged or did not finish."""
    run = load_run(folder)
    if run.summary["status"] != "finished":
        what = f"{run.summary['status']} ({run.summary.get('reason', '')})"
        raise BadInput(f"{folder}: the run is {what}; only a finished one can be replayed")
    if not isinstance(run.summary.get("data"), dict):
        raise BadInput(
            f"{folder}: data: found {run.summary.get('data')!r} in the summary, expected an object"
        )
    run.refuse_altered()
    return run


def _refuse_steered(folder: Path, scenario: Scenario) -> None:
    """Raise `BadInput` where timing steers learning, or could."""
    reason = steered(scenario)
    if reason is not None:
        raise BadInput(
            f"{folder}: {reason}; on another clock it would learn otherwise, so it cannot be replayed:"
            " run it there"
        )


def _refuse_visible(record: Record, scenario: Scenario) -> None:
    differences = visible_differences(record.scenario, scenario)
    if differences:
        raise BadInput(
            f"{record.folder}: learning sees {'; '.join(differences)}. A replay can change"
            f" {', '.join(invisible_in(record.scenario))} alone; run the scenario instead"
        )
    reason = steered(scenario)
    if reason is not None:
        raise BadInput(f"{record.folder}: {reason}; there it would learn otherwise: run the scenario instead")


def _script(folder: Path, scenario: Scenario, summary: Mapping[str, Any]) -> Script:
    path = folder / LEDGER
    try:
        script = script_of(path, device_names(scenario.devices.count))
    except TimingSteered as fault:
        raise BadInput(f"{path}: {fault}; on another clock it would learn otherwise") from fault
    except BadInput:
        raise
    except (ValueError, LookupError) as error:  # rows that no protocol can have asked for
        raise BadInput(f"{path}: damaged: its rows make no protocol ({error})") from error
    for name in ("transfers", "rounds"):
        if script.counts[name] != summary.get(name):
            counts = f"{script.counts[name]} {name}, and {summary.get(name)} in the summary"
            raise BadInput(f"{path}: damaged: {counts}")
    return script
