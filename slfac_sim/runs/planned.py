"""What a scenario would run, without training: told to people, to programs and in a notebook."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from slfac_sim.analysis.html import table_html
from slfac_sim.analysis.text_tables import aligned
from slfac_sim.foundation.errors import BadInput, did_you_mean
from slfac_sim.scenario.schema import Scenario

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Rows = Sequence[Mapping[str, Any]]


@dataclass(frozen=True, repr=False)
class Plan:
    """What will run: `lines` for people, `facts` as JSON has them, `remarks` about what may surprise.

    `air` are the ledger's tables of the air and of how devices move, `held` the samples of each class on each
    device, which the figures show; that of a study has none.
    """

    name: str
    lines: Sequence[tuple[str, str]]
    facts: Mapping[str, Any]
    remarks: Sequence[str]
    air: Mapping[str, Rows] = field(default_factory=dict)
    held: Mapping[str, Sequence[int]] = field(default_factory=dict)

    @property
    def figures(self) -> tuple[str, ...]:
        """The names of what can be seen before a run."""
        from slfac_sim.analysis.draw import before
        from slfac_sim.analysis.shares_figure import NAME

        return (*(before(self.air) if self.air else ()), *([NAME] if self.held else []))

    def figure(self, name: str) -> "Figure":
        """Return one of `figures`. Raises `BadInput`."""
        from slfac_sim.analysis import shares_figure
        from slfac_sim.analysis.draw import air_figure
        from slfac_sim.analysis.style import house_style

        if name not in self.figures:
            known = ", ".join(self.figures) or "none"
            raise BadInput(f"no figure '{name}' among {known}{did_you_mean(name, self.figures)}")
        if name != shares_figure.NAME:
            return air_figure(self.name, self.air, name)
        with house_style():
            return shares_figure.draw(self.name, self.held)

    def draw(self, folder: Path) -> list[Path]:
        """Write all `figures` into `folder`; return the files: PNG, SVG and table of each."""
        from slfac_sim.analysis import shares_figure
        from slfac_sim.analysis.draw import draw_air

        air = draw_air(self.name, self.air, folder) if self.air else []
        return [*air, *(shares_figure.write(self.name, self.held, folder) if self.held else [])]

    @property
    def title(self) -> str:
        """What it is of."""
        return f"{self.name}: what will run"

    def __repr__(self) -> str:
        notes = (f"note: {remark}" for remark in self.remarks)
        return "\n".join([self.title, aligned(self.lines, "ll"), *notes])

    def _repr_html_(self) -> str:
        return table_html(self.title, [*self.lines, *(("note", remark) for remark in self.remarks)])


def planned(scenario: Scenario) -> Plan:
    """Return what `scenario` would run; its data are loaded, its air is surveyed. Raises `BadInput`."""
    from slfac_sim.forecast.forecast import forecast, held_by
    from slfac_sim.forecast.host import START_S, host_time
    from slfac_sim.forecast.moves import moves_of
    from slfac_sim.forecast.report import facts_of, lines_of
    from slfac_sim.runs.opening import ready
    from slfac_sim.runs.starting import set_threads
    from slfac_sim.simulation.networks import air_rows

    threads, began_s = set_threads(None), time.process_time()
    world, survey = ready(scenario)
    host = host_time(world, START_S + time.process_time() - began_s)
    figures = forecast(world, survey)
    moves = moves_of(world.scenario, figures.round)
    lines = [*lines_of(world.scenario, figures, host, threads), *moves.lines]
    facts = {**facts_of(figures, host, threads), **moves.facts}
    air = {**air_rows(survey), **moves.tables}
    remarks = [*figures.remarks, *moves.remarks]
    return Plan(scenario.name, lines, facts, remarks, air, held_by(world))
