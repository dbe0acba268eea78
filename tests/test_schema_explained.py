"""`schema PATH`: what a setting is, found by its path through kinds that are open."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from slfac_sim.cli import main
from slfac_sim.foundation.errors import BadInput
from slfac_sim.scenario.explained import explain
from slfac_sim.scenario.files import load, plain, schema, shipped

WHOLE = schema()


def paths_in(tree: Any, path: str = "") -> Iterator[str]:
    """Yield the paths of all settings of a resolved scenario, but for keys that users choose."""
    for key, value in tree.items() if isinstance(tree, dict) else ():
        here = f"{path}.{key}".lstrip(".")
        yield here
        if here not in ("devices.speed.names", "cut"):
            yield from paths_in(value, here)


@pytest.mark.parametrize("name", sorted(shipped()))
def test_every_setting_of_a_shipped_scenario_is_explained(name: str) -> None:
    for path in paths_in(plain(load(name))):
        text = str(explain(path, WHOLE))
        assert text.startswith(path)
        assert len(text.splitlines()) > 1, path


def test_kinds_that_mean_the_same_are_told_together_with_the_default_of_each() -> None:
    assert str(explain("network.radius", WHOLE)) == (
        "network.radius (cell, multi_cell, wifi)\n"
        "  Devices are placed uniformly over the area around their station between `min_distance` and this,\n"
        "  and placed anew where they have no coverage.\n"
        "  Takes a number at least 0 and at most 1e+07, or a text such as '10 m'.\n"
        "  Default: 150.0 in cell, multi_cell; 15.0 in wifi."
    )


def test_kinds_that_mean_something_else_are_told_apart() -> None:
    text = str(explain("network.medium", WHOLE))
    assert "network.medium (cell, multi_cell)\n  How the transfers under way share the air" in text
    assert "network.medium (wifi)\n  The 802.11 channel" in text


def test_a_kind_may_be_chosen_on_the_way() -> None:
    assert "802.11 channel" in str(explain("network.wifi.medium", WHOLE))
    assert "share the air" not in str(explain("network.wifi.medium", WHOLE))
    assert "bandwidth" in str(explain("network.cell", WHOLE))
    assert "cell  " in str(explain("network", WHOLE))


def test_what_one_kind_may_stand_for_is_told_with_the_kinds() -> None:
    text = str(explain("codec", WHOLE))
    assert "\n    raw  " in text
    assert "\n    downlink  " in text


def test_defaults_that_differ_are_told_by_kind() -> None:
    text = " ".join(str(explain("codec.uplink.scope", WHOLE)).split())
    assert (
        'Default: "channel" in easyquant; "tensor" in powerquant, terngrad; "plane" in qsgd, uniform.' in text
    )


@pytest.mark.parametrize(
    ("path", "hint"),
    [
        ("network.radus", "no 'radus' in network: it has bandwidth, "),
        ("network.radus", "did you mean 'radius'?"),
        ("netwrk", "no 'netwrk' in a scenario"),
        ("name.x", "no 'x' in name, which holds no settings"),
    ],
)
def test_a_path_that_leads_nowhere_is_told_what_there_is(path: str, hint: str) -> None:
    with pytest.raises(BadInput) as error:
        explain(path, WHOLE)
    assert str(error.value).startswith(f"{path}: ")
    assert hint in str(error.value)


def test_the_command_prints_it_and_its_schema(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["schema", "seeds", "--study"]) == 0
    assert "seed n sets both seeds" in capsys.readouterr().out
    assert main(["schema", "network.wifi.radius", "--json"]) == 0
    (place,) = json.loads(capsys.readouterr().out)
    assert (place["kinds"], place["schema"]["default"]) == (["wifi"], 15.0)
    assert main(["schema", "nothing"]) == 2
    assert "nothing: no 'nothing' in a scenario" in capsys.readouterr().err
