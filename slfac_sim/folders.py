"""Run folders: where they lie, and what a run or a replay leaves in one; no learning, no torch."""

import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from slfac_sim.foundation.errors import BadInput
from slfac_sim.interrupt import InterruptNoted
from slfac_sim.ledger import Ledger
from slfac_sim.players.simulated import Stalled
from slfac_sim.scenario import Scenario
from slfac_sim.scenario_file import dump
from slfac_sim.simulation import OnNote, host_speeds, survey_of
from slfac_sim.summary import HostClock, summary_of


@dataclass(frozen=True)
class Account:
    """What a run folder tells of its run beside the ledger: scenario, data, host, and `extra` keys.

    Without `figures` none are drawn; `python -m slfac_sim.analysis` draws them from the folder at any time.
    """

    scenario: Scenario
    data: Mapping[str, Any]
    clock: HostClock
    extra: Mapping[str, Any] = field(default_factory=dict)
    figures: bool = True


def check_place(out: Path | None) -> None:
    """Raise `BadInput` if `out` is there and is anything but an empty folder."""
    if out is not None and out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise BadInput(f"--out {out}: exists and is not an empty folder; name a new one")


def check_air(scenario: Scenario) -> None:
    """Raise `BadInput` for speeds or places of devices that the scenario cannot have."""
    host_speeds(scenario)
    survey_of(scenario)


def make_folder(out: Path | None, name: str) -> Path:
    """Make `out`, or a new folder under ``runs/<name>/``, and return it. Raises `BadInput`."""
    folder = out if out is not None else _new_folder(name)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BadInput(f"--out {folder}: cannot be made a folder ({error.strerror})") from error
    return folder


def fill(
    folder: Path, account: Account, play: Callable[[Ledger, OnNote], Any], on_note: OnNote
) -> dict[str, Any]:
    """Have `play` write the ledger in `folder`, put everything else beside it, and return the summary.

    Ctrl-C and a stalled protocol end it early; the summary's `status` is then `interrupted` or `failed`,
    its `reason` says why, and what was recorded is kept.
    """
    scenario = account.scenario
    (folder / "scenario.yaml").write_text(dump(scenario), encoding="utf-8")
    log = _open_log(folder)
    log.info("%s: %d devices, seeds %s", scenario.name, scenario.devices.count, scenario.seed)
    with Ledger(folder / "ledger.sqlite") as ledger, InterruptNoted() as interrupt:
        status, reason = _outcome(lambda: play(ledger, _heard(log, on_note, ledger, interrupt)), log)
        facts = summary_of(scenario, account.data, ledger, account.clock.spent(), status, reason)
    summary = {**facts, **account.extra}
    (folder / "summary.json").write_text(json.dumps(summary, indent=2) + "\n", encoding="utf-8")
    if account.figures:
        _draw(folder)
    log.info("%s after %.6g simulated s; digest %s", status, summary["simulated_s"], summary["digest"])
    _close_log(log)
    _point_latest_to(folder)
    return summary


def _outcome(play: Callable[[], Any], log: logging.Logger) -> tuple[str, str]:
    try:
        play()
    except KeyboardInterrupt:
        return "interrupted", "by the user; what was recorded until then is kept"
    except (Stalled, BadInput) as fault:  # a diverged model's NaN is refused by the codec, for instance
        return "failed", str(fault)
    except Exception as error:  # a defect, ours or a plug-in's: the folder is finished all the same
        log.exception("the run failed")
        return "failed", f"{type(error).__name__}: {error} (its place is in run.log)"
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


def _heard(log: logging.Logger, on_note: OnNote, ledger: Ledger, interrupt: InterruptNoted) -> OnNote:
    """Return what hears every note: the log hears evaluations, `on_note` all, with the bytes until then."""

    def heard(table: str, row: Mapping[str, Any]) -> None:
        if table == "evals":
            log.info("round %(round)d: %(at_s).6g s, accuracy %(accuracy).4f, %(payload_bytes)d bytes", row)
        on_note(table, {**row, "payload_bytes": ledger.delivered_bytes})
        interrupt.check()

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
