"""The curve behind the answer: what was measured at each value that was tried."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from slfac_sim.analysis.answer_result import Answer, Curve, Side
from slfac_sim.analysis.format import count, three_digits
from slfac_sim.analysis.report.blocks import Block, Chart
from slfac_sim.analysis.report.lines import level, line, titled
from slfac_sim.analysis.report.scales import log_ticks, mark
from slfac_sim.analysis.report.study_rows import numbers_of

TITLE = "The curve"


def blocks(answer: Answer) -> Iterator[Block]:
    """Yield the curve of each pair of seeds, of both sides of a crossover, with the bound and the answers."""
    curve = answer.curve
    if not curve.sides:
        return
    title = f"{answer.summary['measure']} against {answer.summary['vary']}"
    rows = numbers_of(title, list(_rows(curve)))
    yield Chart(title, _summary(curve), list(_traces(curve)), _layout(curve), rows)


def _traces(curve: Curve) -> Iterator[dict[str, Any]]:
    """Yield the curves: those of a question differ by seeds, those of a crossover by sides."""
    names = list(dict.fromkeys(side.name for side in curve.sides))
    for place, side in enumerate(curve.sides):
        seen = np.isfinite(side.y) & (side.y > 0.0)
        said = f"{_name(side)}: %{{x:.4g}}: %{{y:.4g}}"
        look = names.index(side.name) if side.name else place
        trace = line(side.name or _name(side), side.x[seen].tolist(), side.y[seen].tolist(), look, said)
        first = side.name not in [other.name for other in curve.sides[:place]]
        yield trace | {"legendgroup": trace["name"], "showlegend": first or not side.name}
    if curve.bound is not None:
        yield level("the bound", _ends(curve), curve.bound)


def _name(side: Side) -> str:
    seeds = f"seed {side.learning}" if side.learning == side.air else f"seeds {side.learning}/{side.air}"
    return f"{side.name}, {seeds}" if side.name else seeds


def _layout(curve: Curve) -> dict[str, Any]:
    heights = np.concatenate([side.y for side in curve.sides])
    heights = heights[np.isfinite(heights) & (heights > 0.0)]
    layout = titled(curve.x_title, curve.y_title, shapes=[mark(at) for at in curve.marks])
    layout["xaxis"] |= {"type": "log", **log_ticks(*_ends(curve))}
    if heights.size:
        layout["yaxis"] |= {"type": "log", **log_ticks(float(heights.min()), float(heights.max()))}
    return layout


def _ends(curve: Curve) -> tuple[float, float]:
    places = np.concatenate([side.x for side in curve.sides])
    return float(places.min()), float(places.max())


def _summary(curve: Curve) -> str:
    tried = sum(side.x.size for side in curve.sides)
    never = sum(int(np.isinf(side.y).sum()) for side in curve.sides)
    told = [f"Each of {count(tried, 'replay')} is a mark; {curve.x_title}, {curve.y_title}."]
    if curve.marks:
        told.append(f"Upright: the answers, {', '.join(map(three_digits, sorted(curve.marks)))}.")
    if never:
        told.append(f"{count(never, 'replay')} never reached the target and are in the table alone.")
    return " ".join(told)


def _rows(curve: Curve) -> Iterator[Mapping[str, Any]]:
    for side in curve.sides:
        for x, y in zip(side.x.tolist(), side.y.tolist(), strict=True):
            yield {"curve": _name(side), curve.x_title: x, curve.y_title: y}
