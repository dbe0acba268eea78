"""Which settings stand where in a located tree: the type of each node, the plug-in that it holds."""

import dataclasses
import types
import typing
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import Any

from slfac_sim.foundation.errors import BadInput
from slfac_sim.foundation.fields import EveryField, ShortFor
from slfac_sim.foundation.plugins import Plugin, find
from slfac_sim.scenario.located import Located, Path


def walk(tree: Located, loc: Sequence[str | int]) -> tuple[list[Located], Path]:
    """Return the nodes from `tree` along those steps of `loc` that are in it, and these steps."""
    nodes, path = [tree], []
    for step in loc:
        child = nodes[-1].child(step)
        if child is not None:
            nodes.append(child)
            path.append(step)
    return nodes, tuple(path)


@cache
def hints_of(cls: Any) -> dict[str, Any]:
    """Return the type of each field of the class `cls`, with its annotations."""
    return typing.get_type_hints(cls, include_extras=True)


def hint_at(root: type[Any], tree: Located, loc: Sequence[str | int]) -> Any:
    """Return the type of what lies at `loc` below a `root`; None when nothing says."""
    hint: Any = root
    for i, step in enumerate(loc):
        if (item := item_of(hint)) is not None:
            hint = item
            continue
        cls: Any = class_of(hint, tree, loc[:i])
        if cls is None:
            continue  # an index, a key of a free mapping, the branch of a union
        hint = hints_of(cls).get(str(step))
        if (pair := pair_of(hint)) and loc[i + 1 : i + 2] and loc[i + 1] not in pair:
            hint = next(iter(pair.values()))  # one value stands for the pair, and the path goes into it
    return hint


def known_keys(root: type[Any], tree: Located, loc: Sequence[str | int]) -> list[str]:
    """Return the keys that the settings at `loc` may have; none when nothing says."""
    hint = hint_at(root, tree, loc)
    cls = class_of(hint, tree, loc)
    names = [field.name for field in dataclasses.fields(cls)] if cls else []
    return ["kind", *names] if plugin_mark(hint) else names


def holder_of(root: type[Any], tree: Located, loc: Sequence[str | int], key: str) -> str | None:
    """Return the path of what, one step below the settings at `loc`, has a setting `key`, if anything has."""
    cls: Any = class_of(hint_at(root, tree, loc), tree, loc)
    nodes, path = walk(tree, loc)
    for name, hint in (hints_of(cls) if cls else {}).items():
        plugin, child = plugin_mark(hint), nodes[-1].child(name)
        if plugin is None:
            continue
        kind = plugin.otherwise if child is None else kind_in(child, plugin)
        try:
            fields = dataclasses.fields(find(plugin.family, kind)) if kind is not None else ()
        except BadInput:
            continue
        if key in (field.name for field in fields):
            return ".".join(map(str, (*path, name)))
    return None


def item_of(hint: Any) -> Any:
    """Return the type of what a mapping of type `hint` holds by names that a user gives; None for no such.

    Only settings count, classes and plug-ins: a mapping of names to texts or numbers is one value.
    """
    inner = typing.get_args(hint)
    if typing.get_origin(hint) in (dict, Mapping):
        item = inner[1]
        bare = typing.get_args(item)[0] if typing.get_origin(item) is typing.Annotated else item
        return item if plugin_mark(item) is not None or dataclasses.is_dataclass(bare) else None
    is_wrapped = typing.get_origin(hint) in (typing.Annotated, typing.Union, types.UnionType)
    return next(filter(None, map(item_of, inner)), None) if is_wrapped else None


def may_be_null(hint: Any) -> bool:
    """Return whether a value of type `hint` may be null."""
    return hint is type(None) or any(map(may_be_null, _either(hint)))


def _either(hint: Any) -> tuple[Any, ...]:
    """Return what a value of type `hint` may be one of."""
    if typing.get_origin(hint) is typing.Annotated:
        return typing.get_args(hint)[:1]
    return typing.get_args(hint) if typing.get_origin(hint) in (typing.Union, types.UnionType) else ()


def class_of(hint: Any, tree: Located, loc: Sequence[str | int]) -> type[Any] | None:
    """Return the settings class that a value of type `hint` at `loc` is read as."""
    if item_of(hint) is not None:
        return None
    plugin = plugin_mark(hint)
    if plugin is not None:
        kind = kind_in(walk(tree, loc)[0][-1], plugin)
        try:
            return None if kind is None else find(plugin.family, kind)
        except BadInput:
            return None
    bare = typing.get_args(hint)[0] if typing.get_origin(hint) is typing.Annotated else hint
    candidates = [bare, *typing.get_args(bare)]
    return next((c for c in candidates if isinstance(c, type) and dataclasses.is_dataclass(c)), None)


def kind_in(node: Located, plugin: Plugin) -> str | None:
    """Return the kind of `node`, which holds a `plugin`: its own or the family's default, else None."""
    node = in_full(node, plugin)
    kind = node.value
    if isinstance(node.value, dict):
        said = node.value.get("kind")
        kind = plugin.otherwise if said is None else said.value
    return kind if isinstance(kind, str) else None


def in_full(node: Located, hint: Any) -> Located:
    """Return `node` as the mapping that it is short for at a place of type `hint`, if it is a short form."""
    marks = [hint, *getattr(hint, "__metadata__", ())]
    mark = next((mark for mark in marks if isinstance(mark, Plugin | ShortFor)), None)
    if mark is None or isinstance(node.value, dict | list):
        return node
    written_out = mark.in_full(node.value)
    if written_out is node.value:
        return node
    return replace(node, value={name: replace(node, value=value) for name, value in written_out.items()})


def holds_list(hint: Any) -> bool:
    """Return whether a value of type `hint` may be a list of any length."""
    if typing.get_origin(hint) is tuple:
        return typing.get_args(hint)[1:] == (...,)
    return any(map(holds_list, typing.get_args(hint)))


def plugin_mark(hint: Any) -> Plugin | None:
    """Return the `Plugin` mark of `hint` or of what it holds: a tuple's items, an optional's value."""
    if typing.get_origin(hint) in (dict, Mapping):
        return None  # what it holds has names of its own
    if isinstance(hint, Plugin):
        return hint
    inner = (*typing.get_args(hint), *getattr(hint, "__metadata__", ()))
    return next(filter(None, map(plugin_mark, inner)), None)


def every_field(hint: Any) -> EveryField | None:
    """Return the mark of a place of type `hint` where one value may stand for every field; None elsewhere."""
    marks = getattr(hint, "__metadata__", ())
    return next((mark for mark in marks if isinstance(mark, EveryField)), None)


def pair_of(hint: Any) -> dict[str, Any]:
    """Return the fields, and their types, for all of which one value may stand at a place of type `hint`."""
    return {} if every_field(hint) is None else hints_of(typing.get_args(hint)[0])
