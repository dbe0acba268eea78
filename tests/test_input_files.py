"""Files that settings and arguments name: whatever they are, one sentence, from `check` as from `run`."""

import dataclasses
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from told import sentences
from worlds import TINY

from slfac_sim.cli import main
from slfac_sim.foundation.plugins import find, kinds
from slfac_sim.scenario.located import Located, Place
from slfac_sim.scenario.schema import Scenario
from slfac_sim.scenario.shape import class_of, hints_of, plugin_mark

PLACE = "FILE"
NOTHING = Located({}, Place(0, 0, 0, ""), Place(0, 0, 0, ""))


def file_settings(cls: Any = Scenario, path: str = "") -> Iterator[tuple[str, str]]:
    """Yield every setting below `cls` that names a file: the node that holds it, and the node with `{}`."""
    for field in dataclasses.fields(cls):
        hint, at = hints_of(cls)[field.name], f"{path}.{field.name}".strip(".")
        plugin = plugin_mark(hint)
        if plugin is not None and plugin.family != "slfac_sim.codecs":
            for kind in kinds(plugin.family):
                for name, inner in hints_of(find(plugin.family, kind)).items():
                    if "pathlib" in str(inner):
                        yield at, f"{{kind: {kind}, {name}: {PLACE}}}"
        elif (inner := class_of(hint, NOTHING, ())) is not None:
            yield from file_settings(inner, at)


def nothing(path: Path) -> None:
    """Leave nothing there."""


WRONG: dict[str, Callable[[Path], Any]] = {
    "missing": nothing,
    "folder": Path.mkdir,
    "empty": lambda path: path.write_bytes(b""),
    "binary": lambda path: path.write_bytes(bytes(range(256)) * 9),
    "nulls": lambda path: path.write_bytes(b"device,down_s,up_s\n\0\0,1,2\n"),
    "malformed": lambda path: path.write_text('device,down_s,up_s\n"d000,x\ny,1,1,1,1\n'),
    "long": lambda path: path.write_text("device,down_s,up_s\n" + "9" * 200_000 + ",1,2\n"),
    "pipe": os.mkfifo,
    "huge": lambda path: (path.touch(), os.truncate(path, 2**40)),
}
BELOW_A_PLUG_IN = ("network.change.one", f"{{kind: trace, devices: all, file: {PLACE}}}")
BY_ITSELF = ("learning.weights", f"{{file: {PLACE}}}")
SETTINGS = [*file_settings(), BELOW_A_PLUG_IN, BY_ITSELF]


def refused(command: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    """Return the one line with which `command` is refused."""
    assert main(command) == 2, command
    out, err = capsys.readouterr()
    assert "Traceback" not in out + err
    (line,) = sentences(err)
    return line


def test_the_settings_that_name_files_are_found() -> None:
    assert {node.partition(",")[0] for _, node in SETTINGS} >= {
        "{kind: trace", "{kind: measured", "{kind: mnist"
    }  # fmt: skip


@pytest.mark.matrix
@pytest.mark.parametrize("wrong", WRONG)
@pytest.mark.parametrize(("path", "node"), SETTINGS)
def test_check_refuses_what_run_refuses(
    path: str, node: str, wrong: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "named"
    WRONG[wrong](file)
    override = f"{path}={node.replace(PLACE, str(file))}"
    said = refused(["check", str(TINY), override], capsys)
    assert str(file) in said
    assert refused(["run", str(TINY), override, "--out", str(tmp_path / "run")], capsys) == said
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("wrong", [name for name in WRONG if name != "missing"])
@pytest.mark.parametrize("command", ["run", "check", "sweep"])
def test_a_scenario_that_is_no_file_of_text_is_one_line(
    command: str, wrong: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "s.yaml"
    WRONG[wrong](file)
    assert refused([command, str(file)], capsys).startswith(str(file))


@pytest.mark.parametrize("command", ["run", "check", "sweep", "cite"])
@pytest.mark.parametrize("name", ["/dev/zero", "/dev/full", "a\0b", "x" * 300, "/"])
def test_a_scenario_of_an_impossible_name_is_one_line(
    command: str, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert len(refused([command, name], capsys)) < 700


@pytest.mark.parametrize("name", ["a\0b", "x" * 300, f"a/{'y' * 256}/b", "/".join(["z" * 200] * 30)])
@pytest.mark.parametrize("option", ["--out", "--cache"])
def test_a_folder_of_an_impossible_name_is_one_line(
    option: str, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    line = refused(["sweep", str(TINY), option, name], capsys)
    assert "no file can have this name" in line
