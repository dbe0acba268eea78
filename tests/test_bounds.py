"""Numbers that no run could bear are refused where they are read, in one sentence, whatever the setting."""

import math
import re
import time
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError
from setting_leaves import Leaf, every_setting
from worlds import TINY

from slfac_sim.foundation import units
from slfac_sim.foundation.units import Quantity
from slfac_sim.scenario.files import ScenarioError, load, schema
from slfac_sim.studies.files import schema as study_schema

ODD = ["1e300", "-1e300", "1e-300", "1e19", "1e999", ".nan", "-1", "1e300 Hz", "true", "{a: 1}"]
ODD += ['"\\u0000"', "9" * 300, "[[[[]]]]"]


def refusal(overrides: list[str]) -> list[str]:
    """Return the lines with which `tiny` with `overrides` is refused; none where it is not."""
    try:
        load(TINY, overrides)
    except ScenarioError as error:
        return str(error).splitlines()
    return []


@pytest.mark.matrix
@pytest.mark.parametrize("leaf", every_setting(), ids=str)
def test_odd_values_of_a_setting_are_told_in_sentences_at_once(leaf: Leaf) -> None:
    for value in ODD:
        began_s = time.process_time()
        lines = refusal(leaf.at(value))
        assert all(line.startswith("override '") and len(line) < 1000 for line in lines), lines
        assert len(lines) <= (2 if value.startswith("[") else 1), lines
        assert time.process_time() - began_s < 2.0


def numbers(node: object, path: str = "") -> list[tuple[str, dict[str, object]]]:
    """Return every number in a JSON Schema, by its path."""
    if isinstance(node, list):
        return [found for i, inner in enumerate(node) for found in numbers(inner, f"{path}/{i}")]
    if not isinstance(node, dict):
        return []
    below = [found for key, inner in node.items() for found in numbers(inner, f"{path}/{key}")]
    return [(path, node), *below] if node.get("type") in ("number", "integer") else below


@pytest.mark.parametrize("written", [schema, study_schema], ids=["scenario", "study"])
def test_every_number_of_a_schema_has_bounds(written: Callable[[], dict[str, object]]) -> None:
    found = numbers(written())
    assert found
    for path, node in found:
        assert node.keys() & {"minimum", "exclusiveMinimum", "enum", "const"}, path
        assert node.keys() & {"maximum", "exclusiveMaximum", "enum", "const"}, path


@pytest.mark.parametrize("dimension", units._UNITS)
@given(data=st.data())
def test_a_quantity_is_within_the_range_of_its_dimension_or_refused(
    dimension: str, data: st.DataObject
) -> None:
    unit = next(iter(units._UNITS[dimension]))
    number = data.draw(st.floats(allow_nan=False, allow_infinity=False))
    reader = TypeAdapter(units.Annotated[float, Quantity(dimension)])
    least, most = units._RANGES[dimension]
    legal = number == 0.0 or least <= abs(number) <= most
    for text in (number, f"{number!r} {unit}"):
        if legal:
            assert reader.validate_python(text) == pytest.approx(number, rel=1e-12)
        else:
            with pytest.raises(ValidationError, match=re.escape(f" {dimension} of {least:g} to {most:g}")):
                reader.validate_python(text)


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("network.radius=1e300", "network.radius: must be a length of 0.001 to 1e+07 m (got 1e+300)"),
        ("server.speed=1e-300", "server.speed: must be a computing speed of 1 to 1e+30 FLOP/s (got 1e-300)"),
        (
            "devices.memory_bandwidth=1e-300",
            "devices.memory_bandwidth: must be a memory bandwidth of 1 to 1e+18 B/s (got 1e-300)",
        ),
        ("data.train_samples=1e12", "data.train_samples: must be at most 1000000000 (got 1000000000000)"),
        ("data.train_samples=1e9", "data: all samples together must have at most 134,217,728 bytes"),
        ("data.size=1024", "data.size: must be at most 256 (got 1024)"),
        ("model.width=512", "model.width: must be at most 128 (got 512)"),
        ("learning.batch=1e18", "learning.batch: must be at most 65536 (got 1000000000000000000)"),
    ],
)
def test_a_number_beyond_its_bounds_is_told_them(override: str, said: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        load(TINY, [override])
    assert str(caught.value).startswith(f"override '{override}': {said}")


def test_bounds_are_wider_than_whatever_is_built() -> None:
    for least, most in units._RANGES.values():
        assert 0.0 <= least < most < math.inf
