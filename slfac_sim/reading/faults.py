"""What pydantic found wrong with a tree, as faults with places and paths as they were written.

pydantic says where by a path that may hold steps which nobody wrote: the two fields of a shorthand
(``codec: slfac``), the branch of a union. Steps that the tree does not have are dropped, except for the
name of what is missing. It does not know which settings there are.
"""

import dataclasses
import typing
from collections.abc import Sequence
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from slfac_sim.foundation.errors import BadInput
from slfac_sim.foundation.plugins import Plugin, find
from slfac_sim.reading.located import Fault, Located, Path, Place
from slfac_sim.reading.words import in_words, unknown_key

_RENAMED = {"model_codec": "codec.model, for every protocol that sends models"}
_NO_TEXT = "must be a text (got a mapping)"  # said by the first branch of a union with a mapping


def faults_of(error: ValidationError, tree: Located, root: type[Any]) -> list[Fault]:
    """Return one fault for each thing that `error` found in `tree`, which was read as a `root`.

    What several branches of a union say about one value is joined by "or".
    """
    said: dict[tuple[Place, Path], list[str]] = {}
    for details in error.errors():
        place, path, text = _fault(details, tree, root)
        texts = said.setdefault((place, path), [])
        if text not in texts:
            texts.append(text)
    return [
        Fault(place, path, ", or ".join(texts))
        for (place, path), texts in said.items()
        if texts != [_NO_TEXT] or not any(other[: len(path)] == path != other for _, other in said)
    ]


def _fault(details: ErrorDetails, tree: Located, root: type[Any]) -> tuple[Place, Path, str]:
    loc, kind = details["loc"], details["type"]
    nodes, path = _walk(tree, loc)
    node = nodes[-1]
    if kind == "unexpected_keyword_argument" and str(loc[-1]) in _RENAMED:
        return node.key_place, path, f"has become {_RENAMED[str(loc[-1])]}"
    if kind == "unexpected_keyword_argument":
        return node.key_place, path, unknown_key(str(loc[-1]), _known_keys(tree, loc[:-1], root))
    if loc[-1:] == ("[key]",):  # the key of a free mapping is what is wrong
        return node.key_place, path, in_words(details, path[-1])
    if kind in ("missing", "kind") and path[-1:] != loc[-1:]:  # its name is not in the tree
        place = _holder(node) if kind == "missing" else node.place
        return place, (*path, loc[-1]), in_words(details, node.plain())
    place = _blamed(node) if kind == "value_error" else node.place
    return place, path, in_words(details, node.plain())


def _walk(tree: Located, loc: Sequence[str | int]) -> tuple[list[Located], Path]:
    """Return the nodes from `tree` along those steps of `loc` that are in it, and these steps."""
    nodes, path = [tree], []
    for step in loc:
        child = nodes[-1].child(step)
        if child is not None:
            nodes.append(child)
            path.append(step)
    return nodes, tuple(path)


def _blamed(node: Located) -> Place:
    """Return the place of a fault between the settings of `node`: the last override among them, if any."""
    overrides = [child.place for child in node.children() if child.place.is_override]
    if overrides:
        return max(overrides)
    return _holder(node)


def _holder(node: Located) -> Place:
    """Return the place of `node` as a whole: a mapping's own begins with its first key, so its key's."""
    return node.key_place if isinstance(node.value, dict) else node.place


def _known_keys(tree: Located, loc: Sequence[str | int], root: type[Any]) -> list[str]:
    """Return the keys that the settings at `loc` may have; none when it cannot be told."""
    hint: Any = root
    for i, step in enumerate(loc):
        cls = _class_of(hint, tree, loc[:i])
        if cls is None:
            continue  # an index, a key of a free mapping, the branch of a union
        hint = typing.get_type_hints(cls, include_extras=True).get(str(step))
    cls = _class_of(hint, tree, loc)
    names = [field.name for field in dataclasses.fields(cls)] if cls else []
    return ["kind", *names] if plugin_mark(hint) else names


def _class_of(hint: Any, tree: Located, loc: Sequence[str | int]) -> type[Any] | None:
    """Return the settings class that a value of type `hint` at `loc` was read as."""
    plugin = plugin_mark(hint)
    if plugin is not None:
        value = _walk(tree, loc)[0][-1].plain()
        kind = value.get("kind") if isinstance(value, dict) else value
        try:
            return find(plugin.family, str(kind))
        except BadInput:
            return None
    inner = typing.get_args(hint)
    candidates = [hint, *(inner[:1] if typing.get_origin(hint) is typing.Annotated else inner)]
    return next((c for c in candidates if isinstance(c, type) and dataclasses.is_dataclass(c)), None)


def plugin_mark(hint: Any) -> Plugin | None:
    """Return the `Plugin` mark of `hint` or of what it holds: a tuple's items, an optional's value."""
    if isinstance(hint, Plugin):
        return hint
    inner = (*typing.get_args(hint), *getattr(hint, "__metadata__", ()))
    return next((found for found in map(plugin_mark, inner) if found), None)
