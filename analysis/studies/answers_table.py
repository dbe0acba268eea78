"""The answers of a study of many lines as one table: sentences for each rival would fill pages."""

import itertools
from collections.abc import Mapping

from slfac_sim.analysis.crossings import EQUAL_POINTS
from slfac_sim.analysis.format import fixed_percent, target_words
from slfac_sim.analysis.studies import answers, phrases
from slfac_sim.analysis.studies.study import StudyPoints
from slfac_sim.analysis.studies.tables import Table, place_cells
from slfac_sim.foundation.targets import Target

_FEW = 2  # rivals, up to which each is told in sentences


def answers_table(study: StudyPoints) -> Table:
    """Return a row for each line and x: its ratio, its accuracy, its largest part of the time.

    Empty for a study without a target, or of so few rivals that each has its sentences.
    """
    target = answers.main_target(study)
    if target is None or len(study.rivals) <= _FEW:
        return []
    places = itertools.product(study.panels, study.lines, study.xs)
    return [_row(study, *place, target) for place in places if study.at(*place).points]


def rule(study: StudyPoints) -> str:
    """Return what the columns of the table are, and the rule of equal accuracy that it applies."""
    target = answers.main_target(study)
    aim = target_words(target) if target else "the target"
    return (
        f"Times as fast as {study.short_label(study.baseline)} to {aim}, paired by seed: at the first"
        " evaluation there, and by the mean over 3 evaluations. As accurate: every run crosses by that mean,"
        " and the means"
        " of the last 3 evaluations, which are shown, are within half a point."
    )


def _row(study: StudyPoints, panel: Mapping[str, str], line: str, x: str, target: Target) -> dict[str, str]:
    base, place = study.at(panel, study.baseline, x), study.at(panel, line, x)
    ratios = ["1, the baseline", "-"]
    if line != study.baseline:
        pairs = (answers.ratio(study, panel, line, x, target, smoothed) for smoothed in (False, True))
        ratios = [phrases.ratio_cell(pair) for pair in pairs]
    final = answers.final_mean(study, place, target)
    ends = fixed_percent(final, 1) if target.of.is_share else f"{final:.3g}"
    told = ""
    if line != study.baseline and base.points:
        is_equal = answers.equally_accurate(study, base, place, target)
        is_near = abs(final - answers.final_mean(study, base, target)) <= EQUAL_POINTS
        told = "yes, " if is_equal else "not every run crosses, " if is_near else "no, "
    largest = answers.largest_part(study, place)
    return {
        **place_cells(study, place),
        "times as fast": ratios[0],
        "by the mean of 3": ratios[1],
        "as accurate": f"{told}{ends}",
        "largest part of its time": "-" if largest is None else f"{largest[0]}, {fixed_percent(largest[1])}",
    }
