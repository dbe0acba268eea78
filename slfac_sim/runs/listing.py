"""The runs under a folder, one row each, from their summaries alone; a damaged folder is a row that says so.

It reads, and changes nothing. Importing it imports no torch.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from slfac_sim.foundation.errors import BadInput
from slfac_sim.foundation.program import program
from slfac_sim.ledger.folder import BEGUN, LEDGER, SUMMARY, is_unfinished, load
from slfac_sim.ledger.places import RUNS

_MARKS = {SUMMARY, LEDGER, "scenario.yaml"}  # a folder with two of them is, or was to be, a run
_DEEPEST = 6  # folders below the one asked for


@dataclass(frozen=True)
class Listed:
    """One folder: its summary, or why there is none; `fault` may also tell of an altered ledger."""

    folder: Path
    summary: dict[str, Any] | None
    fault: str = ""

    def facts(self) -> dict[str, Any]:
        """Return what a list shows; a damaged or unfinished run has its name, its status and the reason."""
        if self.summary is None:
            status = "unfinished" if is_unfinished(self.folder) else "damaged"
            return {"folder": str(self.folder), "status": status, "reason": self.fault}
        summary = self.summary
        return {
            "folder": str(self.folder),
            "scenario": summary["scenario"],
            "label": summary["label"],
            "status": summary["status"],
            "accuracy_final": summary["accuracy"]["final"],
            "simulated_s": summary["simulated_s"],
            "time_to_accuracy_s": summary["time_to_accuracy_s"],
            "time_to_metrics_s": summary.get("time_to_metrics_s", {}),
            "bytes_total": summary["bytes"]["total"],
            "digest": str(summary.get("digest", "")),
            **({"replay_of": summary["replay_of"]} if "replay_of" in summary else {}),
            **({"reason": self.fault} if self.fault else {}),
        }


def runs_under(folder: Path, check: bool = False) -> list[Listed]:
    """Return the runs in `folder` and below it, in the order of their paths; links are not followed.

    With `check` every ledger is compared with the digest in its summary. Raises `BadInput` when there is no
    such folder.
    """
    if not folder.is_dir():
        none_yet = f"there are no runs here yet: `{program()} quick` makes one"
        expected = none_yet if folder == RUNS else "expected one with runs below it, such as runs"
        raise BadInput(f"{folder}: no such folder; {expected}")
    return sorted(_runs_below(folder, check), key=lambda run: run.folder)


def _runs_below(top: Path, check: bool) -> Iterator[Listed]:
    for path, below, files in os.walk(top):
        folder = Path(path)
        if len(_MARKS & set(files)) >= 2 or (folder / BEGUN).is_file():
            below.clear()  # no run lies in a run
            yield _read(folder, check)
        elif len(folder.relative_to(top).parts) >= _DEEPEST:
            below.clear()


def _read(folder: Path, check: bool) -> Listed:
    try:
        run = load(folder)
        return Listed(folder, dict(run.summary), run.altered if check else "")
    except (BadInput, OSError) as error:
        return Listed(folder, None, str(error))
