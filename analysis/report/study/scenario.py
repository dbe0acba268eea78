"""What was run: the settings that are varied, the base that they are varied of, seeds and targets."""

from collections.abc import Iterator

from slfac_sim.analysis.format import count, listed, target_words
from slfac_sim.analysis.report.blocks import Block, Cell, Code, Facts, Table, Text
from slfac_sim.analysis.report.scenario_tables import differing, parts
from slfac_sim.analysis.studies.axes import Axis
from slfac_sim.analysis.studies.reading import STUDY
from slfac_sim.analysis.studies.study import StudyPoints
from slfac_sim.analysis.told import about_in, text_of

TITLE = "What was run"
_SHOWN = 12  # values of an axis


def blocks(study: StudyPoints) -> Iterator[Block]:
    """Yield the study in a sentence, its axes, its lines, its base, and its files."""
    yield Text(_sentence(study))
    if study.axes:
        yield Table("Settings that are varied", ("setting", "values", "how many", "role"), list(_axes(study)))
    yield Facts(list(_facts(study)))
    said = about_in(study.folder)
    if said is not None:
        yield Text(f"Planned by slfac_sim {said.version}. The base is made of these parts:")
        yield parts(said)
        yield differing(said)
    for path in sorted(study.folder.glob("*.yaml"), key=lambda path: (path.name != STUDY, path.name)):
        yield Code(text_of(path), path.name, folded=True)


def _sentence(study: StudyPoints) -> str:
    axes = ", ".join(f"{axis.name} ({count(len(axis.texts), 'value')})" for axis in study.axes)
    seeds = count(len(set(study.columns["seed_learning"])), "seed")
    draws = sum(study.columns["air_draw"])
    further = f"; {draws:,} of them are further draws of the air" if draws else ""
    what = f"every combination of {axes} with {seeds}" if axes else f"one scenario with {seeds}"
    trainings = len(set(study.columns["training"]))
    return f"{count(study.size, 'point')}, {what}{further}. They replay {count(trainings, 'training')}."


def _axes(study: StudyPoints) -> Iterator[tuple[Cell, ...]]:
    roles = study.roles
    for axis in study.axes:
        role = "x axis" if axis is roles.x else "lines" if axis is roles.line else "panels"
        values = listed([axis.shown(text) for text in axis.texts], _SHOWN)
        yield (
            Cell(axis.path),
            Cell(values),
            Cell(f"{len(axis.texts)}", len(axis.texts)),
            Cell(_role(axis, role)),
        )


def _role(axis: Axis, role: str) -> str:
    return f"{role}, logarithmic" if role == "x axis" and axis.logarithmic else role


def _facts(study: StudyPoints) -> Iterator[tuple[str, str]]:
    yield "compared with", study.line_label(study.baseline)
    for text in study.rivals:
        yield "compared", study.line_label(text)
    yield "targets", ", ".join(map(target_words, study.targets)) or "none"
    yield "seeds of learning", ", ".join(map(str, sorted(set(study.columns["seed_learning"]))))
