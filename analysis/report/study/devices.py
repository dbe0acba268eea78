"""Who pays: the energy of devices and servers, what was lost, who was handed over and who came last."""

from collections.abc import Iterator

from slfac_sim.analysis.format import quantity, unit_of
from slfac_sim.analysis.report.blocks import Block, Chart
from slfac_sim.analysis.report.lines import bars, look, titled
from slfac_sim.analysis.report.study_rows import study_table
from slfac_sim.analysis.studies.energy import USES, at_ends, energy_table
from slfac_sim.analysis.studies.study import StudyPoints
from slfac_sim.analysis.studies.tables import handovers_table, losses_table

TITLE = "Who pays"


def blocks(study: StudyPoints) -> Iterator[Block]:
    """Yield what devices draw energy for, and the tables of energy, losses and handovers."""
    if at_ends(study):
        yield _chart(study)
    tables = {
        "Energy of a whole run": energy_table(study),
        "Transfers of a run that were lost": losses_table(study),
        "Handovers of a run, and who came last": handovers_table(study),
    }
    for title, rows in tables.items():
        if rows:
            yield study_table(study, title, rows, folded=True)


def _chart(study: StudyPoints) -> Chart:
    shown = at_ends(study)
    factor, unit = unit_of([sum(uses.values()) for uses in shown.values()], "J")
    said = f"%{{y}}: %{{x:.4g}} {unit}"
    traces = [
        bars(use, [uses[use] / factor for uses in shown.values()], list(shown), look(place), said, flat=True)
        for place, use in enumerate(USES)
    ]
    layout = titled(f"energy of all devices in a whole run ({unit})", "", barmode="stack")
    layout["yaxis"] |= {"autorange": "reversed", "automargin": True}
    told = [
        f"{name}: {quantity(sum(uses.values()), 'J')}, most of it for {max(uses, key=uses.__getitem__)}."
        for name, uses in shown.items()
    ]
    title = "What all devices draw energy for"
    return Chart(title, " ".join(told), traces, layout, height_px=150 + 40 * len(shown))
