"""A run from scenario to folder: what is prepared, simulated, summed up and drawn, in this order."""

import json
import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import torch

from slfac_sim.build import World, build
from slfac_sim.datasets import Report
from slfac_sim.foundation.errors import BadInput
from slfac_sim.ledger import Ledger
from slfac_sim.names import SERVER, device_names
from slfac_sim.players.simulated import Stalled
from slfac_sim.scenario import Scenario
from slfac_sim.scenario_file import dump
from slfac_sim.simulation import OnNote, host_speeds, simulate
from slfac_sim.summary import HostClock, summarise


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
    if out is not None and out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise BadInput(f"--out {out}: exists and is not an empty folder; name a new one")
    host_speeds(scenario)
    scenario.network.survey(device_names(scenario.devices.count), SERVER, scenario.seed.air)
    world = build(scenario, report)
    folder = out if out is not None else _new_folder(scenario.name)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BadInput(f"--out {folder}: cannot be made a folder ({error.strerror})") from error
    return Prepared(scenario, world, folder, clock)


def set_threads(threads: int | None) -> int:
    """Let torch use `threads` host threads (None: one per core available) and return their number."""
    if threads is not None and threads < 1:
        raise BadInput(f"--threads {threads}: must be at least 1")
    available = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    torch.set_num_threads(threads or available)
    torch.use_deterministic_algorithms(True)
    return torch.get_num_threads()


def run(prepared: Prepared, on_note: OnNote = lambda table, row: None) -> dict[str, Any]:
    """Simulate, and return the summary, which lies in the folder with ledger, figures and log.

    Ctrl-C and a stalled protocol end the run early; the summary's `status` is then `interrupted` or
    `failed`, its `reason` says why, and what was recorded is kept.
    """
    scenario, folder = prepared.scenario, prepared.folder
    (folder / "scenario.yaml").write_text(dump(scenario), encoding="utf-8")
    log = _open_log(folder)
    log.info("%s: %d devices, seeds %s", scenario.name, scenario.devices.count, scenario.seed)
    with Ledger(folder / "ledger.sqlite") as ledger:
        status, reason = _simulate(prepared, ledger, _logged(log, on_note))
        summary = summarise(scenario, prepared.world, ledger, prepared.clock, status, reason)
    text = json.dumps(summary, indent=2) + "\n"
    (folder / "summary.json").write_text(text, encoding="utf-8")
    _draw(folder)
    log.info("%s after %.6g simulated s; digest %s", status, summary["simulated_s"], summary["digest"])
    _close_log(log)
    _point_latest_to(folder)
    return summary


def _simulate(prepared: Prepared, ledger: Ledger, on_note: OnNote) -> tuple[str, str]:
    scenario, world = prepared.scenario, prepared.world
    try:
        simulate(scenario, scenario.protocol.run(world), ledger, on_note)
    except KeyboardInterrupt:
        return "interrupted", "by the user; what was recorded until then is kept"
    except (Stalled, BadInput) as fault:  # a diverged model's NaN is refused by the codec, for instance
        return "failed", str(fault)
    return "finished", ""


def _draw(folder: Path) -> None:
    from slfac_sim.analysis.draw import draw_run

    draw_run(folder)


def _new_folder(name: str) -> Path:
    """Return ``runs/<name>/<id>``; the id is the host's time, and a number when that is taken."""
    stamp = datetime.now().strftime("%Y%m%d-%H%M%S")
    parent = Path("runs") / name
    candidates = (parent / (stamp if number == 0 else f"{stamp}-{number}") for number in range(1000))
    return next(folder for folder in candidates if not folder.exists())


def _open_log(folder: Path) -> logging.Logger:
    log = logging.Logger(f"run {folder}", logging.INFO)
    handler = logging.FileHandler(folder / "run.log", encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
    log.addHandler(handler)
    return log


def _close_log(log: logging.Logger) -> None:
    for handler in list(log.handlers):
        handler.close()
        log.removeHandler(handler)


def _logged(log: logging.Logger, on_note: OnNote) -> OnNote:
    def heard(table: str, row: Mapping[str, Any]) -> None:
        if table == "evals":
            log.info("round %(round)d: %(at_s).6g s, accuracy %(accuracy).4f, %(payload_bytes)d bytes", row)
        on_note(table, row)

    return heard


def _point_latest_to(folder: Path) -> None:
    """Let ``runs/latest`` point to a folder under ``runs/``, where the system has links."""
    if folder.parent.parent != Path("runs"):
        return
    link = Path("runs") / "latest"
    try:
        link.unlink(missing_ok=True)
        link.symlink_to(folder.relative_to("runs"), target_is_directory=True)
    except OSError:
        return  # a convenience only: some systems allow no links
