"""Damaged run folders under every verb that reads one: a sentence and status 1 or 2, never a traceback."""

import json
import os
import shutil
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from worlds import scenario

from slfac_sim.analysis.cli import main as analysis
from slfac_sim.cli import main
from slfac_sim.ledger.reader import LedgerReader
from slfac_sim.ledger.tables import TABLES
from slfac_sim.runs.checkpoint_file import write_tree
from slfac_sim.runs.run import prepare, run

VERBS: dict[str, tuple[str, ...]] = {
    "explain": ("explain", "R"),
    "explain steps": ("explain", "R", "--steps", "1", "--json"),
    "explain replay": ("explain", "R", "--replay"),
    "trace": ("trace", "R"),
    "export": ("export", "R"),
    "parquet": ("export", "R", "--format", "parquet"),
    "list": ("list", "."),
    "list check": ("list", ".", "--check", "--json"),
    "compare": ("compare", "R", "good"),
    "compare with": ("compare", "good", "R", "--json"),
    "replay": ("replay", "R", "--quiet", "network.bandwidth=1 MHz", "--out", "out"),
    "verify": ("verify", "R", "--quiet"),
    "resume": ("resume", "R", "--quiet"),
    "cite": ("cite", "R"),
    "analysis": ("analysis", "R", "-o", "figures", "--json"),
    "analysis two": ("analysis", "R", "good", "-o", "figures"),
}
DRAWS = ("analysis", "analysis two")

DEEP = "[" * 100_000
BAD_TEXTS = {
    "empty": b"",
    "text": b"Dear diary,",
    "no UTF-8": b'{"a": "\xff\xfe"}',
    "deep": DEEP.encode(),
    "closed deep": (DEEP + "]" * 100_000).encode(),
    "a list": b"[1, 2]",
    "a number": b"7",
    "null": b"null",
    "long number": b'{"simulated_s": ' + b"9" * 10_000 + b"}",
}
ODD = {
    "null": None,
    "text": "x",
    "list": [],
    "mapping": {},
    "negative": -1,
    "huge": 10**400,
    "nan": float("nan"),
}
SUMMARY_KEYS = (
    *(
        "scenario",
        "label",
        "status",
        "reason",
        "seed",
        "data",
        "devices",
        "simulated_s",
        "rounds",
        "accuracy",
    ),
    *("time_to_accuracy_s", "bytes", "wire_bytes", "bits_per_value", "transfers", "energy", "host", "digest"),
)
CELLS = {"NULL": "NULL", "text": "'x'", "blob": "x'00ff'", "inf": "9e999", "negative": "-1", "big": "1 << 62"}
BEGUN_KEYS = ("threads", "every", "strict", "versions", "data", "resumed")

Damage = Callable[[Path], object]
DAMAGES: dict[str, Damage] = {}


def whole_file(name: str, content: bytes) -> Damage:
    return lambda run: (run / name).write_bytes(content)


def absent(name: str) -> Damage:
    return lambda run: (run / name).unlink()


def folder_instead(name: str) -> Damage:
    def damage(run: Path) -> None:
        (run / name).unlink(missing_ok=True)
        (run / name).mkdir()

    return damage


def key(file: str, name: str, value: Any) -> Damage:
    def damage(run: Path) -> None:
        path = run / file
        path.write_text(json.dumps({**json.loads(path.read_text()), name: value}))

    return damage


def without(file: str, name: str) -> Damage:
    def damage(run: Path) -> None:
        path = run / file
        path.write_text(json.dumps({k: v for k, v in json.loads(path.read_text()).items() if k != name}))

    return damage


def sql(text: str, signed: bool = True) -> Damage:
    """Change the ledger; `signed`, the summary has its digest, so that nobody stops at that."""

    def damage(run: Path) -> None:
        with closing(sqlite3.connect(run / "ledger.sqlite")) as db:
            try:
                with db:
                    db.execute(text)
            except sqlite3.IntegrityError:
                return  # SQLite does not take it either
        if signed:
            key("summary.json", "digest", LedgerReader(run / "ledger.sqlite").digest())(run)

    return damage


for file in ("summary.json", "ledger.sqlite", "scenario.yaml"):
    DAMAGES[f"no {file}"] = absent(file)
    DAMAGES[f"{file} a folder"] = folder_instead(file)
    DAMAGES |= {f"{file} {name}": whole_file(file, text) for name, text in BAD_TEXTS.items()}
for name in SUMMARY_KEYS:
    DAMAGES[f"summary without {name}"] = without("summary.json", name)
    DAMAGES |= {f"summary {name} {odd}": key("summary.json", name, value) for odd, value in ODD.items()}
for table, columns in TABLES.items():
    DAMAGES[f"no table {table}"] = sql(f"DROP TABLE {table}")
    DAMAGES[f"empty table {table}"] = sql(f"DELETE FROM {table}")
    DAMAGES[f"foreign column in {table}"] = sql(f"ALTER TABLE {table} ADD COLUMN odd")
    for column in columns:
        DAMAGES[f"no column {table}.{column}"] = sql(f"ALTER TABLE {table} RENAME COLUMN {column} TO odd")
        for what, value in CELLS.items():
            DAMAGES[f"{table}.{column} {what}"] = sql(f"UPDATE {table} SET {column} = {value}")
