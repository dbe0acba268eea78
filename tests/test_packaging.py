"""The package as users install it: complete, whatever folder it is used from, and behind its walls."""

import configparser
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from check_built_tree import build, copy_sources

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = {"slfac_sim": "slfac_sim", "network": "slfac_sim.network"} | {
    name: f"slfac_sim.{name}" for name in ("analysis", "scenarios")
}


def _setup() -> configparser.ConfigParser:
    parser = configparser.ConfigParser()
    parser.read(ROOT / "setup.cfg", encoding="utf-8")
    return parser


def _lines(text: str) -> list[str]:
    return [line for line in text.splitlines() if line]


def _dotted(path: Path) -> str:
    first, *rest = path.relative_to(ROOT).parts
    return ".".join([FOLDERS[first], *rest])


def _packages() -> set[str]:
    return {_dotted(path.parent) for top in FOLDERS for path in (ROOT / top).rglob("__init__.py")}


def _modules() -> set[str]:
    files = (path for top in FOLDERS for path in (ROOT / top).rglob("*.py"))
    return {_dotted(path.with_suffix("")).removesuffix(".__init__") for path in files}


def test_setup_cfg_lists_every_package() -> None:
    listed = _lines(_setup()["options"]["packages"])
    missing, extra = _packages() - set(listed), set(listed) - _packages()
    assert not missing, f"add to [options] packages in setup.cfg: {', '.join(sorted(missing))}"
    assert not extra, f"listed in setup.cfg, but without an __init__.py: {', '.join(sorted(extra))}"
    assert listed == sorted(listed)


def test_every_folder_with_modules_is_a_package() -> None:
    folders = {_dotted(path.parent) for top in FOLDERS for path in (ROOT / top).rglob("*.py")}
    bare = ", ".join(sorted(folders - _packages()))
    assert not bare, f"modules without an __init__.py beside them: {bare}"


def test_every_room_has_its_place_among_the_layers() -> None:
    layers = _lines(_setup()["importlinter:contract:rooms"]["layers"])
    placed = {room.strip() for layer in layers for room in layer.split("|")}
    assert placed == {f"slfac_sim.{name}" for name in _top_level() - {"scenarios"}}


def _top_level() -> set[str]:
    return {name.split(".")[1] for name in _modules() if "." in name and not name.endswith("__main__")}


def test_constraints_pin_every_requirement_and_nothing_local() -> None:
    pins = dict(line.split("==") for line in _lines((ROOT / "constraints.txt").read_text()) if line[0] != "#")
    assert all(re.fullmatch(r"[0-9][0-9a-z.]*", version) for version in pins.values())
    setup = _setup()
    extras = setup["options.extras_require"]
    wanted = _lines(setup["options"]["install_requires"] + extras["test"] + extras["lint"])
    names = {re.split(r"[<>=]", line)[0].lower() for line in wanted}
    assert names <= {name.lower() for name in pins}


@pytest.fixture(scope="session")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the package alone, built as users build it."""
    folder = tmp_path_factory.mktemp("built")
    return build(copy_sources(folder / "checkout"), folder / "tree")


def test_built_tree_holds_every_module_and_scenario(tree: Path) -> None:
    built = {".".join(path.relative_to(tree).with_suffix("").parts) for path in tree.rglob("*.py")}
    assert {name.removesuffix(".__init__") for name in built} == _modules()
    shipped = {path.name for path in (ROOT / "scenarios").glob("*.yaml")}
    assert {path.name for path in (tree / "slfac_sim" / "scenarios").glob("*.yaml")} == shipped
    assert (tree / "slfac_sim" / "py.typed").is_file()
    assert list(tree.glob("*.dist-info/licenses/LICENSE"))


def _python(tree: Path, folder: Path, *arguments: str) -> str:
    command = [sys.executable, *arguments]
    environment = {**os.environ, "PYTHONPATH": str(tree)}
    done = subprocess.run(command, cwd=folder, env=environment, check=True, capture_output=True, text=True)
    return done.stdout


def test_built_tree_works_beside_foreign_modules_of_the_same_names(tree: Path, tmp_path: Path) -> None:
    for name in ("analysis", "network", "scenarios"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('the wrong module was imported')\n")
    code = (
        "import slfac_sim, slfac_sim.analysis.cli, slfac_sim.network.contract\n"
        "print(slfac_sim.__file__, slfac_sim.analysis.__file__, slfac_sim.network.__file__)"
    )
    for path in _python(tree, tmp_path, "-c", code).split():
        assert path.startswith(str(tree))
    assert json.loads(_python(tree, tmp_path, "-m", "slfac_sim", "schema"))
    assert "RUN" in _python(tree, tmp_path, "-m", "slfac_sim.analysis", "--help")


def test_checkout_and_python_m_reach_the_same_analysis(tmp_path: Path) -> None:
    outputs = [
        subprocess.run(
            [sys.executable, "-m", name, str(tmp_path)], cwd=ROOT, capture_output=True, text=True, check=False
        )
        for name in ("analysis", "slfac_sim.analysis")
    ]
    assert {(run.returncode, run.stdout) for run in outputs} == {(2, "")}
    assert outputs[0].stderr == outputs[1].stderr


# Settings are read for --help, `check` and `schema`: neither they nor the walls' far sides may load torch.
_NO_TORCH = ("foundation", "network", "analysis", "codecs", "datasets", "partitions", "speeds")


def test_importing_does_nothing(tmp_path: Path) -> None:
    """Every module, in one fresh process: no thread, no output, no torch where none is needed."""
    modules = sorted(_modules() - {name for name in _modules() if name.endswith("__main__")})
    light = [m for m in modules if len(m.split(".")) > 1 and m.split(".")[1] in _NO_TORCH and "._" not in m]
    code = (
        "import importlib, json, sys, threading\n"
        f"for name in {light!r}: importlib.import_module(name)\n"
        "light = 'torch' in sys.modules\n"
        f"for name in {modules!r}: importlib.import_module(name)\n"
        "print(json.dumps([light, threading.active_count(), 'matplotlib.pyplot' in sys.modules]))"
    )
    assert json.loads(_python(ROOT, tmp_path, "-c", code)) == [False, 1, False]
