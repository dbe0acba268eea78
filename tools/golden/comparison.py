"""Compares two folders of golden runs: ledgers row for row, texts line for line, bodies byte for byte.

What depends on the host is masked by `MASKS`; of pictures and checkpoints only the names are compared, and
the keys of JSON may stand in another order. The folder of a training, which is named by the sources that
made it, goes by the hash of its scenario here.
"""

import difflib
import gzip
import hashlib
import json
import re
import sqlite3
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path

MASKS = (
    (r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(,\d+)?", "<time of day>"),
    (r"\b\d{8}-\d{6}(-\d+)?\b", "<time of day>"),
    (r'"(wall_s|cpu_s|peak_rss_bytes|took_s|encode_s|decode_s)": [^,\s}]+', r'"\1": "<host>"'),
    (r'"host_s": (\{[^}]*\}|[^,\s}]+)', '"host_s": "<host>"'),
    (r"host time +[\d,]+ s wall, [\d,]+ s CPU", "host time <host>"),
    (r"host memory, peak +[\d.]+ GB", "host memory <host>"),
    (r"\d+:\d\d elapsed(, ((about )?\d+:\d\d left|nearly done))?", "<host> elapsed"),
    (r"(time on this host +about )[^\n]* on (.*)(\n {20,}[^\n]*)+", r"\1<host> on \2"),
    (r"about [\d.e+-]+ (s|min|h) on this host", "about <host> on this host"),
    (r"(time on this host +about )[\d.e+-]+ (s|min|h)\n", r"\1<host>\n"),
    (r"of a budget of [\d.]+ GB", "of a budget of <host>"),
    (r"(% +[\d.,]+ +[\d.e+-]+) +[\d.,]+ +[\d.,]+(?=\n)", r"\1 <host>"),  # of `codec compare`
    (r"(?m)^([0-9a-f]{16},)[0-9a-f]{16},", r"\1<sources>,"),
    (r'("training": |"source files, threads": )"[0-9a-f]{16}"', r'\1"<sources>"'),
    (r"\btrainings/[0-9a-f]{16}\b", "trainings/<sources>"),
)
NAMES_ONLY = (".png", ".svg", ".pdf", ".checkpoint")  # a checkpoint is of its sources: what is resumed tells
BYTES = (".npy", ".slf")
LEDGER = ".sqlite"
_SHOWN = 6  # lines of a difference


def compare(
    before: Path, after: Path, words: Mapping[str, str], roots: Mapping[Path, str]
) -> tuple[list[str], Counter[str]]:
    """Return what differs between the folders, and how many runs, tables and texts were compared.

    `words` are replaced in the texts of `before`; if there are any, a row of blanks counts as one, since
    columns have moved. `roots` are folders that stand for nothing but themselves.
    """
    sides = _files(before), _files(after)
    counts: Counter[str] = Counter()
    differences = []
    for name in sorted({*sides[0], *sides[1]}):
        there, here = (side.get(name) for side in sides)
        if there is None or here is None:
            differences.append(f"{name}: only {'after' if there is None else 'before'}")
        elif name.endswith(LEDGER):
            differences += _ledgers(name, there, here, counts)
        elif name.endswith(BYTES):
            counts["bodies"] += 1
            differences += [f"{name}: other bytes"] if there.read_bytes() != here.read_bytes() else []
        elif not name.endswith(NAMES_ONLY):
            counts["texts"] += 1
            counts["runs"] += "/said/" in name
            differences += _texts(
                name, masked(_text(there), roots, words), masked(_text(here), roots), bool(words)
            )
    return differences, counts


def masked(text: str, roots: Mapping[Path, str], words: Mapping[str, str] | None = None) -> str:
    """Return `text` with `words` replaced, and without what depends on host, date and place."""
    for root, name in roots.items():
        text = text.replace(str(root), name)
    for pattern, mask in MASKS:
        text = re.sub(pattern, mask, text)
    for old, new in (words or {}).items():
        text = text.replace(old, new)
    return text


def read_words(path: Path) -> dict[str, str]:
    """Return the replacements in the lines ``old => new`` of the file."""
    lines = path.read_text(encoding="utf-8").splitlines()
    pairs = (line.partition(" => ") for line in lines if line.strip())
    return {old: new for old, _, new in pairs}


def _files(folder: Path) -> dict[str, Path]:
    """Return all files below `folder` by their names there, which are to be equal on both sides."""
    names = {path: path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    return {_renamed(path, name): path for path, name in names.items()}


def _renamed(path: Path, name: str) -> str:
    for above in path.parents:
        scenario = above / "scenario.yaml"
        if above.parent.name == "trainings" and scenario.is_file():
            content = hashlib.sha256(scenario.read_bytes()).hexdigest()[:8]
            return masked(name.replace(above.name, f"<training {content}>"), {})
    return masked(name, {})


def _text(path: Path) -> str:
    content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    return content.decode("utf-8", errors="backslashreplace")


def _texts(name: str, there: str, here: str, blanks_alike: bool) -> list[str]:
    old, new = (_lines(_by_key(text), blanks_alike) for text in (there, here))
    if old == new:
        return []
    changed = [*difflib.unified_diff(old, new, lineterm="", n=0)][2:]  # without the names of files
    return ["\n    ".join([f"{name}: another text", *_few([line for line in changed if line[:2] != "@@"])])]


def _by_key(text: str) -> str:
    """Return `text` with the keys of each JSON object that stands on lines of its own in order."""

    def ordered(block: re.Match[str]) -> str:
        try:
            return json.dumps(json.loads(block[0]), indent=2, sort_keys=True)
        except ValueError:
            return block[0]

    return re.sub(r"(?ms)^\{\n.*?^\}$", ordered, text)


def _lines(text: str, blanks_alike: bool) -> list[str]:
    return [re.sub(r"(\s|[-─━])+", " ", line) if blanks_alike else line for line in text.split("\n")]


def _few(lines: Sequence[str]) -> list[str]:
    more = [f"and {len(lines) - _SHOWN} lines more"] if len(lines) > _SHOWN else []
    return [line[:200] for line in lines[:_SHOWN]] + more


def _ledgers(name: str, there: Path, here: Path, counts: Counter[str]) -> Iterator[str]:
    tables = _tables(there), _tables(here)
    if list(tables[0]) != list(tables[1]):
        yield f"{name}: tables {', '.join(tables[0])} before, {', '.join(tables[1])} after"
    for table in tables[0].keys() & tables[1].keys():
        counts["tables"] += 1
        rows = tables[0][table], tables[1][table]
        if rows[0] == rows[1]:
            continue
        at = next(
            (i for i, pair in enumerate(zip(*rows, strict=False)) if pair[0] != pair[1]), min(map(len, rows))
        )
        shown = [side[at] if at < len(side) else "no such row" for side in rows]
        what = "columns" if at == 0 else f"row {at}"
        lengths = (
            f" ({len(rows[0]) - 1} rows before, {len(rows[1]) - 1} after)"
            if len(rows[0]) != len(rows[1])
            else ""
        )
        yield f"{name}: table {table}, {what}{lengths}\n    - {shown[0]}\n    + {shown[1]}"


def _tables(path: Path) -> dict[str, list[str]]:
    """Return the tables of a ledger, columns first, then rows; of a damaged one, what is wrong with it."""
    found: dict[str, list[str]] = {}
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as ledger:
            names = ledger.execute(
                "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY rowid"
            ).fetchall()
            for (name,) in names:
                rows = ledger.execute(f'SELECT * FROM "{name}" ORDER BY rowid')
                found[name] = [repr([column[0] for column in rows.description])]
                found[name] += map(repr, rows)
    except sqlite3.Error as error:
        found["damaged"] = [str(error)]
    return found
