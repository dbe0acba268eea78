"""Run folders: where they lie, and what a run or a replay leaves in one; no learning, no torch."""

import itertools
import json
import logging
import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Any

from slfac_sim.foundation.ending import InterruptNoted, Terminated
from slfac_sim.foundation.errors import OF_THE_HOST, BadInput, Diverged, HostFailed, sentence
from slfac_sim.foundation.files import lock, own_name
from slfac_sim.foundation.logs import LOG as LOGGER
from slfac_sim.foundation.logs import level
from slfac_sim.foundation.plugin_sources import sources_of
from slfac_sim.ledger.continued import Differs
from slfac_sim.ledger.folder import ABOUT, BEGUN, DRAWN, LEDGER, SCENARIO, SUMMARY
from slfac_sim.ledger.places import LATEST, RUNS
from slfac_sim.ledger.store import FileLedger, Ledger
from slfac_sim.ledger.summary import HostClock, summary_of
from slfac_sim.scenario.about import about_text
from slfac_sim.scenario.files import dump, plain
from slfac_sim.scenario.named_files import keep_files
from slfac_sim.scenario.own_plugins import keep_plugins
from slfac_sim.scenario.schema import Scenario
from slfac_sim.simulation.simulate import OnNote
from slfac_sim.simulation.simulated import Stalled

LOG = "run.log"
_VERSIONS = ("commit", "python", "torch", "numpy", "simpy")


def check_place(out: Path | None) -> None:
    """Raise `BadInput` if `out` is there and is anything but an empty folder."""
    if out is not None and out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise BadInput(f"--out {out}: exists and is not an empty folder; name a new one")


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


