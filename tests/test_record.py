"""Records: a replay equals the live run row for row and in its digest; what it could not equal is refused."""

import json
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from fakes import payload
from worlds import live_run, scenario
from worlds import table as in_file

from slfac_sim.effects import Compute, Note, Send, Task, Together
from slfac_sim.foundation.errors import BadInput
from slfac_sim.hosts.names import SERVER
from slfac_sim.ledger.reader import LedgerReader
from slfac_sim.ledger.store import FileLedger, MemoryLedger
from slfac_sim.ledger.summary import HostClock, summary_of
from slfac_sim.ledger.tables import DIGESTED, TABLES
from slfac_sim.protocols.parallel import Parallel
from slfac_sim.runs.folder import RunFolder
from slfac_sim.runs.replay import Finished, Record, load_training, replayed_scenario, retime, timed
from slfac_sim.runs.run import prepare, run
from slfac_sim.simulation.simulate import simulate
from slfac_sim.simulation.simulated import Stalled

AIRS = {
    "same": (),
    "narrow": ("network.bandwidth=1 MHz",),
    "fading": ("network.fading={kind: block, coherence: 50 ms}",),
    "ideal": ("network={kind: ideal, up_rate: 3 Mbit/s, down_rate: 9 Mbit/s, latency: 3 ms}",),
    "all alike": (
        "network={kind: ideal, up_rate: 8 Mbit/s, down_rate: 8 Mbit/s, sharing: none}",
        "devices.speed={kind: fixed, speed: 1 GFLOP/s}",
    ),
    "other hosts": ("devices.speed={kind: log_normal, sigma: 2}", "server.speed=0.5 GFLOP/s"),
    "other codec speeds": ("devices.codec_speed=5 MFLOP/s", "server.codec_speed=0.2 GFLOP/s"),
    "another draw": ("seed.air=11",),
    "slow hosts": (
        "devices.slowdowns=[jitter, {kind: stragglers, each: 50 ms}, {kind: thermal, heats_in: 50 ms}]",
        "server.slowdowns=[jitter]",
        "server.discipline=sharing",
    ),
}
Heard = Callable[[str, Any], None]


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run of the tiny scenario."""
    folder = tmp_path_factory.mktemp("record") / "run"
    run(prepare(scenario(), folder, threads=1))
    return folder


@pytest.fixture
def copy(recorded: Path, tmp_path: Path) -> Path:
    """A copy of that folder, to be spoilt."""
    return shutil.copytree(recorded, tmp_path / "copy")


@pytest.mark.parametrize("air", AIRS)
def test_a_replay_in_memory_equals_the_live_run(recorded: Path, air: str, tmp_path: Path) -> None:
    """Every table, row for row; and the digest, and what a summary says."""
    record, rows, live = Record.load(recorded), MemoryLedger(), tmp_path / "live.sqlite"
    _, live_s, digest = live_run(live, *AIRS[air])
    assert retime(record, replayed_scenario(record, AIRS[air]), rows) == live_s
    assert rows.digest() == digest
    with closing(sqlite3.connect(live)) as db:
        for name, columns in TABLES.items():
            wanted = db.execute(f"SELECT * FROM {name} ORDER BY rowid").fetchall()
            assert [tuple(row) for row in rows.tuples(name, list(columns))] == wanted, name
            assert [tuple(row.values()) for row in rows.rows(name)] == wanted, name


def test_a_record_is_played_as_often_as_one_likes(recorded: Path, tmp_path: Path) -> None:
    """In memory and into a file, in any order, with equal digests and summaries."""
    record, found = Record.load(recorded), []
    for _ in range(2):
        rows = MemoryLedger()
        retime(record, record.scenario, rows)
        found.append(summary_of(record.scenario, record.summary["data"], rows, {}, "finished", ""))
    with FileLedger(tmp_path / "again.sqlite") as ledger:
        retime(record, record.scenario, ledger)
        found.append(summary_of(record.scenario, record.summary["data"], ledger, {}, "finished", ""))
    assert found[0] == found[1] == found[2]
    of_the_run = {name: record.summary[name] for name in ("host", "weights")}  # these are no replay's
    assert {**found[0], **of_the_run} == record.summary


def test_a_replay_stalls_where_a_live_run_would(recorded: Path) -> None:
    far = ("network.positions=[[20,0],[0,20],[9000,0],[30,0],[0,30]]", "network.outage=allow")
    record = Record.load(recorded)
    with pytest.raises(Stalled, match="stalled: d002 -> server"):
        retime(record, replayed_scenario(record, far), MemoryLedger())


def test_what_learning_sees_is_refused(recorded: Path) -> None:
    record, rows = Record.load(recorded), MemoryLedger()
    changed = scenario("codec.uplink.theta=0.95", "seed.learning=3", "network.bandwidth=1 MHz")
    with pytest.raises(BadInput) as caught:
        retime(record, changed, rows)
    assert str(caught.value) == (
        f"{recorded}: learning sees seed.learning: 0 there, 3 wanted; codec.uplink.theta: 0.9 there, 0.95"
        " wanted. A replay can change name, seed.air, network, devices.speed, devices.codec_speed,"
        " devices.slowdowns, devices.power, devices.memory, evaluation.targets, server.speed,"
        " server.codec_speed, server.discipline, server.slowdowns, server.power alone; run the scenario"
        " instead"
    )
    assert all(rows.rows(table) == [] for table in TABLES)


def altered(folder: Path, sql: str) -> None:
    """Change the ledger in `folder`, whose summary then has its digest: a run that came out so."""
    with closing(sqlite3.connect(folder / "ledger.sqlite")) as db:
        db.execute(sql)
        db.commit()
    digest = LedgerReader(folder / "ledger.sqlite").digest()
    path = folder / "summary.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "digest": digest}))


def cells(folder: Path) -> list[tuple[str, str]]:
    """Return every table and column of what happened that has a row in the run in `folder`."""
    with closing(sqlite3.connect(folder / "ledger.sqlite")) as db:
        full = [table for table in DIGESTED if db.execute(f"SELECT count(*) FROM {table}").fetchone()[0]]
    return [(table, column) for table in full for column in TABLES[table]]


def test_a_ledger_with_one_altered_cell_is_refused_whichever_it_is(recorded: Path, tmp_path: Path) -> None:
    for table, column in cells(recorded):
        copy = shutil.copytree(recorded, tmp_path / f"{table}.{column}")
        with closing(sqlite3.connect(copy / "ledger.sqlite")) as db, db:
            db.execute(f"UPDATE {table} SET {column} = 987654321 WHERE rowid = 1")
        for load_it in (Record.load, load_training):
            with pytest.raises(BadInput, match=r"ledger\.sqlite: altered since the run: its digest is"):
                load_it(copy)
        shutil.rmtree(copy)


def test_a_run_without_a_digest_is_refused(copy: Path) -> None:
    summary = json.loads((copy / "summary.json").read_text())
    del summary["digest"]
    (copy / "summary.json").write_text(json.dumps(summary))
    with pytest.raises(BadInput, match="digest: missing, expected that of the ledger"):
        Record.load(copy)


@pytest.mark.parametrize("status", ["interrupted", "failed"])
def test_an_unfinished_run_is_refused(copy: Path, status: str) -> None:
    text = (copy / "summary.json").read_text()
    (copy / "summary.json").write_text(text.replace('"finished"', f'"{status}"'))
    with pytest.raises(BadInput, match=f"the run is {status} .*; only a finished one can be replayed"):
        Record.load(copy)


@pytest.mark.parametrize(
    ("sql", "reason"),
    [
        ("UPDATE transfers SET outcome = 'lost' WHERE id = 7", "transfer 7 was lost: timing steered"),
        ("UPDATE transfers SET outcome = 'cancelled' WHERE id = 3", "transfer 3 was cancelled: timing"),
        ("UPDATE computes SET outcome = 'interrupted' WHERE id = 9", "compute 9 was interrupted: timing"),
        ("INSERT INTO limits VALUES ('', 1, 0.0, 5, 2.5, NULL)", "effect 1 .* had a deadline of 2.5 s"),
        ("INSERT INTO limits VALUES ('1.0', 4, 0.0, 5, NULL, 3)", "task '1.0' had 3 results as enough"),
        ("UPDATE transfers SET receivers = 2 WHERE dst = '*'", "went to 2 of 5 devices"),
        ("DELETE FROM transfers WHERE id = 71", "damaged: 71 transfers, and 72 in the summary"),
        ("DROP TABLE limits", "cannot be read .no such table: limits."),
    ],
)  # fmt: skip
def test_a_ledger_that_no_replay_could_equal_is_refused(copy: Path, sql: str, reason: str) -> None:
    altered(copy, sql)
    with pytest.raises(BadInput, match=reason):
        Record.load(copy)


def test_a_truncated_ledger_is_refused(copy: Path) -> None:
    whole = (copy / "ledger.sqlite").read_bytes()
    (copy / "ledger.sqlite").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(BadInput, match=r"ledger\.sqlite: (cannot be read|damaged)"):
        Record.load(copy)


@pytest.mark.parametrize("name", ["summary.json", "ledger.sqlite", "scenario.yaml"])
def test_a_folder_without_one_of_its_files_is_refused(copy: Path, name: str) -> None:
    (copy / name).unlink()
    with pytest.raises(BadInput, match=name):
        Record.load(copy)


def test_a_protocol_that_timing_steers_is_refused_by_name(
    recorded: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Parallel, "timing_steers_learning", True)
    with pytest.raises(BadInput, match="timing steers learning in the protocol parallel"):
        Record.load(recorded)
    monkeypatch.setattr(Parallel, "timing_steers_learning", None)
    with pytest.raises(BadInput, match="the protocol parallel does not say whether timing steers learning"):
        Record.load(recorded)


STEERED = ("devices.battery=1 J",)


@pytest.fixture(scope="module")
def steered_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run in which batteries ran out."""
    folder = tmp_path_factory.mktemp("steered") / "run"
    run(prepare(scenario(*STEERED), folder, threads=1))
    return folder


