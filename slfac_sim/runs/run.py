"""A run from scenario to folder: prepared, simulated and summed up, in this order."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from slfac_sim.effects import Task
from slfac_sim.foundation.errors import BadInput
from slfac_sim.hosts.names import device_names
from slfac_sim.learning.datasets import Report
from slfac_sim.learning.facts import learnt_in
from slfac_sim.learning.world import World
from slfac_sim.ledger.store import Ledger
from slfac_sim.ledger.summary import HostClock
from slfac_sim.runs.callbacks import NOBODY, Audience, Trackers
from slfac_sim.runs.checkpoints import Begun, Checkpoints, forget, versions_of
from slfac_sim.runs.folder import RunFolder, check_place, make_folder
from slfac_sim.runs.opening import ready
from slfac_sim.runs.starting import set_threads
from slfac_sim.runs.watching import Ended, Watcher
from slfac_sim.runs.weights import keep_weights
from slfac_sim.scenario.own_plugins import keep_plugins
from slfac_sim.scenario.schema import Scenario
from slfac_sim.simulation.invariants import strictly
from slfac_sim.simulation.observer import observed_by
from slfac_sim.simulation.replay_log import ReplayLog
from slfac_sim.simulation.simulate import OnNote, Simulation


@dataclass(frozen=True)
class Prepared:
    """A run that is ready to go: everything that a user could have got wrong has been tried."""

    world: World
    folder: Path
    clock: HostClock
    notes: Sequence[str] = ()

    @property
    def scenario(self) -> Scenario:
        """What is run."""
        return self.world.scenario

    @property
    def data(self) -> dict[str, Any]:
        """What the summary says of the data."""
        data = self.world.data
        return {
            "name": data.name,
            "real": data.real,
            "mean": list(data.mean),
            "std": list(data.std),
            "class_names": list(data.class_names),
            "sha256": data.sha256,
        }


def carry_out(
    scenario: Scenario,
    watcher: Watcher,
    out: Path | None = None,
    threads: int | None = None,
    checkpoint_every: int | None = None,
    strict: bool = False,
    notes: Sequence[str] = (),
    weights: bool = True,
    trackers: Trackers = NOBODY,
) -> Ended:
    """Prepare and run `scenario`, while `watcher` looks on; see `prepare` and `run`. Raises `BadInput`."""
    if checkpoint_every is not None and checkpoint_every < 0:
        raise BadInput(f"--checkpoint-every {checkpoint_every}: must be at least 0")
    audience = Audience(trackers.open(), watcher.note)
    prepared = prepare(scenario, out, threads, watcher.say, notes)
    device_steps, rounds = prepared.world.device_steps, scenario.protocol.rounds
    watcher.begin(prepared.folder, scenario.name, device_steps, rounds)
    on_note, told = watcher.on_note, (trackers, audience)
    return prepared.folder, run(prepared, on_note, checkpoint_every, strict, weights, *told)


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
    return Prepared(world, make_folder(out, scenario.name), clock, notes)


def run(
    prepared: Prepared,
    on_note: OnNote = lambda table, row: None,
    checkpoint_every: int | None = None,
    strict: bool = False,
    weights: bool = True,
    trackers: Trackers = NOBODY,
    audience: Audience | None = None,
) -> dict[str, Any]:
    """Simulate, and return the summary, which lies in the folder with ledger and log.

    Ctrl-C and a stalled protocol end the run early; the summary's `status` is then `interrupted` or
    `failed`, its `reason` says why, and what was recorded is kept. `resume` goes on with such a run, and
    with one that was killed, from the last checkpoint: one is written every `checkpoint_every` rounds (0:
    never; None: as often as it takes less than 2 % of the time). `strict` checks the `invariants` live. The
    trained model is kept in the folder if its `weights` are wanted. The `audience`, which `trackers` has
    opened, is told how it goes on; `resume` opens it again.
    """
    scenario, world, threads = prepared.scenario, prepared.world, prepared.clock.threads
    versions = versions_of(scenario)
    begun = Begun(
        threads,
        checkpoint_every,
        strict,
        versions,
        world.data.sha256,
        weights=weights,
        logs=trackers.logs,
        callbacks=[str(name) for name in trackers.names],
    )
    audience = audience or Audience([], lambda sentence: None)
    with RunFolder.open(prepared.folder) as folder:
        folder.learnt = learnt_in(world)
        keep_plugins(folder.path, [scenario, trackers.names])
        begun.write(folder.path)
        with (
            audience.told_of(folder, scenario),
            folder.fill(scenario, prepared.data, prepared.clock, prepared.notes) as ledger,
        ):
            report = folder.report(ledger, audience.beside(on_note))
            learn(world, scenario.protocol.run(world), begun, folder, ledger, report)
    forget(folder)
    return folder.summary


def learn(
    world: World, protocol: Task, begun: Begun, folder: RunFolder, ledger: Ledger, on_note: OnNote
) -> None:
    """Play `protocol` in simulated time and write `ledger`; checkpoints of `world` go into `folder`."""
    scenario = world.scenario
    checkpoints = Checkpoints(folder, begun.every)
    log = ReplayLog(device_names(scenario.devices.count), ledger.append)
    laws = folder.extra if begun.strict else None
    with strictly(scenario, ledger, observed_by(log, protocol), laws) as (scenario, task, ledger):
        simulation = Simulation(scenario, ledger, on_note)
        world.models.chooses_best = begun.weights
        world.when_kept = lambda round_number: checkpoints.keep(round_number, world, simulation.under_way())
        simulation.play(task)
    if begun.weights:
        folder.extra["weights"] = keep_weights(folder.path, world)
