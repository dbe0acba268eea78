"""What was learnt over time, bytes and energy, a line with a band over seeds for each variant."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from slfac_sim.analysis.format import capital, measured
from slfac_sim.analysis.metric_scale import metric_name
from slfac_sim.analysis.report.against import outline
from slfac_sim.analysis.report.blocks import Block, Chart
from slfac_sim.analysis.report.lines import line
from slfac_sim.analysis.report.scales import level, metric_axis, placed, said
from slfac_sim.analysis.report.study_rows import numbers_of
from slfac_sim.analysis.studies.bands import Band, Bands, over_bytes, over_energy, over_time, table
from slfac_sim.analysis.studies.study import StudyPoints

TITLE = "Learning"


def blocks(study: StudyPoints) -> Iterator[Block]:
    """Yield the curves at both ends of x, over seconds, bytes and joules."""
    for curves in (over_time, over_bytes, over_energy):
        data = curves(study)
        if data is not None:
            for title, lines in data.panels:
                yield _chart(replace(data, panels=[(title, lines)]))


def _chart(data: Bands) -> Chart:
    ((where, lines),) = data.panels
    title = f"{capital(metric_name(data.metric))} over {data.x[0]}"
    title += f", {where}" if where else ""
    scale, x_label = data.in_unit()
    top = max([*data.targets, *(float(band.high.max(initial=0.0)) for band in lines)])
    layout = {
        "xaxis": {"title": {"text": x_label}, "rangemode": "tozero"},
        "yaxis": metric_axis(data.metric, top),
        "shapes": level(data.metric, data.targets),
    }
    traces = [trace for band in lines for trace in _traces(data, band, scale)]
    return Chart(title, _summary(data, lines), traces, layout, numbers_of(title, table(data)))


def _summary(data: Bands, lines: Sequence[Band]) -> str:
    ends = "; ".join(f"{band.label} {measured(data.metric, float(band.mean[-1]))}" for band in lines)
    bands = f" Points and bands: {data.band}." if data.band else ""
    return f"At the last evaluation: {ends}.{bands}"


def _traces(data: Bands, band: Band, scale: float) -> Iterator[dict[str, Any]]:
    x = (band.x / scale).tolist()
    if data.band:
        low, high = (placed(data.metric, np.clip(end, 0.0, None)) for end in (band.low, band.high))
        yield outline(band.label, [*x, *x[::-1]], [*low, *high[::-1]], band.look)
    trace = line(band.label, x, placed(data.metric, band.mean), band.look, "%{x:.4g}: %{customdata}")
    yield trace | {"customdata": said(data.metric, band.mean), "legendgroup": band.label}
