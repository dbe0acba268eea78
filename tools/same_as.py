"""Proves that the working tree does what COMMIT did: golden runs on both, compared in all that a user sees.

    python tools/same_as.py COMMIT [--only PATTERN] [--words FILE] [--keep FOLDER]

The other side is the working tree as it lies here, uncommitted changes included. Both sides run on this
host, in this environment, on one thread. Exit status: 0 the same, 1 something differs, 2 a side could not be
played.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from golden.comparison import compare, read_words

TOOLS = Path(__file__).resolve().parent
ROOT = TOOLS.parent


def main() -> int:
    """Play both sides, compare them, and print what differs."""
    arguments = _parser().parse_args()
    words = read_words(arguments.words) if arguments.words is not None else {}
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as temporary:
        folder = (arguments.keep or Path(temporary) / "runs").resolve()
        before, after = folder / "then", folder / "here"  # of one length: columns are as wide as paths
        with _checkout(arguments.commit, Path(temporary) / "tree") as tree:
            for side, where in ((tree, before), (ROOT, after)):
                print(f"{side}:", flush=True)
                if not _play(side, where, arguments.only):
                    return 2
            places = {tree: "<tree>", ROOT: "<tree>", before: "<runs>", after: "<runs>"}
        return _told(*compare(before, after, words, places), time.perf_counter() - began)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("commit", metavar="COMMIT", help="what the working tree is compared with")
    parser.add_argument("--only", default="*", metavar="PATTERN", help="groups of runs, such as 'codec*'")
    parser.add_argument(
        "--words", type=Path, metavar="FILE", help="lines 'old => new': words that texts of COMMIT may have"
    )
    parser.add_argument(
        "--keep", type=Path, metavar="FOLDER", help="leave both sides' files in this new folder"
    )
    return parser


@contextmanager
def _checkout(commit: str, tree: Path) -> Iterator[Path]:
    git = ("git", "-C", str(ROOT), "worktree")
    subprocess.run([*git, "add", "--quiet", "--detach", str(tree), commit], check=True)
    try:
        yield tree
    finally:
        subprocess.run([*git, "remove", "--force", str(tree)], check=True)


def _play(tree: Path, folder: Path, pattern: str) -> bool:
    folder.mkdir(parents=True)
    alike = {"OMP_NUM_THREADS": "1", "PYTHONHASHSEED": "0", "PYTHONUTF8": "1"}
    environment = {**os.environ, **alike, "PYTHONPATH": f"{tree}{os.pathsep}{TOOLS}"}
    command = [sys.executable, "-m", "golden.player", str(tree), str(folder), pattern]
    return subprocess.run(command, cwd=folder, env=environment, check=False).returncode == 0


def _told(differences: list[str], counts: Mapping[str, int], took_s: float) -> int:
    print(*differences, sep="\n", end="\n" if differences else "")
    looked_at = ", ".join(f"{counts[what]:,} {what}" for what in ("runs", "tables", "texts"))
    verdict = f"{len(differences)} differences in" if differences else "the same:"
    print(f"{verdict} {looked_at} ({took_s:.0f} s)")
    return 1 if differences or not counts["runs"] else 0


if __name__ == "__main__":
    raise SystemExit(main())
