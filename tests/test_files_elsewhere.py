"""Files that a scenario names, on another machine: a run has copies, and equal content is one training."""

import json
import re
import shutil
import socket
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from studies import TINY, Here, rows, swept, tiny_plan

from slfac_sim.cli import main
from slfac_sim.learning.datasets import DataError
from slfac_sim.scenario.files import load, shipped
from slfac_sim.scenario.fingerprint import learning_key, point_key, visible_differences
from slfac_sim.scenario.named_files import KEPT, files_in, moved
from slfac_sim.studies.engines import _shipped
from slfac_sim.studies.engines._sent import Sent
from slfac_sim.studies.jobs import Forecast, Replay, Train
from slfac_sim.studies.trainings import unpack

DATA = "data={kind: npz, file: mine.npz, axes: nhw}"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with a scenario and its data beside it, which is entered."""
    place = tmp_path / "here"
    place.mkdir()
    draws = np.random.default_rng(1)
    labels = np.arange(340) % 4
    images = (draws.normal(60, 9, (340, 12, 12)) + 40 * labels[:, None, None]).clip(0, 255).astype(np.uint8)
    train = {"train_images": images[:240], "train_labels": labels[:240]}
    np.savez(place / "mine.npz", **train, test_images=images[240:], test_labels=labels[240:])
    shutil.copy(TINY, place / "tiny.yaml")
    monkeypatch.chdir(place)
    return place


def test_a_run_is_verified_and_replayed_elsewhere_without_its_data(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trace = "network={kind: trace, file: rate.csv}"
    (here / "rate.csv").write_text("time_s,rate_bps\n0,2e6\n1,1e6\n100,1e6\n")
    words = ["run", str(here / "tiny.yaml"), DATA, trace, "--out", "done", "--quiet", "--draw", "none"]
    assert main(words) == 0
    assert {file.name for file in (here / "done" / KEPT).rglob("*") if file.is_file()} == {
        "mine.npz",
        "rate.csv",
    }
    elsewhere = here.parent / "elsewhere"
    elsewhere.mkdir()
    shutil.move(here / "done", elsewhere / "done")
    shutil.rmtree(here)
    monkeypatch.chdir(elsewhere)
    assert main(["verify", "done", "--quiet"]) == 0
    assert main(["replay", "done", "--out", "again", "--quiet"]) == 0
    assert load("again/scenario.yaml") != load("done/scenario.yaml")  # each has a copy of its own
    assert point_key(load("again/scenario.yaml")) == point_key(load("done/scenario.yaml"))


def test_what_is_not_where_it_was_is_looked_for_by_its_name(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = ["data={kind: npz, file: /gone/mine.npz, axes: nhw}"]
    assert str(load("tiny.yaml", gone).data.file) == "/gone/mine.npz"
    text = (here / "tiny.yaml").read_text()
    start, end = text.index("data:"), text.index("partition:")
    written = text[:start] + "data: {kind: npz, file: /gone/mine.npz, axes: nhw}\n" + text[end:]
    (here / "mine.yaml").write_text(written)
    monkeypatch.chdir(here.parent)
    beside = load(here / "mine.yaml")
    assert beside.data.file == here / "mine.npz"
    shutil.move(here / "mine.npz", here.parent / "mine.npz")
    assert str(load(here / "mine.yaml").data.file) == "/gone/mine.npz"
    monkeypatch.setenv("SLFAC_DATA", str(here.parent))
    assert load(here / "mine.yaml").data.file == here.parent / "mine.npz"


def test_equal_files_are_one_training_wherever_they_lie(here: Path) -> None:
    other = here / "other"
    other.mkdir()
    shutil.copy(here / "mine.npz", other / "mine.npz")
    one = load("tiny.yaml", [DATA])
    same = load("tiny.yaml", [DATA.replace("mine.npz", str(other / "mine.npz"))])
    assert (learning_key(one, 1), point_key(one)) == (learning_key(same, 1), point_key(same))
    assert visible_differences(one, same) == []
    with open(other / "mine.npz", "ab") as file:
        file.write(b"more")
    assert learning_key(one, 1) != learning_key(same, 1)
    assert point_key(one) != point_key(same)
    assert len(visible_differences(one, same)) == 1


@pytest.mark.parametrize("name", sorted(shipped()))
def test_what_is_moved_there_and_back_is_as_it_was(name: str) -> None:
    scenario = load(name)
    there = moved(scenario, lambda path: Path("/there") / path.name)
    assert [path.parent for _, path in files_in(there)] == [Path("/there")] * len([*files_in(scenario)])
    back = {Path("/there") / path.name: path for _, path in files_in(scenario)}
    assert moved(there, lambda path: back[path]) == scenario


def test_data_of_ones_own_travel_to_workers_that_share_no_disk(
    here: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    plan = tiny_plan("network.bandwidth=1,5 MHz", asked=here / "tiny.yaml", overrides=[DATA])
    cache, study = here / "trainings", here / "study"
    assert not swept(plan, study, Here(cache), cache)
    ((key, scenario),) = plan.trainings.items()
    ray = SimpleNamespace(put=lambda value: value, get=lambda value: value)
    monkeypatch.setitem(sys.modules, "ray", ray)
    there, job = Sent(ray, tmp_path / "back"), Train(key, scenario, 1)
    files = there.files_of(job)
    (tmp_path / "worker").mkdir()
    monkeypatch.chdir(tmp_path / "worker")
    shutil.move(here / "mine.npz", here / "hidden.npz")
    assert _shipped.measured(Forecast(key, scenario, 1), None, files).memory_bytes > 0
    folder = unpack(_shipped.trained(job, None, files), tmp_path / "back", key)
    assert not (folder / KEPT).exists()
    assert (folder / "scenario.yaml").read_text() == (cache / key / "scenario.yaml").read_text()
    shutil.move(here / "hidden.npz", here / "mine.npz")
    point, record = plan.points[1], Sent(ray, cache).record_of(key)
    monkeypatch.chdir(here)
    files = there.files_of(Replay(point))
    monkeypatch.chdir(tmp_path / "worker")
    row = _shipped.played(Replay(point), record, files)
    assert row == json.loads(rows(study)[f"{point.key}.json"])


def test_data_that_a_node_lacks_are_told_with_its_name(
    here: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SLFAC_DATA", str(tmp_path / "nothing"))
    scenario = load("tiny.yaml", ["data={kind: cifar10, folder: pictures}", "model=small_cnn"])
    where = rf"no such folder.*on the node {re.escape(socket.gethostname())}\)$"
    key = learning_key(scenario, 1)
    with pytest.raises(DataError, match=where):
        _shipped.measured(Forecast(key, scenario, 1), None, [])
    with pytest.raises(DataError, match=where):
        _shipped.trained(Train(key, scenario, 1), None, [])
