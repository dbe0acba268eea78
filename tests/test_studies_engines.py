"""The engines: a process that dies costs its own job, a killed study resumes, Ray gives equal rows."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from studies import TINY, rows, swept, tiny_plan

from slfac_sim.cli import main
from slfac_sim.foundation.errors import BadInput
from slfac_sim.studies import budget
from slfac_sim.studies.engines.local import Local
from slfac_sim.studies.folder import StudyFolder
from slfac_sim.studies.plan import Plan, foreign_packages

AXES = ("network.bandwidth=1,2,5,10,20,50 MHz", "codec=raw,slfac")
CODECS = {"raw", "slfac"}


@pytest.fixture(scope="module")
def whole() -> Plan:
    return tiny_plan(*AXES, air_seeds="3")


@pytest.fixture(scope="module")
def by_processes(whole: Plan, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the study and the cache, made by the engine of this machine."""
    folder = tmp_path_factory.mktemp("local")
    with Local(folder / "trainings", 2) as engine:
        assert not swept(whole, folder / "study", engine, folder / "trainings")
    return folder


def _dying(tmp_path: Path, deaths: int, politely: bool = False, asked: Path = TINY) -> Plan:
    settings = f"deaths: {deaths}, politely: {str(politely).lower()}, place: {tmp_path}"
    overrides = [f"data={{kind: foreign.dying_data, {settings}}}"]
    return tiny_plan("network.bandwidth=1,5 MHz", asked=asked, overrides=overrides)


def test_the_death_of_a_process_costs_its_job_which_is_tried_again(tmp_path: Path) -> None:
    plan = _dying(tmp_path, deaths=1)
    with Local(tmp_path / "trainings", 1) as engine:
        assert not swept(plan, tmp_path / "study", engine, tmp_path / "trainings")
    assert (tmp_path / "log").read_text() == "xx"
    assert [json.loads(text)["status"] for text in rows(tmp_path / "study").values()] == ["finished"] * 2


@pytest.mark.parametrize(
    ("politely", "reason"), [(False, "its process died (signal 9)"), (True, "RuntimeError: out of luck")]
)
def test_a_job_that_dies_every_time_is_told_with_its_reason(
    politely: bool, reason: str, tmp_path: Path
) -> None:
    plan = _dying(tmp_path, deaths=9, politely=politely)
    with Local(tmp_path / "trainings", 1) as engine:
        (failure,) = swept(plan, tmp_path / "study", engine, tmp_path / "trainings")
    assert (failure.reason, failure.points) == (reason, 2)
    assert (tmp_path / "log").read_text() == "xx"


def _command(folder: Path) -> list[str]:
    axes = [word for axis in AXES for word in ("--axis", axis)]
    words = ["sweep", "tests/tiny.yaml", *axes, "--seeds", "1", "--air-seeds", "3", "--workers", "2"]
    return [
        sys.executable,
        "-m",
        "slfac_sim",
        *words,
        "--out",
        str(folder / "study"),
        "--cache",
        str(folder / "trainings"),
    ]


@pytest.mark.slow
def test_a_study_killed_in_the_middle_resumes_to_the_same_tables(
    whole: Plan, by_processes: Path, tmp_path: Path
) -> None:
    process = subprocess.Popen(_command(tmp_path), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    points = tmp_path / "study" / "points"
    while process.poll() is None and len(list(points.glob("*.json"))) < 5:
        time.sleep(0.005)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    before = rows(tmp_path / "study")
    assert 5 <= len(before) < len(whole.points)
    assert not (tmp_path / "study" / "summary.json").exists()
    again = subprocess.run(_command(tmp_path), capture_output=True, text=True, check=True)
    assert f"points {len(before)}/{len(whole.points)}" in again.stderr
    assert rows(tmp_path / "study") == rows(by_processes / "study")
    assert (tmp_path / "study" / "points.csv").is_file()
    assert not list((tmp_path / "trainings").glob("*.part"))


@pytest.fixture(scope="module")
def on_ray(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Any, Path]]:
    """Yield an engine on a local cluster of two workers, and its cache."""
    if find_spec("ray") is None:
        pytest.skip("the extra `ray` is not installed")
    from slfac_sim.studies.engines.on_ray import OnRay

    cache = tmp_path_factory.mktemp("ray")
    with OnRay(cache, workers=2, packages=[Path(__file__).parent / "foreign"]) as engine:
        yield engine, cache


@pytest.mark.slow
def test_ray_and_local_give_equal_tables(
    whole: Plan, by_processes: Path, on_ray: tuple[Any, Path], tmp_path: Path
) -> None:
    engine, cache = on_ray
    assert engine.workers == 2
    engine.check(2)
    with pytest.raises(BadInput, match=r"--threads 3: no node of the Ray cluster has 3 processors"):
        engine.check(3)
    assert not swept(whole, tmp_path, engine, cache)
    assert rows(tmp_path) == rows(by_processes / "study")
    assert len(rows(tmp_path)) == 6 * 2 * 4


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/net/tcp").exists(), reason="reads /proc")
def test_a_cluster_of_this_machine_listens_on_loopback_only(on_ray: tuple[Any, Path]) -> None:
    places = {place for name, place in _listening().items() if "ray" in name}
    assert places
    assert places <= {"0100007F", "0000000000000000FFFF00000100007F", f"{1 << 24:032X}"}, places
    assert len(os.environ["RAY_AUTH_TOKEN"]) == 64


