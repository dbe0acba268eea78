"""The sentences of a study: they answer in words and numbers; they write no file and draw nothing."""

import math
from collections.abc import Mapping, Sequence

from slfac_sim.analysis.format import amount, as_fast, between, count, percent, times
from slfac_sim.analysis.statistics import EQUAL_POINTS, OverRuns, PairedRatio
from slfac_sim.analysis.studies.answers import (
    Combination,
    at_place,
    baseline_line,
    crossovers,
    equally_accurate,
    final_mean,
    is_clear,
    largest_part,
    main_target,
    panels_of,
    ratio,
    rival_lines,
    shares_trainings,
    side,
    texts_of,
    to_target,
)
from slfac_sim.analysis.studies.names import panel_label, short_label, spread, x_label
from slfac_sim.analysis.studies.study import StudyResult

_MOST_LINES = 12  # of one question, on the screen
_CLAIM_SEEDS = 5


def closing_lines(study: StudyResult) -> list[str]:
    """Return the answers of the study: how many times as fast, where the crossover is, what limits each end.

    What it cannot answer, because points failed or there is nothing to compare, it says.
    """
    if len(study.failed()) == study.size:
        return ["No point of the study has finished.", *failure_lines(study)]
    target = main_target(study)
    lines = ["The study has no target."] if target is None else [_heading(study, target)]
    for panel in panels_of(study):
        where = panel_label(study, panel)
        lines += [f"At {where}:"] if where else []
        if target is not None:
            lines += _panel_lines(study, panel, target)
        lines += limit_lines(study, panel)
    if target is not None:
        lines += accuracy_lines(study, target)
    return [*lines, *caveats(study), *failure_lines(study)]


def ratio_words(value: PairedRatio | None) -> str:
    """Return a ratio in words: ``4.13 times as fast [3.38, 5.04]``, ``more than 7.41 times as fast``."""
    if value is None:
        return "not known, no seed has finished both"
    if value.n == 0:
        return f"not known ({_left_out(value)})"
    left_out = f"; {_left_out(value)}" if value.untrained else ""
    return _ratio(value) + left_out


def _ratio(value: PairedRatio) -> str:
    if value.mean is not None:
        return _mean_words(value)
    low, high = value.median
    some = f"median; {value.censored} of {count(value.n, 'pair')} with a run that did not reach the target"
    if low > 0 and math.isfinite(high):
        return f"{between(low, high)} times as fast ({some})"
    if low > 0:
        return f"more than {as_fast(low)} ({some})"
    if math.isfinite(high):
        return f"less than {as_fast(high)} ({some})"
    return f"not known ({some.removeprefix('median; ')})"


def _left_out(value: PairedRatio) -> str:
    pairs = count(value.n + value.untrained, "pair")
    return f"left out: {value.untrained} of {pairs}, whose target an untrained model meets"


def time_words(value: OverRuns | None, unit: str = "s") -> str:
    """Return a time over seeds: ``123 [110, 136] s``, ``median 140 s (1 of 3 not there)``, ``> 200 s``.

    With an empty `unit` the bare numbers.
    """
    if value is None:
        return "no run"
    unit = f" {unit}" if unit else ""
    if value.mean is not None:
        return f"{amount(value.mean.mean)}{_interval(value)}{unit}"
    low, high = value.median
    some = f" ({_exceptions(value)})" if value.censored or value.untrained else ""
    if high == 0.0:
        return f"untrained{some}"
    if low == high:
        return f"median {amount(low)}{unit}{some}"
    if not math.isfinite(high):
        return f"> {amount(low)}{unit}{some}"
    if low == 0.0:
        return f"median at most {amount(high)}{unit}{some}"
    return f"median {' to '.join(dict.fromkeys((amount(low), amount(high))))}{unit}{some}"


def _interval(value: OverRuns) -> str:
    mean = value.mean
    if mean is None or math.isnan(mean.low):
        return ""
    return f" [{amount(mean.low)}, {amount(mean.high)}]"


def _exceptions(value: OverRuns) -> str:
    """Return which of the runs have no time: ``1 of 3 not there, 1 of 3 untrained``."""
    counts = {"not there": value.censored, "untrained": value.untrained}
    return ", ".join(f"{number} of {value.n} {what}" for what, number in counts.items() if number)


