"""`list`: the runs under a folder, one line each."""

import argparse
import json
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from slfac_sim.analysis.format import NOT_ASKED, one_decimal, reached, share, target_words
from slfac_sim.cli.common import screen_width

if TYPE_CHECKING:
    from slfac_sim.foundation.targets import Target
    from slfac_sim.runs.columns import Row

_FORMS: Mapping[str, Callable[[Any], str]] = {
    "accuracy": share,
    "accuracy_final": share,
    "simulated_s": one_decimal,
    "digest": lambda digest: digest[:8] or "-",
}
"""How columns are shown that are in the list without choice too."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the folder and the form of the answer."""
    parser.add_argument(
        "folder", nargs="?", type=Path, default=Path("runs"), metavar="FOLDER", help="default: runs"
    )
    chosen = "what to show: figures of the summary and settings, such as accuracy,network.bandwidth; or help"
    parser.add_argument("--columns", metavar="COLUMN,...", help=chosen)
    parser.add_argument(
        "--sort", metavar="COLUMN", help="by what: any column, shown or not (default: the path)"
    )
    parser.add_argument("--reverse", action="store_true", help="the other way round, with --sort")
    parser.add_argument(
        "--check", action="store_true", help="read every ledger, and say which were altered since the run"
    )
    parser.add_argument("--json", action="store_true", help="print the list as JSON")
    parser.add_argument(
        "--shipped", action="store_true", help="the scenarios and studies that come with the program, instead"
    )


def main(arguments: argparse.Namespace) -> int:
    """Print the list; folders that cannot be read are in it, with the reason below."""
    if arguments.shipped:
        print(_shipped())
        return 0
    from slfac_sim.runs.columns import Row, check_columns, ordered
    from slfac_sim.runs.listing import runs_under

    rows = [Row(run) for run in runs_under(arguments.folder, arguments.check)]
    if arguments.columns == "help":
        print("\n".join(_help(rows)))
        return 0
    columns = [name for name in (arguments.columns or "").split(",") if name]
    check_columns("--columns", columns, rows)
    if arguments.sort is not None:
        check_columns("--sort", [arguments.sort], rows)
        rows = ordered(rows, arguments.sort, arguments.reverse)
    if arguments.json:
        print(json.dumps([_facts(row, columns) for row in rows], indent=2))
    elif not rows:
        print(f"no runs under {arguments.folder}")
    else:
        print(_chosen(rows, columns, arguments.folder) if columns else _table(rows, arguments.folder))
    return 0


def _shipped() -> str:
    """Return the shipped scenarios and studies, each with the first sentence of its file."""
    from slfac_sim.analysis.text_tables import aligned
    from slfac_sim.scenario.files import shipped

    lines = []
    for folder, verb in (("", "run"), ("studies", "sweep")):
        for name, file in sorted(shipped(folder).items()):
            told = (line[2:] for line in file.read_text(encoding="utf-8").splitlines() if line[:2] == "# ")
            text = " ".join(line for line in told if "language-server" not in line)
            lines.append([name.removesuffix(".yaml"), verb, re.split(r"(?<=[.?]) ", text)[0]])
    return aligned([["name", "verb", "what it is"], *lines], 3, screen_width())


def _help(rows: "Sequence[Row]") -> Sequence[str]:
    """Return what there is to be chosen from, each with an example."""
    from slfac_sim.runs.columns import SHORT, plain_text

    names: dict[str, Any] = {}
    for row in rows:
        for name, value in row.names():
            if names.get(name) is None:
                names[name] = value
    short = [f"{name}  short for {path}" for name, path in SHORT.items()]
    return [*short, *(f"{name}  {plain_text(value)[:60]}" for name, value in names.items())]


def _facts(row: "Row", columns: Sequence[str]) -> Mapping[str, Any]:
    if not columns:
        return row.facts
    always: dict[str, Any] = {
        name: row.facts[name] for name in ("folder", "status", "reason") if name in row.facts
    }
    return always | {name: row.value(name) for name in columns}


def _chosen(rows: "Sequence[Row]", columns: Sequence[str], top: Path) -> str:
    """Return the table with these `columns` beside the name of the run."""
    values = [[row.value(name) for name in columns] for row in rows]
    lines = [
        [_name(row, top), *(_shown(name, value) for name, value in zip(columns, line, strict=True))]
        for row, line in zip(rows, values, strict=True)
    ]
    are_texts = [any(isinstance(value, str) for value in column) for column in zip(*values, strict=True)]
    sides = "l" + "".join("l" if is_text else "r" for is_text in are_texts)
    return _printed([["run", *columns], *lines], sides, rows, top)


def _shown(column: str, value: Any) -> str:
    from slfac_sim.runs.columns import plain_text

    form = _FORMS.get(column)
    return plain_text(value) if form is None or value is None else form(value)


def _table(rows: "Sequence[Row]", top: Path) -> str:
    targets = sorted({target for row in rows for target in row.times_s})
    texts = ["run", "codec", "status"]
    head = [*texts, "accuracy", "simulated s", *(f"s to {target_words(t)}" for t in targets), "MB", "digest"]
    lines = [head, *(_line(row, top, targets) for row in rows)]
    return _printed(lines, len(texts), rows, top)


def _printed(lines: Sequence[Sequence[str]], sides: int | str, rows: "Sequence[Row]", top: Path) -> str:
    from slfac_sim.analysis.text_tables import aligned

    reasons = [_reason(row.facts) for row in rows if "reason" in row.facts]
    return "\n".join([f"runs in {top}", aligned(lines, sides, screen_width()), *reasons])


def _reason(facts: Mapping[str, Any]) -> str:
    """Return why a run is no ordinary one, with its folder, which some reasons name themselves."""
    folder, reason = str(facts["folder"]), str(facts["reason"])
    return reason if reason.startswith(folder) else f"{folder}: {reason}"


def _line(row: "Row", top: Path, targets: "Sequence[Target]") -> list[str]:
    facts = row.facts
    if "scenario" not in facts:
        return [_name(row, top), "-", facts["status"], *["-"] * (len(targets) + 4)]
    times = row.times_s
    final = facts["accuracy_final"]
    return [
        _name(row, top),
        facts["label"],
        "replay" if "replay_of" in facts and facts["status"] == "finished" else facts["status"],
        "-" if final is None else share(final),
        one_decimal(facts["simulated_s"]),
        *(reached(times[target]) if target in times else NOT_ASKED for target in targets),
        one_decimal(facts["bytes_total"] / 1e6),
        facts["digest"][:8] or "-",
    ]


def _name(row: "Row", top: Path) -> str:
    return str(Path(row.facts["folder"]).relative_to(top))