def _listening() -> dict[str, str]:
    """Return where processes below this one listen, as /proc writes it, by command line and socket."""
    sockets = {}
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            words = line.split()
            if words[3] == "0A":
                sockets[f"socket:[{words[9]}]"] = words[1].partition(":")[0]
    found = {}
    for process in Path("/proc").glob("[0-9]*"):
        try:
            name = (process / "cmdline").read_text().replace("\0", " ")
            held = {os.readlink(file) for file in (process / "fd").iterdir()}
        except OSError:
            continue
        found.update({f"{name} {socket}": sockets[socket] for socket in held & sockets.keys()})
    return found


@pytest.mark.slow
def test_a_lost_worker_of_ray_costs_its_job_which_is_tried_again(
    on_ray: tuple[Any, Path], tmp_path: Path
) -> None:
    engine, cache = on_ray
    assert not swept(_dying(tmp_path, deaths=1), tmp_path / "study", engine, cache)
    assert (tmp_path / "log").read_text() == "xx"
    (failure,) = swept(_dying(tmp_path, deaths=9), tmp_path / "other", engine, cache)
    assert failure.reason.startswith("its worker was lost")


def test_packages_of_others_are_known(tmp_path: Path) -> None:
    assert foreign_packages(_dying(tmp_path, deaths=0)) == []  # it lies beside the scenario
    (tmp_path / "s.yaml").write_text(TINY.read_text(encoding="utf-8"), encoding="utf-8")
    there = _dying(tmp_path, deaths=0, asked=tmp_path / "s.yaml")
    assert foreign_packages(there) == [Path(__file__).parent / "foreign"]
    assert foreign_packages(tiny_plan()) == []


def test_without_ray_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from slfac_sim.studies.engines.on_ray import OnRay

    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(BadInput, match=r"Ray is not installed; pip install 'slfac_sim\[ray\]'"):
        OnRay(tmp_path)


def _sweep(folder: Path, *words: str) -> int:
    where = ("--out", str(folder / "study"), "--cache", str(folder / "trainings"))
    return main(["sweep", "tests/tiny.yaml", *where, *words])


def test_shards_share_a_folder_and_the_last_one_finishes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    finished: list[dict[str, str]] = []
    monkeypatch.setattr(
        "slfac_sim.analysis.studies.report.finish_study",
        lambda folder: finished.append(rows(folder)) or ["end"],
    )
    words = ("--axis", "codec=raw,slfac", "--axis", "network.bandwidth=1,2 MHz", "--seeds", "1")
    assert _sweep(tmp_path, *words, "--shard", "2/2") == 0
    assert not finished
    assert "the last one to end writes tables and figures" in capsys.readouterr().err
    assert len(list((tmp_path / "trainings").iterdir())) == 1
    assert _sweep(tmp_path, *words, "--shard", "1/2") == 0
    assert len(finished) == 1
    assert len(finished[0]) == 4
    captured = capsys.readouterr()
    assert captured.out.splitlines() == [str(tmp_path / "study"), "end"]
    assert "of a budget of" in captured.err
    assert _sweep(tmp_path, *words) == 0  # without a shard: nothing is left but the report
    assert finished[1] == finished[0]


def test_failures_are_listed_and_make_the_exit_status_4(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("slfac_sim.analysis.studies.report.finish_study", lambda folder: [])
    absurd = ("learning.optimiser.learning_rate=1e12", "model.batch_norm=false")
    words = ("--seeds", "2", "--targets", "0.5", *absurd, "codec=slfac")
    assert _sweep(tmp_path, *words) == 4
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("failed: training ")]
    assert len(lines) == 2
    assert {json.loads(text)["status"] for text in rows(tmp_path / "study").values()} == {"failed"}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--shard", "3/2"], "--shard 3/2: expected I/N"),
        (["--shard", "half"], "--shard half: expected I/N"),
        (["--workers", "0"], "--workers 0: must be at least 1"),
        (["--retries", "-1"], "--retries -1: must be at least 0"),
        (["--address", "auto"], "--address: is that of a Ray cluster; add --engine ray"),
        (
            ["--engine", "ray", "--address", "auto", "--workers", "2"],
            "--workers: an existing cluster has its own",
        ),
        (["--engine", "ray", "--memory", "8 GB"], "--memory: is a budget of this machine"),
        (["--memory", "8 GHz"], "--memory 8 GHz: '8 GHz' is a frequency, expected a size"),
        (["--memory", "-1 GB"], "--memory -1 GB: must be more than 0"),
    ],
)
def test_options_that_make_no_sense(
    words: list[str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _sweep(tmp_path, *words) == 2
    assert said in capsys.readouterr().err


def test_a_cut_that_the_model_lacks_is_refused_before_anything_runs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _sweep(tmp_path, "--seeds", "1", "cut=conv9") == 2
    assert "cut: no block 'conv9'" in capsys.readouterr().err
    assert not (tmp_path / "study").exists()


def test_the_budget_sets_the_number_of_workers() -> None:
    assert budget.workers_within(8e9, 3e9, most=4) == 2
    assert budget.workers_within(8e9, 1e9, most=4) == 4
    assert budget.workers_within(1e9, 3e9, most=4) == 1
    assert budget.workers_within(None, 3e9, most=4) == 4
    assert budget.budget_bytes("1.5 GB") == 1.5e9


def test_the_default_budget_is_a_part_of_what_is_free(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(budget, "available_bytes", lambda: 10e9)
    assert budget.budget_bytes(None) == 8e9


def test_points_count_as_done_only_when_all_are_there(whole: Plan, by_processes: Path) -> None:
    folder = StudyFolder(by_processes / "study")
    assert folder.complete(whole.points)
    other = tiny_plan("network.bandwidth=3 MHz")
    assert not folder.complete(other.points)
