"""The JSON Schema of scenarios: self-contained, current, and neither blind nor too strict."""

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from slfac_sim.foundation.plugins import kinds
from slfac_sim.scenario.files import dump, load, schema, shipped
from slfac_sim.scenario.yaml_text import to_tree

WRITTEN = Path(__file__).parent.parent / "docs" / "scenario.schema.json"


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
