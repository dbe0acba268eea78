"""Going on with a run that was interrupted or killed, so that it ends as if nothing had happened.

The clock is rebuilt by playing the record again up to the last checkpoint, on the same air and the same
speeds, which takes no learning; every row must come out as it is on record. From there on it learns. The
state of what learns comes from the checkpoint, that of the clock from having been there.
"""

import dataclasses
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from slfac_sim.effects import Task
from slfac_sim.foundation.errors import BadInput
from slfac_sim.hosts.names import device_names
from slfac_sim.learning.datasets import Report
from slfac_sim.learning.facts import learnt_in
from slfac_sim.learning.world import World
from slfac_sim.ledger.continued import ContinuedLedger
from slfac_sim.ledger.folder import LEDGER, SCENARIO, SUMMARY
from slfac_sim.ledger.folder import load as load_run
from slfac_sim.ledger.places import expected_run
from slfac_sim.ledger.reader import LedgerReader
from slfac_sim.ledger.store import FileLedger
from slfac_sim.ledger.summary import HostClock
from slfac_sim.ledger.tables import TABLES
from slfac_sim.runs.callbacks import Audience, trackers_of
from slfac_sim.runs.checkpoints import NAMED, Begun, forget, newest, versions_of
from slfac_sim.runs.folder import RunFolder, check_idle
from slfac_sim.runs.opening import build
from slfac_sim.runs.run import Prepared, learn
from slfac_sim.runs.starting import set_threads
from slfac_sim.runs.watching import Ended, Watcher
from slfac_sim.scenario.files import load
from slfac_sim.scenario.fingerprint import refuse_notebook_classes
from slfac_sim.scenario.own_plugins import places_of
from slfac_sim.scenario.schema import Scenario
from slfac_sim.simulation.replay import Script, follow, script_until
from slfac_sim.simulation.simulate import OnNote, check_air

_JOURNALS = ("-journal", "-wal", "-shm")


@dataclass(frozen=True)
class Resumable:
    """A run that can be gone on with: `rounds` of it are kept, and `script` is what happened in them.

    Without a checkpoint that can be used, `rounds` is 0 and it begins again. `remarks` say what was damaged.
    """

    prepared: Prepared
    begun: Begun
    rounds: int
    script: Script
    remarks: tuple[str, ...]


def finished(folder: Path) -> bool:
    """Say whether the run in `folder` is finished. Raises `BadInput` for what is no run folder."""
    if not (folder / SCENARIO).is_file():
        what = f"no {SCENARIO} in it" if folder.is_dir() else "no such folder"
        raise BadInput(f"{folder}: {what}; {expected_run(folder)}")
    if not (folder / SUMMARY).is_file():
        return False
    return bool(load_run(folder).summary["status"] == "finished")


def prepare_resume(folder: Path, report: Report | None = None) -> Resumable:
    """Build the world of the unfinished run in `folder`, as it was after its last checkpoint.

    Raises `BadInput` where it would not end as the undisturbed run: other versions, an edited scenario. Then,
    and when this is killed, the folder is as it was.
    """
    folder = _followed(folder)
    begun = Begun.read(folder)
    scenario = load(folder / SCENARIO)
    refuse_notebook_classes(scenario, "a run that is resumed")
    check_idle(folder)
    if (folder / SUMMARY).is_file():
        load_run(folder).refuse_altered()
    _refuse_others(folder, scenario, begun)
    clock = HostClock(set_threads(begun.threads))
    check_air(scenario)
    rounds, state, remarks = _last_checkpoint(folder)
    world = build(scenario, report)
    if world.data.sha256 != begun.data:
        raise BadInput(f"{folder}: cannot be resumed: {world.data.source} holds other data than then")
    script = Script({"": []}, {}, {})
    if rounds:
        _restore(world, state, folder, rounds)
        script = script_until(folder / LEDGER, device_names(scenario.devices.count), _seq_of(folder, rounds))
    begun = dataclasses.replace(begun, resumed=begun.resumed + 1)
    return Resumable(Prepared(world, folder, clock), begun, rounds, script, tuple(remarks))


def _followed(folder: Path) -> Path:
    """Return where a link such as ``runs/latest`` leads to now, absolute only if it must be."""
    whole, here = folder.resolve(), Path.cwd()
    return whole if folder.is_absolute() or not whole.is_relative_to(here) else whole.relative_to(here)


def carry_out(folder: Path, watcher: Watcher) -> Ended:
    """Prepare and go on with the run in `folder`, while `watcher` looks on. Raises `BadInput`."""
    begun = Begun.read(folder.resolve())
    trackers = trackers_of(begun.logs, begun.callbacks, places_of(folder.resolve() / SCENARIO))
    audience = Audience(trackers.open(), watcher.note)
    resumable = prepare_resume(folder, watcher.say)
    scenario, there = resumable.prepared.scenario, resumable.prepared.folder
    watcher.begin(there, scenario.name, resumable.prepared.world.device_steps, scenario.protocol.rounds)
    for remark in resumable.remarks:
        watcher.note(remark)
    where = f"after round {resumable.rounds}" if resumable.rounds else "from the beginning: no checkpoint"
    watcher.say(f"resumed {where}")
    return there, resume(resumable, watcher.on_note, watcher.learn, audience)