def test_a_run_with_batteries_cannot_be_replayed(steered_run: Path) -> None:
    with pytest.raises(BadInput, match=r"devices have a battery .* it would learn otherwise"):
        Record.load(steered_run)


def test_a_steered_training_stands_for_its_own_scenario(steered_run: Path) -> None:
    training = load_training(steered_run)
    assert isinstance(training, Finished)
    rows = timed(training, scenario(*STEERED, "name=other", "evaluation.targets=[0.5]"))
    assert rows.digest() == training.summary["digest"]
    for table in TABLES:
        assert rows.rows(table) == in_file(steered_run / "ledger.sqlite", table)
    assert rows.rows("outages")


def test_a_steered_training_stands_for_no_other_scenario(steered_run: Path) -> None:
    training = load_training(steered_run)
    with pytest.raises(BadInput, match=r"it ran otherwise: network.bandwidth: 5000000.0 there, 1"):
        timed(training, scenario(*STEERED, "network.bandwidth=1 MHz"))


def test_what_can_be_replayed_is_loaded_as_a_record(recorded: Path) -> None:
    training = load_training(recorded)
    assert isinstance(training, Record)
    assert timed(training, scenario()).digest() == training.summary["digest"]


def test_work_by_the_roofline_is_replayed_on_other_networks_and_on_no_other_machine(tmp_path: Path) -> None:
    memory = "devices.memory_bandwidth=50 MB/s"
    roofline = (memory, "codec=raw")
    run(prepare(scenario(*roofline), tmp_path / "run", threads=1))
    record, rows = Record.load(tmp_path / "run"), MemoryLedger()
    _, _, digest = live_run(tmp_path / "live.sqlite", *roofline, "network.bandwidth=1 MHz")
    retime(record, scenario(*roofline, "network.bandwidth=1 MHz"), rows)
    assert rows.digest() == digest
    for change in ((memory, "devices.speed={kind: fixed}"), ("devices.memory_bandwidth=60 MB/s",)):
        with pytest.raises(BadInput, match="learning sees devices"):
            retime(record, scenario(*change, "codec=raw"), MemoryLedger())


