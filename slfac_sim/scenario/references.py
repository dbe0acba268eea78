"""Whom to cite: the references of the parts that scenarios use, of the software and of the figures.

It knows no plug-in by name: each names its own in ``references``.
"""

import dataclasses
from collections.abc import Iterator
from typing import Any

from slfac_sim.foundation.citing import Reference, reference
from slfac_sim.scenario.schema import Scenario

OURSELVES = "slfac_sim"
SOFTWARE = (
    *("paszke2019pytorch", "simpy", "harris2020array", "virtanen2020scipy", "hunter2007matplotlib"),
    "salmon2011parallel",
)
"""What every run stands on; the last one is the random numbers'."""
FIGURES = ("petroff2021accessible",)
"""What figures stand on besides: their colours."""


def references_of(*scenarios: Scenario) -> list[tuple[str, Reference]]:
    """Return the references of the parts that `scenarios` use, each with the part that asks for it.

    Ourselves first, then the plug-ins in the order of the scenarios, then the software and the figures.
    Without a scenario, all but the plug-ins.
    """
    parts = [part for scenario in scenarios for part in _asked_by(scenario, "")]
    stands_on = [*(("software", key) for key in SOFTWARE), *(("figures", key) for key in FIGURES)]
    asked = [("slfac_sim", OURSELVES), *parts, *stands_on]
    cited: dict[str, tuple[str, Reference]] = {}
    for part, name in asked:
        cited.setdefault(reference(name).key, (part, reference(name)))
    return list(cited.values())


def _asked_by(node: Any, path: str) -> Iterator[tuple[str, str]]:
    """Yield the references of the settings at `path`, and of all below them."""
    if isinstance(node, tuple):
        for place, item in enumerate(node):
            yield from _asked_by(item, f"{path}.{place}")
    if not dataclasses.is_dataclass(node):
        return
    settings: Any = node
    for name in settings.references:
        yield path, name
    for field in dataclasses.fields(settings):
        yield from _asked_by(getattr(settings, field.name), f"{path}.{field.name}".lstrip("."))
