"""The package as users install it: complete, whatever folder it is used from, and behind its walls."""

import ast
import configparser
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import distribution
from pathlib import Path

import pytest
from check_built_tree import build, copy_sources, unpack

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
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the wheel, built from a repository with one commit."""
    folder = tmp_path_factory.mktemp("wheel")
    checkout = copy_sources(folder / "checkout")
    git = ("git", "-C", str(checkout), "-c", "user.name=a", "-c", "user.email=a@b")
    for words in (("init", "-q"), ("add", "."), ("commit", "-q", "-m", "one")):
        subprocess.run((*git, *words), check=True)
    return build(checkout, folder)


@pytest.fixture(scope="session")
def tree(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the package alone, as the wheel lays it out."""
    return unpack(wheel, tmp_path_factory.mktemp("built"))


@pytest.mark.slow
def test_built_tree_holds_every_module_and_scenario(tree: Path) -> None:
    built = {".".join(path.relative_to(tree).with_suffix("").parts) for path in tree.rglob("*.py")}
    assert {name.removesuffix(".__init__") for name in built} == _modules()
    for kind in ("*.yaml", "*.csv"):
        shipped = {path.name for path in (ROOT / "scenarios").glob(kind)}
        assert {path.name for path in (tree / "slfac_sim" / "scenarios").glob(kind)} == shipped
    assert (tree / "slfac_sim" / "py.typed").is_file()
    docs = ROOT / "docs"
    kept = [path for pattern in ("*.schema.json", "*.md", "howto/*.md") for path in docs.glob(pattern)]
    there = [path for path in (tree / "slfac_sim" / "docs").rglob("*.*") if path.is_file()]
    assert {path.relative_to(tree / "slfac_sim" / "docs") for path in there} == {
        path.relative_to(docs) for path in kept
    }
    assert list(tree.glob("*.dist-info/licenses/LICENSE"))
    assert (tree / "slfac_sim" / "references.bib").is_file()
    assert re.fullmatch("[0-9a-f]{12}", (tree / "slfac_sim" / "commit.txt").read_text())


@pytest.mark.slow
def test_no_message_names_a_file_of_the_checkout(tree: Path) -> None:
    """Whoever has the wheel alone has neither docs nor examples; shipped scenarios have names there."""
    for path in sorted(tree.rglob("*.py")):
        for text in _texts(ast.parse(path.read_text(encoding="utf-8"))):
            named = re.search(r"\b(docs|examples|tests|scenarios|tools)/\S+", text)
            assert named is None, f"{path.relative_to(tree)} says {named[0] if named else ''}"


def _texts(module: ast.Module) -> Iterator[str]:
    """Yield the texts in the code, without those that stand alone, which describe it."""
    alone = {id(node.value) for node in ast.walk(module) if isinstance(node, ast.Expr)}
    for node in ast.walk(module):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in alone:
            yield node.value


def _python(tree: Path, folder: Path, *arguments: str) -> str:
    command = [sys.executable, *arguments]
    environment = {**os.environ, "PYTHONPATH": str(tree)}
    done = subprocess.run(command, cwd=folder, env=environment, check=True, capture_output=True, text=True)
    return done.stdout


@pytest.mark.slow
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