class RunFolder:
    """A run folder that is ours, to be filled by one run or replay.

    `log` is its log, `extra` what its summary is to tell beside the ledger, and `summary` what is in
    ``summary.json`` once it is filled.
    """

    def __init__(self, path: Path, log: logging.Logger, interrupt: InterruptNoted) -> None:
        self.path = path
        self.log = log
        self.extra: dict[str, Any] = {}
        self.learnt: Sequence[dict[str, str | None]] = ()  # what readers are told of data and model
        self.summary: dict[str, Any] = {}
        self._interrupt = interrupt

    @classmethod
    @contextmanager
    def open(cls, path: Path) -> Iterator["RunFolder"]:
        """Give the folder `path`, whose log nobody else writes until the block is over.

        After SIGTERM `Terminated` is raised when all is done. Raises `BadInput` if another process is at it,
        and `HostFailed` where it cannot be written.
        """
        with _logged(path) as log, InterruptNoted() as interrupt:
            folder = cls(path, log, interrupt)
            try:
                yield folder
            except OF_THE_HOST as error:
                log.exception("the folder could not be written")
                raise HostFailed(f"{path}: {sentence(error)}; {_kept_in(path)}") from error
        point_latest_to(path)
        if interrupt.terminated and folder.summary["status"] == "interrupted":
            raise Terminated

    @contextmanager
    def fill(
        self,
        scenario: Scenario,
        data: Mapping[str, Any],
        clock: HostClock,
        notes: Sequence[str] = (),
        open_ledger: Callable[[Path], Ledger] = FileLedger,
    ) -> Iterator[Any]:
        """Give the ledger of a run of `scenario` to be written; after the block the rest lies beside it.

        `data` are the name of the data set and whether it is real, `notes` what was said while the scenario
        was read. Ctrl-C, a stalled protocol and a defect end the block early and are not raised: the
        summary's `status` is then `interrupted` or `failed`, its `reason` says why, and what was recorded is
        kept.
        """
        self._begin(scenario, notes)
        if self.log.isEnabledFor(logging.DEBUG):
            self._begin_in_detail(scenario, clock)
        status, reason = "finished", ""
        with open_ledger(self.path / LEDGER) as ledger:
            try:
                yield ledger
            except BaseException as error:
                status, reason = self._ended_by(error)
            finally:
                ledger.stop()
            facts = summary_of(scenario, data, ledger, clock.spent(), status, reason)
        self._finish({**facts, **self.extra})

    def report(self, ledger: Ledger, on_note: OnNote, logged: int = -1) -> OnNote:
        """Return who is to hear the notes that go into `ledger`.

        The log hears of evaluations after round `logged`, `on_note` of all notes, with the bytes delivered
        until then. It then ends the run if Ctrl-C or SIGTERM has asked for that.
        """

        def report(table: str, row: Mapping[str, Any]) -> None:
            if table == "evals" and row["round"] > logged:
                text = "round %(round)d: %(at_s).6g s, accuracy %(accuracy).4f, %(payload_bytes)d bytes"
                self.log.info(text, row)
            elif table == "rounds":
                self.log.debug("round %(round)d: over at %(at_s).6g simulated s", row)
            on_note(table, {**row, "payload_bytes": ledger.delivered_bytes})
            self._interrupt.check()

        return report

    def _begin(self, scenario: Scenario, notes: Sequence[str]) -> None:
        write_whole(self.path / SCENARIO, dump(scenario))
        write_whole(self.path / ABOUT, about_text(scenario, learnt=self.learnt))
        keep_plugins(self.path, [scenario])
        keep_files(self.path, scenario)
        (self.path / SUMMARY).unlink(missing_ok=True)
        shutil.rmtree(self.path / DRAWN, ignore_errors=True)  # of the run as it was before it was resumed
        self.log.info("%s: %d devices, seeds %s", scenario.name, scenario.devices.count, scenario.seed)
        for note in notes:
            self.log.warning("note: %s", note)

    def _begin_in_detail(self, scenario: Scenario, clock: HostClock) -> None:
        spent = clock.spent()
        versions = ", ".join(f"{name} {version}" for name, version in spent.items() if name in _VERSIONS)
        self.log.debug("%s, %d threads", versions, clock.threads)
        for kind in _foreign_kinds(plain(scenario)):
            for name, file in sources_of(kind).items():
                self.log.debug("plug-in %s: %s is %s", kind, name, file)
        self.log.debug("data, world and air are there after %.2f s", spent["wall_s"])

    def _ended_by(self, error: BaseException) -> tuple[str, str]:
        """Return the status and the reason of a run that `error` ended; what must not be kept is raised."""
        if isinstance(error, KeyboardInterrupt | Terminated):
            who = "SIGTERM" if isinstance(error, Terminated) else "the user"
            return "interrupted", f"by {who}; what was recorded until then is kept"
        if isinstance(error, Differs | sqlite3.Error) or not isinstance(error, Exception):
            raise error  # a ledger that is another's, or that cannot be written
        if isinstance(error, Stalled | Diverged | BadInput):
            return "failed", str(error)
        self.log.exception("the run failed")  # a defect, ours or a plug-in's; the folder is finished
        return "failed", f"{type(error).__name__}: {error} (its place is in run.log)"

    def _finish(self, summary: dict[str, Any]) -> None:
        write_whole(self.path / SUMMARY, json.dumps(summary, indent=2) + "\n")
        ended = f"{summary['status']} ({summary['reason']})" if summary["reason"] else summary["status"]
        text = "%s after %.6g simulated s; digest %s"
        self.log.info(text, ended, summary["simulated_s"], summary["digest"])
        self.log.debug(
            "host: %s", {name: summary["host"][name] for name in ("wall_s", "cpu_s", "peak_rss_bytes")}
        )
        self.summary = summary


def _foreign_kinds(tree: Any) -> Iterator[str]:
    """Yield the plug-ins of somebody's own that a scenario written out names."""
    if isinstance(tree, dict) and "." in str(tree.get("kind", "")):
        yield tree["kind"]
    for inner in tree.values() if isinstance(tree, dict) else tree if isinstance(tree, list) else ():
        yield from _foreign_kinds(inner)


def _kept_in(folder: Path) -> str:
    if (folder / SCENARIO).is_file() and (folder / BEGUN).is_file():
        return "what was recorded until then is kept, and `resume` goes on with it"
    return "nothing of it can be gone on with"


def check_idle(folder: Path) -> None:
    """Raise `BadInput` if a process is at work on the run in `folder`."""
    with _logged(folder):
        pass


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

    def close(self) -> None:
        """Close it, whatever becomes of what is not yet written."""
        with suppress(OSError):
            super().close()


@contextmanager
def _logged(folder: Path) -> Iterator[logging.Logger]:
    """Give the log of the run in `folder`, which is ours meanwhile; raises `BadInput` if it is another's."""
    log = logging.Logger(f"run {folder}", level())
    log.parent = LOGGER
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


def write_whole(path: Path, text: str) -> None:
    """Write `text` to the file `path`, which a kill leaves as it was or as it is to be."""
    part = path.with_name(f"{path.name}.part")
    with open(part, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    os.replace(part, path)


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
