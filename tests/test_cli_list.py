"""`list`: one line a run, damaged folders included, and everything else passed over."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from run_folders import fake_run

from slfac_sim.cli import main
from slfac_sim.runs.listing import runs_under
from slfac_sim.scenario.files import shipped


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    """Two good runs, three damaged ones, and folders that are none."""
    top = tmp_path / "runs"
    fake_run(top / "quick" / "1", changes={"digest": "0123456789abcdef"})
    fake_run(top / "trainings" / "aa", label="raw fp32", accuracy=(0.1, 0.85))
    (fake_run(top / "quick" / "2") / "summary.json").write_text("{", encoding="utf-8")
    (fake_run(top / "quick" / "3") / "summary.json").write_text('{"label": "x"}', encoding="utf-8")
    killed = fake_run(top / "quick" / "4")
    (killed / "summary.json").unlink()
    (killed / "scenario.yaml").write_text("name: quick\n", encoding="utf-8")
    (top / "studies" / "s" / "points").mkdir(parents=True)
    (top / "studies" / "s" / "summary.json").write_text("{}", encoding="utf-8")
    (top / "studies" / "s" / "study.yaml").write_text("name: s\n", encoding="utf-8")
    (top / "latest").symlink_to("quick/1", target_is_directory=True)
    (top / "notes.txt").write_text("mine", encoding="utf-8")
    return top


def test_no_reason_names_its_folder_twice(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    begun = runs / "quick" / "4" / "checkpoints" / "begun.json"
    begun.parent.mkdir()
    begun.write_text("{}", encoding="utf-8")
    assert main(["list", str(runs)]) == 0
    reasons = [line for line in capsys.readouterr().out.splitlines() if line.startswith(f"{runs}/")]
    assert len(reasons) == 3
    assert all(line.count(str(runs)) == 1 for line in reasons), reasons


def test_runs_are_found_and_nothing_else(runs: Path) -> None:
    found = [one.folder.relative_to(runs).as_posix() for one in runs_under(runs)]
    assert found == ["quick/1", "quick/2", "quick/3", "quick/4", "trainings/aa"]


def test_the_list_has_a_line_for_each_and_reasons_for_the_damaged(
    runs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["list", str(runs)]) == 0
    title, head, *lines = capsys.readouterr().out.splitlines()
    assert title == f"runs in {runs}"
    assert " ".join(head.split()) == (
        "run codec status accuracy simulated s s to 80 % s to 90 % s to 95 % s to 97 % MB digest"
    )
    good = next(line for line in lines if "quick/1" in line)
    assert good.split()[-7:] == ["232.0", "58.0", "87.0", "145.0", "203.0", "968.0", "01234567"]
    raw = next(line for line in lines if "trainings/aa" in line)
    assert raw.split()[-10:] == ["29.0", "29.0", *["not", "reached"] * 3, "121.0", "-"]
    assert sum(" damaged " in line for line in lines) == 3
    assert any("quick/2/summary.json: not JSON" in line for line in lines)
    assert any("quick/3/summary.json: status: missing" in line for line in lines)
    assert any("quick/4: no summary.json in it" in line for line in lines)


def test_a_replay_is_marked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fake_run(tmp_path / "1")
    fake_run(tmp_path / "2", changes={"replay_of": "0123456789abcdef"})
    assert main(["list", str(tmp_path)]) == 0
    marks = [" replay " in line for line in capsys.readouterr().out.splitlines()[2:]]
    assert marks == [False, True]
    assert main(["list", str(tmp_path), "--json"]) == 0
    assert [row.get("replay_of") for row in json.loads(capsys.readouterr().out)] == [None, "0123456789abcdef"]


def test_the_list_as_json(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list", str(runs), "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [row["status"] for row in rows] == ["finished", "damaged", "damaged", "damaged", "finished"]
    assert rows[0]["bytes_total"] == 968_000_000


def test_an_empty_folder_and_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list", str(tmp_path)]) == 0
    assert capsys.readouterr().out == f"no runs under {tmp_path}\n"
    assert main(["list", str(tmp_path / "nowhere")]) == 2
    assert capsys.readouterr().err.startswith(f"{tmp_path / 'nowhere'}: no such folder")


def test_reading_commands_import_no_torch(runs: Path, tmp_path: Path) -> None:
    """One after the other in one process, which says after each whether it has loaded torch until then."""
    argvs = [
        ["list", str(runs)],
        ["export", str(runs / "quick/1"), "-o", str(tmp_path / "t")],
        ["cite", "quick"],
    ]
    code = f"""
