"""The sweep: rows equal live runs, failures stay alone, work is resumed and tried again as promised."""

import json
import math
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from at_once import AT_ONCE, at_once
from studies import Here, rows, swept, tiny_plan

from slfac_sim.foundation.errors import BadInput
from slfac_sim.runs.replay import Record
from slfac_sim.runs.run import prepare, run
from slfac_sim.studies import trainings
from slfac_sim.studies.engines import Outcome
from slfac_sim.studies.folder import StudyFolder
from slfac_sim.studies.forecast import forecast
from slfac_sim.studies.jobs import Forecast, Job, Replay, Train, replayed
from slfac_sim.studies.plan import Plan
from slfac_sim.studies.trainings import pack, unpack

AXES = ("network.bandwidth=1,5 MHz", "codec=raw,slfac")


@pytest.fixture(scope="module")
def whole() -> Plan:
    return tiny_plan(*AXES, air_seeds="1")


@pytest.fixture(scope="module")
def cache(whole: Plan, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a cache with the trainings of `whole`."""
    folder = tmp_path_factory.mktemp("trainings")
    for scenario in whole.trainings.values():
        trainings.ensure(scenario, folder)
    return folder


@pytest.fixture(scope="module")
def undisturbed(whole: Plan, cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("study")
    assert not swept(whole, folder, Here(cache), cache)
    return folder


def test_each_row_is_what_a_live_run_gives(whole: Plan, undisturbed: Path, tmp_path: Path) -> None:
    for number, point in enumerate(whole.points[::3]):
        summary = run(prepare(point.scenario, tmp_path / str(number), threads=1))
        row = json.loads(rows(undisturbed)[f"{point.key}.json"])
        assert row["status"] == "finished"
        for name in (
            "digest",
            "simulated_s",
            "rounds",
            "transfers",
            "bytes",
            "bits_per_value",
            "wire_bytes",
            "label",
        ):
            assert row[name] == summary[name], name
        assert row["energy_j"] == pytest.approx(summary["energy_j"], rel=1e-12)
        assert max(row["curve"]["accuracy"]) == summary["accuracy"]["best"]


def test_rows_say_where_they_lie_and_where_time_went(whole: Plan, undisturbed: Path) -> None:
    found = [json.loads(text) for text in rows(undisturbed).values()]
    assert len(found) == len(whole.points) == 8
    assert {row["values"]["network.bandwidth"] for row in found} == {1e6, 5e6}
    assert sorted(row["seed"]["air"] for row in found) == [0] * 4 + [1000] * 4
    assert all(row["air_draw"] is (row["seed"]["air"] == 1000) for row in found)
    for row in found:
        assert math.fsum(row["parts_s"].values()) == pytest.approx(row["simulated_s"], rel=1e-9)
        assert 0 < max(row["bounds_s"].values()) <= row["simulated_s"]
        assert sum(row["straggler"].values()) > 0
        assert {len(column) for column in row["curve"].values()} == {3}


def test_where_timing_steers_learning_every_point_is_a_training_of_its_own(tmp_path: Path) -> None:
    """Devices that crash: nothing is replayed, and each row is what a live run gives."""
    crash = "devices.availability={kind: crash, mean_between: 500 ms, restart: 20 ms}"
    steered = tiny_plan("network.bandwidth=2,5 MHz", overrides=(crash,), air_seeds="1")
    assert len(steered.trainings) == len(steered.points) == 4
    assert not swept(steered, tmp_path / "study", Here(tmp_path), tmp_path)
    found = {name: json.loads(text) for name, text in rows(tmp_path / "study").items()}
    assert {row["status"] for row in found.values()} == {"finished"}
    for point in steered.points[:2]:
        row = found[f"{point.key}.json"]
        summary = run(prepare(point.scenario, tmp_path / point.key, threads=1))
        assert row["digest"] == summary["digest"]
        assert row["simulated_s"] == summary["simulated_s"]
        assert row["bounds_s"] == {}  # work was cut off


def test_nothing_is_done_twice(whole: Plan, undisturbed: Path, cache: Path) -> None:
    before = rows(undisturbed)
    engine = Here(cache)
    assert not swept(whole, undisturbed, engine, cache)
    assert engine.done == []
    assert rows(undisturbed) == before


def test_only_what_is_missing_is_done_again(
    whole: Plan, undisturbed: Path, cache: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "study"
    shutil.copytree(undisturbed, folder)
    lost, damaged, failed = whole.points[0], whole.points[3], whole.points[5]
    (folder / "points" / f"{lost.key}.json").unlink()
    (folder / "points" / f"{damaged.key}.json").write_text('{"half a r')
    row = json.loads(rows(folder)[f"{failed.key}.json"]) | {"status": "failed", "reason": "once"}
    (folder / "points" / f"{failed.key}.json").write_text(json.dumps(row))
    engine = Here(cache)
    assert not swept(whole, folder, engine, cache)
    assert {job.key for job in engine.done} == {lost.key, damaged.key, failed.key}
    assert rows(folder) == rows(undisturbed)


def test_points_of_an_earlier_form_are_set_aside(
    whole: Plan, undisturbed: Path, cache: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "study"
    shutil.copytree(undisturbed, folder)
    smaller = tiny_plan("network.bandwidth=5 MHz", "codec=raw,slfac")
    assert StudyFolder(folder).open(smaller) == 6
    assert rows(folder).keys() == {f"{point.key}.json" for point in smaller.points}
    assert len(list((folder / "set_aside").iterdir())) == 6


def test_a_point_that_had_other_axes_is_timed_again(
    whole: Plan, undisturbed: Path, cache: Path, tmp_path: Path
) -> None:
    """The same scenario lies elsewhere: its row says where."""
    folder = tmp_path / "study"
    shutil.copytree(undisturbed, folder)
    other = tiny_plan("network.latency=5 ms,6 ms", "codec=raw,slfac")
    assert {point.key for point in other.points} & {point.key for point in whole.points}
    assert not swept(other, folder, Here(cache), cache)
    axes = [json.loads(text)["axes"] for text in rows(folder).values()]
    assert sorted(map(sorted, axes)) == [["codec", "network.latency"]] * len(other.points)


def test_another_form_of_a_study_in_use_is_refused_and_shards_are_not(whole: Plan, tmp_path: Path) -> None:
    folder, smaller = tmp_path / "study", tiny_plan("network.bandwidth=5 MHz", "codec=raw,slfac")
    with StudyFolder(folder).in_use(whole) as aside, StudyFolder(folder).in_use(whole) as again:
        assert aside == again == 0
        before = (folder / "study.yaml").read_text()
        with pytest.raises(BadInput, match="other processes are at another form of this study"):
            StudyFolder(folder).in_use(smaller).__enter__()
        assert (folder / "study.yaml").read_text() == before
    with StudyFolder(folder).in_use(smaller):
        assert (folder / "study.yaml").read_text() != before


def test_one_point_and_one_training_written_by_many_at_once_are_whole(
    whole: Plan, undisturbed: Path, cache: Path, tmp_path: Path
) -> None:
    study, point, key = StudyFolder(tmp_path / "study"), whole.points[0], next(iter(whole.trainings))
    study.open(whole)
    packed, rows_of_it = pack(cache / key), {**json.loads(rows(undisturbed)[f"{point.key}.json"])}

    def work(number: int) -> Path:
        for _ in range(20):
            study.write(rows_of_it)
        return unpack(packed, tmp_path / "trainings", key)

    assert at_once(work) == [tmp_path / "trainings" / key] * AT_ONCE
    assert study.row(point) == rows_of_it
    assert [path.name for path in (tmp_path / "trainings").iterdir()] == [key]
    assert len(list((tmp_path / "study" / "points").iterdir())) == 1


def test_a_failed_training_costs_its_own_points_only(
    whole: Plan, undisturbed: Path, cache: Path, tmp_path: Path
) -> None:
    bad, good = whole.trainings
    copy = tmp_path / "trainings"
    copy.mkdir()
    shutil.copytree(cache / good, copy / good)

    def diverge(job: Job) -> Outcome | None:
        return Outcome(job, reason="loss is NaN") if isinstance(job, Train) else None

    failures = swept(whole, tmp_path / "study", Here(copy, diverge), copy)
    assert [(failure.reason, failure.points) for failure in failures] == [("loss is NaN", 4)]
    found = [json.loads(text) for text in rows(tmp_path / "study").values()]
    assert {(row["training"], row["status"]) for row in found} == {(bad, "failed"), (good, "finished")}
    assert {row["reason"] for row in found} == {"", "its training failed: loss is NaN"}
    assert all(
        text in rows(undisturbed).values() for text in rows(tmp_path / "study").values() if good in text
    )


def test_a_point_that_fails_by_itself_is_a_row_and_is_not_tried_again(
    whole: Plan, cache: Path, tmp_path: Path
) -> None:
    far = "[[1, 1], [2, 2], [3, 3], [4, 4], [90000, 90000]]"
    bad = tiny_plan(
        f"network.positions=[[9, 9], [9, 8], [9, 7], [9, 6], [9, 5]],{far}",
        overrides=["network.outage=allow"],
    )
    engine = Here(cache)
    (failure,) = swept(bad, tmp_path / "study", engine, cache)
    assert failure.what.startswith("network.positions = [[1, 1]")
    assert "stalled" in failure.reason
    assert len([job for job in engine.done if isinstance(job, Replay)]) == 2
    statuses = [json.loads(text)["status"] for text in rows(tmp_path / "study").values()]
    assert sorted(statuses) == ["failed", "finished"]


class Unlucky:
    """Spoils the first `deaths` attempts at every point."""

    def __init__(self, deaths: int) -> None:
        self.deaths = deaths
        self.tried: dict[str, int] = {}

    def __call__(self, job: Job) -> Outcome | None:
        self.tried[job.key] = self.tried.get(job.key, 0) + 1
        if self.tried[job.key] > self.deaths:
            return None
        return Outcome(job, reason="its process died", again=True)


def test_what_crashed_is_tried_again(whole: Plan, undisturbed: Path, cache: Path, tmp_path: Path) -> None:
    assert not swept(whole, tmp_path / "study", Here(cache, Unlucky(1)), cache, retries=1)
    assert rows(tmp_path / "study") == rows(undisturbed)


def test_it_is_given_up_after_the_retries(whole: Plan, cache: Path, tmp_path: Path) -> None:
    unlucky = Unlucky(9)
    failures = swept(whole, tmp_path / "study", Here(cache, unlucky), cache, retries=2)
    assert len(failures) == len(whole.points)
    assert set(unlucky.tried.values()) == {3}


def test_one_forecast_for_each_kind_of_training(cache: Path) -> None:
    whole = tiny_plan("codec=raw,slfac", seeds="3")
    jobs = [Train(key, scenario, 1) for key, scenario in whole.trainings.items()]
    engine = Here(cache)
    demands = forecast(jobs, engine)
    assert len(demands) == 6
    assert all(one.memory_bytes > 1e8 and one.host_s > one.replay_s > 0.0 for one in demands.values())
    assert len(engine.done) == 2
    assert all(isinstance(job, Forecast) for job in engine.done)


def test_a_cut_that_the_model_lacks_is_found_by_the_forecast(cache: Path) -> None:
    whole = tiny_plan(overrides=["cut=conv9"])
    jobs = [Train(key, scenario, 1) for key, scenario in whole.trainings.items()]
    with pytest.raises(BadInput) as refused:
        forecast(jobs, Here(cache))
    (reason,) = str(refused.value).splitlines()
    assert reason.startswith("cut: no block 'conv9'")


def test_a_training_is_there_whole_or_not_at_all(whole: Plan, cache: Path, tmp_path: Path) -> None:
    key, scenario = next(iter(whole.trainings.items()))
    with pytest.raises(BadInput, match="those of the process that asked for it"):
        trainings.train(scenario, 2, tmp_path, key)  # another number of threads is another training
    diverging = replace(scenario, learning=replace(scenario.learning, optimiser=_wild(scenario)))
    with pytest.raises(trainings.Failed, match="failed: "):
        trainings.ensure(diverging, tmp_path)
    assert list(tmp_path.iterdir()) == []
    assert sorted(path.name for path in cache.iterdir()) == sorted(whole.trainings)


def _wild(scenario: Any) -> Any:
    return replace(scenario.learning.optimiser, learning_rate=1e30)


def test_ensure_trains_once(whole: Plan, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trainings, "train", None)
    key, scenario = next(iter(whole.trainings.items()))
    assert trainings.ensure(scenario, cache) == cache / key


def test_a_packed_training_replays_alike(whole: Plan, undisturbed: Path, cache: Path, tmp_path: Path) -> None:
    point = whole.points[0]
    folder = trainings.unpack(trainings.pack(cache / point.training), tmp_path, point.training)
    row = replayed(Record.load(folder), Replay(point))
    assert row == json.loads(rows(undisturbed)[f"{point.key}.json"])


def test_remains_of_the_dead_are_cleared_and_no_others(tmp_path: Path) -> None:
    mine = trainings.part_of(tmp_path, "a" * 16)
    dead = mine.with_name(mine.name.replace(mine.name.split(".")[-2], "999999999"))
    elsewhere = mine.with_name(f"{'b' * 16}.another-host.999999999.part")
    for folder in (mine, dead, elsewhere):
        folder.mkdir()
    trainings.clear_remains(tmp_path)
    assert sorted(tmp_path.iterdir()) == sorted([mine, elsewhere])


@pytest.fixture
def occupied(tmp_path: Path) -> Path:
    (tmp_path / "thesis.tex").write_text("...")
    return tmp_path


def test_a_folder_of_something_else_is_refused(whole: Plan, occupied: Path) -> None:
    with pytest.raises(BadInput, match="holds something other than a study"):
        StudyFolder(occupied).open(whole)
    with pytest.raises(BadInput, match="is no folder"):
        StudyFolder(occupied / "thesis.tex").open(whole)
