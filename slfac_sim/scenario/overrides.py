"""Overrides ``key.path=value``: applied to the located tree before anything is checked, in their own order.

What is general comes before what is particular, and a kind before its settings, whatever the order of the
arguments; so a permutation of overrides is the same scenario. Null takes out what has a name (a link). A bare
kind (``protocol=asynchronous``) is short for the kind of its node (``protocol.kind=asynchronous``); one codec
in place of all is the whole of them. ``key.path+=value`` appends to a list, after all that set something. A
path that leads nowhere is found by the check that follows, which names the nearest key.
"""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from slfac_sim.foundation.errors import BadInput
from slfac_sim.foundation.plugins import Plugin, family_of, find
from slfac_sim.foundation.units import is_unit
from slfac_sim.scenario.appending import appended
from slfac_sim.scenario.edits import node_at, put, spread, taken_out
from slfac_sim.scenario.located import Fault, Located, Path, Place, ScenarioError
from slfac_sim.scenario.shape import (
    every_field,
    hint_at,
    in_full,
    item_of,
    kind_in,
    may_be_null,
    pair_of,
    plugin_mark,
)
from slfac_sim.scenario.yaml_text import to_tree


@dataclass
class Overridden:
    """A `tree` with overrides, the `faults` of those that do not fit, and `notes` of what others drop."""

    tree: Located
    faults: list[Fault] = field(default_factory=list)
    notes: list[Fault] = field(default_factory=list)


@dataclass(frozen=True)
class Override:
    """A `value` for what is at `path`, or one more for the list there, as it was written at `place`."""

    place: Place
    path: Path
    value: Located
    appends: bool = False
    beside: frozenset[str] = frozenset()
    """Names of the settings that are set with its kind: another kind drops none of them."""

    @property
    def sets_kind(self) -> bool:
        """Whether its path names the kind of a node."""
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
    def order(self) -> tuple[bool, int, bool, tuple[str, ...]]:
        """What is applied first; of those that append to one list, the first that was given."""
        return self.appends, len(self.node), self.sets_kind, tuple(map(str, self.path))


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
            before = texts[rank - 2] if rank > 1 and is_unit(text) else ""
            hint = f'; put quotes around it: "{before} {text}"' if "=" in before else ""
            applied.faults += [replace(fault, text=fault.text + hint) for fault in error.faults]
    applied.faults += _contradictions([override for override in overrides if not override.appends])
    paths = [override.path for override in overrides]
    for override in sorted(overrides, key=lambda override: override.order):
        try:
            if override.appends:
                applied.tree = appended(applied.tree, override.path, override.value, root)
            else:
                apply(applied, replace(override, beside=_beside(override, paths)), root)
        except ScenarioError as error:
            applied.faults += error.faults
    return applied


def _beside(override: Override, paths: Sequence[Path]) -> frozenset[str]:
    """Return the names of the settings, below the node of `override`, that `paths` lead to."""
    node = override.node
    return frozenset(str(path[len(node)]) for path in paths if path[: len(node)] == node != path)


def _parsed(text: str, place: Place) -> tuple[Override, list[Fault]]:
    name, equals, value = text.partition("=")
    appends, name = name.endswith("+"), name.removesuffix("+")
    path = tuple(name.split("."))
    if not equals:
        raise ScenarioError([Fault(place, (), "expected key.path=value")])
    if not all(step and step == step.strip() for step in path):
        text = f"expected key.path=value, with a name on each side of a dot (got '{name}')"
        raise ScenarioError([Fault(place, (), text)])
    tree, faults = to_tree(value, place.source, place.rank)
    override = Override(place, path, tree, appends)
    return override, [replace(fault, path=(*path, *fault.path)) for fault in faults]


def _contradictions(overrides: Sequence[Override]) -> list[Fault]:
    """Return a fault for each setting that is given two values, or node that is given two kinds."""
    first: dict[Path, Override] = {}
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


