"""Which of the runs is sooner at the hardest target that all have reached, and what each ended with."""

from collections.abc import Iterator, Sequence

from slfac_sim.analysis.crossings import EQUAL_POINTS, ROUNDING, final_accuracy
from slfac_sim.analysis.format import (
    as_fast,
    ends_apart,
    fixed_percent,
    one_decimal,
    reached,
    sentence,
    target_words,
)
from slfac_sim.analysis.report.blocks import Block, Items, Text
from slfac_sim.analysis.run_table import apart, common_label
from slfac_sim.analysis.told import made_up
from slfac_sim.foundation.targets import Target, hardest_first
from slfac_sim.ledger.folder import Run

TITLE = "The answer"


def blocks(runs: Sequence[Run]) -> Iterator[Block]:
    """Yield the answer in a sentence, then a sentence for each run, and what the seeds are."""
    label = common_label(runs)
    names = [name.removeprefix(f"{label}, ") if label else name for name in apart(runs)]
    yield Text(_lead(runs, names), lead=True)
    if warning := made_up(runs):
        yield Text(warning)
    target = common_target(runs)
    ends = [f"{name}: {_reached(run, target)}{_ended(run)}" for name, run in zip(names, runs, strict=True)]
    yield Items([*ends, sentence(_luck(runs))])
    altered = [f"{name}: {why}" for name, run in zip(names, runs, strict=True) if (why := run.altered)]
    if altered:
        yield Items(altered)


def common_target(runs: Sequence[Run]) -> Target | None:
    """Return the hardest target that training brought all of the runs to; None where there is none."""
    asked = set.intersection(*({target for target, at_s in run.times_s.items() if at_s} for run in runs))
    return next(iter(hardest_first(asked)), None)


def _lead(runs: Sequence[Run], names: Sequence[str]) -> str:
    target = common_target(runs)
    if target is None:
        return "There is no target that training brought all of the runs to."
    times_s = [run.times_s[target] or 0.0 for run in runs]
    first, last = (times_s.index(end(times_s)) for end in (min, max))
    if times_s[first] == times_s[last]:
        return f"All are at {target_words(target)} after {reached(times_s[first])} s."
    ratio = as_fast(times_s[last] / times_s[first])
    ends = _ends(runs[first], runs[last])
    return f"{names[first]} is {ratio} as {names[last]}, to {target_words(target)}{ends}."


def _ends(first: Run, last: Run) -> str:
    """Return how far the first ends from the last, where that is too far to be called equal."""
    finals = [final_accuracy(run.curve().accuracy) for run in (first, last)]
    return f", {ends_apart(*finals)}" if abs(finals[0] - finals[1]) > EQUAL_POINTS + ROUNDING else ""


def _reached(run: Run, target: Target | None) -> str:
    at_s = run.times_s[target] if target else None
    if target is None or at_s is None:
        return ""
    curve = run.curve()
    rounds = curve.round[curve.simulated_s == at_s]
    named = f" (round {rounds[0]})" if rounds.size else ""
    return f"{target_words(target)} after {one_decimal(at_s)} s{named}; "


def _luck(runs: Sequence[Run]) -> str:
    seeds = {tuple(sorted(run.summary["seed"].items())) for run in runs}
    same = "the same" if len(seeds) == 1 else "not the same"
    where = "both" if len(runs) == 2 else "all"
    return f"one seed each, {same} in {where}: a sweep with --seeds 3 says whether it is luck"


def _ended(run: Run) -> str:
    final = run.summary["accuracy"]["final"]
    accuracy = "no accuracy was measured" if final is None else f"{fixed_percent(final, 2)} test accuracy"
    return f"{accuracy} after {one_decimal(run.summary['simulated_s'])} simulated s"
