"""The benchmarks as a whole: each is found, and one that fails is named. What they measure is not judged."""

import importlib
from pathlib import Path
from types import ModuleType

import pytest

FOLDER = Path(__file__).resolve().parent.parent / "benchmarks"


@pytest.fixture
def together(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(FOLDER))
    return importlib.import_module("all")


def test_a_new_benchmark_is_found_by_itself_and_what_they_share_is_none(
    together: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("all.py", "new.py", "_shared.py"):
        (tmp_path / name).touch()
    monkeypatch.setattr(together, "HERE", tmp_path)
    assert together.every() == [("new.py", "--smoke")]


def test_what_is_reported_is_there(together: ModuleType) -> None:
    assert {file for file, *_ in together.REPORT} <= {file for file, _ in together.every()}


def test_a_benchmark_that_fails_is_named_and_the_others_run(
    together: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "bad.py").write_text("raise SystemExit(3)")
    (tmp_path / "good.py").write_text("import sys; print(sys.argv[1:])")
    monkeypatch.setattr(together, "HERE", tmp_path)
    assert together.failed([("bad.py", "--smoke"), ("good.py", "--smoke")]) == ["bad.py --smoke"]
    assert capfd.readouterr().out == "['--smoke']\n"
