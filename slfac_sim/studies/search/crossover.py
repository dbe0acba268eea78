"""`crossover`: over one setting of the network, where one codec (or other settings) stops beating another.

Times to the target are compared of paired replays: same seeds, same air.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from slfac_sim.analysis.answer_result import ANSWER
from slfac_sim.analysis.format import as_fast
from slfac_sim.foundation.errors import BadInput
from slfac_sim.foundation.targets import ACCURACY, Target, hardest_first
from slfac_sim.ledger.measured import best_in
from slfac_sim.runs.folder import check_place, make_folder
from slfac_sim.scenario.schema import Scenario, Seed
from slfac_sim.studies.search.answer import Point, facts_of, left_out, write_answer
from slfac_sim.studies.search.bisection import SearchResult, search
from slfac_sim.studies.search.question import Measure, time_to
from slfac_sim.studies.search.replays import Replays, Request
from slfac_sim.studies.search.setting import Setting, setting_at


@dataclass(frozen=True)
class Side:
    """One of the two: its name for people, and its trainings, one for each seed."""

    name: str
    replays: Sequence[Replays]


@dataclass(frozen=True)
class Pair:
    """Both sides for one pair of seeds: `result` is the search on the ratio of their times, A over B."""

    seed: Seed
    result: SearchResult
    times_s: dict[float, tuple[float, float]]  # value: time of A, time of B


def crossover(request: Request, a: str, b: str, target: Target | None = None) -> Path:
    """Find where A stops reaching the `target` before B; return the folder of the answer.

    `a` and `b` are codecs (``raw``) or overrides (``codec.uplink.theta=0.8; codec.downlink=raw``). Without
    `target`, the scenario's highest that both reach. Raises `BadInput`.
    """
    overrides = {name: side_overrides(name) for name in (a, b)}
    scenario = request.scenario_with(*overrides.values())
    setting = setting_at(scenario, request.vary)
    between = setting.between(request.between)
    check_place(request.out)
    sides = [Side(name, request.replays(overrides[name])) for name in (a, b)]
    measure = time_to(target) if target is not None else _common_target(scenario, sides)
    pairs = []
    for first, second in zip(sides[0].replays, sides[1].replays, strict=True):
        request.say(f"replaying seed {first.seed.learning} of both with other values of {setting.path}")
        pairs.append(compare_pair(first, second, measure, setting, between))
    words = crossover_lines(a, b, measure, setting, pairs)
    facts = {"a": a, "b": b, **facts_of(between, [(pair.seed, pair.result) for pair in pairs])}
    marks = [edge.low.value for pair in pairs for edge in pair.result.edges]
    folder = make_folder(request.out, f"crossover/{scenario.name}", ANSWER)
    scenarios = [scenario, *(side.replays[0].scenario for side in sides)]
    write_answer(folder, words, facts, _points(sides, pairs), setting, measure, marks, scenarios)
    return folder


def side_overrides(text: str) -> list[str]:
    """Return the overrides that one side stands for: ``raw`` is ``codec=raw``; ``;`` parts several."""
    parts = [part.strip() for part in text.split(";")]
    if not all(parts):
        raise BadInput(f"'{text}': expected a codec, or KEY=VALUE; KEY=VALUE; ...")
    return [part if "=" in part else f"codec={part}" for part in parts]


def _common_target(scenario: Scenario, sides: Sequence[Side]) -> Measure:
    """Return the hardest target of `scenario` that every training of both sides reached."""
    summaries = [one.record.summary for side in sides for one in side.replays]
    aims = scenario.evaluation.aims
    reached = [aim for aim in aims if all(aim.met(best_in(summary, aim.metric)) for summary in summaries)]
    if not reached:
        best, targets = min(best_in(summary, ACCURACY) or 0.0 for summary in summaries), _listed(aims)
        raise BadInput(f"--target: not every training reaches one of {targets}; name one up to {best:.4g}")
    return time_to(hardest_first(reached)[0])


def _listed(aims: Sequence[Target]) -> str:
    return ", ".join(aim.text for aim in aims)


def _points(sides: Sequence[Side], pairs: Sequence[Pair]) -> list[Point]:
    return [
        (side.name, pair.seed, value, times[number])
        for pair in pairs
        for value, times in pair.times_s.items()
        for number, side in enumerate(sides)
    ]


def compare_pair(
    a: Replays, b: Replays, measure: Measure, setting: Setting, between: tuple[float, float]
) -> Pair:
    """Return where A is the faster one, for one pair of seeds."""
    first, second = a.measure(measure, setting), b.measure(measure, setting)
    times: dict[float, tuple[float, float]] = {}

    def ratio(value: float) -> float:
        times[value] = first(value), second(value)
        return _ratio(*times[value])

    result = search(ratio, lambda measured: measured < 1.0, between)
    return Pair(a.seed, result, times)


def _ratio(a: float, b: float) -> float:
    if a == b:
        return 1.0
    return a / b if b > 0.0 and math.isfinite(b) else 0.0 if b else math.inf


def crossover_lines(a: str, b: str, measure: Measure, setting: Setting, pairs: Sequence[Pair]) -> list[str]:
    """Return the lines that say where A and B cross; the last one is the answer over all seeds."""
    lines = [_of_one(a, b, measure, setting, pair) for pair in pairs]
    if len(pairs) == 1:
        return lines
    named = [f"seed {pair.seed.learning}: {line}" for pair, line in zip(pairs, lines, strict=True)]
    compared = [pair for pair in pairs if not _untrained(a, b, measure, pair)]
    if not compared:
        whole = "no pair of trainings is compared"
    elif len(compared) == 1:
        whole = _of_one(a, b, measure, setting, compared[0])
    else:
        whole = _of_all(a, b, measure, setting, compared)
    return [*named, whole + left_out(len(pairs) - len(compared), len(pairs))]


def _of_one(a: str, b: str, measure: Measure, setting: Setting, pair: Pair) -> str:
    result, where = pair.result, f"{setting.path} {setting.range_text(pair.result)}"
    untrained = _untrained(a, b, measure, pair)
    if untrained:
        return f"not compared: the untrained model of {' and of '.join(untrained)} meets the target"
    silent = _never(a, b, pair)
    if silent is not None:
        return silent
    if all(sample.measured == 1.0 for sample in result.samples):
        return f"{a} and {b} take the same time at every {where}"
    if not result.edges:
        winner, loser = (a, b) if result.holds_at_low else (b, a)
        return (
            f"no crossover: {winner} beats {loser} at every {where} ({_factors(result, setting, a, b)}, "
            f"{measure.title})"
        )
    if len(result.edges) == 1:
        edge = result.edges[0]
        below, above = (b, a) if edge.holds_above else (a, b)
        low, high = setting.shown(edge.low.value), setting.shown(edge.high.value)
        return (
            f"{below} beats {above} up to {setting.path} = {low}, and not from {high} on "
            f"({_factors(result, setting, a, b)}, {measure.title})"
        )
    held = " and ".join(f"from {setting.shown(x)} to {setting.shown(y)}" for x, y in result.stretches())
    held = f"{setting.path} {held}, and not elsewhere"
    return f"several crossovers: {a} beats {b} with {held} ({measure.title})"


def _untrained(a: str, b: str, measure: Measure, pair: Pair) -> list[str]:
    """Return the sides whose untrained model met the target: what is timed there is no training."""
    times = pair.times_s.values()
    return [
        name for name, side in ((a, 0), (b, 1)) if any(measure.is_untrained(both[side]) for both in times)
    ]


def _never(a: str, b: str, pair: Pair) -> str | None:
    times = list(pair.times_s.values())
    lost = [name for name, side in ((a, 0), (b, 1)) if all(math.isinf(both[side]) for both in times)]
    if not lost:
        return None
    if len(lost) == 2:
        return f"neither {a} nor {b} reaches the target in the rounds that were trained"
    winner = b if lost[0] == a else a
    return f"no crossover: {lost[0]} never reaches the target in the rounds that were trained, {winner} does"


def _factors(result: SearchResult, setting: Setting, a: str, b: str) -> str:
    """Return which one is faster at both ends, and by how much."""
    ends = (result.samples[0], result.samples[-1])
    return ", ".join(
        f"{a if end.measured < 1.0 else b} {as_fast(_factor(end.measured))} at {setting.shown(end.value)}"
        for end in ends
    )


def _factor(ratio: float) -> float:
    return max(ratio, 1.0 / ratio) if ratio > 0.0 else math.inf


def _of_all(a: str, b: str, measure: Measure, setting: Setting, pairs: Sequence[Pair]) -> str:
    crossings = sorted(pair.result.edges[0].low.value for pair in pairs if len(pair.result.edges) == 1)
    others = [pair for pair in pairs if len(pair.result.edges) != 1]
    ups = {pair.result.edges[0].holds_above for pair in pairs if len(pair.result.edges) == 1}
    if not others and len(ups) == 1:
        below, above = (b, a) if ups.pop() else (a, b)
        ends = " to ".join(dict.fromkeys((setting.shown(crossings[0]), setting.shown(crossings[-1]))))
        return (
            f"{below} stops beating {above} at {setting.path} = {setting.shown(median(crossings))} "
            f"(median of {len(pairs)} seeds, {ends}; {measure.title})"
        )
    sides = {pair.result.holds_at_low for pair in pairs}
    if not crossings and len(sides) == 1 and not any(pair.result.edges for pair in pairs):
        winner, loser = (a, b) if sides.pop() else (b, a)
        where = setting.range_text(pairs[0].result)
        return (
            f"no crossover in any of {len(pairs)} seeds: {loser} beats {winner} at no {setting.path} {where}"
        )
    return f"the {len(pairs)} seeds disagree: {len(crossings)} have one crossover; see the lines above"
