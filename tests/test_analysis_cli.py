"""The command line of the analysis: what it prints, where it draws, how it refuses, what it never loads."""

import json
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest
from run_folders import ACCURACY, NOT_OF_FAKES, fake_run

from slfac_sim.analysis.cli import main
from slfac_sim.analysis.draw import FIGURES
from slfac_sim.foundation.plugins import kinds

ROOT = Path(__file__).resolve().parent.parent


def test_one_run_is_redrawn_in_its_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(fake_run(tmp_path / "run"))]) == 0
    printed = capsys.readouterr().out.splitlines()
    where = tmp_path.resolve() / "run/figures"
    drawn = [name for name in kinds(FIGURES) if name not in NOT_OF_FAKES]
    names = [f"{name}.{end}" for name in drawn for end in ("png", "svg", "csv")]
    assert printed[3:] == [str(where / name) for name in names]
    assert sorted(path.name for path in where.iterdir()) == sorted(names)


def test_several_runs_print_a_table_and_go_to_one_folder(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    fake_run(Path("a"))
    fake_run(Path("b"), "raw fp32", 93.5, 800_000_000, ACCURACY[:6], {"status": "interrupted"})
    assert main(["a", "b"]) == 0
    names = [name for name in kinds(FIGURES) if name not in NOT_OF_FAKES]
    names = [name for name in names if not import_module(f"{FIGURES}.{name}").ONE_RUN]
    assert capsys.readouterr().out == (
        "run                              accuracy  simulated s  s to 80 %  s to 90 %  s to 95 %"
        "    s to 97 %       MB\n"
        "SL-FAC (our reading), theta 0.9   97.80 %        232.0       58.0       87.0      145.0"
        "        203.0    968.0\n"
        "raw fp32 (interrupted)            95.70 %        467.5      187.0      280.5      467.5"
        "  not reached  4,000.0\n"
        "\n" + "".join(f"figures/{name}.{end}\n" for name in names for end in ("png", "svg", "csv"))
    )
    assert Path("figures/time_to_accuracy.svg").is_file()


def test_json_holds_the_same(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("slfac_sim.analysis.draw.kinds", lambda family: ["time_to_accuracy"])
    folder = fake_run(tmp_path / "run")
    assert main([str(folder), "--json", "-o", str(tmp_path / "out")]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed["runs"][0] == {
        "label": "SL-FAC (our reading), theta 0.9",
        "folder": str(folder.resolve()),
        "status": "finished",
        "accuracy_final": 0.978,
        "simulated_s": 232.0,
        "time_to_accuracy_s": {"0.8": 58.0, "0.9": 87.0, "0.95": 145.0, "0.97": 203.0},
        "time_to_metrics_s": {},
        "bytes_total": 968_000_000,
    }
    files = [str(tmp_path / "out" / f"time_to_accuracy.{end}") for end in ("png", "svg", "csv")]
    assert printed["figures"] == files


def test_one_bad_run_among_good_ones_is_refused_before_anything_is_drawn(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fake_run(tmp_path / "a")
    assert main([str(tmp_path / "a"), str(tmp_path / "b"), "-o", str(tmp_path / "out")]) == 2
    streams = capsys.readouterr()
    assert streams.out == ""
    assert streams.err.startswith(
        f"{tmp_path}/b: no such folder; expected the folder of a run, such as runs/latest"
    )
    assert not (tmp_path / "out").exists()


def test_a_place_that_cannot_be_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").touch()
    assert main([str(fake_run(tmp_path / "a")), "-o", str(tmp_path / "file")]) == 2
    assert capsys.readouterr().err == f"{tmp_path}/file: cannot write the figures (File exists)\n"


def test_neither_torch_nor_a_simulator_is_loaded_nor_pyplot(tmp_path: Path) -> None:
    folder = fake_run(tmp_path / "run")
    code = (
        "import sys\nfrom slfac_sim.analysis.cli import main\n"
        f"assert main([{str(folder)!r}]) == 0\n"
        "print(sorted({'torch', 'simpy', 'scipy', 'matplotlib.pyplot'} & set(sys.modules)))\n"
        "ours = {name.split('.')[1] for name in sys.modules if name.startswith('slfac_sim.')}\n"
        "print(sorted(ours))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True, text=True)
    assert done.stdout.splitlines()[-2:] == ["[]", "['analysis', 'foundation', 'ledger']"]


def test_help_loads_neither_numpy_nor_matplotlib() -> None:
    code = (
        "import sys\nfrom slfac_sim.analysis.cli import main\n"
        "try:\n    main(['--help'])\nexcept SystemExit as stop:\n"
        "    print(stop.code, {'numpy', 'matplotlib', 'torch'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True, text=True)
    assert done.stdout.splitlines()[-1] == "0 set()"
