"""Overrides ``key.path=value``: applied to the located tree before anything is checked, in their own order.

What is general comes before what is particular, and a kind before its settings, whatever the order of the
arguments; so a permutation of overrides is the same scenario. A bare kind (``protocol=asynchronous``) is
short for the kind of its node (``protocol.kind=asynchronous``); one codec in place of all is the whole of
them. A path that leads nowhere is found by the check that follows, which names the nearest key.
"""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from slfac_sim.foundation.errors import BadInput
from slfac_sim.foundation.plugins import Plugin, family_of, find
from slfac_sim.scenario.located import Fault, Located, Path, Place, ScenarioError
from slfac_sim.scenario.shape import every_field, hint_at, kind_in, pair_of, plugin_mark, walk
from slfac_sim.scenario.yaml_text import to_tree


@dataclass
class Overridden:
    """A `tree` with overrides, the `faults` of those that do not fit, and `notes` of what others drop."""

    tree: Located
    faults: list[Fault] = field(default_factory=list)
    notes: list[Fault] = field(default_factory=list)


@dataclass(frozen=True)
class _Override:
    place: Place
    path: Path
    value: Located

    @property
    def sets_kind(self) -> bool:
        return len(self.path) > 1 and self.path[-1] == "kind"

    @property
    def node(self) -> Path:
        """The path of what is replaced, or given another kind."""
        return self.path[:-1] if self.sets_kind else self.path

    @property
    def is_bare(self) -> bool:
        """Whether its value is a single text: a kind, where its node holds a plug-in."""
        return not self.sets_kind and isinstance(self.value.value, str)

    @property
    def kind(self) -> Any:
        """The kind that it gives its node; None where it gives none."""
        if not isinstance(self.value.value, dict):
            return self.value.value
        said = self.value.child("kind")
        return None if said is None else said.value

    @property
    def order(self) -> tuple[int, bool, tuple[str, ...]]:
        return len(self.node), self.sets_kind, tuple(map(str, self.path))


def overridden(tree: Located, texts: Sequence[str], root: type[Any]) -> Overridden:
    """Return `tree`, which will be read as a `root`, with the overrides in `texts` applied.

    Another kind keeps the settings that its family declares as shared; a note names those that it drops. An
    override of one field of a pair (``codec.uplink.theta=0.9``) first gives each field its own
    value.
    """
    applied = Overridden(tree)
    overrides = []
    for rank, text in enumerate(texts, start=1):
        try:
            override, faults = _parsed(text, Place(rank, 0, 0, f"override '{text}'"))
            overrides.append(override)
            applied.faults += faults
        except ScenarioError as error:
            applied.faults += error.faults
    applied.faults += _contradictions(overrides)
    for override in sorted(overrides, key=lambda override: override.order):
        try:
            _apply(applied, override, root)
        except ScenarioError as error:
            applied.faults += error.faults
    return applied


def _parsed(text: str, place: Place) -> tuple[_Override, list[Fault]]:
    name, equals, value = text.partition("=")
    path = tuple(name.split("."))
    if not equals:
        raise ScenarioError([Fault(place, (), "expected key.path=value")])
    if not all(step and step == step.strip() for step in path):
        text = f"expected key.path=value, with a name on each side of a dot (got '{name}')"
        raise ScenarioError([Fault(place, (), text)])
    tree, faults = to_tree(value, place.source, place.rank)
    return _Override(place, path, tree), [replace(fault, path=(*path, *fault.path)) for fault in faults]


def _contradictions(overrides: Sequence[_Override]) -> list[Fault]:
    """Return a fault for each setting that is given two values, or node that is given two kinds."""
    first: dict[Path, _Override] = {}
    faults = []
    for override in overrides:
        earlier = first.setdefault(override.path, override)
        if earlier.value.plain() != override.value.plain():
            faults.append(Fault(override.place, override.path, f"is given twice, also by {earlier.place}"))
    for override in overrides:
        whole = first.get(override.node) if override.sets_kind else None
        if whole is not None and whole.kind not in (None, override.value.value):
            later, earlier = sorted((override, whole), key=lambda one: one.place, reverse=True)
            faults.append(Fault(later.place, override.path, f"is given twice, also by {earlier.place}"))
    return faults


def _apply(applied: Overridden, override: _Override, root: type[Any]) -> None:
    path, value = override.path, override.value
    applied.tree = _spread(applied.tree, path, root)
    hint, node = hint_at(root, applied.tree, path), _node_at(applied.tree, path, value.place)
    replaces_settings = override.is_bare and isinstance(node.value, dict)
    if replaces_settings and every_field(hint) is not None:
        applied.notes += _lost(node, hint, override)
    elif override.sets_kind or (replaces_settings and plugin_mark(hint) is not None):
        for at, plugin in _nodes_of(applied.tree, override, root).items():
            changed = _of_kind(_node_at(applied.tree, at, value.place), plugin, override, at, applied.notes)
            applied.tree = _set(applied.tree, at, changed, ())
        return
    applied.tree = _set(applied.tree, path, replace(value, key_place=value.place), ())


