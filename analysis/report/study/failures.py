"""Points that failed, and why."""

from collections.abc import Iterator

from slfac_sim.analysis.report.blocks import Block
from slfac_sim.analysis.report.study_rows import study_table
from slfac_sim.analysis.studies.study import StudyPoints
from slfac_sim.analysis.studies.tables import failures_table

TITLE = "Points that failed"


def blocks(study: StudyPoints) -> Iterator[Block]:
    """Yield the table, where there are any."""
    rows = failures_table(study)
    if rows:
        yield study_table(study, f"{len(rows)} of {study.size:,} points failed and are in no chart", rows)
