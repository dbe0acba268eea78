"""What pydantic found wrong with a tree, as faults with places and paths as they were written.

pydantic says where by a path that may hold steps which nobody wrote: the two fields of a shorthand
(``codec: slfac``), the branch of a union. Steps that the tree does not have are dropped, except for the
name of what is missing. It does not know which settings there are.
"""

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any, Literal, TypeVar, cast, get_args, get_origin

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from slfac_sim.foundation.errors import DID_YOU_MEAN, BadSettings, did_you_mean
from slfac_sim.foundation.plugins import adapter
from slfac_sim.foundation.words import in_words, unknown_key
from slfac_sim.scenario.located import Fault, Located, Path, Place, ScenarioError
from slfac_sim.scenario.shape import hint_at, holder_of, item_of, known_keys, walk

T = TypeVar("T")

_RENAMED = {"model_codec": "codec.model, for every protocol that sends models"}
CALLED_ELSEWHERE = {
    "batch_size": "learning.batch",
    "clients": "devices.count",
    "epochs": "protocol.rounds",
    "learning_rate": "learning.optimiser.learning_rate",
    "lr": "learning.optimiser.learning_rate",
    "num_clients": "devices.count",
    "optimizer": "learning.optimiser",
}
"""What other programs call a setting."""

_OTHER_BRANCH = re.compile(r"must be a (text|list|mapping) \(got a (mapping|list of \d+)\)")  # of a union


def settings_of(tree: Located, root: type[T], faults: Sequence[Fault] = ()) -> T:
    """Return `tree` read as a `root`. Raises `ScenarioError` with these `faults` and what pydantic finds.

    A value that already has a fault is not blamed twice.
    """
    known, cls = {fault.place for fault in faults}, cast(Any, root)
    try:
        settings: T = adapter(cls).validate_json(json.dumps(tree.plain()), strict=True)
    except ValidationError as error:
        further = [fault for fault in _faults_of(error, tree, root) if fault.place not in known]
        raise ScenarioError([*faults, *further]) from error
    if faults:
        raise ScenarioError(faults)
    return settings


def _faults_of(error: ValidationError, tree: Located, root: type[Any]) -> list[Fault]:
    """Return one fault for each thing that `error` found in `tree`, which was read as a `root`.

    What several branches of a union say about one value is joined by "or".
    """
    said: dict[tuple[Place, Path], list[str]] = {}
    unclear = set()
    for details in error.errors():
        told = details.get("ctx", {}).get("error")
        if isinstance(told, BadSettings):
            said |= {(fault.place, fault.path): [fault.text] for fault in faults_at(told, tree)}
            continue
        place, path, text = _fault(details, tree, root)
        texts = said.setdefault((place, path), [])
        if text not in texts:
            texts.append(text)
        if details["type"] in ("missing", "plugin", "kind") and DID_YOU_MEAN not in text:
            unclear.add((place, path))
    return [
        Fault(place, path, ", or ".join(texts), (place, path) in unclear)
        for (place, path), texts in said.items()
        if not (all(map(_OTHER_BRANCH.fullmatch, texts)) and any(_is_below(path, other) for _, other in said))
    ]


def _is_below(path: Path, other: Path) -> bool:
    return other[: len(path)] == path != other


def faults_at(error: BadSettings, tree: Located) -> list[Fault]:
    """Return the faults of `error`, each where its setting stands in `tree`, or where it is missing."""
    return [Fault(_place_at(path, tree), path, text) for path, text in error.faults]


def _place_at(path: Path, tree: Located) -> Place:
    """Return the place of `path`, or of what lacks its last step; otherwise the file, without a line."""
    nodes, steps = walk(tree, path)
    if len(steps) >= max(1, len(path) - 1) and steps == path[: len(steps)]:
        return _holder(nodes[-1])
    return Place(0, 0, 0, tree.place.source)


def _fault(details: ErrorDetails, tree: Located, root: type[Any]) -> tuple[Place, Path, str]:
    loc, kind = details["loc"], details["type"]
    nodes, path = walk(tree, loc)
    node = nodes[-1]
    if kind == "unexpected_keyword_argument" and str(loc[-1]) in _RENAMED:
        return node.key_place, path, f"has become {_RENAMED[str(loc[-1])]}"
    if kind == "unexpected_keyword_argument":
        return node.key_place, path, _unknown(str(loc[-1]), tree, root, loc[:-1])
    if loc[-1:] == ("[key]",):  # the key of a free mapping is what is wrong
        return node.key_place, path, in_words(details, path[-1])
    if kind in ("missing", "kind") and path[-1:] != loc[-1:]:  # its name is not in the tree
        if kind == "kind":
            return node.place, (*path, loc[-1]), in_words(details, node.plain())
        hints = _meant(tree, path, root) + _choices(hint_at(root, tree, (*path, loc[-1])))
        return _holder(node), (*path, loc[-1]), in_words(details, None) + hints
    place = _blamed(node) if kind == "value_error" else node.place
    return place, path, in_words(details, node.plain())


def _choices(hint: Any) -> str:
    """Return the texts that a setting of this type may have, where these are few."""
    return f", one of {', '.join(map(str, get_args(hint)))}" if get_origin(hint) is Literal else ""


def _meant(tree: Located, path: Path, root: type[Any]) -> str:
    """Return a hint where what is new at `path` has nearly the name of what a base holds."""
    if not path or item_of(hint_at(root, tree, path[:-1])) is None:
        return ""
    *_, holder, node = walk(tree, path)[0]
    there = [name for name, other in holder.value.items() if other.key_place.rank < node.key_place.rank]
    near = did_you_mean(str(path[-1]), there)
    return near.replace("'", f"'{'.'.join(map(str, path[:-1]))}.", 1)


def _unknown(key: str, tree: Located, root: type[Any], loc: Sequence[str | int]) -> str:
    holder = holder_of(root, tree, loc, key)
    if holder is not None:
        return f"unknown key '{key}'; it is a setting of {holder}"
    if key in CALLED_ELSEWHERE:
        return f"unknown key '{key}'; {DID_YOU_MEAN} '{CALLED_ELSEWHERE[key]}'?"
    return unknown_key(key, known_keys(root, tree, loc))


def _blamed(node: Located) -> Place:
    """Return the place of a fault between settings of `node`: that of what was laid over the rest last."""
    later = [place for place in _places(node) if place.rank > node.key_place.rank]
    return max(later) if later else _holder(node)


def _places(node: Located) -> Iterator[Place]:
    """Yield the places of all that lies below `node`."""
    for child in node.children():
        yield child.place
        yield from _places(child)


def _holder(node: Located) -> Place:
    """Return the place of `node` as a whole: a mapping's own begins with its first key, so its key's."""
    return node.key_place if isinstance(node.value, dict) else node.place
