"""An axis on the command line, ``network.bandwidth=1,2,5 MHz``: its setting, and its values with places."""

import re
from dataclasses import replace

from slfac_sim.foundation.errors import BadInput
from slfac_sim.scenario.located import Fault, Located, Place, ScenarioError
from slfac_sim.scenario.yaml_text import to_tree

_NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_OPEN, _CLOSE = "{[(", "}])"


def axis_of(text: str, rank: int = 1) -> tuple[str, Located]:
    """Return the path and the list of values of the axis in `text`. Raises `ScenarioError` with all faults.

    The axis is one place, of that `rank`.
    """
    place = Place(rank, 0, 0, f"--axis {text}")
    path, equals, values = text.partition("=")
    if not equals or not path.strip() or not values.strip():
        raise ScenarioError([Fault(place, (), "expected key.path=VALUE,VALUE,...")])
    try:
        read = [to_tree(value, place.source, rank) for value in split_values(values)]
    except ScenarioError:
        raise
    except BadInput as error:
        raise ScenarioError([Fault(place, (), str(error))]) from error
    faults = [replace(fault, path=(path, *fault.path)) for _, wrong in read for fault in wrong]
    if faults:
        raise ScenarioError(faults)
    return path.strip(), Located([value for value, _ in read], place, place)


def split_values(text: str) -> list[str]:
    """Return the values in ``1,2,5 MHz`` or ``raw,{kind: slfac, theta: 0.9}``, each as a text of its own.

    Commas inside braces, brackets or quotes part nothing. A unit after the last of several bare numbers is
    that of all of them. Raises `BadInput` for an empty value.
    """
    values = [value.strip() for value in _parts(text)]
    if not all(values):
        raise BadInput(f"an empty value in '{text}'; expected values with commas between them")
    unit = _common_unit(values)
    return [f"{value} {unit}" for value in values[:-1]] + values[-1:] if unit else values


def _parts(text: str) -> list[str]:
    parts, depth, quote = [""], 0, ""
    for character in text:
        if quote:
            quote = "" if character == quote else quote
        elif character in "'\"":
            quote = character
        else:
            depth += (character in _OPEN) - (character in _CLOSE)
        if character == "," and not depth and not quote:
            parts.append("")
        else:
            parts[-1] += character
    return parts


def _common_unit(values: list[str]) -> str:
    """Return the unit after the last value, if it has one and all others are bare numbers."""
    match = _NUMBER.match(values[-1])
    unit = values[-1][match.end() :].strip() if match else ""
    bare = all(_NUMBER.fullmatch(value) for value in values[:-1])
    return unit if bare and unit[:1].isalpha() else ""
