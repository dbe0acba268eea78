"""Time to the target along the x axis, with intervals and runs that never got there."""

from collections.abc import Iterator

from slfac_sim.analysis.format import target_words
from slfac_sim.analysis.report.against import charts
from slfac_sim.analysis.report.blocks import Block
from slfac_sim.analysis.report.study_rows import study_table
from slfac_sim.analysis.studies.answers import main_target
from slfac_sim.analysis.studies.study import StudyPoints
from slfac_sim.analysis.studies.tables import times_table
from slfac_sim.analysis.studies.to_target import times_to_target

TITLE = "Time to the target"


def blocks(study: StudyPoints) -> Iterator[Block]:
    """Yield the chart of the main target, and the table of each target."""
    data, aim = times_to_target(study), main_target(study)
    if data is not None and aim is not None:
        yield from charts(f"Time to {target_words(aim)}", data, study.roles.x, "s")
    for target in study.targets:
        yield study_table(
            study, f"Seconds to {target_words(target)}", times_table(study, target), folded=True
        )
