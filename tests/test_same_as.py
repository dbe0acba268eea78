"""The comparison of golden runs: what it must find, and what it must not mind."""

import gzip
import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from golden.comparison import compare, masked, read_words
from golden.player import choices

SAID = """$ slfac_sim check base.yaml
exit 2
--- stdout
host time                    1 s wall, 0 s CPU, 1 thread
--- stderr
codec: no 'slfacc' among raw, slfac
"""
SUMMARY = {"simulated_s": 1.5, "host": {"wall_s": 1.0, "cpu_s": 2.0, "peak_rss_bytes": 3, "threads": 1}}


@pytest.fixture
def then(tmp_path: Path) -> Path:
    folder = tmp_path / "then"
    (folder / "group" / "said").mkdir(parents=True)
    (folder / "group" / "said" / "check.txt").write_text(SAID)
    (folder / "group" / "summary.json").write_text(json.dumps(SUMMARY, indent=2))
    (folder / "group" / "tensor.npy").write_bytes(b"\x00\x01")
    (folder / "group" / "figure.svg").write_text("<svg>then</svg>")
    with closing(sqlite3.connect(folder / "group" / "ledger.sqlite")) as ledger, ledger:
        ledger.execute("CREATE TABLE steps (round INTEGER, loss REAL)")
        ledger.execute("CREATE TABLE rounds (round INTEGER)")
        ledger.executemany("INSERT INTO steps VALUES (?, ?)", [(1, 0.5), (1, 0.25)])
    return folder


@pytest.fixture
def here(then: Path) -> Path:
    return shutil.copytree(then, then.with_name("here"))


def differences(then: Path, here: Path, **words: str) -> list[str]:
    return compare(then, here, words, {then: "<runs>", here: "<runs>"})[0]


def test_equal_folders_are_the_same_and_counted(then: Path, here: Path) -> None:
    found, counts = compare(then, here, {}, {})
    assert found == []
    assert counts == {"runs": 1, "tables": 2, "texts": 2, "bodies": 1}


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        ("UPDATE steps SET loss = 0.2500000000000001 WHERE loss = 0.25", ["table steps, row 2", "(1, 0.25)"]),
        ("UPDATE steps SET loss = 1 WHERE loss = 0.25", ["table steps, row 2", "(1, 1.0)"]),
        (
            "DELETE FROM steps WHERE loss = 0.25",
            ["table steps, row 2", "2 rows before, 1 after", "no such row"],
        ),
        ("DROP TABLE rounds", ["tables steps, rounds before, steps after"]),
        ("ALTER TABLE rounds RENAME COLUMN round TO number", ["table rounds, columns", "['number']"]),
    ],
)
def test_a_ledger_that_differs_is_found(then: Path, here: Path, statement: str, told: list[str]) -> None:
    with closing(sqlite3.connect(here / "group" / "ledger.sqlite")) as ledger, ledger:
        ledger.execute(statement)
    (found,) = differences(then, here)
    assert found.startswith("group/ledger.sqlite: ")
    assert all(words in found for words in told)


@pytest.mark.parametrize(
    ("old", "new"), [("exit 2", "exit 1"), ("among raw", "out of raw"), ("1 thread", "2 threads")]
)
def test_a_text_that_differs_is_found_and_shown(then: Path, here: Path, old: str, new: str) -> None:
    (here / "group" / "said" / "check.txt").write_text(SAID.replace(old, new))
    (found,) = differences(then, here)
    lines = found.splitlines()
    assert lines[0] == "group/said/check.txt: another text"
    assert any(line.startswith("    -") and old in line for line in lines)
    assert any(line.startswith("    +") and new in line for line in lines)


@pytest.mark.parametrize("name", ["said/check.txt", "ledger.sqlite", "tensor.npy", "figure.svg"])
def test_a_missing_file_is_found_on_either_side(then: Path, here: Path, name: str) -> None:
    (here / "group" / name).unlink()
    assert differences(then, here) == [f"group/{name}: only before"]
    assert differences(here, then) == [f"group/{name}: only after"]


def test_other_bytes_of_a_body_and_of_what_is_packed_are_found(then: Path, here: Path) -> None:
    for folder, text in ((then, b"a\n"), (here, b"b\n")):
        (folder / "group" / "trace.json.gz").write_bytes(gzip.compress(text))
    (here / "group" / "tensor.npy").write_bytes(b"\x00\x02")
    assert [line.splitlines()[0] for line in differences(then, here)] == [
        "group/tensor.npy: other bytes",
        "group/trace.json.gz: another text",
    ]


