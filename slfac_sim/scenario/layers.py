"""A scenario laid over its base: what it says is applied as overrides are, and keeps its place.

A mapping of settings is laid over that of the base, a kind first, and so are settings by name (the links of
a topology), where null takes one back, or all; a list, any other free mapping and one codec in place of all
are replaced as a whole.
"""

from dataclasses import replace
from typing import Any

from slfac_sim.scenario.edits import node_at, put, spread
from slfac_sim.scenario.located import Located, Path, ScenarioError
from slfac_sim.scenario.overrides import Overridden, Override, apply, lost
from slfac_sim.scenario.shape import (
    class_of,
    every_field,
    hint_at,
    in_full,
    item_of,
    kind_in,
    pair_of,
    plugin_mark,
)


def laid_over(base: Located, tree: Located, root: type[Any]) -> Overridden:
    """Return `tree`, which will be read as a `root`, over `base`; notes name what another kind drops."""
    applied = Overridden(base)
    for name, node in tree.value.items():
        _lay(applied, node, (name,), root)
    return applied


def _lay(applied: Overridden, node: Located, path: Path, root: type[Any]) -> None:
    """Lay `node` over what is at `path`."""
    applied.tree = spread(applied.tree, path, root)
    hint = hint_at(root, applied.tree, path)
    there = in_full(node_at(applied.tree, path, node.place), hint)
    is_settings = any((plugin_mark(hint), class_of(hint, applied.tree, path), item_of(hint)))
    takes_back = item_of(hint) is not None and not node.value
    if there.value is None or not isinstance(node.value, dict) or not is_settings or takes_back:
        _apply(applied, Override(node.place, path, node), root)
    elif "kind" in node.value and every_field(hint) is not None and not _is_alike(there, node, hint):
        override = Override(node.place, path, node)
        applied.notes += lost(there, hint, override) if isinstance(there.value, dict) else []
        _apply(applied, override, root)
    elif not node.value:  # it says nothing, but what is missing is missing here
        applied.tree = put(applied.tree, path, replace(there, key_place=node.key_place))
    else:
        for name in sorted(node.value, key=lambda name: name != "kind"):
            child = node.value[name]
            if name == "kind":
                _apply(
                    applied, Override(child.place, (*path, name), child, beside=frozenset(node.value)), root
                )
            else:
                _lay(applied, child, (*path, name), root)


def _is_alike(there: Located, node: Located, hint: Any) -> bool:
    """Return whether one codec, of the kind of `node`, stands for all in `there` too."""
    plugin = plugin_mark(next(iter(pair_of(hint).values())))
    is_single = not isinstance(there.value, dict) or "kind" in there.value
    return plugin is not None and is_single and kind_in(there, plugin) == kind_in(node, plugin)


def _apply(applied: Overridden, override: Override, root: type[Any]) -> None:
    try:
        apply(applied, override, root)
    except ScenarioError as error:
        applied.faults += error.faults
