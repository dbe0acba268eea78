"""What is to be known to read the tables and figures of a study, in sentences."""

from collections.abc import Iterator

from slfac_sim.analysis.format import count, target_words
from slfac_sim.analysis.studies.answers import main_target
from slfac_sim.analysis.studies.study import StudyPoints
from slfac_sim.analysis.text_tables import as_markdown

_ALWAYS = (
    "Means and 95 % t intervals over seeds (in brackets; for 2 seeds: 12.7, for 3: 4.30 standard errors to"
    " either side) of seconds, bytes, joules and ratios are geometric: taken on the logarithm, so that they"
    " are above zero. Ratios are paired by seed. Those of accuracies are arithmetic, and cut at"
    " 0 and 100 %.",
    "A run that never reaches a target is censored: it is shown as `> T`, the time of its last"
    " evaluation, and counts. With such a run there is a median, or a bound of it, and no mean.",
    "A run whose untrained model meets a target is shown as `untrained`: training had nothing to do, so"
    " it has no time, and its pair is left out of ratios.",
    "Targets are crossed at evaluations, not between them: in `(a, b]` the target was missed at a and"
    " there at b. The mean of 3 is over an evaluation and the two before it.",
    "Accuracy is test accuracy with the uplink codec in place; equal budgets use the last evaluation"
    " within them. Bytes are payload: headers, indices, labels and models included. Energy is what all"
    " devices together drew for computing, sending, receiving and idling; the server's is not in it.",
)
_WITH_DRAWS = (
    "Draws of the air beside the paired seeds are in the table of learning and air only. Every"
    " training meets the same draws; `both` is what a training and a draw do together."
)


def how_to_read(study: StudyPoints, in_markdown: bool = False) -> list[str]:
    """Return the sentences, plain or `in_markdown`."""
    labels = [study.line_label(text) for text in dict.fromkeys((study.baseline, *study.rivals))]
    named = as_markdown("; ".join(labels)) if in_markdown else "; ".join(labels)
    compared = f"Compared: {named}. {count(study.size, 'point')}, {len(study.failed())} failed."
    further = [*_ALWAYS, *_of(study)]
    return [compared, *(further if in_markdown else [line.replace("`", "") for line in further])]


def _of(study: StudyPoints) -> Iterator[str]:
    target = main_target(study)
    if target is not None and len(study.targets) > 1:
        several = len({each.metric for each in study.targets}) > 1
        hardest = "hardest" if several or target.of.less_is_better else "highest"
        yield (
            f"The answers and figures are about {target_words(target)}: the {hardest} target that every"
            " line reached in at least half of its runs. The tables have all targets."
        )
    if any(study.columns["air_draw"]):
        yield _WITH_DRAWS
