"""`ask`: which values of a setting meet a bound; the answer, over all seeds, in words.

Each training is recorded or made, then replayed with other values until the bracket is narrow.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from slfac_sim.analysis.answer_result import ANSWER
from slfac_sim.runs.folder import check_place, make_folder
from slfac_sim.scenario.schema import Seed
from slfac_sim.studies.search.answer import facts_of, left_out, write_answer
from slfac_sim.studies.search.bisection import GRID, Edge, SearchResult, search, turns
from slfac_sim.studies.search.question import Measure, Question, read_question
from slfac_sim.studies.search.replays import Request
from slfac_sim.studies.search.setting import Setting, setting_at, shown, shown_apart

_MET_BY_ALL = "nothing is timed for any seed"


@dataclass(frozen=True)
class Answer:
    """What the search gave for one pair of seeds."""

    seed: Seed
    result: SearchResult


def ask(request: Request, text: str) -> Path:
    """Find the values of the setting setting for which the question in `text` holds; return the folder.

    Raises `BadInput` for a question, a setting or a range that cannot be used.
    """
    question = read_question(text)
    scenario = request.scenario_with()
    setting = setting_at(scenario, request.vary)
    between = setting.between(request.between)
    check_place(request.out)
    answers = []
    for training in request.replays():
        request.say(f"replaying seed {training.seed.learning} with other values of {setting.path}")
        measured = training.measure(question.measure, setting)
        answers.append(Answer(training.seed, search(measured, question.holds, between)))
    points = [("", a.seed, sample.value, sample.measured) for a in answers for sample in a.result.samples]
    facts = {"question": question.text, **facts_of(between, [(a.seed, a.result) for a in answers])}
    words = answer_lines(question, setting, answers)
    marks = [edge.inside.value for answer in answers for edge in answer.result.edges]
    folder = make_folder(request.out, f"ask/{scenario.name}", ANSWER)
    write_answer(folder, words, facts, points, setting, question.measure, marks, [scenario], question.bound)
    return folder


def answer_lines(question: Question, setting: Setting, answers: Sequence[Answer]) -> list[str]:
    """Return the lines that answer `question`; the last one is the answer over all seeds."""
    lines = [_of_one(question, setting, answer.result) for answer in answers]
    if len(answers) == 1:
        return [*_caution(setting, answers), *lines]
    named = [f"{_seeds(answer.seed)}: {line}" for answer, line in zip(answers, lines, strict=True)]
    timed = [answer.result for answer in answers if not is_untrained(question.measure, answer.result)]
    whole = _MET_BY_ALL
    if timed:
        whole = _of_one(question, setting, timed[0]) if len(timed) == 1 else _of_all(question, setting, timed)
    return [*named, *_caution(setting, answers), whole + left_out(len(answers) - len(timed), len(answers))]


def is_untrained(measure: Measure, result: SearchResult) -> bool:
    """Say whether the untrained model met the target, so that no network can change when it was reached."""
    return all(measure.is_untrained(sample.measured) for sample in result.samples)


def measured_text(measure: Measure, value: float) -> str:
    """Return a measured value for people: ``599 s``, or that the target was never reached."""
    return "never" if math.isinf(value) else shown(value, measure.dimension)


def _seeds(seed: Seed) -> str:
    one = seed.learning == seed.air
    return f"seed {seed.learning}" if one else f"seeds {seed.learning} (learning), {seed.air} (air)"


def _of_one(question: Question, setting: Setting, result: SearchResult) -> str:
    where = f"{setting.path} {setting.range_text(result)}"
    if is_untrained(question.measure, result):
        return "the untrained model meets the target: no training is timed, and no network changes that"
    if result.everywhere:
        return f"every {where} gives {question.text} ({_ends(question.measure, setting, result)})"
    if result.nowhere:
        return f"no {where} gives {question.text}; {_nearest(question, setting, result)}"
    if len(result.edges) == 1:
        edge = result.edges[0]
        which = "smallest" if edge.holds_above else "largest"
        return (
            f"the {which} {setting.path} with {question.text} is {_bracket(question.measure, setting, edge)}"
        )
    held = " and ".join(f"from {setting.shown(a)} to {setting.shown(b)}" for a, b in result.stretches())
    return f"{question.text} holds with {setting.path} {held}, and elsewhere {setting.range_text(result)} not"


def _bracket(measure: Measure, setting: Setting, edge: Edge) -> str:
    ends = edge.inside, edge.outside
    inside, outside = shown_apart([end.value for end in ends], setting.dimension)
    if any(math.isinf(end.measured) for end in ends):
        texts = [measured_text(measure, end.measured) for end in ends]
    else:
        texts = shown_apart([end.measured for end in ends], measure.dimension)
    return f"{inside} ({texts[0]}; at {outside} {texts[1]})"


def _ends(measure: Measure, setting: Setting, result: SearchResult) -> str:
    low, high = result.samples[0], result.samples[-1]
    return (
        f"{measured_text(measure, low.measured)} at {setting.shown(low.value)}, "
        f"{measured_text(measure, high.measured)} at {setting.shown(high.value)}"
    )


def _nearest(question: Question, setting: Setting, result: SearchResult) -> str:
    if all(math.isinf(sample.measured) for sample in result.samples):
        return "the target is not reached in the rounds that were trained, and no network changes that"
    best = min(result.samples, key=lambda sample: abs(sample.measured - question.bound))
    measured = measured_text(question.measure, best.measured)
    return f"the nearest is {measured}, at {setting.shown(best.value)}"


def _of_all(question: Question, setting: Setting, results: Sequence[SearchResult]) -> str:
    count, where = len(results), f"{setting.path} {setting.range_text(results[0])}"
    open_ended = [result for result in results if result.nowhere]
    directions = {edge.holds_above for result in results for edge in result.edges}
    if open_ended:
        return (
            f"no {where} gives {question.text} for each of {count} seeds: "
            f"none does for {len(open_ended)} of them"
        )
    if len(directions) > 1 or any(len(result.edges) > 1 for result in results):
        return f"the {count} seeds have no single threshold in common; see the lines above"
    if not directions:
        return f"every {where} gives {question.text} for each of {count} seeds"
    return _spread(question, setting, results, upwards=directions.pop())


def _spread(question: Question, setting: Setting, results: Sequence[SearchResult], upwards: bool) -> str:
    """Return the answer for all seeds at once: the value that does it for each of them, and the others'."""
    end = 0 if upwards else -1
    values = sorted(
        (result.edges[0].inside.value if result.edges else result.samples[end].value for result in results),
        reverse=not upwards,
    )
    which = "smallest" if upwards else "largest"
    free = sum(result.everywhere for result in results)
    note = f"; for {free} of them the whole range does it" if free else ""
    return (
        f"the {which} {setting.path} with {question.text} for each of {len(results)} seeds is "
        f"{setting.shown(values[-1])} ({spread_text(setting, values)}{note})"
    )


def spread_text(setting: Setting, values: Sequence[float]) -> str:
    """Return the ends of the sorted `values` of several seeds, and their median from three seeds on."""
    middle = f", median {setting.shown(median(values))}" if len(values) > 2 else ""
    ends = dict.fromkeys((setting.shown(values[0]), setting.shown(values[-1])))
    return f"by seed {' to '.join(ends)}{middle}"


def _caution(setting: Setting, answers: Sequence[Answer]) -> list[str]:
    """Return a line when a curve is not monotone: an edge between two values of the grid may be unseen."""
    bends = sorted({value for answer in answers for value in turns(answer.result.samples)})
    if not bends:
        return []
    places = ", ".join(setting.shown(value) for value in bends[:5]) + (", ..." if len(bends) > 5 else "")
    return [
        f"the curve is not monotone: it turns at {places}; between two of the {GRID} values looked at first "
        "it may meet the bound unseen"
    ]
