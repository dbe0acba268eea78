"""How well the model does on each device's own share of the test set: blocks of a page."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from slfac_sim.analysis.format import fixed_percent
from slfac_sim.analysis.own_shares import OwnShares, interval, metric_of
from slfac_sim.analysis.report import cells
from slfac_sim.analysis.report.blocks import Block, Chart
from slfac_sim.analysis.report.lines import line, titled
from slfac_sim.analysis.report.many import Column, few_or_quantiles
from slfac_sim.foundation.arrays import Floats

_LINES = {"device_mean": "mean of devices", "device_worst_tenth": "worst tenth"}
_SPAN = "worst to best device"
_BAND = "color-mix(in srgb, var(--faint) 45%, transparent)"
_MOST_DRAWN = 200  # devices, at even steps of their order


def accuracy_blocks(shares: OwnShares) -> Iterator[Block]:
    """Yield accuracy over time, of the mean, the worst tenth and all between; and each in the end."""
    yield _over_time(shares)
    last, samples = shares.correct[-1] / shares.samples, shares.samples
    low, high = interval(last, samples)
    yield _in_the_end(shares, last, low, high)
    columns = [
        Column("test samples", samples.tolist(), lambda value: cells.whole(int(value))),
        *(Column(name, ends.tolist(), cells.share) for name, ends in (("95 % from", low), ("95 % to", high))),
        Column("accuracy", last.tolist(), cells.share),
    ]
    yield from few_or_quantiles(
        "Accuracy of devices on their own share, in the end", "device", shares.devices, columns
    )


def _over_time(shares: OwnShares) -> Chart:
    each, at_s = shares.correct / shares.samples, shares.at_s.tolist()
    worst, best = each.min(axis=1).tolist(), each.max(axis=1).tolist()
    lines = {label: metric_of(name, shares) for name, label in _LINES.items()}
    traces = [_band(at_s, worst, best)]
    traces += [
        line(label, at_s, values.tolist(), place, "%{x:.1f} s: %{y:.2%}")
        for place, (label, values) in enumerate(lines.items())
    ]
    told = ", ".join(f"{label} {fixed_percent(float(values[-1]), 2)}" for label, values in lines.items())
    summary = (
        f"In the end: {told}, worst device {fixed_percent(worst[-1], 2)}, best {fixed_percent(best[-1], 2)}."
    )
    layout = titled("simulated time (s)", "accuracy on own share")
    layout["yaxis"] |= {"tickformat": ".0%"}
    return Chart("Accuracy of devices on their own share of the test set", summary, traces, layout)


def _band(at_s: Sequence[float], low: Sequence[float], high: Sequence[float]) -> dict[str, Any]:
    outline = {"x": [*at_s, *reversed(at_s)], "y": [*high, *reversed(low)]}
    style = {"fill": "toself", "fillcolor": _BAND, "line": {"width": 0}, "hoverinfo": "skip"}
    return {"type": "scatter", "mode": "lines", "name": _SPAN, **outline, **style}


def _in_the_end(shares: OwnShares, last: Floats, low: Floats, high: Floats) -> Chart:
    order = np.lexsort((shares.samples, last))
    if len(order) > _MOST_DRAWN:
        order = order[np.linspace(0, len(order) - 1, _MOST_DRAWN).round().astype(np.int64)]
    worst, best = (shares.devices[place] for place in (order[0], order[-1]))
    some = f" Shown are {_MOST_DRAWN} of {len(last):,}." if len(last) > len(order) else ""
    trace = {
        "type": "scatter",
        "mode": "markers",
        "name": "device",
        "x": [shares.devices[place] for place in order],
        "y": last[order].round(6).tolist(),
        "marker": {"color": "var(--series-4)", "size": 5},
        "error_y": {
            "type": "data",
            "symmetric": False,
            "array": (high - last)[order].round(6).tolist(),
            "arrayminus": (last - low)[order].round(6).tolist(),
            "color": "var(--faint)",
            "thickness": 1,
            "width": 0,
        },
        "hovertemplate": "%{x}: %{y:.2%}<extra></extra>",
    }
    layout = titled("devices by their accuracy", "accuracy on own share")
    layout["xaxis"] |= {"type": "category", "showticklabels": len(order) <= 12}
    layout["yaxis"] |= {"tickformat": ".0%"}
    summary = (
        f"From {worst}, the worst, to {best}; the bars are 95 % intervals for so few test samples.{some}"
    )
    return Chart("Accuracy of devices in the end", summary, [trace], layout)
