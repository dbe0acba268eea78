"""A run from scenario to folder: what is prepared, simulated and summed up, in this order."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from logging import Logger
from pathlib import Path
from typing import Any

from slfac_sim.effects import Task
from slfac_sim.hosts.names import device_names
from slfac_sim.learning.datasets import Report
from slfac_sim.learning.world import World
from slfac_sim.ledger.store import FileLedger, Ledger
from slfac_sim.ledger.summary import HostClock
from slfac_sim.network import Survey
from slfac_sim.runs.checkpoints import Begun, Checkpoints, forget, versions_of
from slfac_sim.runs.folder import Account, check_air, check_place, fill, make_folder
from slfac_sim.runs.opening import build
from slfac_sim.runs.starting import set_threads
from slfac_sim.scenario.schema import Scenario
from slfac_sim.simulation.invariants import strictly
from slfac_sim.simulation.observer import observed_by
from slfac_sim.simulation.replay_log import ReplayLog
from slfac_sim.simulation.simulate import OnNote, Simulation


@dataclass(frozen=True)
class Prepared:
    """A run that is ready to go: everything that a user could have got wrong has been tried."""

    scenario: Scenario
    world: World
    folder: Path
    clock: HostClock
    notes: Sequence[str] = ()


def prepare(
    scenario: Scenario,
    out: Path | None = None,
    threads: int | None = None,
    report: Report | None = None,
    notes: Sequence[str] = (),
) -> Prepared:
    """Build the world, survey the air and make the run folder: `out`, or one under ``runs/``.

    `notes` are what was said while the scenario was read; they go into the log.

    Raises `BadInput`, and then leaves nothing behind.
    """
    clock = HostClock(set_threads(threads))
    check_place(out)
    world, _ = ready(scenario, report)
    return Prepared(world.scenario, world, make_folder(out, scenario.name), clock, notes)


def ready(scenario: Scenario, report: Report | None = None) -> tuple[World, Survey]:
    """Return the world of `scenario` and its air: everything that a user could have got wrong is tried.

    `check` and `run` refuse the same scenarios, because both ask here. Raises `BadInput`.
    """
    world = build(scenario, report)
    return world, check_air(world.scenario)


def run(
    prepared: Prepared,
    on_note: OnNote = lambda table, row: None,
    checkpoint_every: int | None = None,
    strict: bool = False,
) -> dict[str, Any]:
    """Simulate, and return the summary, which lies in the folder with ledger and log.

    Ctrl-C and a stalled protocol end the run early; the summary's `status` is then `interrupted` or
    `failed`, its `reason` says why, and what was recorded is kept. `resuming` goes on with such a run, and
    with one that was killed, from the last checkpoint: one is written every `checkpoint_every` rounds (0:
    never; None: as often as it takes less than 2 % of the time). `strict` checks the `invariants` live.
    """
    scenario, threads = prepared.scenario, prepared.clock.threads
    versions = versions_of(scenario, threads)
    begun = Begun(threads, checkpoint_every, strict, versions, prepared.world.data.sha256)
    return start(prepared, begun, on_note)


def start(
    prepared: Prepared, begun: Begun, on_note: OnNote, open_ledger: Callable[[Path], Any] = FileLedger
) -> dict[str, Any]:
    """Simulate from the beginning, as `begun` says; see `run`."""
    return conduct(
        prepared, begun, lambda _: prepared.scenario.protocol.run(prepared.world), on_note, open_ledger
    )


def conduct(
    prepared: Prepared,
    begun: Begun,
    protocol_on: Callable[[Any], Task],
    on_note: OnNote,
    open_ledger: Callable[[Path], Any] = FileLedger,
    logged: int = -1,
) -> dict[str, Any]:
    """Play the protocol that `protocol_on(ledger)` returns, fill the folder, and return the summary.

    The ledger is opened by `open_ledger`; evaluations up to round `logged` are in the log already.
    """
    scenario, world = prepared.scenario, prepared.world
    extra: dict[str, Any] = {"resumed": begun.resumed} if begun.resumed else {}

    def play(ledger: Ledger, heard: OnNote, log: Logger) -> None:
        checkpoints = Checkpoints(prepared.folder, begun.every, log)
        _learn(prepared, protocol_on(ledger), checkpoints, begun.strict, ledger, heard, extra)

    data = {"name": world.data.name, "real": world.data.real, "sha256": world.data.sha256}
    account = Account(scenario, data, prepared.clock, extra, logged, prepared.notes)
    summary = fill(prepared.folder, account, play, on_note, open_ledger, lambda: begun.write(prepared.folder))
    if summary["status"] == "finished":
        forget(prepared.folder)
    return summary


def _learn(
    prepared: Prepared,
    protocol: Task,
    checkpoints: Checkpoints,
    strict: bool,
    ledger: Ledger,
    heard: OnNote,
    extra: dict[str, Any],
) -> None:
    """Play `protocol` and keep `checkpoints`; `extra` takes what `strict` has checked."""
    scenario, world = prepared.scenario, prepared.world
    task = observed_by(ReplayLog(device_names(scenario.devices.count), ledger.append), protocol)
    try:
        with strictly(scenario, ledger, task, extra, strict) as (watched, told, book):
            simulation = Simulation(watched, book, heard)
            world.when_kept = lambda number: checkpoints.keep(number, world, simulation.under_way())
            simulation.play(told)
    finally:
        ledger.stop()
