"""Time to the target against the x axis of the study, with intervals over seeds; censoring is marked."""

from slfac_sim.analysis.format import target_words
from slfac_sim.analysis.studies.against_axis import draw
from slfac_sim.analysis.studies.answers import main_target, to_target
from slfac_sim.analysis.studies.estimates import Against, against, table
from slfac_sim.analysis.studies.study import StudyPoints
from slfac_sim.foundation.targets import ACCURACY

__all__ = ["data", "draw", "table"]


def data(study: StudyPoints) -> Against | None:
    """Return the seconds to the main target, a panel for each further axis value; None without a target."""
    target = main_target(study)
    if target is None:
        return None
    what = " accuracy" if target.metric == ACCURACY else ""
    return against(
        study,
        {text: look for look, text in enumerate(study.lines)},
        lambda panel, line, x: to_target(study, study.at(panel, line, x), target),
        y_label=f"time to {target_words(target)}{what} (s)",
        interval="95 % t interval over seeds",
        panel_mm=50.0,
    )
