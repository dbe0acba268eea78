"""The two questions from end to end: trainings are found or made, replays searched, the answer written.

It knows the order of the steps, and what each takes from the one before.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from slfac_sim.foundation.errors import BadInput
from slfac_sim.foundation.host import threads_for
from slfac_sim.foundation.units import exact
from slfac_sim.runs.folder import check_place, make_folder
from slfac_sim.scenario.files import load
from slfac_sim.scenario.schema import Scenario, Seed
from slfac_sim.studies import trainings
from slfac_sim.studies.search.crossover import Duel, Side, crossover_words, fight
from slfac_sim.studies.search.files import ANSWER, Point, write_answer
from slfac_sim.studies.search.question import Measure, read_question, time_to
from slfac_sim.studies.search.replays import Replays, Say, recorded
from slfac_sim.studies.search.search import Found, search
from slfac_sim.studies.search.varied import varied
from slfac_sim.studies.search.wording import Answer, asked_words


@dataclass(frozen=True)
class Request:
    """What both questions need: the scenario and its overrides, what is varied over which range, the seeds.

    `seeds` None takes the scenario's own; `threads` are the host threads of a training (None: the usual
    number), and a part of what tells trainings apart; `between` is a text such as ``"1 MHz,100 MHz"``.
    Trainings lie in `cache`, the answer goes into `out` (None: a new folder under ``runs/``), and `say` is
    told what takes long.
    """

    scenario: str
    vary: str
    overrides: Sequence[str] = ()
    between: str | None = None
    seeds: int | None = None
    cache: Path = trainings.DEFAULT
    threads: int | None = None
    out: Path | None = None
    say: Say = lambda line: None


def ask(request: Request, text: str) -> Path:
    """Find the values of the varied setting for which the question in `text` holds; return the folder.

    Raises `BadInput` for a question, a setting or a range that cannot be used.
    """
    question = read_question(text)
    scenario = _scenario(request)
    setting = varied(scenario, request.vary)
    between = setting.between(request.between)
    check_place(request.out)
    answers = []
    for one in _trainings(request, ()):
        request.say(f"replaying seed {one.seed.learning} with other values of {setting.path}")
        measured = one.measure(question.measure, setting)
        answers.append(Answer(one.seed, search(measured, question.holds, between)))
    points = [("", a.seed, sample.value, sample.measured) for a in answers for sample in a.found.samples]
    facts = {
        "question": question.text,
        "between": between,
        "seeds": [_facts(a.seed, a.found) for a in answers],
    }
    words = asked_words(question, setting, answers)
    marks = [edge.inside.value for answer in answers for edge in answer.found.edges]
    folder = make_folder(request.out, f"ask/{scenario.name}", ANSWER)
    write_answer(folder, words, facts, points, setting, question.measure, marks, question.bound)
    return folder


def crossover(request: Request, a: str, b: str, target: float | None = None) -> Path:
    """Find where A stops reaching the `target` accuracy before B; return the folder of the answer.

    `a` and `b` are codecs (``raw``) or overrides (``codec.uplink.theta=0.8; codec.downlink=raw``). Without
    `target`, the scenario's highest that both reach. Raises `BadInput`.
    """
    overrides = {name: side_overrides(name) for name in (a, b)}
    scenario = _scenario(request, *overrides.values())
    setting = varied(scenario, request.vary)
    between = setting.between(request.between)
    check_place(request.out)
    sides = [Side(name, _trainings(request, overrides[name])) for name in (a, b)]
    measure = time_to(target) if target is not None else _common_target(scenario, sides)
    duels = []
    for first, second in zip(sides[0].replays, sides[1].replays, strict=True):
        request.say(f"replaying seed {first.seed.learning} of both with other values of {setting.path}")
        duels.append(fight(first, second, measure, setting, between))
    words = crossover_words(a, b, measure, setting, duels)
    facts = {
        "a": a,
        "b": b,
        "between": between,
        "seeds": [_facts(duel.seed, duel.found) for duel in duels],
    }
    marks = [edge.low.value for duel in duels for edge in duel.found.edges]
    folder = make_folder(request.out, f"crossover/{scenario.name}", ANSWER)
    write_answer(folder, words, facts, list(_points(sides, duels)), setting, measure, marks)
    return folder


def side_overrides(text: str) -> list[str]:
    """Return the overrides that one side stands for: ``raw`` is ``codec=raw``; ``;`` parts several."""
    parts = [part.strip() for part in text.split(";")]
    if not all(parts):
        raise BadInput(f"'{text}': expected a codec, or KEY=VALUE; KEY=VALUE; ...")
    return [part if "=" in part else f"codec={part}" for part in parts]


def _scenario(request: Request, *sides: Sequence[str]) -> Scenario:
    """Return the scenario of the question; say, once, what its overrides and those of `sides` drop."""
    notes: dict[str, None] = {}
    scenario = load(request.scenario, request.overrides, report=notes.setdefault)
    for further in sides:
        load(request.scenario, [*request.overrides, *further], report=notes.setdefault)
    for note in notes:
        request.say(f"note: {note}")
    return scenario


def _trainings(request: Request, further: Sequence[str]) -> list[Replays]:
    overrides = [*request.overrides, *further]
    threads = threads_for(request.threads)
    return recorded(request.scenario, overrides, request.seeds, request.cache, threads, request.say)


def _common_target(scenario: Scenario, sides: Sequence[Side]) -> Measure:
    """Return the highest target of `scenario` that every training of both sides reached."""
    best = min(one.record.summary["accuracy"]["best"] or 0.0 for side in sides for one in side.replays)
    reached = [target for target in scenario.evaluation.targets if target <= best]
    if not reached:
        targets = ", ".join(exact(target) for target in scenario.evaluation.targets)
        raise BadInput(f"--target: not every training reaches one of {targets}; name one up to {best:.4g}")
    return time_to(max(reached))


def _points(sides: Sequence[Side], duels: Sequence[Duel]) -> list[Point]:
    return [
        (side.name, duel.seed, value, times[number])
        for duel in duels
        for value, times in duel.times_s.items()
        for number, side in enumerate(sides)
    ]


def _facts(seed: Seed, found: Found) -> dict[str, Any]:
    """Return what was found for one pair of seeds, as plain data; every value in SI."""
    return {
        "learning": seed.learning,
        "air": seed.air,
        "holds": found.stretches(),
        "edges": [
            {"low": edge.low.value, "high": edge.high.value, "holds_above": edge.holds_above}
            for edge in found.edges
        ],
    }
