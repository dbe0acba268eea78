"""A scenario of one's own to begin with: a shipped one, with what each setting is and defaults to be changed.

The texts are the settings' own descriptions. A line ``#key: value``, with no space behind its ``#``, is a
setting with its default: without the ``#`` it says the same.
"""

import dataclasses
import json
import textwrap
import typing
from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from slfac_sim.foundation.descriptions import descriptions, module_sentence
from slfac_sim.foundation.units import Quantity, written
from slfac_sim.scenario.files import load, plain, shipped
from slfac_sim.scenario.schema import Scenario
from slfac_sim.scenario.shape import every_field, hints_of
from slfac_sim.scenario.yaml_text import to_plain

_WIDTH = 100
_END = "...\n"  # behind a bare scalar
LIKELY = {
    "": ("seed",),
    "data": ("train_samples", "test_samples"),
    "learning": ("batch",),
    "protocol": ("participation",),
    "devices": ("slowdowns", "availability", "memory", "battery"),
    "network": (
        *("carrier", "bandwidth", "radius", "medium", "duplex", "uplink_share", "latency"),
        *("device_power", "station_power", "shadowing", "fading"),
    ),
    "evaluation": ("targets", "every_rounds"),
}
"""Settings that one would change first, by section: they stand there with their defaults if not set."""

DATA = {"kind": "mnist"}
"""What every template learns, so that one data set has to be fetched."""

ANY_COUNT = {"kind": "log_normal", "median": "10 GFLOP/s", "sigma": 0.8}
"""Speeds in place of the shipped scenario's where those hold for its number of devices alone."""


def scenario_text(shipped_name: str, name: str) -> Iterator[str]:
    """Yield the lines of a scenario `name` that says what the shipped one says, for any number of devices."""
    text = shipped()[f"{shipped_name}.yaml"].read_text(encoding="utf-8")
    said: dict[str, Any] = {**to_plain(text), "name": name, "data": DATA}
    if "names" in said["devices"].get("speed", {}):
        said["devices"] = {**said["devices"], "speed": ANY_COUNT}
    scenario = load(shipped_name, [f"data={json.dumps(DATA)}"])
    whole, about = plain(scenario), descriptions(Scenario)
    head = [line for line in text.splitlines() if line[:2] == "# " and "language-server" not in line]
    yield from (line.replace("Fashion-MNIST", "MNIST") for line in head)
    for key in (*said, *(key for key in LIKELY[""] if key not in said)):
        yield ""
        yield from comment_lines(about.get(key, ""))
        if isinstance(said.get(key), dict):
            yield f"{key}:"
            yield from _section(key, said[key], _settings_at(scenario, key, said[key]), whole[key])
        else:
            yield setting_line(key, said.get(key, whole[key]), "" if key in said else "#")


def _said(name: str, value: Any) -> Iterator[str]:
    """Yield what is said of a setting: of several settings by name a line each."""
    if isinstance(value, dict) and value and all(isinstance(one, dict) for one in value.values()):
        yield f"  {name}:"
        for key, one in value.items():
            yield setting_line(key, one, "    ")
    else:
        yield setting_line(name, value, "  ")


def _settings_at(scenario: Scenario, key: str, said: Mapping[str, Any]) -> Any:
    """Return the settings that are read from the section `key`: of a pair, those of its first."""
    settings, hint = getattr(scenario, key), hints_of(Scenario)[key]
    single = every_field(hint) is not None and "kind" in said
    return getattr(settings, dataclasses.fields(settings)[0].name) if single else settings


def _section(key: str, said: Mapping[str, Any], settings: Any, whole: Mapping[str, Any]) -> Iterator[str]:
    """Yield what the scenario says in a section, then the defaults that it leaves."""
    cls: Any = type(settings)
    about, hints = descriptions(cls), hints_of(cls)
    for name, value in said.items():
        yield from comment_lines(module_sentence(cls) if name == "kind" else about.get(name, ""), "  ")
        yield from _said(name, value)
    for name in LIKELY.get(key, ()):
        if name not in said and name in whole:
            yield from comment_lines(about.get(name, ""), "  ")
            yield setting_line(name, _short(whole[name], hints[name]), "  #")


def setting_line(name: str, value: Any, before: str = "") -> str:
    """Return the line ``name: value``, with `before` it an indent, and a ``#`` for a default."""
    text = yaml.safe_dump(value, default_flow_style=True, sort_keys=False, width=10_000, allow_unicode=True)
    return f"{before}{name}: {text.removesuffix(_END).strip()}"


def _short(value: Any, hint: Any) -> Any:
    """Return a default as one would write it: with a unit, and a kind without settings by its name."""
    if isinstance(value, dict):
        inner = {name: _short(item, None) for name, item in value.items()}
        return inner["kind"] if [*inner] == ["kind"] else inner
    mark = quantity_of(hint)
    return written(value, mark.dimension) if mark is not None and isinstance(value, float) else value


def quantity_of(hint: Any) -> Quantity | None:
    """Return the mark of a quantity that `hint`, or one of its alternatives, has."""
    if isinstance(hint, Quantity):
        return hint
    is_marked = typing.get_origin(hint) is typing.Annotated
    inner = (*typing.get_args(hint), *(hint.__metadata__ if is_marked else ()))
    return next(filter(None, map(quantity_of, inner)), None)


def comment_lines(text: str, indent: str = "") -> list[str]:
    """Return `text` as comments, no longer than a line."""
    return textwrap.wrap(text, _WIDTH, initial_indent=f"{indent}# ", subsequent_indent=f"{indent}# ")
