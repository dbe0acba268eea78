"""A scenario with faults names the shipped one that is nearest, once, where that helps."""

import pickle
from pathlib import Path

import pytest
import yaml

from slfac_sim.cli import main
from slfac_sim.scenario.examples import nearest
from slfac_sim.scenario.files import ScenarioError, load, shipped
from slfac_sim.scenario.located import Fault, Place

TINY = Path(__file__).with_name("tiny.yaml").read_text(encoding="utf-8")
WRITTEN = {name: yaml.safe_load(file.read_text(encoding="utf-8")) for name, file in shipped().items()}
TREES = {name: tree for name, tree in WRITTEN.items() if "base" not in tree}
HINT = "nearest shipped example: "


def told(tmp_path: Path, text: str, *overrides: str) -> list[str]:
    """Return the lines that are said of a file with `text`."""
    file = tmp_path / "s.yaml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ScenarioError) as caught:
        load(file, overrides)
    return str(caught.value).splitlines()


@pytest.mark.parametrize("name", TREES)
def test_every_shipped_scenario_is_nearest_to_itself_with_a_key_less(name: str) -> None:
    for key in set(TREES[name]) - {"network", "protocol"}:
        rest = {other: value for other, value in TREES[name].items() if other != key}
        found = nearest(rest)
        assert found == name.removesuffix(".yaml") or TREES[f"{found}.yaml"].keys() == TREES[name].keys()


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("network: {kind: wifi}\ndevices: 3", "wifi_home"),
        ("network: wifi", "wifi_home"),
        ("network: {kind: multi_cell}", "multi_cell"),
        ("devices: {slowdowns: [{kind: jitter}]}", "stragglers"),
    ],
)
def test_the_nearest_has_the_most_keys_and_kinds_in_common(text: str, name: str) -> None:
    assert nearest(yaml.safe_load(text)) == name


def test_a_missing_key_names_it_in_the_last_line(tmp_path: Path) -> None:
    lines = told(tmp_path, "data: mnist\nnetwork: {kind: wifi}\n", "devices=0")
    assert [line.startswith(HINT) for line in lines] == [*[False] * (len(lines) - 1), True]
    assert lines[-1] == (
        f"{HINT}wifi_home (`base: wifi_home` takes the rest from it,"
        " `python -m slfac_sim init` writes a file to begin with)"
    )


@pytest.mark.parametrize(
    ("text", "overrides", "helps"),
    [
        (TINY.replace("cut: conv1\n", ""), (), True),
        (TINY.replace("kind: small_cnn", "kind: transformer"), (), True),
        (TINY.replace("kind: cell", "kind: cel"), (), False),  # which says what is meant
        (TINY.replace("width: 4", "width: no"), (), False),
        (TINY.replace("cut: conv1", "cot: conv1"), (), True),
        (TINY, ("model=transformer",), False),  # the file is as it should be
        (TINY.replace("cut: conv1\n", "base: quick\nmodel: transformer\n"), (), False),
        ("base: quick\nmodel: transformer\n", (), False),
        ("zzz: 1\n", (), False),
    ],
)
def test_it_is_said_only_where_it_helps(
    tmp_path: Path, text: str, overrides: tuple[str, ...], helps: bool
) -> None:
    assert told(tmp_path, text, *overrides)[-1].startswith(HINT) == helps


def test_a_shipped_scenario_needs_no_example() -> None:
    with pytest.raises(ScenarioError) as caught:
        load("quick", ["protocol={kind: asynchronous}", "model=transformer"])
    assert HINT not in str(caught.value)


def test_sweep_says_it_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("s.yaml").write_text("data: mnist\nnetwork: wifi\n", encoding="utf-8")
    assert main(["sweep", "s.yaml", "--axis", "codec=raw,slfac"]) == 2
    assert capsys.readouterr().err.count(HINT) == 1


def test_the_hint_travels_between_processes() -> None:
    error = ScenarioError([Fault(Place(0, 1, 1, "s.yaml"), ("cut",), "missing key 'cut'")], "see quick")
    again = pickle.loads(pickle.dumps(error))
    assert (str(again), again.faults, again.hint) == (str(error), error.faults, "see quick")
    assert str(error).splitlines()[-1] == "see quick"
