"""The command line: verbs, exit codes, what goes to which stream, and that help is light."""

import json
import re
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest
from told import sentences
from worlds import TINY

from slfac_sim.cli import main
from slfac_sim.studies.files import Changes, read_study
from slfac_sim.studies.plan import plan
from slfac_sim.studies.trainings import DEFAULT

LIGHT = [
    ["--version"],
    ["--help"],
    *([verb, "--help"] for verb in ("run", "check", "ask", "crossover", "list", "compare", "export", "cite")),
    ["schema"],
    [str(TINY), "codec=slfak"],
]


def test_help_schema_and_the_fault_of_a_scenario_import_nothing_heavy() -> None:
    """One after the other in one process, which says after each what it has loaded until then."""
    code = f"""
import sys
from slfac_sim.cli import main
for argv in {LIGHT!r}:
    try:
        main(argv)
    except SystemExit:
        pass
    loaded = [name for name in ("torch", "matplotlib", "scipy", "rich") if name in sys.modules]
    print("loaded:", *argv, loaded, file=sys.stderr)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    lines = [line for line in done.stderr.splitlines() if line.startswith("loaded:")]
    assert lines == [" ".join(["loaded:", *argv, "[]"]) for argv in LIGHT]


def test_the_bare_form_means_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "r"
    assert main([str(TINY), "protocol.rounds=1", "--seed", "3", "--out", str(folder)]) == 0
    out, err = capsys.readouterr()
    assert out.splitlines()[0] == str(folder)
    assert "test accuracy, final (best)" in out
    assert "digest (1 thread)" in out
    assert out.splitlines()[-2:] == [
        f"all figures: python -m slfac_sim figure {folder}",
        f"figure: {folder}/figures/time_to_accuracy.png",
    ]
    assert {path.name for path in folder.glob("figures/*.png")} == {
        "time_to_accuracy.png",
        "time_by_part.png",
    }
    assert err.splitlines()[-2:] == [
        "drawing figure 1 of 2: time_by_part",
        "drawing figure 2 of 2: time_to_accuracy",
    ]
    assert "round 1/1" in err
    summary = json.loads((folder / "summary.json").read_text())
    assert summary["seed"] == {"learning": 3, "air": 3}


def test_a_run_and_a_study_end_with_their_page_where_it_is_asked_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of a study the page is written when its points are there, and says what is to be cited for it."""
    run, study = tmp_path / "run", tmp_path / "study"
    assert main([str(TINY), "protocol.rounds=1", "--draw", "none", "--report", "--out", str(run)]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == f"report: {run}/report.html"
    words = ["--axis", "network.bandwidth=2,5 MHz", "--seeds", "1", "--workers", "1"]
    places = ["--out", str(study), "--cache", str(tmp_path / "trainings")]
    assert main(["sweep", str(TINY), "protocol.rounds=1", *words, *places, "--report"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == f"report: {study}/report.html"
    page = (study / "report.html").read_text(encoding="utf-8")
    assert "could not be made" not in page
    assert "@misc{slfac_sim," in page


def test_json_is_alone_on_standard_output(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "r"
    assert main(["run", str(TINY), "protocol.rounds=1", "--json", "--out", str(folder)]) == 0
    out, err = capsys.readouterr()
    assert json.loads(out) == json.loads((folder / "summary.json").read_text())
    assert err.splitlines()[0] == str(folder)


def test_quiet_prints_the_folder_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "r"
    assert main([str(TINY), "protocol.rounds=1", "--quiet", "--out", str(folder)]) == 0
    assert capsys.readouterr() == (f"{folder}\n", "")


@pytest.mark.parametrize("order", ["options first", "overrides last", "overrides around"])
def test_options_and_overrides_come_in_any_order(
    order: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file, folder = str(TINY), tmp_path / "r"
    argv = {
        "options first": ["--quiet", "--out", str(folder), file, "codec=raw", "protocol.rounds=1"],
        "overrides last": [
            file,
            "--out",
            str(folder),
            "--quiet",
            "--draw",
            "none",
            "codec=raw",
            "protocol.rounds=1",
        ],
        "overrides around": [file, "codec=raw", "--quiet", "--out", str(folder), "protocol.rounds=1"],
    }[order]
    assert main(argv) == 0
    assert capsys.readouterr() == (f"{folder}\n", "")
    summary = json.loads((folder / "summary.json").read_text())
    assert (summary["label"], summary["rounds"]) == ("raw fp32", 1)


def test_runs_get_folders_of_their_own_and_latest_is_the_last(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for _ in range(2):
        assert main([str(TINY), "protocol.rounds=1", "--quiet"]) == 0
    first, second = (Path(line) for line in capsys.readouterr().out.split())
    assert first != second
    assert first.parent == second.parent == Path("runs/tiny")
    assert Path("runs/latest").resolve() == second.resolve()


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["nowhere.yaml"], "nowhere.yaml: no such file, and no shipped scenario of that name; shipped are "),
        ([str(TINY), "codec.uplink.theta=99"],
         "override 'codec.uplink.theta=99': codec.uplink.theta: must be at most 1 (got 99)"),
        ([str(TINY), "cut=conv9"],
         "cut: no block 'conv9' among conv1, conv2, conv3; did you mean 'conv3'?"),
        ([str(TINY), "--threads", "0"], "--threads 0: must be at least 1"),
        ([str(TINY), "--threads", "99999"], "--threads 99999: must be at least 1 and at most 256"),
        ([str(TINY), "name=latest"], "override 'name=latest': "),
        ([str(TINY), "network.latency=1e308"], "override 'network.latency=1e308': network.latency: must"),
        ([str(TINY), "network.bandwidth=1 kHz"], "override 'network.bandwidth=1 kHz': network: bandwidth"),
        (["check", str(TINY), "network.positions=[[1,2]]"], "network.positions: "),
    ],
)  # fmt: skip
def test_bad_input_is_one_clear_line_and_status_2(
    argv: list[str],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(argv) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(message)
    assert len(sentences(err)) == 1
    assert list(tmp_path.iterdir()) == []


def test_check_tells_what_will_run(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(TINY)]) == 0
    out = " ".join(capsys.readouterr().out.split())
    for words in (
        "5, batch 8, 3 steps",
        "4 x 6 x 6",
        "4,608 up",
        "samples a device min 48, median 48, max 48",
        "classes a device min 4",
        "leave the devices: 8 bytes",
        "bottleneck",
        "on 1 thread",
        "memory on this host",
    ):
        assert words in out, words


def test_check_tells_what_a_study_takes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    study = tmp_path / "asked.yaml"
    study.write_text(
        f"base: {TINY}\naxes: {{codec: [raw, slfac], network.bandwidth: [1 MHz, 2 MHz]}}\nseeds: 2\n"
    )
    assert main(["check", str(study), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["points"], found["trainings"], found["threads"]) == (8, 4, 1)
    assert found["host_s"] > 0.0
    assert found["memory_bytes"] > 1e8
    assert main(["check", str(study)]) == 0
    assert "8, each a replay" in capsys.readouterr().out
    study.write_text(
        f"base: {TINY}\naxes: {{network.transport: [fluid, {{kind: udp, loss: 0.1, tries: 1}}]}}\nseeds: 1\n"
    )
    assert main(["check", str(study)]) == 0
    assert "2, 1 of them replays" in capsys.readouterr().out
    assert main(["check", str(study), "--cuts"]) == 2
    assert f"--cuts: is for scenarios, and {study} is a study" in capsys.readouterr().err


def test_check_of_a_study_says_which_trainings_have_other_threads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("asked.yaml").write_text(f"base: {TINY}\naxes: {{codec: [raw, slfac]}}\nseeds: 2\nthreads: 2\n")
    training = next(iter(plan(read_study("asked.yaml", Changes())).trainings))
    (DEFAULT / training).mkdir(parents=True)
    note = "1 training on record was made with 2 threads; with 1 it is trained again, with --threads 2 not"
    assert main(["check", "asked.yaml", "--threads", "1"]) == 0
    assert f"note: {note}" in capsys.readouterr().out
    assert main(["check", str(TINY), "--threads", "1"]) == 2
    assert f"--threads: is for studies, and {TINY} is a scenario" in capsys.readouterr().err


def test_check_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    network = "network={kind: ideal, up_rate: 8 Mbit/s, down_rate: 16 Mbit/s}"
    assert main(["check", str(TINY), "codec=raw", network, "--json"]) == 0
    figures = json.loads(capsys.readouterr().out)
    assert figures["uncompressed"]["smashed_up"] == 4 * 8 * 4 * 6 * 6
    assert figures["bottleneck"] in figures["round"]["parts_s"]
    assert figures["round_s"] == pytest.approx(sum(figures["round"]["parts_s"].values()))


def test_check_says_rates_in_a_unit_that_shows_the_least(capsys: pytest.CaptureFixture[str]) -> None:
    for rate, unit, alone in (("10 kbit/s", "Mbit/s", "0.01"), ("9 kbit/s", "kbit/s", "9.00")):
        network = f"network={{kind: ideal, sharing: equal, up_rate: {rate}, down_rate: 16 Mbit/s}}"
        assert main(["check", str(TINY), network]) == 0
        out = capsys.readouterr().out
        assert re.search(rf"rate up alone, {unit} +min {alone}, median {alone}, max {alone}\n", out)
        shared = "2.00" if rate == "10 kbit/s" else "1.80"  # by the five of them
        assert re.search(rf"rate up all at once, kbit/s +min {shared}, median {shared}, max {shared}\n", out)
        assert re.search(r"rate down alone, Mbit/s +min 16.00", out)


def test_check_draws_the_air_before_a_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(TINY), "--figures", str(tmp_path / "f")]) == 0
    out = capsys.readouterr().out
    assert "fair, tdd: 50 % of the time up, 50 % down" in out
    assert "rate up all at once, Mbit/s" in out
    files = [Path(line.removeprefix("figure: ")) for line in out.splitlines() if line.startswith("figure: ")]
    assert [path.name for path in files] == ["cell_map.png", "link_rates.png", "who_holds_what.png"]
    assert all(path.with_suffix(end).is_file() for path in files for end in (".png", ".svg", ".csv"))
    assert main(["check", str(TINY), "--json", "--figures", str(tmp_path / "f")]) == 0
    out, err = capsys.readouterr()
    assert len(json.loads(out)["together"]["up"]["rates_bps"]) == 5
    assert err.count("figure: ") == 3


def test_check_says_where_it_cannot_draw(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "f").touch()
    assert main(["check", str(TINY), "--figures", str(tmp_path / "f")]) == 2
    assert f"--figures {tmp_path / 'f'}: cannot be written (" in capsys.readouterr().err


def test_schema_is_a_schema(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["schema"]) == 0
    jsonschema.Draft202012Validator.check_schema(json.loads(capsys.readouterr().out))


def test_no_command_prints_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    assert "python -m slfac_sim quick " in capsys.readouterr().out
