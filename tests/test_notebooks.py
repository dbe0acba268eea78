"""The notebooks of examples/: each runs from its first cell to its last without an error or a warning."""

import json
import re
from pathlib import Path

import pytest

pytest.importorskip("pandas", reason="the extra `notebook` is not installed")
from run_notebooks import NOTEBOOKS, cleaned, executed, faults

EVERYDAY = ("own_codec",)  # the shortest


def test_there_are_notebooks() -> None:
    assert {*EVERYDAY, "first_run"} < {path.stem for path in NOTEBOOKS}


@pytest.mark.parametrize(
    "path",
    [
        pytest.param(path, id=path.stem, marks=() if path.stem in EVERYDAY else pytest.mark.slow)
        for path in NOTEBOOKS
    ],
)
def test_a_notebook_runs(path: Path, tmp_path: Path) -> None:
    notebook = executed(path, tmp_path)
    assert not list(faults(notebook))
    stored, new = _kinds(json.loads(path.read_text(encoding="utf-8"))), _kinds(cleaned(notebook, tmp_path))
    assert stored == new, "python tools/run_notebooks.py writes the outputs anew"


def _kinds(notebook: dict[str, object]) -> list[list[str]]:
    """Return of which kinds the outputs of each cell are."""
    cells: object = notebook["cells"]
    assert isinstance(cells, list)
    outputs = [cell.get("outputs", ()) for cell in cells]
    return [[kind for output in each for kind in sorted(output.get("data", ()))] for each in outputs]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_stored_notebook_shows_figures_and_tells_nothing_of_its_machine(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert "image/png" in text
    assert not re.search(r"/(home|root|tmp|work|dev|usr)/|elapsed|\"execution\"|\"version\"", text)
    numbers = [cell["execution_count"] for cell in json.loads(text)["cells"] if cell["cell_type"] == "code"]
    assert numbers == [*range(1, len(numbers) + 1)]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_link_of_a_notebook_leads_somewhere(path: Path) -> None:
    for target in re.findall(r"\]\(([^)]+)\)", path.read_text(encoding="utf-8")):
        assert (path.parent / target).is_file()
