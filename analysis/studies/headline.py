"""The answer of a study in a sentence: the fastest to the target at both ends of x, and by how much."""

from collections.abc import Mapping

from slfac_sim.analysis.crossings import EQUAL_POINTS, ROUNDING
from slfac_sim.analysis.format import as_fast, ends_apart, target_words
from slfac_sim.analysis.studies.answers import final_mean, is_clear, main_target, ratio, to_target
from slfac_sim.analysis.studies.phrases import time_words
from slfac_sim.analysis.studies.study import StudyPoints
from slfac_sim.foundation.targets import Target

_BOUNDED = ", and by the mean over 3 evaluations not every run gets there"


def headline(study: StudyPoints) -> str:
    """Return the sentence; of further axes it is about their first values."""
    target = main_target(study)
    if len(study.failed()) == study.size:
        return "No point of the study has finished."
    if target is None:
        return "The study has no target: it shows what its runs learnt and cost."
    panel = study.panels[0]
    where = study.panel_label(panel)
    ends = [_end(study, panel, x, target) for x in dict.fromkeys((study.xs[0], study.xs[-1]))]
    told = "; ".join(filter(None, ends)) or "no seed tells of it"
    return f"To {target_words(target)}{f', at {where}' if where else ''}: {told}."


def _end(study: StudyPoints, panel: Mapping[str, str], x: str, target: Target) -> str:
    """Return who is the fastest at an x, and by how much."""
    at = f" at {study.x_label(x)}" if x else ""
    if not study.rivals:
        return f"{time_words(to_target(study, study.at(panel, study.baseline, x), target))}{at}"
    ratios = {rival: ratio(study, panel, rival, x, target) for rival in study.rivals}
    known = {rival: value for rival, value in ratios.items() if value is not None and value.middle > 0}
    if not known:
        return ""
    best = max(known, key=lambda rival: known[rival].middle)
    value, name, base = known[best], study.short_label(best), study.short_label(study.baseline)
    if value.mean is not None and value.n > 1 and not is_clear(value):
        return f"{name} and {base} are not clearly apart{at}"
    fast, slow = (name, base) if value.middle >= 1 else (base, name)
    most = f"the fastest of {len(known) + 1}: " if len(known) > 1 else ""
    said = f"{fast} is {most}{as_fast(max(value.middle, 1 / value.middle))} as {slow}{at}"
    lines = (best, study.baseline) if value.middle >= 1 else (study.baseline, best)
    finals = [final_mean(study, study.at(panel, line, x), target) for line in lines]
    smoothed = ratio(study, panel, best, x, target, smoothed=True)
    bounded = smoothed is not None and smoothed.censored > 0
    return f"{said}{_ends_apart(target, *finals)}{_BOUNDED if bounded else ''}"


def _ends_apart(target: Target, fast: float, slow: float) -> str:
    """Return how far the faster one ends from the slower, where that is too far to be called equal."""
    if not abs(fast - slow) > EQUAL_POINTS + ROUNDING:
        return ""
    if target.of.is_share:
        return f", {ends_apart(fast, slow)}"
    return f", and ends at {fast:.3g} against {slow:.3g}"
