"""What the time goes into, along x, for each line; and the least it could be."""

from collections.abc import Iterator

import numpy as np

from slfac_sim.analysis.format import amount, share
from slfac_sim.analysis.report.blocks import Block, Chart
from slfac_sim.analysis.report.lines import bars, titled
from slfac_sim.analysis.report.parts import PART_LOOKS
from slfac_sim.analysis.report.study_rows import study_table
from slfac_sim.analysis.studies.study import StudyPoints
from slfac_sim.analysis.studies.tables import parts_table
from slfac_sim.analysis.studies.time_parts import TimeParts, time_parts
from slfac_sim.foundation.arrays import Floats

TITLE = "Where the time goes"
_SEEN = 5e-4  # of a bar: smaller parts are left to the table
_OTHER = ("var(--faint)", "x")


def blocks(study: StudyPoints) -> Iterator[Block]:
    """Yield shares of the time, a chart for each of at most four lines, and the table of all."""
    data = time_parts(study)
    if data is None:
        return
    for title, seconds in data.panels:
        yield _chart(data, title, seconds)
    rows = parts_table(study)
    if rows:
        yield study_table(study, "Time of a whole run, and its parts", rows, folded=True)


def _chart(data: TimeParts, title: str, seconds: Floats) -> Chart:
    whole = seconds.sum(axis=0)
    shares = np.nan_to_num(seconds / np.where(whole > 0, whole, 1.0))
    traces = []
    for part, own in zip(data.parts, shares, strict=True):
        if own.max(initial=0.0) > _SEEN:
            look = PART_LOOKS.get(part, _OTHER)
            trace = bars(part, (100 * own).tolist(), data.ticks, look, "%{y}: %{customdata}", flat=True)
            seen = zip(own, own * np.nan_to_num(whole), strict=True)
            texts = [f"{share(float(part), 3)}, {amount(float(s))} s" for part, s in seen]
            traces.append(trace | {"customdata": texts})
    layout = titled("share of the time", data.x_label, barmode="stack", margin={"r": 72})
    layout["yaxis"] |= {"type": "category", "autorange": "reversed"}
    layout["xaxis"] |= {"ticksuffix": " %", "range": [0, 100]}
    layout["annotations"] = [
        {"x": 100, "y": place, "text": f"{amount(float(s))} s", "showarrow": False, "xanchor": "left"}
        for place, s in enumerate(whole)
        if np.isfinite(s)
    ]
    named = f"Shares of the time: {title}" if title else "Shares of the time"
    height_px = 130 + 34 * len(data.ticks)
    return Chart(named, _summary(data, shares), traces, layout, height_px=height_px)


def _summary(data: TimeParts, shares: Floats) -> str:
    """Say the largest part of the first bar and of the last one that have any."""
    known = np.flatnonzero(shares.any(axis=0))
    told = []
    for place in dict.fromkeys((known[0], known[-1])) if known.size else ():
        most = int(shares[:, place].argmax())
        told.append(f"{data.ticks[place]}: {data.parts[most]} ({share(float(shares[most, place]), 3)})")
    axis = f", by {data.x_label}" if data.x_label else ""
    return f"The largest part{axis}: {'; '.join(told)}."
