"""YAML text to located values and back: YAML 1.2's plain scalars, no repeated keys, nothing executable.

It knows nothing of settings. PyYAML reads ``20e6`` and ``5e-2`` as text, ``no`` as false, ``12:30`` as 750
and ``017`` as 15, and lets a repeated key win silently; here the first are numbers, the next four are text
(which a number's field then refuses), and a repeated key is a fault. ``1e3`` is the integer 1000, and what
looks like a number beyond all numbers, such as the name ``123E456``, is text.
"""

import math
import re
import sys
from collections.abc import Callable
from typing import Any

import yaml

from slfac_sim.scenario.located import Fault, Located, Path, Place, ScenarioError

_MOST_VALUES = 100_000  # after aliases are written out: a scenario is small, a "billion laughs" is not
_DEEPEST = 40

_ESCAPE = re.compile(r"\\U([0-9A-Fa-f]{8})")
_PREFIX = "tag:yaml.org,2002:"
_SCALARS = {
    "null": (r"null|~|", ["n", "~", ""]),
    "bool": (r"true|false", ["t", "f"]),
    "int": (r"[-+]?(?:0|[1-9][0-9]*)", list("-+0123456789")),
    "float": (
        r"[-+]?(?=.*[.eE])(?:(?:0|[1-9][0-9]*)(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?",
        list("-+.0123456789"),
    ),
}
_MOST_EXACT = 2.0**63  # whole numbers below it are integers, however they are written


def _number(text: str) -> float | int | str:
    value = float(text)
    if math.isinf(value):
        return text
    whole = "e" in text.lower() and "." not in text and value.is_integer() and abs(value) < _MOST_EXACT
    return int(value) if whole else value


_CONVERT: dict[str, Callable[[str], Any]] = {
    "null": lambda text: None,
    "bool": lambda text: {"true": True, "false": False}[text],
    "int": int,
    "float": _number,
    "str": str,
}


class _Loader(yaml.SafeLoader):
    """Composes nodes with the scalars above; it never constructs an object."""

    yaml_implicit_resolvers = {}  # noqa: RUF012  # PyYAML's way to declare them, filled below


class _Dumper(yaml.SafeDumper):
    """Quotes every text that either YAML 1.1 or the scalars above would take for something else."""

    yaml_implicit_resolvers = {  # noqa: RUF012
        first: list(resolvers) for first, resolvers in yaml.SafeDumper.yaml_implicit_resolvers.items()
    }

    def ignore_aliases(self, data: Any) -> bool:
        """Write equal values out, each in its place."""
        return True


for _name, (_pattern, _first) in _SCALARS.items():
    _resolver = re.compile(rf"(?:{_pattern})\Z")
    _Loader.add_implicit_resolver(_PREFIX + _name, _resolver, _first)
    _Dumper.add_implicit_resolver(_PREFIX + _name, _resolver, _first)


def to_plain(text: str | bytes) -> Any:
    """Return what YAML `text` holds, fast and without places, as PyYAML reads it. Raises `yaml.YAMLError`."""
    return yaml.load(text, yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader)


def to_text(value: Any) -> str:
    """Return plain mappings, lists and scalars as YAML text that `to_tree` reads back to the same."""
    return yaml.dump(value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100)


def to_line(value: Any) -> str:
    """Return plain mappings, lists and scalars as YAML on one line, such as ``{kind: slfac, theta: 0.9}``."""
    text = yaml.dump(
        value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=math.inf, default_flow_style=True
    )
    return text.removesuffix("\n").removesuffix("\n...")


def to_tree(text: str, source: str, rank: int = 0) -> tuple[Located, list[Fault]]:
    """Return the located values of `text`, and the faults that do not stop the reading.

    Places count from line 1 of `source`; with a `rank` above 0 the text is an override, which is one
    place. Raises `ScenarioError` for text that is no YAML at all, is empty, or is out of all proportion.
    """
    top = Place(rank, 0, 0, source)
    try:
        node = yaml.compose(text, Loader=_Loader)
    except yaml.reader.ReaderError as error:
        text_fault = f"character {chr(error.character)!a} is not allowed"
        raise ScenarioError([Fault(_spot(text, error.position, top), (), text_fault)]) from error
    except yaml.MarkedYAMLError as error:
        place = _at(error.problem_mark or error.context_mark, top)
        raise ScenarioError([Fault(place, (), _in_plain_words(error, top))]) from error
    except (ValueError, OverflowError) as error:  # PyYAML asks chr() for it
        raise ScenarioError([_no_character(text, top)]) from error
    except RecursionError as error:
        raise ScenarioError([Fault(top, (), f"nested deeper than {_DEEPEST} levels")]) from error
    if node is None:
        start = top if top.is_override else Place(rank, 1, 1, source)
        return Located(None, start, start), []
    walk = _Walk(top)
    tree = walk.located(node, (), None)
    return tree, walk.faults