def resume(
    resumable: Resumable,
    on_note: OnNote = lambda table, row: None,
    on_learning: Callable[[], object] = lambda: None,
    audience: Audience | None = None,
) -> dict[str, Any]:
    """Simulate to the end and return the summary, as `run.run` does; a run that begins again is one.

    `on_learning` is called when what is on record has been played, and from then on the `audience` is told.
    Raises `continued.Differs` where that
    came out otherwise than it was; ledger and checkpoints are then as they were.
    """
    prepared, begun, rounds = resumable.prepared, resumable.begun, resumable.rounds
    audience = audience or Audience([], lambda sentence: None)

    def go_on() -> None:
        audience.listens = True
        on_learning()

    with RunFolder.open(prepared.folder) as folder:
        folder.learnt = learnt_in(prepared.world)
        begun.write(folder.path)
        folder.extra["resumed"] = begun.resumed
        open_ledger = ContinuedLedger if rounds else _anew
        with (
            audience.told_of(folder, prepared.scenario, rounds),
            folder.fill(prepared.scenario, prepared.data, prepared.clock, (), open_ledger) as ledger,
        ):
            report = folder.report(ledger, audience.beside(on_note), logged=rounds or -1)
            learn(prepared.world, _protocol(resumable, ledger, go_on), begun, folder, ledger, report)
    forget(folder)
    return folder.summary


def _protocol(resumable: Resumable, ledger: Any, on_learning: Callable[[], object]) -> Task:
    """Yield what is on record until the checkpoint, if there is one, and go on with learning."""
    if resumable.rounds:
        yield from follow(resumable.script)
        ledger.go_on(resumable.rounds)
        on_learning()
    world = resumable.prepared.world
    return (yield from world.scenario.protocol.run(world))


def _restore(world: World, state: Any, folder: Path, rounds: int) -> None:
    try:
        world.set_state(state)
    except (TypeError, LookupError, ValueError, AttributeError, RuntimeError) as error:
        where = f"{folder}: the checkpoint of round {rounds}"
        raise BadInput(f"{where} is whole, and no state of this scenario ({error})") from error


def _refuse_others(folder: Path, scenario: Scenario, begun: Begun) -> None:
    here, then = versions_of(scenario), begun.versions
    for name in then.keys() - here.keys():
        if name.startswith(NAMED):
            setting, _, file = name.removeprefix(NAMED).partition(": ")
            why = "cannot be read (No such file or directory)"
            raise BadInput(f"{file}: {why}; it is {setting} of the run in {folder}")
    others = [name for name in sorted(here.keys() | then.keys()) if here.get(name) != then.get(name)]
    if others:
        pairs = "; ".join(f"{name}: {then.get(name)} then, {here.get(name)} now" for name in others)
        raise BadInput(f"{folder}: cannot be resumed, since it would not be the same run ({pairs})")


def _last_checkpoint(folder: Path) -> tuple[int, Any, list[str]]:
    """Return the newest round that checkpoint and ledger both have, its state, and what was found damaged."""
    try:
        rounds = _rounds_on_record(folder / LEDGER)
    except sqlite3.Error as error:
        return 0, None, [f"{folder / LEDGER}: cannot be read ({error})"]
    return newest(folder, rounds)


def _rounds_on_record(path: Path) -> int:
    """Return how many rounds the ledger holds; a commit that a kill cut short is taken back."""
    if not path.is_file():
        return 0
    with closing(sqlite3.connect(path)) as db:
        ((verdict,), *_) = db.execute("PRAGMA quick_check(1)")
        if verdict != "ok":
            raise sqlite3.DatabaseError(verdict)
        there = {name for (name,) in db.execute("SELECT name FROM sqlite_master")}
        if not TABLES.keys() <= there:
            raise sqlite3.DatabaseError(f"no table {', '.join(sorted(TABLES.keys() - there))}")
        ((rounds,),) = db.execute("SELECT coalesce(max(round), 0) FROM rounds WHERE task = ''")
    return int(rounds)


def _seq_of(folder: Path, round_number: int) -> int:
    """Return the number of the root's effect that ended round `round_number`."""
    ledger = LedgerReader(folder / LEDGER)
    ((seq,),) = ledger.tuples("rounds", ("seq",), "round = ? AND task = ''", (round_number,))
    return int(seq)


def _anew(path: Path) -> FileLedger:
    """Return a new ledger in the file `path`, in the place of one that cannot be gone on with."""
    for end in ("", *_JOURNALS):
        path.with_name(f"{path.name}{end}").unlink(missing_ok=True)
    return FileLedger(path)
