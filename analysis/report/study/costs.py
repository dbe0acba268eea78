"""What each combination needs to each target, and how accurate it is within equal budgets."""

from collections.abc import Iterator

from slfac_sim.analysis.report.blocks import Block, Table
from slfac_sim.analysis.report.study_rows import study_table
from slfac_sim.analysis.studies.study import BYTES, JOULES, ROUNDS, SECONDS, StudyPoints
from slfac_sim.analysis.studies.tables import budget_table, costs_table, wires_table

TITLE = "What it costs"
_BUDGETS = {
    "Equal rounds": ROUNDS,
    "Equal bytes (payload, all directions)": BYTES,
    "Equal seconds": SECONDS,
    "Equal energy (drawn by all devices)": JOULES,
}


def blocks(study: StudyPoints) -> Iterator[Block]:
    """Yield seconds, bytes and joules to each target, bytes over wires, and accuracies at equal budgets."""
    yield from filter(_filled, _tables(study))


def _tables(study: StudyPoints) -> Iterator[Table]:
    yield study_table(study, "Time, bytes and energy to each target", costs_table(study))
    yield study_table(study, "Bytes over each wire to each target", wires_table(study), folded=True)
    for title, over in _BUDGETS.items():
        yield study_table(study, title, budget_table(study, over), folded=True)


def _filled(table: Table) -> bool:
    return bool(table.rows)
