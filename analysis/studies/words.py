"""The sentences of a study: they answer in words and numbers; they write no file and draw nothing."""

import math
from collections.abc import Mapping, Sequence

from slfac_sim.analysis.crossings import EQUAL_POINTS
from slfac_sim.analysis.format import count, fixed_percent, losses, target_words
from slfac_sim.analysis.statistics import PairedRatio
from slfac_sim.analysis.studies import answers
from slfac_sim.analysis.studies.phrases import ratio_words, time_words
from slfac_sim.analysis.studies.study import Combination, StudyPoints, spread
from slfac_sim.foundation.targets import ACCURACY, Target

_MOST_LINES = 12  # of one question, on the screen
_CLAIM_SEEDS = 5


def closing_lines(study: StudyPoints, is_tabled: bool = False) -> list[str]:
    """Return the answers of the study: how many times as fast, where the crossover is, what limits each end.

    Where `is_tabled` what `answers_table` has is left out.

    What it cannot answer, because points failed or there is nothing to compare, it says.
    """
    if len(study.failed()) == study.size:
        return ["No point of the study has finished.", *failure_lines(study)]
    target = answers.main_target(study)
    lines = ["The study has no target."] if target is None else [_heading(study, target)]
    for panel in study.panels:
        where = study.panel_label(panel)
        lines += [f"At {where}:"] if where else []
        if target is not None:
            lines += _panel_lines(study, panel, target, is_tabled)
        lines += [] if is_tabled else limit_lines(study, panel)
    if target is not None and not is_tabled:
        lines += accuracy_lines(study, target)
    return [*lines, *caveats(study), *failure_lines(study)]


def crossover_line(study: StudyPoints, panel: Mapping[str, str], rival: str, target: Target) -> str:
    """Say where along x `rival` stops beating the baseline, or that there is no such place in the range."""
    axis = study.roles.x
    assert axis is not None
    names = study.short_label(rival), study.short_label(study.baseline)
    ratios = [answers.ratio(study, panel, rival, x, target) for x in study.xs]
    places = []
    for crossing in answers.crossovers(study, panel, rival, target):
        about = f", about {axis.rounded(crossing.at)}" if math.isfinite(crossing.at) else ""
        below, above = names if crossing.gains == "below" else names[::-1]
        low, high = axis.amount(crossing.low), axis.amount(crossing.high)
        places.append(f"between {low} and {high}{about}; {below} is faster below it, {above} above it")
    if not places:
        return _no_crossover(study, ratios, *names)
    return f"Crossover of {' and '.join(names)}: {'; and '.join(places)}{_doubt(study, ratios)}."


def limit_lines(study: StudyPoints, panel: Mapping[str, str]) -> list[str]:
    """Say, for each end of x, which part of the time is the largest, line by line."""
    texts = study.xs
    lines = []
    for x in dict.fromkeys((texts[0], texts[-1])):
        parts = []
        for line in study.lines:
            largest = answers.largest_part(study, study.at(panel, line, x))
            if largest is not None:
                parts.append((study.short_label(line), *largest))
        if parts:
            start = f"At {study.x_label(x)} the" if x else "The"
            lines.append(f"{start} largest part of the time is {_limits(parts)}.")
    return lines


def accuracy_lines(study: StudyPoints, target: Target) -> list[str]:
    """Apply the rule of equal accuracy to each rival, at every x of the first panel."""
    panel, base = study.panels[0], study.baseline
    lines = []
    for rival in study.rivals:
        pairs = [(study.at(panel, base, x), study.at(panel, rival, x)) for x in study.xs]
        pairs = [pair for pair in pairs if pair[0].points and pair[1].points]
        equal = [answers.equally_accurate(study, base_place, other, target) for base_place, other in pairs]
        if equal:
            lines.append(_equal_words(study, rival, pairs, equal, target))
    return lines


def caveats(study: StudyPoints) -> list[str]:
    """Return what must be known to read the intervals: how many seeds, what was lost, what points share."""
    lines = _losses(study)
    seeds = len(set(study.columns["seed_learning"]))
    if seeds < 2:
        lines.append("One seed is one draw: there are no intervals, and no claim can rest on it.")
    elif seeds < _CLAIM_SEEDS:
        lines.append(f"{seeds} seeds: intervals are wide; a headline claim needs {_CLAIM_SEEDS}.")
    if answers.shares_trainings(study) and study.roles.x is not None:
        name = study.roles.x.name
        lines.append(
            f"Points along {name} are timings of the same trainings: they are correlated. A seed that is "
            f"lucky at one {name} is lucky at all, so neighbours that agree are not further evidence."
        )
    return lines


def _losses(study: StudyPoints) -> list[str]:
    sent, lost, missed = (
        sum(number or 0 for number in study.columns[name]) for name in ("transfers", "lost", "missed")
    )
    return [f"Transfers of all points: {losses(sent, lost, missed)}."] if lost or missed else []


def failure_lines(study: StudyPoints) -> list[str]:
    """Say how many points failed, with the first reason; nothing if none did."""
    failed = study.failed()
    if not failed:
        return []
    reason = " ".join(str(study.columns["reason"][failed[0]]).split())
    return [f"{len(failed)} of {count(study.size, 'point')} failed and are in no figure; the first: {reason}"]


