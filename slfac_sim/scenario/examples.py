"""The shipped scenario that is nearest to one with faults, for whoever does not know how one is written."""

import dataclasses
from collections.abc import Iterator
from typing import Any

from slfac_sim.foundation.program import program
from slfac_sim.scenario.located import ScenarioError
from slfac_sim.scenario.schema import Scenario
from slfac_sim.scenario.sources import BASE, Source, shipped
from slfac_sim.scenario.yaml_text import to_tree


def with_example(error: ScenarioError, source: Source) -> ScenarioError:
    """Return `error`, which is of `source`, with the nearest shipped scenario as its hint where that helps.

    It does where the file itself lacks a key or names a kind that is near to none, unless it has a base, is
    shipped or says all that there is, as that of a run.
    """
    if source.file is None or not any(fault.asks_for_example and fault.place.line for fault in error.faults):
        return error
    tree = to_tree(source.text, source.name)[0].plain()
    is_whole = all(field.name in tree for field in dataclasses.fields(Scenario))
    name = "" if BASE in tree or is_whole else nearest(tree)
    if not name:
        return error
    how = f"`base: {name}` takes the rest from it, `{program('init')}` writes a file to begin with"
    return ScenarioError(error.faults, f"nearest shipped example: {name} ({how})")


def nearest(tree: Any) -> str:
    """Return the name of the shipped scenario with most in common with the plain `tree`; empty for none.

    What counts are keys and the kinds that they have: those of both over those of either. Of several that are
    as near, it is the shortest, then the first by name. Those with a base are none.
    """
    mine = set(_features(tree, ""))
    ranked = []
    for file, resource in shipped().items():
        written = to_tree(resource.read_text(encoding="utf-8"), file)[0].plain()
        if BASE in written:  # it does not show a whole scenario
            continue
        theirs = set(_features(written, ""))
        ranked.append((-len(mine & theirs) / len(mine | theirs), len(theirs), file))
    common, _, file = min(ranked)
    return file.removesuffix(".yaml") if common else ""


def _features(tree: Any, path: str) -> Iterator[str]:
    """Yield the paths in the plain `tree`, and with those of a kind, short or in full, which one it is."""
    if isinstance(tree, dict):
        for key, value in tree.items():
            yield from _features(value, path if key == "kind" else f"{path}.{key}")
    else:
        yield f"{path}={tree}" if isinstance(tree, str) else path
    if path:
        yield path