DAMAGES["half a ledger"] = lambda run: (run / "ledger.sqlite").write_bytes(
    (run / "ledger.sqlite").read_bytes()[:50_000]
)
DAMAGES["a ledger altered"] = sql("UPDATE evals SET accuracy = 0.99", signed=False)
DAMAGES["a foreign table"] = sql('CREATE TABLE "../odd" (thing)')
DAMAGES["run.log a folder"] = folder_instead("run.log")
DAMAGES["figures a file"] = whole_file("figures", b"")
DAMAGES["tables a file"] = whole_file("tables", b"")


def some(verb: str, damages: Mapping[str, Damage]) -> list[str]:
    """Return the names of the damages that `verb` is tried with: as many as the environment asks for."""
    drawn = sorted(damages, key=lambda name: sha256(f"{verb} {name}".encode()).digest())
    wanted = int(os.environ.get("DAMAGES", "24"))
    return drawn[: wanted // 8 if verb in DRAWS else wanted]


TO_INTERRUPT = scenario("protocol.rounds=3", "protocol.steps=1", "devices.count=2")


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("damage") / "good"
    run(prepare(scenario("protocol.rounds=2", "protocol.steps=1", "devices.count=2"), folder, threads=1))
    return folder


@pytest.fixture(scope="module")
def digest(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Of the run that was interrupted, undisturbed."""
    return str(run(prepare(TO_INTERRUPT, tmp_path_factory.mktemp("damage") / "u", threads=1))["digest"])


@pytest.fixture(scope="module")
def unfinished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An interrupted run with two checkpoints."""
    folder = tmp_path_factory.mktemp("damage") / "unfinished"

    def interrupt(table: str, row: Any) -> None:
        if table == "rounds" and row["round"] == 2:
            raise KeyboardInterrupt

    run(prepare(TO_INTERRUPT, folder, threads=1), interrupt, checkpoint_every=1)
    return folder


def told(verb: str) -> int:
    words = VERBS[verb]
    return analysis(words[1:]) if words[0] == "analysis" else main(words)


def in_place(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a new working folder with a copy of the run in `folder`, and return the copy."""
    monkeypatch.chdir(tmp_path)
    shutil.rmtree(tmp_path / "place", ignore_errors=True)
    (tmp_path / "place").mkdir()
    monkeypatch.chdir(tmp_path / "place")
    return Path(shutil.copytree(folder, "R"))


@pytest.mark.matrix
@pytest.mark.parametrize("verb", VERBS)
def test_a_damaged_run_is_told_in_a_sentence(
    verb: str, good: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in some(verb, DAMAGES):
        damaged = in_place(good, tmp_path, monkeypatch)
        shutil.copytree(good, "good")
        DAMAGES[name](damaged)
        status = told(verb)
        printed = capsys.readouterr()
        assert status in (0, 1, 2), name
        assert "Traceback" not in printed.err + printed.out, name
        assert status == 0 or printed.err.strip() or "differs" in printed.out, name


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE transfers SET task = 'x'",
        "DELETE FROM computes WHERE what = 'train'",
        "UPDATE offers SET end_s = 1",
    ],
)
def test_rows_that_contradict_each_other_are_told(
    change: str,
    good: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    sql(change, signed=False)(in_place(good, tmp_path, monkeypatch))
    assert told("explain") == 2
    assert "its rows contradict each other: the time cannot be explained" in capsys.readouterr().err


OF_UNFINISHED: dict[str, Damage] = {
    name: damage
    for name, damage in DAMAGES.items()
    if name.startswith(
        ("ledger", "no ledger", "half", "no table", "summary.json", "no summary", "scenario.yaml")
    )
}
for name in ("begun.json", "round_000001.checkpoint", "round_000002.checkpoint", "none.txt"):
    file = f"checkpoints/{name}"
    OF_UNFINISHED[f"{name} a folder"] = folder_instead(file)
    OF_UNFINISHED |= {f"{name} {what}": whole_file(file, text) for what, text in BAD_TEXTS.items()}
for name in BEGUN_KEYS:
    OF_UNFINISHED[f"begun without {name}"] = without("checkpoints/begun.json", name)
    OF_UNFINISHED |= {f"begun {name} {odd}": key("checkpoints/begun.json", name, v) for odd, v in ODD.items()}
OF_UNFINISHED["begun with more"] = key("checkpoints/begun.json", "more", 1)
for what, tree in {
    "a list": [1],
    "no state": {"round": 2},
    "others": {"round": 2, "common": {}, "devices": []},
}.items():
    OF_UNFINISHED[f"a checkpoint of {what}"] = lambda run, tree=tree: write_tree(
        run / "checkpoints" / "round_000002.checkpoint", tree
    )
OF_UNFINISHED["a checkpoint without a number"] = whole_file("checkpoints/round_x.checkpoint", b"x")
OF_UNFINISHED["no checkpoints"] = lambda run: [file.unlink() for file in (run / "checkpoints").glob("round*")]
OF_UNFINISHED["no folder of checkpoints"] = lambda run: shutil.rmtree(run / "checkpoints")


@pytest.mark.matrix
@pytest.mark.parametrize("part", range(4))
def test_a_damaged_unfinished_run_is_refused_or_resumed_to_the_same_end(
    part: int,
    unfinished: Path,
    digest: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name in some(f"resume {part}", OF_UNFINISHED):
        damaged = in_place(unfinished, tmp_path, monkeypatch)
        OF_UNFINISHED[name](damaged)
        status = told("resume")
        printed = capsys.readouterr()
        assert "Traceback" not in printed.err + printed.out, name
        assert status in (1, 2) or json.loads((damaged / "summary.json").read_text())["digest"] == digest, (
            name
        )
        assert status == 0 or printed.err.strip(), name
