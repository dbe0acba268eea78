"""The JSON Schema of scenarios: self-contained, current, and neither blind nor too strict."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from slfac_sim.foundation.descriptions import descriptions
from slfac_sim.foundation.plugins import kinds
from slfac_sim.foundation.units import IN_SI
from slfac_sim.scenario.files import dump, load, schema, shipped
from slfac_sim.scenario.yaml_text import to_tree
from slfac_sim.studies.files import schema as study_schema

WRITTEN = Path(__file__).parent.parent / "docs" / "scenario.schema.json"
_DIMENSIONS = (
    "duration:",
    "frequency:",
    "data rate:",
    "size:",
    "length:",
    "speed:",
    "power:",
    "level:",
    "energy:",
)


@pytest.fixture(scope="module")
def validator() -> Any:
    found = schema()
    jsonschema.Draft202012Validator.check_schema(found)
    return jsonschema.Draft202012Validator(found)


def tree(name: str = "100_devices.yaml") -> dict[str, Any]:
    found: dict[str, Any] = to_tree(shipped()[name].read_text(), name)[0].plain()
    return found


def test_the_written_schema_is_current() -> None:
    assert json.loads(WRITTEN.read_text()) == schema(), (
        "docs/scenario.schema.json is out of date; write it anew:"
        " python -m slfac_sim schema > docs/scenario.schema.json"
    )


def test_every_reference_is_resolved_and_no_mark_is_left() -> None:
    text = json.dumps(schema())
    defined = schema()["$defs"]
    references = set(re.findall(r'"\$ref": "#/\$defs/([^"]+)"', text))
    assert text.count('"$ref"') == len(re.findall(r'"\$ref": "#/\$defs/', text))
    assert references <= set(defined)
    assert text.count('"$defs"') == 1
    assert "x-family" not in text


def test_every_kind_of_every_family_is_in_it() -> None:
    defined = schema()["$defs"]
    for family in (
        "hosts.availability",
        "codecs",
        "learning.datasets",
        "learning.models",
        "network.kinds",
        "learning.optimisers",
        "learning.schedules",
        "learning.partitions",
        "protocols",
        "hosts.slowdowns",
        "hosts.speeds",
    ):
        for kind in kinds(f"slfac_sim.{family}"):
            assert defined[f"slfac_sim.{family}.{kind}"]["properties"]["kind"]["const"] == kind


@pytest.mark.parametrize("name", sorted(shipped()))
def test_shipped_scenarios_and_their_resolved_text_pass(name: str, validator: Any) -> None:
    validator.validate(tree(name))
    validator.validate(to_tree(dump(load(name)), name)[0].plain())


@pytest.mark.parametrize(
    "change",
    [
        {"seed": 3},
        {"codec": "raw"},
        {"codec": {"uplink": "slfac", "downlink": {"kind": "raw"}}},
        {"codec": {"kind": "their_package.codec", "depth": 3}},
        {"data": "mnist"},
        {"server": {"speed": 1e12}},
        {"server": {"speed": "2TFLOP/s"}},
        {"server": {"slowdowns": ["jitter", {"kind": "thermal", "factor": 3.0}], "discipline": "sharing"}},
        {"devices": {"speed": "fixed", "memory": "1 GiB", "memory_bandwidth": "4 GB/s", "battery": None}},
        {"devices": {"speed": "fixed", "power": {"idle": 0, "compute": "30 dBm"}}},
    ],
)
def test_short_forms_and_units_pass(change: dict[str, Any], validator: Any) -> None:
    validator.validate(tree() | change)


@pytest.mark.parametrize(
    "change",
    [
        {"seed": -1},
        {"seed": {"sky": 3}},
        {"codec": "slfak"},
        {"codec": {"uplink": "slfac"}},
        {"codec": {"kind": "slfac", "teta": 0.9}},
        {"codec": {"kind": "slfac", "theta": 2}},
        {"devices": {"count": 0, "speed": "fixed"}},
        {"devices": {"count": 4, "speed": "profiles"}},
        {"server": {"speed": "2 TB"}},
        {"server": {"speed": -1}},
        {"server": {"slowdowns": "jitter"}},
        {"server": {"slowdowns": [{"kind": "jitter", "sigma": -1}]}},
        {"devices": {"speed": "fixed", "battery": "3 W"}},
        {"devices": {"speed": "fixed", "power": {"idle": -1}}},
        {"zzz": 1},
        {"cut": 3},
    ],
)
def test_wrong_scenarios_fail(change: dict[str, Any], validator: Any) -> None:
    assert not validator.is_valid(tree() | change)


def described(node: Any, path: str = "") -> Iterator[tuple[str, str, str]]:
    """Yield path, name and description of every property below `node`, however deep."""
    for name, setting in node.get("properties", {}).items() if isinstance(node, dict) else ():
        yield path, name, setting.get("description", "")
    children = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, child in children:
        yield from described(child, f"{path}/{key}")


@pytest.mark.parametrize("whole", [schema(), study_schema()], ids=["scenario", "study"])
def test_every_property_says_what_it_is(whole: dict[str, Any]) -> None:
    for path, name, text in described(whole):
        assert text.endswith((".", ")")), f"{path}: {name}: {text!r}"
        assert not text.startswith(_DIMENSIONS), f"{path}: {name} has the words of its unit alone"
        assert text.strip(".").lower() != name.replace("_", " "), f"{path}: {name} says its name alone"


@pytest.mark.parametrize("whole", [schema(), study_schema()], ids=["scenario", "study"])
def test_what_a_property_says_stands_in_a_source(whole: dict[str, Any]) -> None:
    root = Path(__file__).parent.parent
    files = [file for folder in ("slfac_sim", "network") for file in sorted((root / folder).rglob("*.py"))]
    sources = " ".join(" ".join(file.read_text(encoding="utf-8").split()) for file in files)
    for path, name, text in described(whole):
        words = text.removesuffix(")").rpartition(" (")[0] if text.endswith(f"{IN_SI})") else text
        assert words in sources, f"{path}: {name}: {words}"


def test_a_field_says_what_stands_below_it_and_its_unit() -> None:
    speed = schema()["$defs"]["slfac_sim.hosts.speeds.fixed"]["properties"]["speed"]
    text = "FLOP/s that every device achieves in training, 2 per multiply-add."
    assert speed["description"] == f"{text} (computing speed: a number in SI, or a text with a unit)"


def test_a_kind_by_its_name_alone_is_described_as_the_kind_is() -> None:
    for family in ("slfac_sim.network.media", "slfac_sim.protocols"):
        by_name = [node for node in schema()["$defs"][family]["anyOf"] if "const" in node]
        assert by_name
        for node in by_name:
            kind = schema()["$defs"][f"{family}.{node['const']}"]
            assert node == kind["properties"]["kind"]
            assert kind["description"].startswith(node["description"])


def test_a_field_defined_anew_keeps_its_description() -> None:
    settings = schema()["$defs"]["slfac_sim.protocols.parallel"]["properties"]
    assert settings["model_broadcast"]["description"].startswith("Whether the server sends a model once")


def test_what_has_no_source_has_no_description() -> None:
    namespace: dict[str, Any] = {}
    exec(
        "from slfac_sim.foundation.plugins import settings\n@settings\nclass Odd:\n    x: int = 1\n",
        namespace,
    )
    assert descriptions(namespace["Odd"]) == {}
