"""What is due to learning and what to the air: times over draws of the air, each training with the same."""

from collections.abc import Iterator

from slfac_sim.analysis.format import count, target_words
from slfac_sim.analysis.report.blocks import Block, Chart, Text
from slfac_sim.analysis.report.lines import line, titled
from slfac_sim.analysis.report.study_rows import study_table
from slfac_sim.analysis.studies.answers import crossings, main_target, over_the_air
from slfac_sim.analysis.studies.study import StudyPoints
from slfac_sim.analysis.studies.tables import air_table
from slfac_sim.foundation.targets import Target

TITLE = "Learning and air"


def blocks(study: StudyPoints) -> Iterator[Block]:
    """Yield how times spread over draws of the air, and how much of the variance is due to what."""
    target = main_target(study)
    rows = air_table(study, target)
    if not rows:
        return
    yield Text(
        "Every training meets the same further draws of the air. Variances of learning and of the air add up;"
        " both is what a training and a draw do together."
    )
    if target is not None:
        yield _chart(study, target)
    yield study_table(study, "Spread over trainings and draws of the air", rows)


def _chart(study: StudyPoints, target: Target) -> Chart:
    """Return which share of all runs of a line is there after how many seconds, at the lowest x."""
    traces, told = [], []
    for look, text in enumerate(study.lines):
        table = over_the_air(study, study.at(study.panels[0], text, study.xs[0]).axes)
        found = [crossing for points in table for crossing in crossings(study, points, target)]
        there = sorted(crossing.at for crossing in found if not crossing.censored)
        shares = [(place + 1) / len(found) for place in range(len(there))]
        trace = line(study.line_label(text), there, shares, look, "%{x:.4g} s: %{y:.0%} of the runs")
        traces.append(trace | {"mode": "lines", "line": trace["line"] | {"shape": "hv"}})
        told.append(f"{study.short_label(text)}: {len(there)} of {count(len(found), 'run')} get there.")
    where = ", ".join(filter(None, (study.x_label(study.xs[0]), study.panel_label(study.panels[0]))))
    layout = titled(f"time to {target_words(target)} (s)", "share of runs that are there")
    layout["yaxis"] |= {"tickformat": ".0%", "range": [0, 1.02]}
    title = f"Runs that are at {target_words(target)}, over draws of the air{f', {where}' if where else ''}"
    return Chart(title, " ".join(told), traces, layout)
