"""Run folders: where they lie, and what a run or a replay leaves in one; no learning, no torch."""

import itertools
import json
import logging
import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from slfac_sim.foundation.ending import InterruptNoted, Terminated
from slfac_sim.foundation.errors import OF_THE_HOST, BadInput, Diverged, HostFailed, sentence
from slfac_sim.foundation.files import lock, own_name
from slfac_sim.ledger.continued import Differs
from slfac_sim.ledger.folder import BEGUN, DRAWN, LEDGER, SUMMARY
from slfac_sim.ledger.store import FileLedger, Ledger
from slfac_sim.ledger.summary import HostClock, summary_of
from slfac_sim.network import Survey
from slfac_sim.runs.checkpoints import write_whole
from slfac_sim.scenario.files import dump
from slfac_sim.scenario.schema import Scenario
from slfac_sim.simulation.simulate import OnNote, host_speeds, outages_of, survey_of
from slfac_sim.simulation.simulated import Stalled

SCENARIO, LOG = "scenario.yaml", "run.log"
RUNS = Path("runs")
LATEST = RUNS / "latest"


@dataclass(frozen=True)
class Account:
    """What a run folder tells of its run beside the ledger: scenario, data, host, and `extra` keys.

    Of a run that is gone on with, evaluations up to round `logged` are in the log already. `notes` are what
    was said while the scenario was read.
    """

    scenario: Scenario
    data: Mapping[str, Any]
    clock: HostClock
    extra: Mapping[str, Any] = field(default_factory=dict)
    logged: int = -1
    notes: Sequence[str] = ()


def check_place(out: Path | None) -> None:
    """Raise `BadInput` if `out` is there and is anything but an empty folder."""
    if out is not None and out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise BadInput(f"--out {out}: exists and is not an empty folder; name a new one")


def check_air(scenario: Scenario) -> Survey:
    """Return what the air offers. Raises `BadInput` for speeds, outages or places that cannot be had."""
    host_speeds(scenario)
    outages_of(scenario)
    return survey_of(scenario)


def make_folder(out: Path | None, name: str, mark: str = LOG) -> Path:
    """Make `out`, or a new folder under ``runs/<name>/``, and return it; it is this caller's alone.

    Of all who ask for one folder, whoever creates the file `mark` in it has it. Raises `BadInput`.
    """
    for folder in [out] if out is not None else _new_folders(name):
        try:
            folder.mkdir(parents=True, exist_ok=out is not None)
            (folder / mark).touch(exist_ok=False)
        except FileExistsError:
            continue
        except OSError as error:
            raise BadInput(f"--out {folder}: cannot be made a folder ({error.strerror})") from error
        return folder
    raise BadInput(f"--out {out}: another process has begun in it; name a new folder")


def fill(
    folder: Path,
    account: Account,
    play: Callable[[Any, OnNote, logging.Logger], Any],
    on_note: OnNote,
    open_ledger: Callable[[Path], AbstractContextManager[Ledger]] = FileLedger,
    begin: Callable[[], object] = lambda: None,
) -> dict[str, Any]:
    """Have `play` write the ledger in `folder`, put everything else beside it, and return the summary.

    `begin` is called once the folder is ours, before anything is written. Ctrl-C and a stalled protocol end
    it early; the summary's `status` is then `interrupted` or `failed`, its `reason` says why, and what was
    recorded is kept. After SIGTERM `Terminated` is raised when all that is done. Raises `BadInput` if another
    process is at it, and `HostFailed` where the folder cannot be written.
    """
    with _logged(folder) as log, InterruptNoted() as interrupt:
        try:
            begin()
            summary = _filled(
                folder, account, play, _Heard(log, on_note, interrupt, account.logged), open_ledger
            )
        except OF_THE_HOST as error:
            log.exception("the folder could not be written")
            raise HostFailed(f"{folder}: {sentence(error)}; {_kept_in(folder)}") from error
    point_latest_to(folder)
    if interrupt.terminated and summary["status"] == "interrupted":
        raise Terminated
    return summary


def _kept_in(folder: Path) -> str:
    if (folder / SCENARIO).is_file() and (folder / BEGUN).is_file():
        return "what was recorded until then is kept, and `resume` goes on with it"
    return "nothing of it can be gone on with"


