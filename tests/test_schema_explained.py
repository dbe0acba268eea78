"""`schema PATH`: what a setting is, found by its path through kinds that are open."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from slfac_sim.cli import main
from slfac_sim.foundation.errors import BadInput
from slfac_sim.foundation.plugins import without_plugins
from slfac_sim.scenario.explained import explain
from slfac_sim.scenario.files import load, plain, schema, shipped
from slfac_sim.scenario.yaml_text import to_tree

WHOLE = schema()
TWICE = '''
"""Twice as slow. It is an example."""

from slfac_sim.foundation.plugins import settings
from slfac_sim.foundation.units import Seconds


@settings
class Twice:
    """Says nothing of its setting."""

    pause: Seconds = 0.005
    """How long it rests."""

    def open(self, host, seed):
        return lambda *work: 2.0
'''


def paths_in(tree: Any, path: str = "") -> Iterator[str]:
    """Yield the paths of all settings of a resolved scenario, but for keys that users choose."""
    for key, value in tree.items() if isinstance(tree, dict) else ():
        here = f"{path}.{key}".lstrip(".")
        yield here
        if here not in ("devices.speed.names", "cut"):
            yield from paths_in(value, here)


PATHS = sorted({path for name in shipped() for path in paths_in(plain(load(name)))})
"""Of all settings that any shipped scenario has."""


def test_every_setting_of_the_shipped_scenarios_is_explained() -> None:
    for path in PATHS:
        text = str(explain(path, WHOLE))
        assert text.startswith(path.removesuffix(".kind"))
        assert len(text.splitlines()) > 1, path


def test_kinds_that_mean_the_same_are_told_together_with_the_default_of_each() -> None:
    assert str(explain("network.radius", WHOLE)) == (
        "network.radius (cell, multi_cell, wifi)\n"
        "  Devices are placed uniformly over the area around their station between `min_distance` and this,\n"
        "  and placed anew where they have no coverage.\n"
        "  Takes a length (a number in m, or a text with m, km, cm), at least 0 m and at most 1e+07 m.\n"
        "  Default: 150 m in cell, multi_cell; 15 m in wifi.\n"
        '  Example: network.radius="150 m"'
    )


def test_examples_and_defaults_are_what_the_setting_takes() -> None:
    for path in PATHS:
        explained = explain(path, WHOLE)
        validator = jsonschema.Draft202012Validator(explained.schema)
        for place in explained.settings:
            if "default" in place.schema:
                validator.validate(place.schema["default"])
        for line in str(explained).splitlines():
            if line.startswith("  Example: "):
                setting, _, value = line.removeprefix("  Example: ").partition("=")
                validator.validate(to_tree(value.strip('"'), "example")[0].plain())
                assert setting == path.removesuffix(".kind")


def test_what_has_no_default_must_be_given() -> None:
    assert "Must be given." in str(explain("protocol", WHOLE))
    assert "Must be given." not in str(explain("name", WHOLE))
    assert "Default: fair." in str(explain("network.medium", WHOLE))


def test_settings_that_several_kinds_have_are_named() -> None:
    text = " ".join(str(explain("network", WHOLE)).split())
    assert "All have transport, jitter, grant, change." in text
    assert "Several have carrier, radius, " in text


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
    assert "Default: channel in easyquant; tensor in powerquant, terngrad; plane in qsgd, uniform." in text


@pytest.mark.parametrize("path", ["network.wifi", "network=wifi", "network.kind=wifi", "network.kind.wifi"])
def test_a_kind_is_chosen_as_an_override_chooses_it(path: str) -> None:
    assert explain(path, WHOLE).schema == explain("network.wifi", WHOLE).schema
    assert "must be given" not in str(explain(f"{path}.radius", WHOLE))
    assert "Default: 15 m." in str(explain(f"{path}.radius", WHOLE))
    assert explain("network.kind", WHOLE).text == explain("network", WHOLE).text


def test_a_plug_in_of_ones_own_is_described_by_its_source(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "own_settings"
    package.mkdir()
    (package / "twice.py").write_text(TWICE)
    monkeypatch.syspath_prepend(str(tmp_path))
    chosen = explain("devices.slowdowns=own_settings.twice", WHOLE)
    assert "Twice as slow. " not in chosen.text
    assert "Twice as slow.\n  Says nothing of its setting." in chosen.text
    setting = explain("devices.slowdowns=own_settings.twice.pause", WHOLE)
    assert "How long it rests." in setting.text
    assert "Default: 5 ms." in setting.text
    with pytest.raises(BadInput, match=r"own_settings\.twice\.Twice"):
        explain("network=own_settings.twice", WHOLE)
    with without_plugins(), pytest.raises(BadInput, match="--no-plugins imports none"):
        explain("devices.slowdowns=own_settings.twice", WHOLE)


@pytest.mark.parametrize(
    ("path", "hint"),
    [
        ("network.radus", "no 'radus' in network; did you mean 'radius'?"),
        ("network=wifo", "no 'wifo' in network; did you mean 'wifi'?"),
        ("netwrk", "no 'netwrk' in the file; did you mean 'network'?"),
        ("seed.zzz", "no 'zzz' in seed, which has air, learning"),
        ("name.x", "no 'x' in name, which has no settings"),
        ("name=x.y", "no plug-in stands here"),
        ("codec.uplink=no_such.module", "no module 'no_such.module' can be imported"),
        ("", "no '' in the file"),
        ("theta", "no 'theta' in the file; there is codec.theta, codec.uplink.theta, codec.downlink.theta"),
        ("medium.ofdma", "no 'medium' in the file; there is network.medium.ofdma"),
        ("medium.ofdma.nothing", "no 'medium' in the file, which has "),
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
    piece = json.loads(capsys.readouterr().out)
    assert piece["default"] == 15.0
    assert main(["schema", "network.radius", "--json"]) == 0
    kinds = [form["title"] for form in json.loads(capsys.readouterr().out)["anyOf"]]
    assert kinds == ["cell, multi_cell", "wifi"]
    assert main(["schema", "nothing"]) == 2
    assert "nothing: no 'nothing' in the file" in capsys.readouterr().err


def test_the_names_of_a_mapping_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["schema", "devices.speed.names"]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "a mapping, with keys among raspberry_pi_4, raspberry_pi_5, jetson_nano" in said