import sys
from slfac_sim.cli import main
for argv in {argvs!r}:
    main(argv)
    print("torch" in sys.modules, file=sys.stderr)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert [line for line in done.stderr.splitlines() if line in ("True", "False")] == ["False"] * 3


@pytest.fixture
def settled(runs: Path) -> Path:
    """The same folder; three of its runs have a scenario, one of them a broken one."""
    settings = "network: {kind: cell, bandwidth: %s}\ncodec: {uplink: {kind: %s, theta: 0.9}}\nlist: [1, 2]\n"
    (runs / "quick/1/scenario.yaml").write_text(settings % ("5000000.0", "slfac"), encoding="utf-8")
    (runs / "trainings/aa/scenario.yaml").write_text(settings % ("20000000.0", "raw"), encoding="utf-8")
    (runs / "quick/2/scenario.yaml").write_text("network: [", encoding="utf-8")
    return runs


def test_columns_are_figures_and_settings(settled: Path, capsys: pytest.CaptureFixture[str]) -> None:
    columns = "accuracy,time_to_accuracy_s.0.8,network.bandwidth,network,codec.uplink.theta,list.1,status"
    assert main(["list", str(settled), "--columns", columns]) == 0
    _, head, *lines = capsys.readouterr().out.splitlines()
    assert head.split() == ["run", *columns.split(",")]
    table = [line.replace(" %", "%").split() for line in lines if not line.startswith(str(settled))]
    rows = {name: cells for name, *cells in table}
    assert rows["quick/1"] == ["97.8%", "58", "5000000", "cell", "0.9", "2", "finished"]
    assert rows["trainings/aa"] == ["85%", "29", "20000000", "cell", "0.9", "2", "finished"]
    for damaged in ("quick/2", "quick/3", "quick/4"):
        assert rows[damaged] == [*"------", "damaged"]
    assert sum(line.startswith(str(settled)) for line in lines) == 3  # the reasons


def test_columns_in_json(settled: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list", str(settled), "--columns", "codec.uplink,host.wall_s,seed", "--json"]) == 2
    assert "--columns host.wall_s: no run here has such a figure or setting" in capsys.readouterr().err
    assert main(["list", str(settled), "--columns", "codec.uplink,seed.air,seed", "--json"]) == 0
    first, second, *_ = json.loads(capsys.readouterr().out)
    assert first["codec.uplink"] == "slfac"
    assert (first["seed.air"], first["seed"]) == (0, {"learning": 0, "air": 0})
    assert second["codec.uplink"] is None
    assert "reason" in second


@pytest.mark.parametrize(
    ("order", "names"),
    [
        (["accuracy"], ["trainings/aa", "quick/1"]),
        (["accuracy", "--reverse"], ["quick/1", "trainings/aa"]),
        (["network.bandwidth", "--reverse"], ["trainings/aa", "quick/1"]),
        (["codec"], ["quick/1", "trainings/aa"]),
    ],
)
@pytest.mark.parametrize("columns", [[], ["--columns", "simulated_s"]])
def test_any_column_sorts(
    order: list[str], names: list[str], columns: list[str], settled: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["list", str(settled), *columns, "--sort", *order, "--json"]) == 0
    folders = [
        Path(row["folder"]).relative_to(settled).as_posix() for row in json.loads(capsys.readouterr().out)
    ]
    assert folders == [*names, "quick/2", "quick/3", "quick/4"]


def test_the_nearest_column_is_named_and_help_lists_all(
    settled: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for option, asked, meant in (
        ("--columns", "acuracy", "accuracy"),
        ("--sort", "network.bandwith", "network.bandwidth"),
        ("--columns", "simulatd_s", "simulated_s"),
    ):
        assert main(["list", str(settled), option, asked]) == 2
        err = capsys.readouterr().err
        assert err.startswith(f"{option} {asked}: no run here has such a figure or setting")
        assert err.endswith(f"; did you mean '{meant}'?\n")
    assert main(["list", str(settled), "--columns", "help"]) == 0
    listed = {line.split()[0] for line in capsys.readouterr().out.splitlines()}
    assert {"accuracy", "accuracy.best", "network.bandwidth", "codec.uplink.theta", "bytes.total"} <= listed


def test_the_shipped_scenarios_are_listed_with_what_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list", "--shipped"]) == 0
    lines = capsys.readouterr().out.splitlines()[1:]
    known = [("run", name) for name in shipped()] + [("sweep", name) for name in shipped("studies")]
    told = [line.split(maxsplit=2) for line in lines if not line.startswith(" ")]
    assert sorted((verb, f"{name}.yaml") for name, verb, _ in told) == sorted(known)
    assert all(len(words) == 3 for words in told)
