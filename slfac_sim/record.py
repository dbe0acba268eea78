"""A finished run as a record of what learning did, to be played again on another network. No torch here.

A replay is exact where timing does not steer learning; anything else is refused, with the reason.
"""

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from slfac_sim.analysis.folder import LEDGER
from slfac_sim.analysis.folder import load as load_run
from slfac_sim.effects import Task
from slfac_sim.folders import Account, check_air, check_place, fill, make_folder
from slfac_sim.foundation.errors import BadInput
from slfac_sim.foundation.plugins import kind_of
from slfac_sim.identity import INVISIBLE, visible_differences
from slfac_sim.ledger import Book, Ledger
from slfac_sim.names import device_names
from slfac_sim.players.replay import Script, TimingSteered, follow, script_of
from slfac_sim.scenario import Scenario
from slfac_sim.scenario_file import dump, load, read
from slfac_sim.simulation import OnNote, simulate
from slfac_sim.summary import HostClock


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
        run = load_run(folder)
        if run.summary["status"] != "finished":
            what = f"{run.summary['status']} ({run.summary.get('reason', '')})"
            raise BadInput(f"{folder}: the run is {what}; only a finished one can be replayed")
        scenario = load(run.folder / "scenario.yaml")
        _refuse_steered(folder, scenario)
        return cls(run.folder, scenario, run.summary, _script(run.folder, scenario, run.summary))

    def protocol(self) -> Task:
        """Return the recorded protocol, to be played once."""
        return follow(self.script)

    @property
    def device_steps(self) -> int:
        """How many mini-batches all devices together went through."""
        return self.script.counts["steps"]


def replayed_scenario(record: Record, overrides: Sequence[str], seed: int | None = None) -> Scenario:
    """Return the record's scenario with `overrides` applied, after `seed.air` was set to `seed`.

    Raises `BadInput` with all faults, or for settings that learning sees.
    """
    seeds = () if seed is None else (f"seed.air={seed}",)
    scenario = read(dump(record.scenario), str(record.folder / "scenario.yaml"), [*seeds, *overrides])
    _refuse_visible(record, scenario)
    return scenario


def retime(
    record: Record, scenario: Scenario, ledger: Book, on_note: OnNote = lambda table, row: None
) -> float:
    """Play `record` on the network, the speeds and the server of `scenario`; return the simulated seconds.

    `ledger` then holds what a live run of `scenario` would have written. Raises `BadInput` where learning
    would have seen the difference, and `players.simulated.Stalled` where a live run would.
    """
    _refuse_visible(record, scenario)
    seconds = simulate(scenario, record.protocol(), ledger, on_note)
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


def prepare_replay(
    folder: Path, overrides: Sequence[str], seed: int | None = None, out: Path | None = None
) -> PreparedReplay:
    """Read the record in `folder` and make the folder of its replay: `out`, or one under ``runs/``.

    Raises `BadInput`, and then leaves nothing behind.
    """
    clock = HostClock(threads=1)
    check_place(out)
    record = Record.load(folder)
    scenario = replayed_scenario(record, overrides, seed)
    check_air(scenario)
    return PreparedReplay(record, scenario, make_folder(out, scenario.name), clock)


def replay(prepared: PreparedReplay, on_note: OnNote = lambda table, row: None) -> dict[str, Any]:
    """Play the record, and return the summary, which lies in the folder with everything that a run leaves."""
    record, scenario = prepared.record, prepared.scenario

    def play(ledger: Ledger, heard: OnNote) -> None:
        retime(record, scenario, ledger, heard)

    extra = {"replay_of": record.summary["digest"]}
    account = Account(scenario, record.summary["data"], prepared.clock, extra)
    return fill(prepared.folder, account, play, on_note)


def _refuse_steered(folder: Path, scenario: Scenario) -> None:
    """Raise `BadInput` for a protocol whose timing steers learning, or that does not say."""
    steers = getattr(scenario.protocol, "timing_steers_learning", None)
    if steers is None:
        raise BadInput(
            f"{folder}: the protocol {kind_of(scenario.protocol)} does not say whether timing steers"
            " learning (timing_steers_learning), so it cannot be replayed"
        )
    if steers:
        raise BadInput(
            f"{folder}: timing steers learning in the protocol {kind_of(scenario.protocol)}; on another clock"
            " it would learn otherwise, so it cannot be replayed: run it there"
        )


def _refuse_visible(record: Record, scenario: Scenario) -> None:
    differences = visible_differences(record.scenario, scenario)
    if differences:
        raise BadInput(
            f"{record.folder}: learning sees {'; '.join(differences)}. A replay can change"
            f" {', '.join(INVISIBLE)} alone; run the scenario instead"
        )


def _script(folder: Path, scenario: Scenario, summary: Mapping[str, Any]) -> Script:
    path = folder / LEDGER
    try:
        script = script_of(path, device_names(scenario.devices.count))
    except TimingSteered as fault:
        raise BadInput(f"{path}: {fault}; on another clock it would learn otherwise") from fault
    except sqlite3.Error as error:
        raise BadInput(f"{path}: cannot be read ({error}); expected the SQLite file of a run") from error
    for name in ("transfers", "rounds"):
        found, told = script.counts[name], summary.get(name)
        if found != told:
            raise BadInput(f"{path}: damaged: {found} {name}, and {told} in the summary")
    return script