def crossover_line(study: StudyResult, panel: Mapping[str, str], rival: str, target: float) -> str:
    """Say where along x `rival` stops beating the baseline, or that there is no such place in the range."""
    axis = study.roles.x
    assert axis is not None
    base = baseline_line(study)
    ratios = [
        ratio(study, at_place(study, panel, base, x), at_place(study, panel, rival, x), target)
        for x in axis.texts
    ]
    one, other = short_label(study, rival), short_label(study, base)
    found = crossovers(axis.numbers or (), ratios)
    if not found:
        return _no_crossover(study, ratios, one, other)
    places = []
    for crossing in found:
        about = f", about {axis.amount(float(f'{crossing.at:.2g}'))}" if math.isfinite(crossing.at) else ""
        faster = (one, other) if crossing.gains == "below" else (other, one)
        low, high = axis.amount(crossing.low), axis.amount(crossing.high)
        places.append(
            f"between {low} and {high}{about}; {faster[0]} is faster below it, {faster[1]} above it"
        )
    return f"Crossover of {one} and {other}: {'; and '.join(places)}{_doubt(study, ratios)}."


def limit_lines(study: StudyResult, panel: Mapping[str, str]) -> list[str]:
    """Say, for each end of x, which part of the time is the largest, line by line."""
    texts = texts_of(study.roles.x)
    lines = []
    for x in dict.fromkeys((texts[0], texts[-1])):
        parts = []
        for line in texts_of(study.roles.line):
            found = largest_part(study, at_place(study, panel, line, x))
            if found is not None:
                parts.append((short_label(study, line), *found))
        if parts:
            start = f"At {x_label(study, x)} the" if x else "The"
            lines.append(f"{start} largest part of the time is {_limits(parts)}.")
    return lines


def accuracy_lines(study: StudyResult, target: float) -> list[str]:
    """Apply the rule of equal accuracy to each rival, at every x of the first panel."""
    panel, base = panels_of(study)[0], baseline_line(study)
    lines = []
    for rival in rival_lines(study):
        pairs = [
            (at_place(study, panel, base, x), at_place(study, panel, rival, x))
            for x in texts_of(study.roles.x)
        ]
        pairs = [pair for pair in pairs if pair[0].points and pair[1].points]
        equal = [equally_accurate(study, one, two, target) for one, two in pairs]
        if equal:
            lines.append(_equal_words(study, rival, pairs, equal, target))
    return lines


def caveats(study: StudyResult) -> list[str]:
    """Return what must be known to read the intervals: how many seeds, and what the points share."""
    lines = []
    seeds = len(set(study.columns["seed_learning"]))
    if seeds < 2:
        lines.append("One seed is one draw: there are no intervals, and no claim can rest on it.")
    elif seeds < _CLAIM_SEEDS:
        lines.append(f"{seeds} seeds: intervals are wide; a headline claim needs {_CLAIM_SEEDS}.")
    if shares_trainings(study) and study.roles.x is not None:
        name = study.roles.x.name
        lines.append(
            f"Points along {name} are timings of the same trainings: they are correlated. A seed that is "
            f"lucky at one {name} is lucky at all, so neighbours that agree are not further evidence."
        )
    return lines


def failure_lines(study: StudyResult) -> list[str]:
    """Say how many points failed, with the first reason; nothing if none did."""
    failed = study.failed()
    if not failed:
        return []
    reason = " ".join(str(study.columns["reason"][failed[0]]).split())
    return [f"{len(failed)} of {count(study.size, 'point')} failed and are in no figure; the first: {reason}"]


def _heading(study: StudyResult, target: float) -> str:
    seeds = count(len(set(study.columns["seed_learning"])), "seed")
    what = f"Time to {percent(target)} test accuracy (first evaluation at or above it)"
    return f"{what}, {seeds}, geometric means with 95 % t intervals."


def _panel_lines(study: StudyResult, panel: Mapping[str, str], target: float) -> list[str]:
    rivals, base = rival_lines(study), baseline_line(study)
    most = _MOST_LINES if len(panels_of(study)) == 1 else 2
    xs = spread(texts_of(study.roles.x), most)
    if not rivals:
        return [_time_line(study, panel, base, x, target) for x in xs]
    lines = []
    for rival in rivals:
        one, other = short_label(study, rival), short_label(study, base)
        lines.append(f"How many times as fast as {other} is {one}? (paired by seed)")
        lines += [f"  {_ratio_line(study, panel, rival, x, target)}" for x in xs]
        lines.append(_smoothed_line(study, panel, rival, xs, target))
        if study.roles.x is not None and study.roles.x.numeric and len(study.roles.x.texts) > 1:
            lines.append(crossover_line(study, panel, rival, target))
    return lines


