"""What was asked, and what came of it: the hardest target in a sentence, and the few figures of the run."""

from collections.abc import Iterator

from slfac_sim.analysis.explanation import explained
from slfac_sim.analysis.format import (
    NOT_REACHED,
    UNTRAINED,
    count,
    fixed_percent,
    one_decimal,
    quantity,
    sentence,
    target_words,
)
from slfac_sim.analysis.report import cells
from slfac_sim.analysis.report.blocks import Block, Cell, Facts, Table, Text
from slfac_sim.analysis.rows import rows_if_there
from slfac_sim.analysis.told import made_up
from slfac_sim.analysis.unreached import advice
from slfac_sim.foundation.targets import ACCURACY, Target
from slfac_sim.ledger.folder import Run
from slfac_sim.ledger.measured import best_in

TITLE = "The answer"
_ENDED = {
    "unfinished": "it goes on, or was killed; what follows is of the rounds that it has finished",
    "unknown": "or what says how it ended is gone",
}


def blocks(run: Run) -> Iterator[Block]:
    """Yield the answer in a sentence, what it is worth, when each target was reached, and the bottleneck."""
    yield Text(_answer(run), lead=True)
    status, reason = run.summary["status"], run.summary["reason"]
    if status != "finished":
        yield Text(f"The run did not finish: {reason or _ENDED.get(status, status)}.")
    hint = advice(run)
    if hint:
        yield Text(sentence(hint))
    if warning := made_up([run]):
        yield Text(warning)
    yield Facts(list(_figures(run)), key=True)
    if run.times_s:
        yield Table("Targets, and what had been spent when each was reached", _HEAD, list(_targets(run)))
    if run.summary["simulated_s"]:
        yield Text(sentence(explained(run).bottleneck.sentence))


def _answer(run: Run) -> str:
    aims = {target: at_s for target, at_s in run.times_s.items() if target.metric == ACCURACY}
    missed = [target for target, at_s in aims.items() if at_s is None]
    met = [target for target, at_s in aims.items() if at_s is not None]
    if not met:
        return _without(run, missed)
    hardest = met[-1]
    took_s = aims[hardest]
    there = "before any training" if not took_s else f"after {one_decimal(took_s)} simulated s"
    beyond = f"; {_and(missed)} {_is_not(missed)}" if missed else ""
    return f"{target_words(hardest)} test accuracy is reached {there}{beyond}."


def _and(targets: list[Target]) -> str:
    *others, last = map(target_words, targets)
    return f"{', '.join(others)} and {last}" if others else last


def _is_not(missed: list[Target]) -> str:
    return f"{'is' if len(missed) == 1 else 'are'} {NOT_REACHED}"


def _without(run: Run, missed: list[Target]) -> str:
    took = (
        f"{one_decimal(run.summary['simulated_s'])} simulated s and {count(run.summary['rounds'], 'round')}"
    )
    best = best_in(run.summary, ACCURACY)
    if best is None:
        return f"No accuracy was measured in {took}."
    if not missed:
        return f"{fixed_percent(run.summary['accuracy']['final'], 2)} test accuracy after {took}."
    aims = _and(missed)
    return f"{aims} test accuracy {_is_not(missed)} in {took}; the best is {fixed_percent(best, 2)}."


def _figures(run: Run) -> Iterator[tuple[str, str]]:
    summary = run.summary
    final, best = summary["accuracy"]["final"], summary["accuracy"]["best"]
    met = [(target, at_s) for target, at_s in run.times_s.items() if at_s and target.metric == ACCURACY]
    if met:
        yield f"time to {target_words(met[-1][0])}", f"{one_decimal(met[-1][1])} s"
    if final is not None:
        yield "final test accuracy", f"{fixed_percent(final, 2)}{_no_codec(run, final)}"
    if best is not None and best != final:
        yield "best test accuracy", fixed_percent(best, 2)
    yield "simulated time", f"{one_decimal(summary['simulated_s'])} s"
    yield "rounds", f"{summary['rounds']:,}"
    yield "devices", f"{summary['devices']:,}"
    yield "sent, payload", quantity(summary["bytes"]["total"], "B")
    drawn_j = summary.get("energy", {}).get("devices", {}).get("total_j")
    if drawn_j is not None:
        yield "energy, all devices", quantity(drawn_j, "J")


def _no_codec(run: Run, final: float) -> str:
    """Return what the final accuracy is without the codec, where that was measured and is another."""
    exact = run.final_no_codec() if run.has("evals") else None
    if exact is None or exact == final:
        return ""
    return f" through the codec; {fixed_percent(exact, 2)} without"


_HEAD = ("target", "simulated time", "round", "payload", "energy of devices")


def _targets(run: Run) -> Iterator[tuple[Cell, ...]]:
    """Yield a row for each target: when it was reached first, and what had been sent and drawn by then."""
    curve = run.curve()
    drawn = {row["round"]: row["devices_j"] for row in rows_if_there(run, ("spent",))["spent"]}
    places = {at_s: place for place, at_s in reversed([*enumerate(curve.simulated_s.tolist())])}
    for target, at_s in run.times_s.items():
        name = cells.said(target_words(target))
        if at_s is None or at_s not in places:
            yield (name, cells.said(NOT_REACHED if at_s is None else one_decimal(at_s)), *[cells.NONE] * 3)
            continue
        number = int(curve.round[places[at_s]])
        took = cells.seconds(at_s) if at_s else Cell(UNTRAINED, 0.0)
        sent = cells.measured(float(curve.bytes_total[places[at_s]]), "B")
        yield name, took, cells.whole(number), sent, cells.measured(drawn.get(number), "J")