def test_what_depends_on_host_date_and_place_is_masked(then: Path, here: Path) -> None:
    hosts = {**SUMMARY, "host": {"wall_s": 9.5, "cpu_s": 8.0, "peak_rss_bytes": None, "threads": 1}}
    (here / "group" / "summary.json").write_text(json.dumps(hosts, indent=2))
    (here / "group" / "said" / "check.txt").write_text(
        SAID.replace("1 s wall, 0 s CPU", "1,234 s wall, 7 s CPU")
    )
    (here / "group" / "figure.svg").write_text("<svg>here</svg>")
    for folder, date in ((then, "2026-01-02 03:04:05,678"), (here, "2027-01-02 03:04:05,679")):
        (folder / "group" / "run.log").write_text(f"{date} begun in {folder}\n")
    assert differences(then, here) == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (
            "symbols 95 %, frame 5 %  17.000  3.73e-08  0.09  0.09\n",
            "symbols 95 %, frame 5 %  17.000  3.73e-08  0.1  12.5\n",
        ),
        ('{"encode_s": 1.2e-05,\n"decode_s": 7.5e-06}', '{"encode_s": 1.1e-05,\n"decode_s": 8}'),
        ("776e136d488f2fdc,e58af51befdd682d,raw\n", "776e136d488f2fdc,43ef8a378cb8328d,raw\n"),
        (
            "host memory, peak  0.41 GB, 0:09 elapsed, about 1:02 left",
            "host memory, peak  1.2 GB, 1:00 elapsed, nearly done",
        ),
    ],
)
def test_times_of_the_host_and_hashes_of_sources_are_masked(old: str, new: str) -> None:
    assert masked(old, {}) == masked(new, {})


def test_what_stands_beside_a_mask_is_compared() -> None:
    assert masked("frame 5 %  17.000  3.73e-08  0.09  0.09\n", {}) != masked(
        "frame 5 %  17.001  3.73e-08  0.09  0.09\n", {}
    )
    assert masked("776e136d488f2fdc,e58af51befdd682d,raw", {}) != masked(
        "876e136d488f2fdc,e58af51befdd682d,raw", {}
    )


def test_a_training_goes_by_its_scenario(then: Path, here: Path) -> None:
    for folder, key in ((then, "0123456789abcdef"), (here, "fedcba9876543210")):
        (folder / "trainings" / key).mkdir(parents=True)
        (folder / "trainings" / key / "scenario.yaml").write_text("name: base\n")
    assert differences(then, here) == []
    (here / "trainings" / "fedcba9876543210" / "scenario.yaml").write_text("name: other\n")
    assert len(differences(then, here)) == 2


def test_words_are_replaced_in_texts_of_before_alone(then: Path, here: Path) -> None:
    (here / "group" / "said" / "check.txt").write_text(SAID.replace("among", "out of"))
    assert differences(then, here, among="out of") == []
    assert len(differences(here, then, among="out of")) == 1
    with closing(sqlite3.connect(then / "group" / "ledger.sqlite")) as ledger, ledger:
        ledger.execute("CREATE TABLE among (a)")
    assert len(differences(then, here, among="out of")) == 1


def test_words_are_read_from_lines(tmp_path: Path) -> None:
    (tmp_path / "words").write_text("players => clockwork\n\ncourier => postman\n")
    assert read_words(tmp_path / "words") == {"players": "clockwork", "courier": "postman"}


def test_choices_are_kinds_and_switches_that_the_schema_has() -> None:
    fine = {"kind": {"const": "fine"}, "scope": {"enum": ["plane", "tensor"], "default": "plane"}}
    fine |= {"exact": {"type": "boolean", "default": False}, "bits": {"type": "integer"}}
    kinds = {
        "anyOf": [{"$ref": "#/$defs/fine"}, {"properties": {"kind": {"const": "raw"}}}, {"const": "raw"}]
    }
    below = {"properties": {"medium": {"items": {"$ref": "#/$defs/kinds"}}}}
    schema = {"properties": {"network": below}, "$defs": {"kinds": kinds, "fine": {"properties": fine}}}
    assert choices(schema, ["network", "medium"]) == [
        "fine",
        "fine, scope: tensor",
        "fine, exact: true",
        "raw",
    ]


def test_keys_of_json_may_stand_in_another_order(tmp_path: Path) -> None:
    for side, text in (
        ("before", '{\n  "a": 1,\n  "b": [\n    2\n  ]\n}'),
        ("after", '{\n  "b": [\n    2\n  ],\n  "a": 1\n}'),
    ):
        (tmp_path / side / "x/said").mkdir(parents=True)
        (tmp_path / side / "x/said/check.txt").write_text(f"status 0\n{text}\n", encoding="utf-8")
    assert compare(tmp_path / "before", tmp_path / "after", {}, {})[0] == []
    (tmp_path / "after/x/said/check.txt").write_text(
        'status 0\n{\n  "a": 1,\n  "b": [\n    3\n  ]\n}\n', encoding="utf-8"
    )
    assert len(compare(tmp_path / "before", tmp_path / "after", {}, {})[0]) == 1
