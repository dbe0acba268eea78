"""Quantities: every unit of every dimension, near misses, and what is no quantity."""

import math
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from slfac_sim.foundation import units
from slfac_sim.foundation.units import Quantity, db_to_ratio, dbm_to_w, parse_quantity, ratio_to_db, w_to_dbm

DIMENSIONS = units._UNITS
LINEAR = [(d, u, f) for d, table in DIMENSIONS.items() for u, f in table.items() if not callable(f)]


@pytest.mark.parametrize(
    ("text", "dimension", "value"),
    [
        ("20 MHz", "frequency", 20e6),
        ("20MHz", "frequency", 20e6),
        (" 3.5  GHz ", "frequency", 3.5e9),
        ("5 ms", "duration", 0.005),
        ("5 µs", "duration", 5e-6),
        ("2 min", "duration", 120.0),
        ("1.6 MB", "size", 1.6e6),
        ("64 KiB", "size", 65536.0),
        ("10 Mbit/s", "data rate", 1e7),
        ("10 Mbps", "data rate", 1e7),
        ("30 dBm", "power", 1.0),
        ("200 mW", "power", 0.2),
        ("0 dBW", "power", 1.0),
        ("-3 dB", "level", -3.0),
        ("5 GFLOP/s", "computing speed", 5e9),
        ("150 m", "length", 150.0),
        ("2.5e1", "length", 25.0),
        (".5 km", "length", 500.0),
    ],
)
def test_a_text_with_a_unit_is_its_si_value(text: str, dimension: str, value: float) -> None:
    assert parse_quantity(text, dimension) == pytest.approx(value, rel=1e-12)


def test_23_dbm_is_a_fifth_of_a_watt() -> None:
    assert parse_quantity("23 dBm", "power") == pytest.approx(10**2.3 / 1000, rel=1e-12)


@given(st.sampled_from(LINEAR), st.floats(-1e12, 1e12), st.sampled_from(["", " ", "   "]))
def test_a_value_is_its_number_times_its_unit(unit: tuple[str, str, float], number: float, gap: str) -> None:
    dimension, name, factor = unit
    assert parse_quantity(f"{number!r}{gap}{name}", dimension) == number * factor
    assert parse_quantity(repr(number), dimension) == number


@given(st.floats(-300.0, 300.0))
def test_decibels_and_ratios_are_inverse(value_db: float) -> None:
    assert ratio_to_db(db_to_ratio(value_db)) == pytest.approx(value_db, abs=1e-9)
    assert w_to_dbm(dbm_to_w(value_db)) == pytest.approx(value_db, abs=1e-9)


def test_zero_power_is_minus_infinity_decibels() -> None:
    assert ratio_to_db(0.0) == w_to_dbm(0.0) == -math.inf


@pytest.mark.parametrize("dimension", DIMENSIONS)
def test_no_unit_of_a_dimension_is_another_one_in_other_case(dimension: str) -> None:
    folded = [unit.casefold() for unit in DIMENSIONS[dimension]]
    assert len(set(folded)) == len(folded)


def test_a_unit_of_two_dimensions_does_not_exist() -> None:
    every = [unit for table in DIMENSIONS.values() for unit in table]
    assert len(set(every)) == len(every)


@pytest.mark.parametrize(
    ("text", "dimension", "fault"),
    [
        ("20 mHz", "frequency", "unknown frequency unit 'mHz'; did you mean 'MHz'?"),
        ("5 m", "duration", "unknown duration unit 'm'; did you mean 'ms'?"),
        ("5 MS", "duration", "unknown duration unit 'MS'; did you mean 'ms'?"),
        ("10 Mb/s", "data rate", "unknown data rate unit 'Mb/s'; did you mean 'Mbit/s'?"),
        (
            "10 MB/s",
            "data rate",
            "unknown data rate unit 'MB/s'; did you mean 'Mbit/s'? (rates are in bits: 1 B is 8 bit)",
        ),
        ("64 KB", "size", "unknown size unit 'KB'; did you mean 'kB'?"),
        ("23 dbm", "power", "unknown power unit 'dbm'; did you mean 'dBm'?"),
        ("5 GFLOPS", "computing speed", "unknown computing speed unit 'GFLOPS'; did you mean 'GFLOP/s'?"),
        ("3 parsec", "length", "unknown length unit 'parsec'; known are m, km, cm"),
        ("2 MHz", "duration", "'2 MHz' is a frequency, expected a duration such as '10 s'"),
        ("8 GHz", "size", "'8 GHz' is a frequency, expected a size such as '10 B'"),
        ("5 ms", "energy", "'5 ms' is a duration, expected an energy such as '10 J'"),
        ("3 J", "duration", "'3 J' is an energy, expected a duration such as '10 s'"),
        ("fast", "data rate", "expected a data rate such as '10 bit/s' (got 'fast')"),
        ("", "size", "expected a size such as '10 B' (got '')"),
        ("5 m s", "duration", "expected a duration such as '10 s' (got '5 m s')"),
        ("1_000 m", "length", "expected a length such as '10 m' (got '1_000 m')"),
        ("nan", "length", "expected a length such as '10 m' (got 'nan')"),
        ("1e5 dBm", "power", "too large for a power (got '1e5 dBm')"),
    ],
)
def test_a_text_that_is_no_quantity_is_refused_in_plain_words(text: str, dimension: str, fault: str) -> None:
    with pytest.raises(ValueError, match=r".") as caught:
        parse_quantity(text, dimension)
    assert str(caught.value).startswith(fault)


@pytest.mark.parametrize(
    "value", [True, False, None, [1.0], {}, math.nan, math.inf, "1e999 Hz", "-1 Hz", 0, "0 Hz"]
)
def test_a_field_refuses_what_is_no_usable_number(value: object) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(units.Hertz).validate_python(value)


def test_a_field_takes_plain_numbers_as_si() -> None:
    assert TypeAdapter(units.Hertz).validate_python(20_000_000) == 20e6
    assert TypeAdapter(units.Hertz).validate_python("20 MHz") == 20e6


@pytest.mark.parametrize(
    "name", ["Seconds", "Hertz", "BitsPerSecond", "Bytes", "Metres", "Watts", "Decibels"]
)
def test_the_types_of_fields_name_a_known_dimension(name: str) -> None:
    (quantity,) = [mark for mark in get_args(getattr(units, name)) if isinstance(mark, Quantity)]
    assert quantity.dimension in DIMENSIONS