def apply(applied: Overridden, override: Override, root: type[Any]) -> None:
    """Give `applied` a tree with `override`, which sets something. Raises `ScenarioError`."""
    path, value = override.path, override.value
    applied.tree = spread(applied.tree, path, root)
    hint = hint_at(root, applied.tree, path)
    if value.value is None and item_of(hint_at(root, applied.tree, path[:-1])) is not None:
        applied.tree = taken_out(applied.tree, override.path, value.place)
        return
    if value.value is None and item_of(hint) is not None and not may_be_null(hint):
        value = replace(value, value={})
    written_out, node = in_full(value, hint), in_full(node_at(applied.tree, path, value.place), hint)
    if written_out is not value:
        for name, child in written_out.value.items():
            apply(applied, Override(override.place, (*path, name), child), root)
        return
    replaces_settings = override.is_bare and isinstance(node.value, dict)
    if replaces_settings and every_field(hint) is not None:
        applied.notes += lost(node, hint, override)
    elif override.sets_kind or (replaces_settings and plugin_mark(hint) is not None):
        for at, plugin in _nodes_of(applied.tree, override, root).items():
            there = in_full(node_at(applied.tree, at, value.place), plugin)
            changed = _of_kind(there, plugin, override, at, applied.notes)
            applied.tree = put(applied.tree, at, changed, ())
        return
    applied.tree = put(applied.tree, path, value, ())


def lost(node: Located, hint: Any, override: Override) -> list[Fault]:
    """Return a note of what goes of `node` where the one codec of `override` takes the place of all."""
    every = every_field(hint)
    meant = () if every is None else every.spread(tuple(pair_of(hint)), None)
    lost = []
    for name, child in _written_here(node.value).items():
        inner = _written_here(child.value) if isinstance(child.value, dict) else {}
        lost += [f"{name}.{key}" for key in inner if key != "kind"] if name in meant else [name]
    names = ", ".join(name for name in lost if name != "kind")
    text = f"one codec takes the place of all, so these settings go: {names}"
    return [Fault(override.place, override.path, text)] if names else []


def _nodes_of(tree: Located, override: Override, root: type[Any]) -> dict[Path, Plugin | None]:
    """Return the nodes whose kind `override` sets: one, or each of a pair that is written out."""
    path, hint = override.node, hint_at(root, tree, override.node)
    node, every, pair = node_at(tree, path, override.place), every_field(hint), pair_of(hint)
    if every is None:
        return {path: plugin_mark(hint)}
    if isinstance(node.value, dict) and "kind" not in node.value:
        fields = every.spread(tuple(pair), None)
        there = {(*path, name): plugin_mark(pair[name]) for name in fields if name in node.value}
        if there:
            return there
    return {path: plugin_mark(next(iter(pair.values())))}


def _of_kind(
    node: Located, plugin: Plugin | None, override: Override, path: Path, notes: list[Fault]
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
    gone = [name for name in _written_here(old) if name not in kept and name not in override.beside]
    dropped = ", ".join(gone)
    if dropped:
        text = f"the kind changes, so these settings of {before or 'before'} go: {dropped}"
        notes.append(Fault(override.place, path, text))
    return Located({"kind": value, **kept}, value.place, value.place)


def _written_here(settings: dict[Any, Located]) -> dict[Any, Located]:
    """Return those of `settings` that the scenario's own file or an override sets, not a base alone."""
    return {name: child for name, child in settings.items() if _is_written_here(child)}


def _is_written_here(node: Located) -> bool:
    inner = node.value.values() if isinstance(node.value, dict) else ()
    return any(map(_is_written_here, inner)) if inner else node.place.rank >= 0


def _shared(plugin: Plugin, kind: Any) -> set[str]:
    """Return the names of the settings that plug-ins of this family share and `kind` has."""
    try:
        cls = find(plugin.family, str(kind))
    except BadInput:
        return set()  # the check that follows says what is wrong with it
    return {field.name for field in dataclasses.fields(cls)} & {*family_of(plugin.family).shared}
