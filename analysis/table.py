"""The closing table of the analysis: runs as plain text or as plain data; it draws nothing."""

from collections.abc import Sequence
from typing import Any

from slfac_sim.analysis.format import NOT_ASKED, one_decimal, percent, reached
from slfac_sim.analysis.layout import aligned
from slfac_sim.analysis.naming import names_of
from slfac_sim.ledger.folder import Run


def rows(runs: Sequence[Run]) -> list[dict[str, Any]]:
    """Return one mapping per run, of what its summary says; seconds are simulated, bytes are payload."""
    return [
        {
            "label": run.label,
            "folder": str(run.folder),
            "status": run.summary["status"],
            "accuracy_final": run.summary["accuracy"]["final"],
            "simulated_s": run.summary["simulated_s"],
            "time_to_accuracy_s": run.summary["time_to_accuracy_s"],
            "bytes_total": run.summary["bytes"]["total"],
        }
        for run in runs
    ]


def text(runs: Sequence[Run], width: int | None = None) -> str:
    """Return the table as aligned text: one line per run, within `width` columns."""
    targets = sorted({target for run in runs for target in run.time_to_accuracy_s})
    head = ["run", "accuracy", "simulated s", *(f"s to {percent(t)}" for t in targets), "MB"]
    lines = [head, *(_line(name, run, targets) for name, run in zip(names_of(runs), runs, strict=True))]
    return aligned(lines, width=width)


def _line(name: str, run: Run, targets: Sequence[float]) -> list[str]:
    final = run.summary["accuracy"]["final"]
    return [
        name,
        "-" if final is None else f"{100 * final:.2f} %",
        one_decimal(run.summary["simulated_s"]),
        *(_time(run, target) for target in targets),
        one_decimal(run.summary["bytes"]["total"] / 1e6),
    ]


def _time(run: Run, target: float) -> str:
    times = run.time_to_accuracy_s
    return reached(times[target]) if target in times else NOT_ASKED
