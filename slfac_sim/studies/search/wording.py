"""An answer in words: which value does it, in which bracket, for which seeds, or plainly that none does.

It knows what a search found and how quantities are written; it searches nothing.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from slfac_sim.scenario.schema import Seed
from slfac_sim.studies.search.question import Measure, Question
from slfac_sim.studies.search.search import GRID, Edge, Found, turns
from slfac_sim.studies.search.varied import Varied, shown

_MET_BY_ALL = "nothing is timed for any seed"


@dataclass(frozen=True)
class Answer:
    """What was found for one pair of seeds."""

    seed: Seed
    found: Found


def asked_words(question: Question, varied: Varied, answers: Sequence[Answer]) -> list[str]:
    """Return the lines that answer `question`; the last one is the answer over all seeds."""
    lines = [_of_one(question, varied, answer.found) for answer in answers]
    if len(answers) == 1:
        return [*_caution(varied, answers), *lines]
    named = [f"{_seeds(answer.seed)}: {line}" for answer, line in zip(answers, lines, strict=True)]
    asked = [answer.found for answer in answers if not is_untrained(question.measure, answer.found)]
    whole = _MET_BY_ALL
    if asked:
        whole = _of_one(question, varied, asked[0]) if len(asked) == 1 else _of_all(question, varied, asked)
    return [*named, *_caution(varied, answers), whole + left_out(len(answers) - len(asked), len(answers))]


def is_untrained(measure: Measure, found: Found) -> bool:
    """Say whether the untrained model met the target, so that no network can change when it was reached."""
    return all(measure.is_untrained(sample.measured) for sample in found.samples)


def left_out(untrained: int, of: int) -> str:
    """Return how many seeds are not in an answer over all of them; nothing if there are none."""
    return (
        f" (left out: {untrained} of {of} seeds, whose untrained model meets the target)" if untrained else ""
    )


def measured_text(measure: Measure, value: float) -> str:
    """Return a measured value for people: ``599 s``, or that the target was never reached."""
    return "never" if math.isinf(value) else shown(value, measure.dimension)


def _seeds(seed: Seed) -> str:
    one = seed.learning == seed.air
    return f"seed {seed.learning}" if one else f"seeds {seed.learning} (learning), {seed.air} (air)"


def range_text(varied: Varied, found: Found) -> str:
    """Return the range that was searched, in words."""
    return f"from {varied.shown(found.samples[0].value)} to {varied.shown(found.samples[-1].value)}"


def _of_one(question: Question, varied: Varied, found: Found) -> str:
    where = f"{varied.path} {range_text(varied, found)}"
    if is_untrained(question.measure, found):
        return "the untrained model meets the target: no training is timed, and no network changes that"
    if found.everywhere:
        return f"every {where} gives {question.text} ({_ends(question.measure, varied, found)})"
    if found.nowhere:
        return f"no {where} gives {question.text}; {_nearest(question, varied, found)}"
    if len(found.edges) == 1:
        edge = found.edges[0]
        which = "smallest" if edge.holds_above else "largest"
        return f"the {which} {varied.path} with {question.text} is {_bracket(question.measure, varied, edge)}"
    held = " and ".join(f"from {varied.shown(a)} to {varied.shown(b)}" for a, b in found.stretches())
    return f"{question.text} holds with {varied.path} {held}, and elsewhere {range_text(varied, found)} not"


def _bracket(measure: Measure, varied: Varied, edge: Edge) -> str:
    inside, outside = edge.inside, edge.outside
    return (
        f"{varied.shown(inside.value)} ({measured_text(measure, inside.measured)}; "
        f"at {varied.shown(outside.value)} {measured_text(measure, outside.measured)})"
    )


def _ends(measure: Measure, varied: Varied, found: Found) -> str:
    low, high = found.samples[0], found.samples[-1]
    return (
        f"{measured_text(measure, low.measured)} at {varied.shown(low.value)}, "
        f"{measured_text(measure, high.measured)} at {varied.shown(high.value)}"
    )


def _nearest(question: Question, varied: Varied, found: Found) -> str:
    if all(math.isinf(sample.measured) for sample in found.samples):
        return "the target is not reached in the rounds that were trained, and no network changes that"
    best = min(found.samples, key=lambda sample: abs(sample.measured - question.bound))
    measured = measured_text(question.measure, best.measured)
    return f"the nearest is {measured}, at {varied.shown(best.value)}"


def _of_all(question: Question, varied: Varied, found: Sequence[Found]) -> str:
    count, where = len(found), f"{varied.path} {range_text(varied, found[0])}"
    open_ended = [one for one in found if one.nowhere]
    directions = {edge.holds_above for one in found for edge in one.edges}
    if open_ended:
        return (
            f"no {where} gives {question.text} for each of {count} seeds: "
            f"none does for {len(open_ended)} of them"
        )
    if len(directions) > 1 or any(len(one.edges) > 1 for one in found):
        return f"the {count} seeds have no single threshold in common; see the lines above"
    if not directions:
        return f"every {where} gives {question.text} for each of {count} seeds"
    return _spread(question, varied, found, upwards=directions.pop())


def _spread(question: Question, varied: Varied, found: Sequence[Found], upwards: bool) -> str:
    """Return the answer for all seeds at once: the value that does it for each of them, and the others'."""
    end = 0 if upwards else -1
    values = sorted(
        (one.edges[0].inside.value if one.edges else one.samples[end].value for one in found),
        reverse=not upwards,
    )
    which = "smallest" if upwards else "largest"
    free = sum(one.everywhere for one in found)
    note = f"; for {free} of them the whole range does it" if free else ""
    return (
        f"the {which} {varied.path} with {question.text} for each of {len(found)} seeds is "
        f"{varied.shown(values[-1])} ({spread_text(varied, values)}{note})"
    )


def spread_text(varied: Varied, values: Sequence[float]) -> str:
    """Return the ends of the sorted `values` of several seeds, and their median from three seeds on."""
    middle = f", median {varied.shown(median(values))}" if len(values) > 2 else ""
    ends = dict.fromkeys((varied.shown(values[0]), varied.shown(values[-1])))
    return f"by seed {' to '.join(ends)}{middle}"


def _caution(varied: Varied, answers: Sequence[Answer]) -> list[str]:
    """Return a line when a curve is not monotone: an edge between two values of the grid may be unseen."""
    bends = sorted({value for answer in answers for value in turns(answer.found.samples)})
    if not bends:
        return []
    places = ", ".join(varied.shown(value) for value in bends[:5]) + (", ..." if len(bends) > 5 else "")
    return [
        f"the curve is not monotone: it turns at {places}; between two of the {GRID} values looked at first "
        "it may meet the bound unseen"
    ]
