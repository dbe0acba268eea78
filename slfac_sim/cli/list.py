"""`list`: the runs under a folder, one line each."""

import argparse
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from slfac_sim.analysis.format import NOT_ASKED, one_decimal, percent, reached, share
from slfac_sim.cli.common import screen_width


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the folder and the form of the answer."""
    parser.add_argument(
        "folder", nargs="?", type=Path, default=Path("runs"), metavar="FOLDER", help="default: runs"
    )
    parser.add_argument(
        "--check", action="store_true", help="read every ledger, and say which were altered since the run"
    )
    parser.add_argument("--json", action="store_true", help="print the list as JSON")


def main(arguments: argparse.Namespace) -> int:
    """Print the list; folders that cannot be read are in it, with the reason below."""
    from slfac_sim.runs.listing import runs_under

    runs = [run.facts() for run in runs_under(arguments.folder, arguments.check)]
    if arguments.json:
        print(json.dumps(runs, indent=2))
    elif not runs:
        print(f"no runs under {arguments.folder}")
    else:
        print(_table(runs, arguments.folder))
    return 0


def _table(runs: Sequence[Mapping[str, Any]], top: Path) -> str:
    from slfac_sim.analysis.text_tables import aligned

    targets = sorted({float(target) for facts in runs for target in facts.get("time_to_accuracy_s", ())})
    texts = ["run", "codec", "status"]
    head = [*texts, "accuracy", "simulated s", *(f"s to {percent(t)}" for t in targets), "MB", "digest"]
    lines = [head, *(_line(facts, top, targets) for facts in runs)]
    reasons = [f"{facts['folder']}: {facts['reason']}" for facts in runs if "reason" in facts]
    return "\n".join([f"runs in {top}", aligned(lines, len(texts), screen_width()), *reasons])


def _line(facts: Mapping[str, Any], top: Path, targets: Sequence[float]) -> list[str]:
    name = str(Path(facts["folder"]).relative_to(top))
    if "scenario" not in facts:
        return [name, "-", facts["status"], *["-"] * (len(targets) + 4)]
    times = {float(target): at_s for target, at_s in facts["time_to_accuracy_s"].items()}
    final = facts["accuracy_final"]
    return [
        name,
        facts["label"],
        facts["status"],
        "-" if final is None else share(final),
        one_decimal(facts["simulated_s"]),
        *(reached(times[target]) if target in times else NOT_ASKED for target in targets),
        one_decimal(facts["bytes_total"] / 1e6),
        facts["digest"][:8] or "-",
    ]
