"""How to have the study again, and whom to cite for what it used."""

from collections.abc import Iterator

from slfac_sim.analysis.report.again import aligned, cited, place_of
from slfac_sim.analysis.report.blocks import Block, Code, Text
from slfac_sim.analysis.studies.reading import STUDY
from slfac_sim.analysis.studies.study import StudyPoints

TITLE = "Reproduce and cite"


def blocks(study: StudyPoints) -> Iterator[Block]:
    """Yield the commands, then the references, as text and as BibTeX."""
    yield Text(
        "With the files of this study, which stand above and lie in its folder. Trainings that are on record"
        " are not done again; points that are there are kept."
    )
    yield Code(aligned(_commands(study)))
    yield from cited(study.folder)


def _commands(study: StudyPoints) -> Iterator[tuple[str, str]]:
    place = place_of(study.folder)
    yield f"check {place}/{STUDY}", "what it is, and what it takes on this host"
    yield f"sweep {place}/{STUDY} --out {study.name}_again", "the same study, in a folder of its own"
    yield f"figure {place} --for ieee", "its figures for a paper, with a table behind each"
