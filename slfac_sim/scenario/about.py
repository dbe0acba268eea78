"""What readers are told of a scenario: what differs from defaults, what its parts are, whom to cite.

It lies beside the resolved scenario, so that a report needs neither the schema nor the plug-ins.
"""

import dataclasses
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from slfac_sim import __version__
from slfac_sim.foundation.descriptions import descriptions, module_sentence
from slfac_sim.foundation.plugins import kind_of
from slfac_sim.foundation.units import written
from slfac_sim.scenario.plain import plain
from slfac_sim.scenario.references import references_of
from slfac_sim.scenario.schema import Scenario
from slfac_sim.scenario.shape import hints_of, item_of, plugin_mark
from slfac_sim.scenario.template import quantity_of
from slfac_sim.scenario.yaml_text import to_line

Row = dict[str, str | None]


def about(scenario: Scenario, *others: Scenario, learnt: Sequence[Row] = ()) -> dict[str, Any]:
    """Return our `version`, the settings that `differ` from defaults, `parts` and `references`, as texts.

    A setting without a default differs from it always; its `default` is None. A part is a plug-in. The
    references are those of the `others` too, such as further scenarios of a study. What is `learnt` are rows
    of ``what`` and ``value``, as `learning.facts` gives them.
    """
    cited = references_of(scenario, *others)
    references: list[Row] = [{"part": part, "bibtex": entry.bibtex} for part, entry in cited]
    return {
        "version": __version__,
        "differ": list(_differing(scenario, "")),
        "parts": list(_parts(scenario, "", None)),
        "learnt": list(learnt),
        "references": references,
    }


def about_text(scenario: Scenario, *others: Scenario, learnt: Sequence[Row] = ()) -> str:
    """Return the same as the text of the file beside the scenario."""
    return json.dumps(about(scenario, *others, learnt=learnt), indent=1) + "\n"


def _differing(settings: Any, path: str) -> Iterator[Row]:
    cls: Any = type(settings)
    hints, meanings = hints_of(cls), descriptions(cls)
    for field in dataclasses.fields(settings):
        own, hint, at = getattr(settings, field.name), hints[field.name], f"{path}.{field.name}".lstrip(".")
        if own == field.default:
            continue
        # a group of settings is told by what is in it, unless it stands where nothing stands by default
        is_group = dataclasses.is_dataclass(own) and (plugin_mark(hint) or field.default is not None)
        if not is_group or (plugin_mark(hint) and type(own) is not type(field.default)):
            default = None if field.default is dataclasses.MISSING else in_words(field.default, hint)
            meaning = meanings.get(field.name, "")
            yield {"path": at, "value": in_words(own, hint), "default": default, "meaning": meaning}
        if is_group:
            yield from _differing(own, at)


def in_words(value: Any, hint: Any) -> str:
    """Return the value of a setting in a line: with its unit, a plug-in by its kind."""
    if dataclasses.is_dataclass(value) and plugin_mark(hint):
        return kind_of(value)
    mark = quantity_of(hint)
    if mark is not None and isinstance(value, float | int) and not isinstance(value, bool):
        return written(float(value), mark.dimension)
    return to_line(plain(value, hint))


def _parts(settings: Any, path: str, hint: Any) -> Iterator[Row]:
    """Yield each plug-in in `settings` with what its module says of itself."""
    if dataclasses.is_dataclass(settings):
        if plugin_mark(hint):
            yield {"path": path, "kind": kind_of(settings), "what": module_sentence(type(settings))}
        cls: Any = type(settings)
        hints = hints_of(cls)
        for field in dataclasses.fields(settings):
            at = f"{path}.{field.name}".lstrip(".")
            yield from _parts(getattr(settings, field.name), at, hints[field.name])
    elif isinstance(settings, Mapping):
        for name, value in settings.items():
            yield from _parts(value, f"{path}.{name}", item_of(hint))
    elif isinstance(settings, Sequence) and not isinstance(settings, str):
        for value in settings:
            yield from _parts(value, path, hint)
