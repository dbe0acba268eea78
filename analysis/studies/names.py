"""How the parts of a study are called in figures and reports: lines, panels, places; it computes nothing."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TypeVar

from slfac_sim.analysis.studies.study import StudyResult

T = TypeVar("T")


def line_label(study: StudyResult, text: str) -> str:
    """Return the full name of a line: its codec with the settings, or the value of its axis."""
    return _labels(study)[text]


def short_label(study: StudyResult, text: str) -> str:
    """Return the name of a line up to its first comma, where that still tells the lines apart."""
    labels = _labels(study)
    short = {key: label if "{" in label else label.split(",")[0] for key, label in labels.items()}
    return short[text] if len(set(short.values())) == len(short) else labels[text]


def panel_label(study: StudyResult, panel: Mapping[str, str]) -> str:
    """Return the values of the axes that are neither x nor lines: ``latency 5 ms``; empty without any."""
    shown = []
    for axis in study.roles.panels:
        value = axis.shown(panel[axis.path])
        shown.append(value if value.startswith(axis.name) else f"{axis.name} {value}")
    return ", ".join(shown)


def x_label(study: StudyResult, text: str) -> str:
    """Return one value of the x axis: ``5 MHz``; empty where no axis is x."""
    return study.roles.x.shown(text) if study.roles.x is not None else ""


def spread(values: Sequence[T], most: int = 4) -> list[T]:
    """Return the first, the last, and evenly spaced ones between them: a page has room for `most` of them."""
    if len(values) <= most:
        return list(values)
    return [values[round(i * (len(values) - 1) / (most - 1))] for i in range(most)]


def _labels(study: StudyResult) -> dict[str, str]:
    axis = study.roles.line
    names: dict[str, str] = {}
    for text in study.lines:
        points = study.select({axis.path: text} if axis is not None else {})
        labels = Counter(study.columns["label"][i] for i in points)  # those of whole models are others
        value = axis.shown(text) if axis is not None else study.name
        by_codec = axis is not None and axis.path.startswith("codec")
        single = by_codec or (axis is None and len(labels) == 1)
        names[text] = labels.most_common(1)[0][0] if single and labels else value
    return names if len(set(names.values())) == len(names) else {text: text for text in names}
