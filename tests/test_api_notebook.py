"""The Python API where it is used: in a notebook that is executed, and in scripts of all kinds."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient
from test_docs import PLUGINS

ROOT = Path(__file__).resolve().parent.parent
TINY = ROOT / "tests" / "tiny.yaml"
HALF = PLUGINS["their_pkg/half.py"]  # a codec
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}


def executed(place: Path, *cells: str) -> list[list[Any]]:
    """Return the outputs of each cell of a notebook that is run in the folder `place`."""
    form: Any = nbformat.v4
    notebook = form.new_notebook(cells=[form.new_code_cell(cell) for cell in cells])
    client = NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(place)}})
    client.execute(env=ENVIRONMENT)
    return [cell.outputs for cell in notebook.cells]


def script(place: Path, code: str) -> list[str]:
    """Return what a script prints that is run in the folder `place`, warnings being errors."""
    (place / "script.py").write_text(code, encoding="utf-8")
    command = [sys.executable, "-W", "error", "script.py"]
    done = subprocess.run(command, cwd=place, env=ENVIRONMENT, capture_output=True, text=True, check=False)
    assert not done.returncode, done.stderr
    return done.stdout.splitlines()


def test_a_notebook_runs_looks_sweeps_and_is_refused_in_sentences(tmp_path: Path) -> None:
    """Progress leaves its last line; results and figures are shown; a class of the notebook is a plug-in."""
    loaded, run, figure, swept, study, _, mine, again, refusal = executed(
        tmp_path,
        f"import slfac_sim as sf\nscenario = sf.load({str(TINY)!r})",
        "run = sf.run(scenario)\nrun",
        'run.figure("time_to_accuracy")',
        'study = sf.sweep(scenario, axes={"network.bandwidth": ["1 MHz", "5 MHz"]}, seeds=1, workers=1)',
        "study",
        HALF,
        'mine = sf.run(scenario, {"codec": Half()}, progress=False)\nprint(mine.label)',
        'print(sf.replay(mine, "network.bandwidth=1 MHz", progress=False).simulated_s > mine.simulated_s)',
        'try:\n    sf.sweep(scenario, {"codec": Half()})\nexcept sf.BadInput as error:\n    print(error)',
    )
    assert loaded == []
    line, shown = run
    assert [line.output_type, shown.output_type] == ["display_data", "execute_result"]
    assert line.data["text/plain"].startswith("tiny: round 2/2 · ")
    assert "left" not in line.data["text/plain"]
    assert shown.data["text/html"].startswith("<div")
    assert shown.data["text/plain"].startswith("<tiny: SL-FAC")
    (drawn,) = figure
    assert {"image/png", "text/plain"} <= drawn.data.keys()
    assert drawn.metadata["image/png"]["width"] == 500
    (line,) = swept
    assert line.data["text/plain"].startswith("trainings 1/1 · points 2/2 · ")
    (shown,) = study
    assert "1 MHz, 5 MHz" in shown.data["text/html"]
    assert mine[0].text == "half precision (mine)\n"
    assert again[0].text == "True\n"
    assert refusal[0].text == (
        "codec.uplink: Half is a class of the notebook or script itself, and a study needs it in a file of"
        " its own: put it into my_plugin.py beside it, and say codec.uplink=my_plugin\n"
    )


def test_a_script_needs_no_guard_and_is_not_run_again_by_its_workers(tmp_path: Path) -> None:
    printed = script(
        tmp_path,
        f"""
import slfac_sim as sf

print("begun")
axes = {{"network.bandwidth": ["1 MHz", "5 MHz"]}}
study = sf.sweep({str(TINY)!r}, axes=axes, seeds=1, workers=2, progress=False)
print(study)
""",
    )
    assert printed == ["begun", "<study tiny: 2 points>"]


def test_a_class_of_a_script_is_known_to_that_script_alone(tmp_path: Path) -> None:
    printed = script(
        tmp_path,
        f"""{HALF}
import slfac_sim as sf

one = sf.run({str(TINY)!r}, {{"codec": Half()}}, out="one", progress=False)
two = sf.run({str(TINY)!r}, "codec=__main__.Half", out="two", progress=False)
print(one.summary["digest"] == two.summary["digest"])
for refused in (
    lambda: sf.sweep(sf.load({str(TINY)!r}, {{"codec": Half}}), progress=False),
    lambda: sf.ask({str(TINY)!r}, "simulated_s <= 1 s", {{"codec": Half}}, vary="network.bandwidth"),
):
    try:
        refused()
    except sf.BadInput as error:
        print(error)
""",
    )
    same, *refused = printed
    assert same == "True"
    assert len(refused) == 2
    assert all("Half is a class of the notebook or script itself" in line for line in refused)
    code = [
        "import slfac_sim as sf",
        "try:",
        "    sf.replay('one')",
        "except sf.BadInput as error:",
        "    print(error)",
    ]
    told = script(tmp_path, "\n".join(code))
    assert len(told) == 2  # uplink and downlink
    assert "'Half' was a class of the notebook or script that asked for it, and is not one of this" in told[0]