@pytest.fixture(scope="session")
def bin_folder(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return where the commands are of an environment in which the wheel alone was installed.

    What the wheel needs is lent by the environment of the tests; its own slfac_sim is not: that is
    reached through a .pth file, and these are read in an environment's own folder only.
    """
    folder = tmp_path_factory.mktemp("environment")
    subprocess.run((sys.executable, "-m", "venv", "--without-pip", str(folder)), check=True)
    pip = (
        sys.executable,
        "-m",
        "pip",
        "--python",
        str(folder / "bin" / "python"),
        "install",
        "-q",
        "--no-deps",
    )
    subprocess.run((*pip, str(wheel)), check=True)
    (own,) = folder.glob("lib/python*/site-packages")
    (own / "lent.pth").write_text("".join(f"{place}\n" for place in sorted(_places())))
    return folder / "bin"


def _places() -> set[str]:
    """Return the folders in which the requirements lie."""
    names = [re.split(r"[<>=]", line)[0] for line in _lines(_setup()["options"]["install_requires"])]
    return {str(distribution(name).locate_file("")) for name in [*names, "pydantic_core"]}


LITTLE = (
    "data={kind: synthetic, train_samples: 400, test_samples: 100}",
    "model={kind: small_cnn, width: 4}",
    "cut=conv1",
    "devices={count: 4, speed: {kind: fixed, speed: 10 GFLOP/s}}",
    "protocol={kind: parallel, rounds: 2, steps: 1}",
)
API = """
import slfac_sim as sf
run = sf.run("quick", *{little!r}, progress=False)
assert run.summary["host"]["commit"] and run.figure("time_to_accuracy").axes
try:
    sf.load("quick", "network=nowhere")
except sf.BadInput:
    print(sf.__file__)
"""
OWN_CODEC = """from slfac_sim.codecs.raw import Raw
from slfac_sim.foundation.plugins import settings


@settings
class Half(Raw):
    '''Raw, under another name.'''
"""


class Installed:
    """Calls the installed commands in a folder of its own, as their user would."""

    def __init__(self, bin_folder: Path, folder: Path) -> None:
        self._bin, self._folder = bin_folder, folder
        kept = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        self._environment = {**kept, "OMP_NUM_THREADS": "1"}

    def __call__(self, *words: str, status: int = 0) -> str:
        command = (str(self._bin / words[0]), *words[1:])
        run = {"cwd": self._folder, "env": self._environment, "capture_output": True, "text": True}
        done = subprocess.run(command, check=False, **run)
        assert done.returncode == status, done.stderr
        assert "Traceback" not in done.stderr
        return str(done.stdout or done.stderr)


@pytest.fixture
def installed(bin_folder: Path, tmp_path: Path) -> Installed:
    """Return what calls the installed commands."""
    return Installed(bin_folder, tmp_path)


@pytest.mark.slow
def test_a_wheel_tells_its_commit_and_explains_itself(installed: Installed, wheel: Path) -> None:
    assert re.search(r"\b[0-9a-f]{12}$", installed("slfac-sim", "--version").splitlines()[0])
    assert json.loads(installed("slfac-sim", "schema"))["title"]
    assert "did you mean 'quick'?" in installed("slfac-sim", "scenarios/quik.yaml", status=2)


@pytest.mark.slow
@pytest.mark.parametrize("shipped", sorted(path.stem for path in (ROOT / "scenarios").glob("*.yaml")))
def test_shipped_scenarios_are_there_by_name(installed: Installed, shipped: str) -> None:
    assert "@" in installed("slfac-sim", "cite", shipped, "--bibtex")


@pytest.mark.slow
def test_a_wheel_trains_draws_and_studies_without_the_checkout(installed: Installed, tmp_path: Path) -> None:
    assert "digest" in installed("slfac-sim", "quick", *LITTLE)
    assert "waiting for air" in installed("slfac-sim", "explain", "runs/latest")
    assert "time_to_accuracy.png" in installed("slfac-sim", "figure", "runs/latest")
    assert "report.html" in installed("slfac-sim", "report", "runs/latest")
    assert "run.svg" in installed("slfac-sim", "trace", "runs/latest", "--svg", "run.svg")
    assert "trust" in installed("slfac-sim", "docs")
    installed("slfac-sim", "replay", "runs/latest", "network.bandwidth=5 MHz")
    axis = ("--axis", "network.bandwidth=5 MHz,10 MHz", "--seeds", "1", "--workers", "1")
    installed("slfac-sim", "sweep", "quick", *LITTLE, *axis)
    assert list((tmp_path / "runs" / "studies" / "quick").glob("*.md"))
    assert "/site-packages/slfac_sim/" in installed("python", "-c", API.format(little=LITTLE))


@pytest.mark.slow
def test_a_wheel_takes_a_plug_in_of_its_user(installed: Installed, tmp_path: Path) -> None:
    (tmp_path / "their").mkdir()
    (tmp_path / "their" / "half.py").write_text(OWN_CODEC)
    assert "digest" in installed("python", "-m", "slfac_sim", "quick", *LITTLE, "codec=their.half")


TYPED = '''
"""A user's script, of which every type is known."""

from pathlib import Path

import slfac_sim as sf

scenario: sf.Scenario = sf.load("quick", "network.bandwidth=10 MHz", {"devices.count": 4}, seed=3)
plan: sf.Plan = sf.check(scenario)
run = sf.run(scenario, out=Path("one"), threads=1)
slow = sf.replay(run, "network.bandwidth=1 MHz", seed_air=4)
accuracy: float | None = slow.accuracy
times: dict[float, float | None] = slow.time_to_accuracy_s
study = sf.sweep("quick", axes={"network.bandwidth": ["2 MHz", 5e6], "codec": ["raw"]}, seeds=[1, 2])
sentences: list[str] = study.answers
answer = sf.ask("quick", "simulated_s <= 9 s", vary="network.bandwidth", between=("1 MHz", 1e8))
sentences = answer.lines
sf.analysis.figure("time_to_accuracy", [run, slow, "runs/latest"]).savefig("figure.pdf")
print(sf.schema("network.radius").text, sf.schema()["title"], len(run.frame("evals")))
try:
    sf.run({"name": "mine"})
except sf.RunFailed as failed:
    print(failed.run.summary["reason"])
except sf.BadInput as error:
    print(error)
'''


@pytest.mark.slow
def test_a_typed_script_of_a_user_passes_the_type_checker(tree: Path, tmp_path: Path) -> None:
    """By the built package: in a checkout the type checker does not find what lies beside slfac_sim."""
    pytest.importorskip("mypy")
    (tmp_path / "right.py").write_text(TYPED, encoding="utf-8")
    (tmp_path / "wrong.py").write_text("import slfac_sim as sf\n\nsf.run('quick', threads='2').acuracy\n")
    cache = str(ROOT / ".mypy_cache" / "scripts")
    options = ("--strict", "--follow-imports=silent", "--config-file", str(ROOT / "setup.cfg"))
    done = subprocess.run(
        [sys.executable, "-m", "mypy", *options, "--cache-dir", cache, "right.py", "wrong.py"],
        cwd=tmp_path,
        env={**os.environ, "MYPYPATH": str(tree)},
        capture_output=True,
        text=True,
        check=False,
    )
    found = [line.partition(": error: ") for line in done.stdout.splitlines() if ": error: " in line]
    assert {place for place, _, _ in found} == {"wrong.py:3"}, done.stdout
    told = " ".join(text for _, _, text in found)
    assert 'has incompatible type "str"; expected "int | None"' in told
    assert '"RunResult" has no attribute "acuracy"' in told
