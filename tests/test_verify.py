"""Verify: an honest run is done again to the same rows; a row that was changed is found and named."""

import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from worlds import scenario

from slfac_sim.analysis.cli import main as analysis
from slfac_sim.cli import main
from slfac_sim.foundation.errors import BadInput
from slfac_sim.runs.run import prepare, run
from slfac_sim.runs.verify import prepare_verify

SHORT = ("protocol.rounds=1", "protocol.steps=1")


@pytest.fixture(scope="module")
def honest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("verify") / "run"
    run(prepare(scenario(*SHORT), folder, threads=1))
    return folder


@pytest.fixture
def copy(honest: Path, tmp_path: Path) -> Path:
    return shutil.copytree(honest, tmp_path / "copy")


def change(folder: Path, sql: str) -> None:
    with closing(sqlite3.connect(folder / "ledger.sqlite")) as db, db:
        db.execute(sql)


def change_summary(folder: Path, **keys: object) -> None:
    path = folder / "summary.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **keys}))


def test_an_honest_run_is_verified(honest: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = {path.name: path.stat().st_mtime_ns for path in honest.iterdir()}
    digest = json.loads((honest / "summary.json").read_text())["digest"]
    assert main(["verify", str(honest), "--quiet"]) == 0
    assert capsys.readouterr().out == f"{honest}: verified, digest {digest[:16]}\n"
    assert {path.name: path.stat().st_mtime_ns for path in honest.iterdir()} == before


@pytest.mark.parametrize(
    ("sql", "found"),
    [
        ("UPDATE steps SET loss = loss + 1e-15 WHERE rowid = 3", "table steps, row 2, column loss: "),
        (
            "UPDATE payloads SET sha256 = 'ff' WHERE rowid = 1",
            "table payloads, row 0, column sha256: 'ff' on",
        ),
        ("DELETE FROM transfers WHERE id > 12", "table transfers, row 13: not on record, but now"),
        ("INSERT INTO limits VALUES ('', 1, 0, 5, 1.0, NULL)", "table limits, row 0: on record, but not now"),
    ],
)
def test_what_was_changed_is_named(
    copy: Path, sql: str, found: str, capsys: pytest.CaptureFixture[str]
) -> None:
    change(copy, sql)
    assert main(["verify", str(copy), "--quiet"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith(f"{copy}: differs")
    assert len(lines) == 2
    assert lines[1].startswith(found)


def test_a_digest_that_is_not_of_the_ledger_is_told(copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    change_summary(copy, digest="0" * 64)
    assert main(["verify", str(copy), "--quiet"]) == 1
    assert "every row is equal: the digest in summary.json" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("keys", "reason"),
    [
        ({"status": "interrupted", "reason": "by the user"}, "the run is interrupted; only a finished one"),
        (
            {"replay_of": "abcdef"},
            "it is a replay, which learnt nothing; verify the run that it is of, abcdef",
        ),
    ],
)
def test_what_cannot_be_verified_is_refused(copy: Path, keys: dict[str, str], reason: str) -> None:
    change_summary(copy, **keys)
    with pytest.raises(BadInput, match=reason), prepare_verify(copy):
        pass


@pytest.mark.parametrize(
    ("key", "figure"),
    [
        ("accuracy", {"final": 0.99, "best": 0.99}),
        ("simulated_s", 1.0),
        ("time_to_accuracy_s", {"0.95": 3.0}),
        ("bytes", {"total": 1}),
        ("data", {"name": "synthetic", "real": True}),
    ],
)
def test_a_figure_of_the_summary_that_was_edited_is_named(
    copy: Path, key: str, figure: object, capsys: pytest.CaptureFixture[str]
) -> None:
    change_summary(copy, **{key: figure})
    assert main(["verify", str(copy), "--quiet"]) == 1
    assert f"summary.json, {key}: {figure!r} on record" in capsys.readouterr().out


@pytest.mark.parametrize("verb", ["explain", "compare", "trace", "list", "analysis", "export"])
def test_who_reads_an_altered_ledger_warns(
    honest: Path, copy: Path, verb: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    change(copy, "UPDATE evals SET accuracy = 0.99 WHERE round = 1")
    words = {"compare": [str(honest), str(copy)], "list": [str(tmp_path), "--check"]}.get(verb, [str(copy)])
    assert (analysis(words) if verb == "analysis" else main([verb, *words])) == 0
    told = capsys.readouterr()
    assert f"{copy / 'ledger.sqlite'}: altered since the run: its digest is" in told.out + told.err