def _time_line(study: StudyResult, panel: Mapping[str, str], line: str, x: str, target: float) -> str:
    found = to_target(study, at_place(study, panel, line, x), target)
    return f"  {x_label(study, x) or short_label(study, line)}: {time_words(found)}"


def _ratio_line(study: StudyResult, panel: Mapping[str, str], rival: str, x: str, target: float) -> str:
    base = at_place(study, panel, baseline_line(study), x)
    words = ratio_words(ratio(study, base, at_place(study, panel, rival, x), target))
    return f"{x_label(study, x)}: {words}" if x else words


def _smoothed_line(
    study: StudyResult, panel: Mapping[str, str], rival: str, xs: Sequence[str], target: float
) -> str:
    parts = []
    for x in dict.fromkeys((xs[0], xs[-1])):
        base = at_place(study, panel, baseline_line(study), x)
        words = ratio_words(ratio(study, base, at_place(study, panel, rival, x), target, smoothed=True))
        parts.append(f"{words} at {x_label(study, x)}" if x else words)
    return f"By the mean over 3 evaluations: {'; '.join(parts)}."


def _mean_words(value: PairedRatio) -> str:
    mean = value.mean
    assert mean is not None
    if value.n == 1:
        return f"{as_fast(mean.mean)} (1 seed, no interval)"
    doubt = "" if is_clear(value) else ", no clear difference"
    return f"{as_fast(mean.mean)} [{times(mean.low)}, {times(mean.high)}]{doubt}"


def _no_crossover(study: StudyResult, ratios: Sequence[PairedRatio | None], one: str, other: str) -> str:
    axis = study.roles.x
    assert axis is not None
    low, high = axis.shown(axis.texts[0]), axis.shown(axis.texts[-1])
    sides = {side(value) for value in ratios if value is not None} - {0}
    start = f"No crossover of {one} and {other} from {low} to {high}"
    if not sides:
        return f"{start} is known: nowhere is one clearly ahead of the other."
    faster, slower = (one, other) if sides == {1} else (other, one)
    known = [value for value in ratios if value is not None and side(value)]
    where = (
        "everywhere"
        if len(known) == len(ratios)
        else f"at {len(known)} of {len(ratios)} values, the rest unknown"
    )
    return f"{start}: {faster} is faster than {slower} {where}{_doubt(study, ratios)}."


def _doubt(study: StudyResult, ratios: Sequence[PairedRatio | None]) -> str:
    axis = study.roles.x
    assert axis is not None
    unclear = [
        axis.shown(text)
        for text, value in zip(axis.texts, ratios, strict=True)
        if value is not None and value.mean is not None and value.n > 1 and not is_clear(value)
    ]
    return f" (intervals include 1 at {', '.join(unclear)})" if unclear else ""


def _limits(parts: Sequence[tuple[str, str, float]]) -> str:
    """Return ``airtime (69 % for raw fp32, 55 % for top-k)`` or, where they differ, one after another."""
    said = []
    for part in dict.fromkeys(part for _, part, _ in parts):
        shares = (f"{100 * share:.0f} % for {line}" for line, largest, share in parts if largest == part)
        said.append(f"{part} ({', '.join(shares)})")
    return " and ".join(said)


def _equal_words(
    study: StudyResult,
    rival: str,
    pairs: Sequence[tuple[Combination, Combination]],
    equal: Sequence[bool],
    target: float,
) -> str:
    one, other = short_label(study, rival), short_label(study, baseline_line(study))
    finals = [final_mean(study, place) for place in pairs[0]]
    shown = f"{other} {100 * finals[0]:.1f} %, {one} {100 * finals[1]:.1f} %"
    if all(equal):
        said = "are equally accurate"
    elif any(equal):
        said = f"are equally accurate at {sum(equal)} of {len(equal)} places"
    elif abs(finals[0] - finals[1]) <= EQUAL_POINTS:
        said = "cannot be called equally accurate, because not every run crosses"
    else:
        said = "are not equally accurate"
    return (
        f"By the rule (every run crosses {percent(target)} smoothed, final means within half a point) {one} "
        f"and {other} {said}: mean of the last 3 evaluations {shown}."
    )
