"""Times to the main target, and ratios of them, against the x axis of a study; undrawn."""

import math
from collections.abc import Iterator, Mapping

from slfac_sim.analysis.format import target_words
from slfac_sim.analysis.studies.answers import crossovers, main_target, ratio, to_target
from slfac_sim.analysis.studies.estimates import Against, against
from slfac_sim.analysis.studies.study import StudyPoints, spread
from slfac_sim.foundation.targets import ACCURACY, Target


def times_to_target(study: StudyPoints) -> Against | None:
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


def ratios_to_target(study: StudyPoints) -> Against | None:
    """Return the ratios of times to the main target, baseline / variant; None without a target or a rival."""
    target = main_target(study)
    if target is None or not study.rivals:
        return None
    return against(
        study,
        {text: look for look, text in enumerate(study.lines) if text != study.baseline},
        lambda panel, line, x: ratio(study, panel, line, x, target),
        y_label=f"times as fast to {target_words(target)}",
        interval="95 % t interval, paired by seed",
        panel_mm=48.0,
        level=(1.0, f"as fast as {study.short_label(study.baseline)}"),
        marks=[list(_crossovers(study, panel, target)) for panel in spread(study.panels)],
        y_log=True,
    )


def _crossovers(study: StudyPoints, panel: Mapping[str, str], target: Target) -> Iterator[tuple[float, str]]:
    axis = study.roles.x
    for rival in study.rivals:
        for place in crossovers(study, panel, rival, target):
            if axis is not None and math.isfinite(place.at):
                yield place.at, f"crossover about {axis.rounded(place.at)}"