def _at(mark: yaml.Mark | None, top: Place) -> Place:
    if mark is None or top.is_override:
        return top
    return Place(top.rank, mark.line + 1, mark.column + 1, top.source)


def _spot(text: str, position: int, top: Place) -> Place:
    if top.is_override:
        return top
    before = text[:position]
    return Place(top.rank, before.count("\n") + 1, position - before.rfind("\n"), top.source)


def _no_character(text: str, top: Place) -> Fault:
    """Return the fault of the first escape in `text` that is beyond all characters: ``\\U00110000``."""
    beyond = next((m for m in _ESCAPE.finditer(text) if int(m[1], 16) > sys.maxunicode), None)
    place = top if beyond is None else _spot(text, beyond.start(), top)
    return Fault(place, (), f"the escape {beyond[0] if beyond else 'in double quotes'} is no character")


def _in_plain_words(error: yaml.MarkedYAMLError, top: Place) -> str:
    problem = error.problem or error.context or "cannot be read"
    if "'\\t'" in problem:
        return "a tab where YAML wants spaces"
    if "another document" in problem:
        return "a second document ('---'); a scenario is one"
    begun = _at(error.context_mark, top)
    within = f" {error.context} begun at {begun}" if error.context and begun.line else ""
    return f"not YAML: {problem}{within}"


class _Walk:
    """One walk over composed nodes: aliases are written out, within bounds, and faults gathered."""

    def __init__(self, top: Place) -> None:
        self._top = top
        self._values = 0
        self.faults: list[Fault] = []

    def located(self, node: yaml.Node, path: Path, key: Place | None) -> Located:
        """Return `node` as a `Located`; `key` is the place of its key, if it has one."""
        place = _at(node.start_mark, self._top)
        self._values += 1
        if self._values > _MOST_VALUES:
            raise ScenarioError([Fault(place, (), f"aliases expand to more than {_MOST_VALUES} values")])
        if len(path) > _DEEPEST:
            raise ScenarioError([Fault(place, (), f"nested deeper than {_DEEPEST} levels")])
        if isinstance(node, yaml.MappingNode):
            value: Any = self._mapping(node, path)
        elif isinstance(node, yaml.SequenceNode):
            value = [self.located(child, (*path, i), None) for i, child in enumerate(node.value)]
        else:
            return Located(self._scalar(node, path, place), place, key or place)
        if node.tag not in (_PREFIX + "map", _PREFIX + "seq"):
            self.faults.append(Fault(place, path, f"tag '{node.tag}' is not allowed"))
        return Located(value, place, key or place)

    def _mapping(self, node: yaml.MappingNode, path: Path) -> dict[str, Located]:
        found: dict[str, Located] = {}
        for key_node, value_node in node.value:
            place = _at(key_node.start_mark, self._top)
            if not isinstance(key_node, yaml.ScalarNode):
                self.faults.append(Fault(place, path, "a key must be a text"))
                continue
            key = key_node.value
            child = self.located(value_node, (*path, key), place)
            if key in found:
                first = found[key].key_place
                where = "" if first.is_override else f", first at {first}"
                self.faults.append(Fault(place, (*path, key), f"repeated key '{key}'{where}"))
            else:
                found[key] = child
        return found

    def _scalar(self, node: yaml.Node, path: Path, place: Place) -> Any:
        convert = _CONVERT.get(node.tag.removeprefix(_PREFIX))
        try:
            if convert is None:
                raise ValueError
            node.value.encode()  # a lone surrogate, which YAML can spell, is no text
            return convert(node.value)
        except (ValueError, KeyError):
            self.faults.append(Fault(place, path, self._refusal(node, convert)))
            return None

    def _refusal(self, node: yaml.Node, convert: Callable[[str], Any] | None) -> str:
        if convert is None:
            return f"tag '{node.tag}' is not allowed"
        return f"{node.value[:40]!a} cannot be read as {node.tag.removeprefix(_PREFIX)}"
