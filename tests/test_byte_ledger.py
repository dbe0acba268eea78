"""The byte ledger of a run: its rows, that they add up, that replays have them, and its figures."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from run_folders import fake_run
from worlds import column, live_run, table

from slfac_sim.analysis.draw import draw
from slfac_sim.analysis.figures import band_bits, byte_ledger
from slfac_sim.codecs import Payload
from slfac_sim.ledger.folder import load
from slfac_sim.ledger.store import MemoryLedger
from slfac_sim.ledger.tables import AIR, ASIDES, BY_ROUND, DIGESTED, MEASURED, SUMS
from slfac_sim.simulation.replay import script_of
from slfac_sim.simulation.replay_log import RecordedParcel
from slfac_sim.simulation.transmissions import Tally


def body(nbytes: int, notes: dict[str, float] | None = None, **parts: int) -> Payload:
    return Payload(bytes(nbytes), nbytes, notes or {}, parts)


def test_a_round_worked_by_hand() -> None:
    """Two bodies of one kind, one of a codec that tells nothing; then a round of its own."""
    book, tally = MemoryLedger(), Tally()
    tally.count("smashed_up", body(7, {"bits_low": 2.0}, frame=3, symbols=4))
    tally.count("labels", body(5))
    tally.count("smashed_up", body(9, {"bits_low": 5.0}, frame=3, symbols=6))
    tally.close_round(book, 1)
    tally.close_round(book, 2)
    tally.count("model_down", body(1))
    tally.count("labels", RecordedParcel(5, 5, "0"))
    tally.close_round(book)
    assert book.tuples("parts", list(SUMS["parts"])) == [
        (1, "labels", "body", 1, 5),
        (1, "smashed_up", "frame", 2, 6),
        (1, "smashed_up", "symbols", 2, 10),
        (3, "model_down", "body", 1, 1),
    ]
    assert book.tuples("codec_notes", list(SUMS["codec_notes"])) == [(1, "smashed_up", "bits_low", 2, 3.5)]


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("live") / "ledger.sqlite"
    live_run(path)
    return path


def test_parts_add_up_to_the_payloads_of_a_run(live: Path) -> None:
    parts, payloads = table(live, "parts"), table(live, "payloads")
    for kind in set(column(payloads, "kind")):
        of_kind = [row for row in parts if row["kind"] == kind]
        assert sum(row["bytes"] for row in of_kind) == sum(r["bytes"] for r in payloads if r["kind"] == kind)
    up = [row for row in parts if row["kind"] == "smashed_up"]
    assert set(column(up, "messages")) == {15}
    assert set(column(parts, "round")) == {1, 2, 3}
    assert {row["kind"] for row in parts if row["round"] == 3} == {"model_down"}
    notes = {(row["round"], row["kind"]) for row in table(live, "codec_notes")}
    assert notes == {(n, kind) for n in (1, 2) for kind in ("smashed_up", "smashed_down")}


def test_sums_are_no_part_of_the_digest() -> None:
    assert set(DIGESTED).isdisjoint(BY_ROUND)
    assert set(DIGESTED).isdisjoint(AIR)


def test_a_record_of_an_earlier_version_has_no_sums(live: Path, tmp_path: Path) -> None:
    assert list(script_of(live, ["d000"] * 5).sums) == ["parts", "codec_notes", *MEASURED, "asides"]
    old = tmp_path / "old.sqlite"
    old.write_bytes(live.read_bytes())
    with closing(sqlite3.connect(old)) as ledger, ledger:
        for name in BY_ROUND | ASIDES:
            ledger.execute(f"DROP TABLE {name}")
    assert script_of(old, ["d000"] * 5).sums == {}


def drawn(folder: Path, rows: dict[str, list[tuple[Any, ...]]]) -> str:
    """Draw the figures of a run with these rows and return the texts of both."""
    fake_run(folder, "raw fp32", changes={"time_to_accuracy_s": {}})
    with closing(sqlite3.connect(folder / "ledger.sqlite")) as ledger, ledger:
        for name, found in rows.items():
            ledger.execute(f"CREATE TABLE {name} ({', '.join(SUMS[name])})")
            marks = ", ".join("?" * len(SUMS[name]))
            ledger.executemany(f"INSERT INTO {name} VALUES ({marks})", found)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("slfac_sim.analysis.draw.kinds", lambda family: ["band_bits", "byte_ledger"])
        draw([load(folder)], folder / "figures")
    return "".join(path.read_text(encoding="utf-8") for path in sorted((folder / "figures").glob("*.svg")))


def test_the_figures_show_parts_and_bands(tmp_path: Path) -> None:
    texts = drawn(
        tmp_path / "run",
        {
            "parts": [(1, "smashed_up", "ranges", 2, 2_000_000), (1, "smashed_up", "symbols", 2, 1_000_000)],
            "codec_notes": [(1, "smashed_up", "bits_low", 2, 3.0), (1, "smashed_up", "low_fraction", 2, 0.2)],
        },
    )
    for text in (
        "activations, up: 3 MB",
        "gradients, down: 0 MB",
        "ranges",
        "bits low, up",
        "low fraction, up",
    ):
        assert f">{text}<" in texts
    assert (tmp_path / "run/figures/byte_ledger.csv").read_text(encoding="utf-8").count("\n") == 3


def test_figures_of_a_run_without_bands_and_of_an_old_run(tmp_path: Path) -> None:
    drawn(tmp_path / "new", {"parts": [(1, "smashed_up", "body", 2, 9)], "codec_notes": []})
    assert [path.stem for path in (tmp_path / "new/figures").glob("*.svg")] == ["byte_ledger"]
    assert band_bits.data(load(tmp_path / "new")) is None
    assert drawn(tmp_path / "old", {}).count("This run was recorded by a version that") == 2
    run = load(tmp_path / "old")
    assert (byte_ledger.data(run).parts, band_bits.data(run).old) == ([], True)
