"""Every family refuses what is not of it, and what a plug-in can do is a member of its contract."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from setting_leaves import leads_to_families
from worlds import TINY

from slfac_sim.foundation.plugins import find, kinds
from slfac_sim.scenario.files import ScenarioError, load

FAMILIES = leads_to_families()
SETTINGS = "from slfac_sim.foundation.plugins import settings\n"
MODULES = {
    "absent": (None, "can be imported (ModuleNotFoundError"),
    "raises": ("raise RuntimeError('a\\nb')\n", "can be imported (RuntimeError: a b)"),
    "exits": ("import sys\nsys.exit(3)\n", "can be imported (SystemExit: 3)"),
    "no_python": ("this is no python\n", "can be imported (SyntaxError"),
    "empty": ("", "must define one public dataclass, its plug-in (found: none)"),
    "function": ("def sender(stream):\n    return None\n", "must define one public dataclass"),
    "plain": ("class Plain:\n    open = None\n", "must define one public dataclass"),
    "twice": (
        SETTINGS + "@settings\nclass A:\n    a: int = 1\n@settings\nclass B:\n    b: int = 1\n",
        "A, B",
    ),
    "mutable": (
        "from dataclasses import dataclass\n@dataclass\nclass Mutable:\n    a: int = 1\n",
        "Mutable must be frozen: decorate it with @settings",
    ),
    "bare": (SETTINGS + "@settings\nclass Bare:\n    a: int = 1\n", "Bare"),
    "unreadable": (
        SETTINGS + "import re\n@settings\nclass Odd:\n    a: 'Nothing' = 1\n",
        "Odd: its settings cannot be read",
    ),
}


def refusal(overrides: list[str]) -> str:
    with pytest.raises(ScenarioError) as caught:
        load(TINY, overrides)
    (line,) = str(caught.value).splitlines()
    return line


@pytest.mark.matrix
@pytest.mark.parametrize("module", MODULES)
@pytest.mark.parametrize("family", FAMILIES)
def test_a_module_that_is_no_plug_in_is_one_sentence(
    family: str, module: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = f"wrong_{family.replace('.', '_')}_{module}"
    (tmp_path / package).mkdir()
    text, said = MODULES[module]
    if text is not None:
        (tmp_path / package / "it.py").write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    line = refusal(FAMILIES[family].at(f"{package}.it"))
    assert said in line
    assert f"{package}.it" in line


def strangers() -> Iterator[tuple[str, str]]:
    """Yield each family with one plug-in of every other."""
    for family in FAMILIES:
        for other in FAMILIES:
            if other != family:
                yield family, f"{other}.{kinds(other)[0]}"


@pytest.mark.matrix
@pytest.mark.parametrize(("family", "stranger"), list(strangers()))
def test_a_plug_in_of_another_family_is_one_sentence(family: str, stranger: str) -> None:
    line = refusal(FAMILIES[family].at(stranger))
    assert f"{stranger}.{find(*stranger.rsplit('.', 1)).__name__}" in line
    assert "does not inherit from" in line or "asks for" in line


def test_families_are_found_by_themselves() -> None:
    assert len(FAMILIES) >= 15


ROOT = Path(__file__).resolve().parent.parent
NO_PLUGINS = {
    "slfac_sim/foundation/plugin_sources.py": "modules: some have no file",
    "slfac_sim/foundation/host.py": "os: some systems know no affinity",
    "slfac_sim/learning/idx/download.py": "exceptions: some have a number of errno",
    "slfac_sim/learning/weights.py": "torch: layers that draw their weights, and batch-norm",
    "slfac_sim/scenario/shape.py": "typing: marks of a type hint",
    "slfac_sim/studies/search/setting.py": "typing: marks of a type hint",
    "slfac_sim/studies/values.py": "a path into settings that a user has written",
}


def test_what_a_plug_in_can_do_is_a_member_and_never_guessed() -> None:
    """No `hasattr`, no `getattr` with a name written out or a default, no kind compared by its name."""
    sources = [path for top in ("slfac_sim", "network", "analysis") for path in (ROOT / top).rglob("*.py")]
    guessing = {path.relative_to(ROOT).as_posix(): lines for path in sources if (lines := guesses(path))}
    assert {path: lines for path, lines in guessing.items() if path not in NO_PLUGINS} == {}
    assert set(NO_PLUGINS) <= set(guessing), "these guess no more: take them off the list"


def guesses(path: Path) -> list[int]:
    """Return the lines of the source `path` that ask what an object happens to have, or what kind it is."""
    lines = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            literal = len(node.args) > 2 or any(isinstance(word, ast.Constant) for word in node.args[1:2])
            if node.func.id == "hasattr" or (node.func.id == "getattr" and literal):
                lines.append(node.lineno)
        if isinstance(node, ast.Compare) and "kind_of(" in ast.unparse(node):
            lines.append(node.lineno)
    return lines
