"""The crossover of two settings: over one setting of the network, where one stops reaching a target first.

It compares times to the target of paired replays (same seeds, same air), and knows no codec by name.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from slfac_sim.analysis.format import as_fast
from slfac_sim.scenario.schema import Seed
from slfac_sim.studies.search.question import Measure
from slfac_sim.studies.search.replays import Replays
from slfac_sim.studies.search.search import Found, search
from slfac_sim.studies.search.varied import Varied
from slfac_sim.studies.search.wording import left_out, range_text


@dataclass(frozen=True)
class Side:
    """One of the two: its name for people, and its trainings, one for each seed."""

    name: str
    replays: Sequence[Replays]


@dataclass(frozen=True)
class Duel:
    """Both sides for one pair of seeds: `found` is the search on the ratio time of A over time of B."""

    seed: Seed
    found: Found
    times_s: dict[float, tuple[float, float]]  # value: time of A, time of B


def fight(a: Replays, b: Replays, measure: Measure, varied: Varied, between: tuple[float, float]) -> Duel:
    """Return where A is the faster one, for one pair of seeds."""
    first, second = a.measure(measure, varied), b.measure(measure, varied)
    times: dict[float, tuple[float, float]] = {}

    def ratio(value: float) -> float:
        times[value] = first(value), second(value)
        return _ratio(*times[value])

    found = search(ratio, lambda measured: measured < 1.0, between)
    return Duel(a.seed, found, times)


def _ratio(a: float, b: float) -> float:
    if a == b:
        return 1.0
    return a / b if b > 0.0 and math.isfinite(b) else 0.0 if b else math.inf


def crossover_words(a: str, b: str, measure: Measure, varied: Varied, duels: Sequence[Duel]) -> list[str]:
    """Return the lines that say where A and B cross; the last one is the answer over all seeds."""
    lines = [_of_one(a, b, measure, varied, duel) for duel in duels]
    if len(duels) == 1:
        return lines
    named = [f"seed {duel.seed.learning}: {line}" for duel, line in zip(duels, lines, strict=True)]
    compared = [duel for duel in duels if not _untrained(a, b, measure, duel)]
    if not compared:
        whole = "no pair of trainings is compared"
    elif len(compared) == 1:
        whole = _of_one(a, b, measure, varied, compared[0])
    else:
        whole = _of_all(a, b, measure, varied, compared)
    return [*named, whole + left_out(len(duels) - len(compared), len(duels))]


def _of_one(a: str, b: str, measure: Measure, varied: Varied, duel: Duel) -> str:
    found, where = duel.found, f"{varied.path} {range_text(varied, duel.found)}"
    untrained = _untrained(a, b, measure, duel)
    if untrained:
        return f"not compared: the untrained model of {' and of '.join(untrained)} meets the target"
    silent = _never(a, b, duel)
    if silent is not None:
        return silent
    if all(sample.measured == 1.0 for sample in found.samples):
        return f"{a} and {b} take the same time at every {where}"
    if not found.edges:
        winner, loser = (a, b) if found.holds_at_low else (b, a)
        return (
            f"no crossover: {winner} beats {loser} at every {where} ({_factors(found, varied, a, b)}, "
            f"{_target(measure)})"
        )
    if len(found.edges) == 1:
        edge = found.edges[0]
        below, above = (b, a) if edge.holds_above else (a, b)
        low, high = varied.shown(edge.low.value), varied.shown(edge.high.value)
        return (
            f"{below} beats {above} up to {varied.path} = {low}, and not from {high} on "
            f"({_factors(found, varied, a, b)}, {_target(measure)})"
        )
    held = " and ".join(f"from {varied.shown(x)} to {varied.shown(y)}" for x, y in found.stretches())
    return (
        f"several crossovers: {a} beats {b} with {varied.path} {held}, and not elsewhere ({_target(measure)})"
    )


def _untrained(a: str, b: str, measure: Measure, duel: Duel) -> list[str]:
    """Return the sides whose untrained model met the target: what is timed there is no training."""
    times = duel.times_s.values()
    return [
        name for name, side in ((a, 0), (b, 1)) if any(measure.is_untrained(pair[side]) for pair in times)
    ]


def _never(a: str, b: str, duel: Duel) -> str | None:
    times = list(duel.times_s.values())
    lost = [name for name, side in ((a, 0), (b, 1)) if all(math.isinf(pair[side]) for pair in times)]
    if not lost:
        return None
    if len(lost) == 2:
        return f"neither {a} nor {b} reaches the target in the rounds that were trained"
    winner = b if lost[0] == a else a
    return f"no crossover: {lost[0]} never reaches the target in the rounds that were trained, {winner} does"


def _factors(found: Found, varied: Varied, a: str, b: str) -> str:
    """Return which one is faster at both ends, and by how much."""
    ends = (found.samples[0], found.samples[-1])
    return ", ".join(
        f"{a if end.measured < 1.0 else b} {as_fast(_factor(end.measured))} at {varied.shown(end.value)}"
        for end in ends
    )


def _factor(ratio: float) -> float:
    return max(ratio, 1.0 / ratio) if ratio > 0.0 else math.inf


def _target(measure: Measure) -> str:
    return measure.axis[0]


def _of_all(a: str, b: str, measure: Measure, varied: Varied, duels: Sequence[Duel]) -> str:
    crossings = sorted(duel.found.edges[0].low.value for duel in duels if len(duel.found.edges) == 1)
    others = [duel for duel in duels if len(duel.found.edges) != 1]
    ups = {duel.found.edges[0].holds_above for duel in duels if len(duel.found.edges) == 1}
    if not others and len(ups) == 1:
        below, above = (b, a) if ups.pop() else (a, b)
        ends = " to ".join(dict.fromkeys((varied.shown(crossings[0]), varied.shown(crossings[-1]))))
        return (
            f"{below} stops beating {above} at {varied.path} = {varied.shown(median(crossings))} "
            f"(median of {len(duels)} seeds, {ends}; {_target(measure)})"
        )
    sides = {duel.found.holds_at_low for duel in duels}
    if not crossings and len(sides) == 1 and not any(duel.found.edges for duel in duels):
        winner, loser = (a, b) if sides.pop() else (b, a)
        where = range_text(varied, duels[0].found)
        return (
            f"no crossover in any of {len(duels)} seeds: {loser} beats {winner} at no {varied.path} {where}"
        )
    return f"the {len(duels)} seeds disagree: {len(crossings)} have one crossover; see the lines above"