def _lost(node: Located, hint: Any, override: _Override) -> list[Fault]:
    """Return a note of the settings of `node` that go where one codec takes the place of all."""
    every = every_field(hint)
    meant = () if every is None else every.spread(tuple(pair_of(hint)), None)
    lost = []
    for name, child in node.value.items():
        inner = child.value if isinstance(child.value, dict) else {}
        lost += [f"{name}.{key}" for key in inner if key != "kind"] if name in meant else [name]
    names = ", ".join(name for name in lost if name != "kind")
    text = f"one codec takes the place of all, so these settings go: {names}"
    return [Fault(override.place, override.path, text)] if names else []


def _nodes_of(tree: Located, override: _Override, root: type[Any]) -> dict[Path, Plugin | None]:
    """Return the nodes whose kind `override` sets: one, or each of a pair that is written out."""
    path, hint = override.node, hint_at(root, tree, override.node)
    node, every, pair = _node_at(tree, path, override.place), every_field(hint), pair_of(hint)
    if every is None:
        return {path: plugin_mark(hint)}
    if isinstance(node.value, dict) and "kind" not in node.value:
        fields = every.spread(tuple(pair), None)
        there = {(*path, name): plugin_mark(pair[name]) for name in fields if name in node.value}
        if there:
            return there
    return {path: plugin_mark(next(iter(pair.values())))}


def _node_at(tree: Located, path: Path, place: Place) -> Located:
    """Return what lies at `path`, or nothing, put there by an override."""
    nodes, steps = walk(tree, [int(step) if str(step).isdecimal() else step for step in path])
    return nodes[-1] if len(steps) == len(path) else Located(None, place, place)


def _of_kind(
    node: Located, plugin: Plugin | None, override: _Override, path: Path, notes: list[Fault]
) -> Located:
    """Return `node` with the kind that `override` gives it, and those of its settings that go with both."""
    value = override.value
    before = None if plugin is None else kind_in(node, plugin)
    if before == value.value and node.value is not None:
        return node
    old = dict(node.value) if isinstance(node.value, dict) else {}
    old.pop("kind", None)
    shared = () if plugin is None else _shared(plugin, value.value)
    kept = {name: child for name, child in old.items() if name in shared}
    dropped = ", ".join(name for name in old if name not in kept)
    if dropped:
        text = f"the kind changes, so these settings of {before or 'before'} go: {dropped}"
        notes.append(Fault(override.place, path, text))
    return Located({"kind": value, **kept}, value.place, value.place)


def _shared(plugin: Plugin, kind: Any) -> set[str]:
    """Return the names of the settings that plug-ins of this family share and `kind` has."""
    try:
        cls = find(plugin.family, str(kind))
    except BadInput:
        return set()  # the check that follows says what is wrong with it
    return {field.name for field in dataclasses.fields(cls)} & {*family_of(plugin.family).shared}


def _spread(tree: Located, path: Path, root: type[Any]) -> Located:
    """Return `tree` with each pair that `path` enters written out, where one value stands for it."""
    for depth in range(1, len(path)):
        nodes, steps = walk(tree, path[:depth])
        node, hint = nodes[-1], hint_at(root, tree, path[:depth])
        every, fields = every_field(hint), tuple(pair_of(hint))
        is_single = not isinstance(node.value, dict) or "kind" in node.value
        if every is not None and len(steps) == depth and path[depth] in fields and is_single:
            plain = node.plain()
            written_out = {
                name: node if value == plain else replace(node, value=value)
                for name, value in every.spread(fields, plain).items()
            }
            tree = _set(tree, path[:depth], replace(node, value=written_out), ())
    return tree


def _set(node: Located, path: Path, value: Located, above: Path) -> Located:
    """Return `node`, which lies at `above`, with `value` at `path` below it."""
    if not path:
        return value
    step = _index(node.value, path[0], above, value.place) if isinstance(node.value, list) else path[0]
    if not isinstance(node.value, (dict, list)):
        node = _opened(node, value.place)
    child = node.child(step) or Located(None, value.place, value.place)
    return node.with_child(step, _set(child, path[1:], value, (*above, step)))


def _opened(scalar: Located, place: Place) -> Located:
    """Return the mapping that a bare kind name is short for, or an empty one for anything else."""
    value = {"kind": scalar} if isinstance(scalar.value, str) else {}
    return Located(value, place, scalar.key_place)


def _index(items: list[Located], step: str | int, above: Path, place: Place) -> int:
    if not (str(step).isascii() and str(step).isdecimal()):
        raise ScenarioError([Fault(place, above, f"a list of {len(items)}, where '{step}' is no number")])
    if int(step) >= len(items):
        text = f"no item {step} in a list of {len(items)} (the first is 0)"
        raise ScenarioError([Fault(place, above, text)])
    return int(step)