def _heading(study: StudyPoints, target: Target) -> str:
    seeds = count(len(set(study.columns["seed_learning"])), "seed")
    what = f"Time to {target_words(target)} (first evaluation that met it)"
    if target.metric == ACCURACY:
        what = f"Time to {target_words(target)} test accuracy (first evaluation at or above it)"
    return f"{what}, {seeds}, geometric means with 95 % t intervals."


def _panel_lines(study: StudyPoints, panel: Mapping[str, str], target: Target, is_tabled: bool) -> list[str]:
    rivals, base = study.rivals, study.baseline
    most = _MOST_LINES if len(study.panels) == 1 else 2
    xs = spread(study.xs, most)
    if not rivals:
        return [_time_line(study, panel, base, x, target) for x in xs]
    lines = []
    for rival in rivals:
        if not is_tabled:
            name, baseline = study.short_label(rival), study.short_label(base)
            lines.append(f"How many times as fast as {baseline} is {name}? (paired by seed)")
            lines += [f"  {_ratio_line(study, panel, rival, x, target)}" for x in xs]
            lines.append(_smoothed_line(study, panel, rival, xs, target))
        if study.roles.x is not None and study.roles.x.numeric and len(study.roles.x.texts) > 1:
            lines.append(crossover_line(study, panel, rival, target))
    return lines


def _time_line(study: StudyPoints, panel: Mapping[str, str], line: str, x: str, target: Target) -> str:
    value = answers.to_target(study, study.at(panel, line, x), target)
    return f"  {study.x_label(x) or study.short_label(line)}: {time_words(value)}"


def _ratio_line(study: StudyPoints, panel: Mapping[str, str], rival: str, x: str, target: Target) -> str:
    words = ratio_words(answers.ratio(study, panel, rival, x, target))
    return f"{study.x_label(x)}: {words}" if x else words


def _smoothed_line(
    study: StudyPoints, panel: Mapping[str, str], rival: str, xs: Sequence[str], target: Target
) -> str:
    parts = []
    for x in dict.fromkeys((xs[0], xs[-1])):
        words = ratio_words(answers.ratio(study, panel, rival, x, target, smoothed=True))
        parts.append(f"{words} at {study.x_label(x)}" if x else words)
    return f"By the mean over 3 evaluations: {'; '.join(parts)}."


def _no_crossover(study: StudyPoints, ratios: Sequence[PairedRatio | None], rival: str, baseline: str) -> str:
    axis = study.roles.x
    assert axis is not None
    low, high = axis.shown(axis.texts[0]), axis.shown(axis.texts[-1])
    sides = {answers.side(value) for value in ratios if value is not None} - {0}
    start = f"No crossover of {rival} and {baseline} from {low} to {high}"
    if not sides:
        return f"{start} is known: nowhere is one clearly ahead of the other."
    faster, slower = (rival, baseline) if sides == {1} else (baseline, rival)
    known = [value for value in ratios if value is not None and answers.side(value)]
    where = f"at {len(known)} of {len(ratios)} values, the rest unknown"
    where = "everywhere" if len(known) == len(ratios) else where
    return f"{start}: {faster} is faster than {slower} {where}{_doubt(study, ratios)}."


def _doubt(study: StudyPoints, ratios: Sequence[PairedRatio | None]) -> str:
    axis = study.roles.x
    assert axis is not None
    unclear = [
        axis.shown(text)
        for text, value in zip(axis.texts, ratios, strict=True)
        if value is not None and value.mean is not None and value.n > 1 and not answers.is_clear(value)
    ]
    return f" (intervals include 1 at {', '.join(unclear)})" if unclear else ""


def _limits(parts: Sequence[tuple[str, str, float]]) -> str:
    """Return ``airtime (69 % for raw fp32, 55 % for top-k)`` or, where they differ, one after another."""
    said = []
    for part in dict.fromkeys(part for _, part, _ in parts):
        shares = (f"{fixed_percent(share)} for {line}" for line, largest, share in parts if largest == part)
        said.append(f"{part} ({', '.join(shares)})")
    return " and ".join(said)


def _equal_words(
    study: StudyPoints,
    rival: str,
    pairs: Sequence[tuple[Combination, Combination]],
    equal: Sequence[bool],
    target: Target,
) -> str:
    name, baseline = study.short_label(rival), study.short_label(study.baseline)
    finals = [answers.final_mean(study, place, target) for place in pairs[0]]
    one, other = (fixed_percent(final, 1) if target.of.is_share else f"{final:.3g}" for final in finals)
    shown = f"{baseline} {one}, {name} {other}"
    if all(equal):
        said = "are equally accurate"
    elif any(equal):
        said = f"are equally accurate at {sum(equal)} of {len(equal)} places"
    elif abs(finals[0] - finals[1]) <= EQUAL_POINTS:
        said = "cannot be called equally accurate, because not every run crosses"
    else:
        said = "are not equally accurate"
    rule = f"every run crosses {target_words(target)} smoothed, final means within half a point"
    return f"By the rule ({rule}) {name} and {baseline} {said}: mean of the last 3 evaluations {shown}."