def _filled(
    folder: Path,
    account: Account,
    play: Callable[[Any, OnNote, logging.Logger], Any],
    heard: "_Heard",
    open_ledger: Callable[[Path], AbstractContextManager[Ledger]],
) -> dict[str, Any]:
    scenario, log = account.scenario, heard.log
    write_whole(folder / SCENARIO, dump(scenario))
    (folder / SUMMARY).unlink(missing_ok=True)
    shutil.rmtree(folder / DRAWN, ignore_errors=True)  # of the run as it was before it was resumed
    log.info("%s: %d devices, seeds %s", scenario.name, scenario.devices.count, scenario.seed)
    for note in account.notes:
        log.info("note: %s", note)
    with open_ledger(folder / LEDGER) as ledger:
        status, reason = _outcome(lambda: play(ledger, heard.of(ledger), log), log)
        facts = summary_of(scenario, account.data, ledger, account.clock.spent(), status, reason)
    summary = {**facts, **account.extra}
    write_whole(folder / SUMMARY, json.dumps(summary, indent=2) + "\n")
    ended = f"{status} ({reason})" if reason else status
    log.info("%s after %.6g simulated s; digest %s", ended, summary["simulated_s"], summary["digest"])
    return summary


def check_idle(folder: Path) -> None:
    """Raise `BadInput` if a process is at work on the run in `folder`."""
    with _logged(folder):
        pass


def _outcome(play: Callable[[], Any], log: logging.Logger) -> tuple[str, str]:
    try:
        play()
    except (Differs, sqlite3.Error):  # of a ledger that is another's, or that cannot be written
        raise
    except (KeyboardInterrupt, Terminated) as asked:
        who = "SIGTERM" if isinstance(asked, Terminated) else "the user"
        return "interrupted", f"by {who}; what was recorded until then is kept"
    except (Stalled, Diverged, BadInput) as fault:
        return "failed", str(fault)
    except Exception as error:  # a defect, ours or a plug-in's: the folder is finished all the same
        log.exception("the run failed")
        return "failed", f"{type(error).__name__}: {error} (its place is in run.log)"
    return "finished", ""


def _new_folders(name: str) -> Iterator[Path]:
    """Yield ``runs/<name>/<id>``; the id is the host's time, then with a number, for when that is taken."""
    stamp = datetime.now().strftime("%Y%m%d-%H%M%S")
    yield RUNS / name / stamp
    for number in itertools.count(1):
        yield RUNS / name / f"{stamp}-{number}"


class _Log(logging.FileHandler):
    """A log that says nothing of itself where the disk takes no more: the run says so."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - the name that `logging` calls
        """Drop the line."""


@contextmanager
def _logged(folder: Path) -> Iterator[logging.Logger]:
    """Give the log of the run in `folder`, which is ours meanwhile; raises `BadInput` if it is another's."""
    log = logging.Logger(f"run {folder}", logging.INFO)
    handler = _Log(folder / LOG, encoding="utf-8")
    with closing(handler):
        try:
            assert handler.stream is not None  # only a `delay` leaves it so
            lock(handler.stream)
        except BlockingIOError as error:
            raise BadInput(f"{folder}: the run is still going on, in another process") from error
        handler.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
        log.addHandler(handler)
        yield log


@dataclass(frozen=True)
class _Heard:
    """Who hears every note: the log hears evaluations after round `logged`, `on_note` all."""

    log: logging.Logger
    on_note: OnNote
    interrupt: InterruptNoted
    logged: int

    def of(self, ledger: Ledger) -> OnNote:
        """Return what hears the notes of `ledger`, with the bytes delivered until then."""

        def heard(table: str, row: Mapping[str, Any]) -> None:
            if table == "evals" and row["round"] > self.logged:
                text = "round %(round)d: %(at_s).6g s, accuracy %(accuracy).4f, %(payload_bytes)d bytes"
                self.log.info(text, row)
            self.on_note(table, {**row, "payload_bytes": ledger.delivered_bytes})
            self.interrupt.check()

        return heard


def point_latest_to(folder: Path) -> None:
    """Let ``runs/latest`` point to a folder under ``runs/``, where the system has links; it is never gone."""
    if folder.parent.parent != RUNS:
        return
    link = own_name(LATEST)
    try:
        link.symlink_to(folder.relative_to(RUNS), target_is_directory=True)
        os.replace(link, LATEST)
    except OSError:  # a convenience only: some systems allow no links
        link.unlink(missing_ok=True)