def played(folder: Path, task: Task) -> Path:
    """Leave in `folder` the finished run of another protocol, on the tiny scenario's network."""
    folder.mkdir()
    chosen = scenario()

    data = {"name": "none", "real": False}
    with RunFolder.open(folder) as ours, ours.fill(chosen, data, HostClock(1)) as ledger:
        simulate(chosen, task, ledger)
    return folder


def one(effect: Any) -> Task:
    return (yield effect)


@pytest.mark.parametrize("limit", [{"deadline_s": 5.0}, {"enough": 2}])
def test_a_limit_that_nobody_missed_is_refused_all_the_same(tmp_path: Path, limit: dict[str, Any]) -> None:
    work = [one(Compute(name, 1e6, lambda: None, "work")) for name in ("d000", "d001")]
    folder = played(tmp_path / "r", one(Together(work, **limit)))
    with pytest.raises(BadInput, match=r"effect 0 of task '' had .*: timing could steer this run"):
        Record.load(folder)


def test_tasks_that_do_nothing_keep_their_places(tmp_path: Path) -> None:
    """A `Together` of nothing, or of tasks without effects, leaves no row; the numbers count on."""

    def idle() -> Task:
        return "nothing"
        yield

    def protocol() -> Task:
        yield Together([])
        yield Together([idle(), one(Compute("d001", 1e6, lambda: None, "work")), idle()])
        yield Together([idle()])
        yield Together([idle(), one(Together([one(Send("d000", SERVER, {"labels": payload(5)}))]))])
        yield Note("rounds", {"round": 1, "devices": 5, "samples": 1, "loss": 0.5})

    record, rows = Record.load(played(tmp_path / "r", protocol())), MemoryLedger()
    retime(record, record.scenario, rows)
    assert rows.digest() == record.summary["digest"]
    assert [row["task"] for row in rows.rows("computes") + rows.rows("transfers")] == ["1.1", "3.1/0.0"]
