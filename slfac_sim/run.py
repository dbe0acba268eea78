"""A run from scenario to folder: what is prepared, simulated, summed up and drawn, in this order."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from slfac_sim.build import World, build
from slfac_sim.datasets import Report
from slfac_sim.folders import Account, check_air, check_place, fill, make_folder
from slfac_sim.foundation.errors import BadInput
from slfac_sim.ledger import Ledger
from slfac_sim.scenario import Scenario
from slfac_sim.simulation import OnNote, simulate
from slfac_sim.summary import HostClock

_MOST_THREADS = 256


@dataclass(frozen=True)
class Prepared:
    """A run that is ready to go: everything that a user could have got wrong has been tried."""

    scenario: Scenario
    world: World
    folder: Path
    clock: HostClock


def prepare(
    scenario: Scenario, out: Path | None = None, threads: int | None = None, report: Report | None = None
) -> Prepared:
    """Build the world, survey the air and make the run folder: `out`, or one under ``runs/``.

    Raises `BadInput`, and then leaves nothing behind.
    """
    clock = HostClock(set_threads(threads))
    check_place(out)
    check_air(scenario)
    world = build(scenario, report)
    return Prepared(scenario, world, make_folder(out, scenario.name), clock)


def set_threads(threads: int | None) -> int:
    """Let torch use `threads` host threads (None: one per core available) and return their number."""
    if threads is not None and not 1 <= threads <= _MOST_THREADS:
        raise BadInput(f"--threads {threads}: must be at least 1 and at most {_MOST_THREADS}")
    available = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    torch.set_num_threads(threads or available)
    torch.use_deterministic_algorithms(True)
    return torch.get_num_threads()


def run(
    prepared: Prepared, on_note: OnNote = lambda table, row: None, figures: bool = True
) -> dict[str, Any]:
    """Simulate, and return the summary, which lies in the folder with ledger, log and, if asked, figures.

    Ctrl-C and a stalled protocol end the run early; the summary's `status` is then `interrupted` or
    `failed`, its `reason` says why, and what was recorded is kept.
    """
    scenario, world = prepared.scenario, prepared.world

    def play(ledger: Ledger, heard: OnNote) -> None:
        simulate(scenario, scenario.protocol.run(world), ledger, heard)

    data = {"name": world.data.name, "real": world.data.real}
    return fill(prepared.folder, Account(scenario, data, prepared.clock, figures=figures), play, on_note)
