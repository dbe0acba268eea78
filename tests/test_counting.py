"""What evaluations count beside their accuracy: the confusion matrix, and devices' shares of the test set."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from worlds import live_run, table, world

from slfac_sim.foundation.plugins import kinds
from slfac_sim.learning.counting import figures
from slfac_sim.learning.evaluation import Score
from slfac_sim.learning.own_shares import NOBODY, owners
from slfac_sim.learning.world import World
from slfac_sim.ledger.store import MemoryLedger
from slfac_sim.ledger.tables import MEASURED
from slfac_sim.runs.replay import Record, replayed_scenario, retime
from slfac_sim.runs.run import prepare, run
from slfac_sim.runs.verify import prepare_verify, verify
from slfac_sim.simulation.replay import script_of

NON_IID = ("partition={kind: dirichlet, alpha: 0.4}", "data.noise=90")


@st.composite
def dealt(draw: st.DrawFn) -> tuple[NDArray[np.int64], list[NDArray[np.int64]], NDArray[np.int64], int]:
    seed, classes, devices = draw(st.integers(0, 2**32)), draw(st.integers(1, 6)), draw(st.integers(1, 9))
    draws = np.random.default_rng(seed)
    train = draws.integers(classes, size=draw(st.integers(devices, 300)))
    whose = draws.integers(devices + draw(st.integers(0, 1)), size=len(train))  # some may be nobody's
    shares = [np.flatnonzero(whose == place) for place in range(devices)]
    return train, shares, draws.integers(classes + 1, size=draw(st.integers(1, 200))), seed


@given(case=dealt())
def test_a_device_has_of_each_class_the_part_that_it_has_of_the_training_samples(case: Any) -> None:
    train, shares, test, seed = case
    owner = owners(train, shares, test, seed)
    assert np.array_equal(owner, owners(train, shares, test, seed))
    for label in np.unique(test):
        held = np.array([np.count_nonzero(train[share] == label) for share in shares])
        among = owner[test == label]
        if not held.sum():
            assert set(among) == {NOBODY}
            continue
        got = np.bincount(among, minlength=len(shares))
        assert got.sum() == len(among)  # each sample has one owner
        assert (np.abs(got - len(among) * held / held.sum()) < 1 + 1e-9).all()
        assert (got[held == 0] == 0).all()


def test_who_gets_the_odd_sample_is_drawn_fairly() -> None:
    """Three devices with 1, 2 and 3 of six training samples share one test sample in 1,200 draws."""
    train, shares = np.zeros(6, np.int64), [np.arange(1), np.arange(1, 3), np.arange(3, 6)]
    got = [int(owners(train, shares, np.zeros(1, np.int64), seed)[0]) for seed in range(1200)]
    assert np.bincount(got, minlength=3) == pytest.approx([200, 400, 600], abs=80)


def counts_of(
    one: World, answers: list[list[int]], names: list[list[str]]
) -> dict[str, list[tuple[Any, ...]]]:
    labels = one.data.test_labels
    scores = []
    for given_ in answers:
        given = np.array(given_)
        scores.append(Score(int((given == labels).sum()), len(labels), 1.0, None, given))
    row = figures(list(zip(scores, names, strict=True)), one.layout.ground)
    counts: dict[str, list[tuple[Any, ...]]] = row["counts"]
    return counts


@given(seed=st.integers(0, 999))
def test_answers_count_as_often_as_devices_have_their_model(seed: int) -> None:
    one = WORLD
    labels, classes = one.data.test_labels, one.data.classes
    draws = np.random.default_rng(seed)
    few, many = (draws.integers(classes, size=len(labels)) for _ in range(2))
    names = [["d000", "d003"], ["d001", "d002", "d004"]]
    counts = counts_of(one, [few.tolist(), many.tolist()], names)
    matrix = np.zeros((classes, classes), int)
    for said, weight in ((few, 2), (many, 3)):
        np.add.at(matrix, (labels, said), weight)
    for label, samples, taken, right, taken_for in counts["classes"]:
        row = {int(answer): n for answer, n in json.loads(taken_for).items()}
        assert [row.get(answer, 0) for answer in range(classes)] == matrix[label].tolist()
        assert (samples, taken, right) == (matrix[label].sum(), matrix[:, label].sum(), matrix[label, label])
    owner = one.layout.ground.test_owners
    for place, (name, samples, right) in enumerate(counts["test_shares"]):
        mine, said = owner == place, many if name in names[1] else few
        assert (name, samples, right) == (f"d{place:03d}", mine.sum(), (said == labels)[mine].sum())


WORLD = world(*NON_IID)


@pytest.mark.matrix
@pytest.mark.parametrize("kind", kinds("slfac_sim.protocols"))
def test_counts_of_every_protocol_give_the_accuracy_of_its_evaluations(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    chosen, _, _ = live_run(path, f"protocol={kind}", "protocol.rounds=2", "protocol.steps=1", *NON_IID)
    evals, classes, shares = (table(path, name) for name in ("evals", "classes", "test_shares"))
    assert len(evals) == 3
    for row in evals:
        mine = [each for each in classes if each["round"] == row["round"]]
        right, samples, taken = (sum(each[name] for each in mine) for name in ("correct", "samples", "taken"))
        assert (right / samples, taken) == (row["accuracy"], samples)
        assert samples % chosen.data.test_samples == 0
        own = [each for each in shares if each["round"] == row["round"]]
        measured = chosen.protocol.evaluate_devices or chosen.devices.count
        assert [each["device"] for each in own] == [f"d{n:03d}" for n in range(min(measured, 5))]


def test_devices_with_models_of_their_own_are_measured_with_these(tmp_path: Path) -> None:
    one = world("protocol={kind: local_only, rounds: 2, steps: 8, evaluate_devices: 3}", *NON_IID)
    run(prepare(one.scenario, tmp_path / "r", threads=1))
    shares = [row for row in table(tmp_path / "r" / "ledger.sqlite", "test_shares") if row["round"] == 2]
    common = table(tmp_path / "r" / "ledger.sqlite", "classes")
    assert [row["device"] for row in shares] == ["d000", "d001", "d002"]
    assert {sum(row["samples"] for row in common if row["round"] == n) for n in range(3)} == {300}
    own = sum(row["correct"] for row in shares) / sum(row["samples"] for row in shares)
    assert (
        own > table(tmp_path / "r" / "ledger.sqlite", "evals")[-1]["accuracy"]
    )  # they know their own classes


def test_replays_have_the_same_counts(tmp_path: Path) -> None:
    run(prepare(world(*NON_IID).scenario, tmp_path / "r", threads=1))
    record, rows = Record.load(tmp_path / "r"), MemoryLedger()
    retime(record, replayed_scenario(record, ["network.bandwidth=1 MHz"]), rows)
    path = tmp_path / "r" / "ledger.sqlite"
    for name in MEASURED:
        assert rows.rows(name) == table(path, name) != []
        assert script_of(path, ["d000"] * 5).sums[name]


def test_verify_finds_counts_that_are_others_than_on_record(tmp_path: Path) -> None:
    run(prepare(world(*NON_IID).scenario, tmp_path / "r", threads=1))
    with closing(sqlite3.connect(tmp_path / "r" / "ledger.sqlite")) as ledger, ledger:
        ledger.execute("UPDATE test_shares SET correct = correct + 1 WHERE rowid = 3")
    with prepare_verify(tmp_path / "r") as verifiable:
        verdict = verify(verifiable)
    assert verdict.digest == verdict.recorded  # it has the accuracies, and these are as they were
    assert any("table test_shares, row 2, column correct: " in text for text in verdict.differences)
    assert not verdict.equal
