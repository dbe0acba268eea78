"""The command `data`: fetches data sets ahead of time and says where they are; it trains nothing."""

import argparse
import sys
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command's arguments to `parser`."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    fetch = actions.add_parser("fetch", help="get a data set, verified, and keep it")
    fetch.add_argument("name", metavar="NAME", help="mnist or fashion_mnist")
    fetch.add_argument("--folder", type=Path, metavar="DIR", help="keep it here, not in the user's cache")
    where = actions.add_parser("where", help="list the places looked in and what is there")
    where.add_argument("name", nargs="?", metavar="NAME", help="a data set of public files; all if left out")


def main(arguments: argparse.Namespace) -> int:
    """Do what `arguments` ask and return the exit status, 0. Raises `BadInput` for anything else."""
    return _fetch(arguments.name, arguments.folder) if arguments.action == "fetch" else _where(arguments.name)


def _fetch(name: str, folder: Path | None) -> int:
    from slfac_sim.learning.idx.fetch import fetch
    from slfac_sim.learning.idx.sets import idx_set

    files = idx_set(name)
    target = fetch(files, folder, lambda line: print(line, file=sys.stderr, flush=True))
    print(f"{files.name}: 4 files, verified, in {target}")
    return 0


def _where(name: str | None) -> int:
    from slfac_sim.learning.idx.fetch import where, where_by_hand
    from slfac_sim.learning.idx.sets import by_hand, fetchable, idx_set

    ours = by_hand() if name is None else {kind: files for kind, files in by_hand().items() if kind == name}
    fetched = fetchable().values() if name is None else [] if ours else [idx_set(name)]
    found = {files.name: where(files) for files in fetched}
    found |= {kind: where_by_hand(kind, files) for kind, files in ours.items()}
    for kind, lines in found.items():
        print("\n".join([kind, *(f"  {line}" for line in lines)]))
    return 0
