"""What the study answers: in one sentence, in a few figures, in all its lines."""

from collections.abc import Iterator, Sequence

from slfac_sim.analysis.format import count, target_words
from slfac_sim.analysis.report.blocks import Block, Facts, Items, Text
from slfac_sim.analysis.report.study_rows import study_table
from slfac_sim.analysis.studies.answers import main_target
from slfac_sim.analysis.studies.answers_table import answers_table, rule
from slfac_sim.analysis.studies.headline import headline
from slfac_sim.analysis.studies.study import StudyPoints
from slfac_sim.analysis.studies.words import closing_lines

TITLE = "The answer"


def blocks(study: StudyPoints) -> Iterator[Block]:
    """Yield the headline, how much it stands on, and the lines that a sweep ends with."""
    yield Text(headline(study), lead=True)
    yield Facts(_facts(study), key=True)
    rows = answers_table(study)
    if rows:
        yield study_table(study, f"Each against {study.short_label(study.baseline)}", rows)
        yield Text(rule(study))
    yield from _paragraphs(closing_lines(study, is_tabled=bool(rows)))


def _facts(study: StudyPoints) -> list[tuple[str, str]]:
    target, failed = main_target(study), len(study.failed())
    trainings = len(set(study.columns["training"]))
    seeds = len(set(study.columns["seed_learning"]))
    facts = [("target", "none" if target is None else target_words(target))]
    facts += [("points", f"{study.size:,}"), ("trainings", f"{trainings:,}"), ("seeds", f"{seeds}")]
    return [*facts, ("failed", count(failed, "point"))] if failed else facts


def _paragraphs(lines: Sequence[str]) -> Iterator[Block]:
    """Yield the lines as paragraphs, indented ones as a list."""
    listed: list[str] = []
    for line in lines:
        if line.startswith(" "):
            listed.append(line.strip())
            continue
        if listed:
            yield Items(listed)
            listed = []
        yield Text(line)
    if listed:
        yield Items(listed)
