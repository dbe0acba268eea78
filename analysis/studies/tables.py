"""The tables of a study's report, as rows of texts: times, ratios, equal budgets, parts; it writes no file.

Every table is a list of rows, each a mapping from column to text; all rows of a table have the same columns.
"""

import math
from collections import Counter
from collections.abc import Mapping, Sequence

from slfac_sim.analysis.crossings import Crossing
from slfac_sim.analysis.format import amount, fixed_percent, percent, unit_of
from slfac_sim.analysis.statistics import over_runs
from slfac_sim.analysis.studies.answers import (
    accuracy_at,
    common_budget,
    crossings,
    is_clear,
    means,
    over_the_air,
    ratio,
    shares_trainings,
    tells,
    to_target,
    variance,
)
from slfac_sim.analysis.studies.phrases import (
    accuracy_cell,
    bracket_words,
    quantiles_cell,
    ratio_cell,
    time_words,
    variance_cells,
)
from slfac_sim.analysis.studies.study import BYTES, JOULES, ROUNDS, SECONDS, Combination, StudyResult

Table = list[dict[str, str]]
SHARES = {"at a quarter": 0.25, "at half": 0.5, "at all of it": 1.0}  # of the common budget


def costs_table(study: StudyResult) -> Table:
    """Return what each combination needs to each target: seconds, bytes, and joules of its devices.

    All are those of the first evaluation at or above the target; the last is left out where no point tells.
    """
    places = _finished(study)
    known = [over for over in (SECONDS, BYTES, JOULES) if any(tells(study, p.points, over) for p in places)]
    rows = []
    for place in places if study.targets else ():
        row = _place(study, place) | {"seeds": str(len(place.points))}
        for target in study.targets:
            for over in known:
                scale, unit = _unit(study, over)
                row[f"{percent(target)}: {unit}"] = _cost(study, place, target, over, scale)
        rows.append(row)
    return rows


def _unit(study: StudyResult, over: str) -> tuple[float, str]:
    """Return the unit, and what it is worth, in which a table of the study tells of `over`."""
    if over == ROUNDS:
        return 1.0, "rounds"
    curves = [curve[over] for curve in study.columns["curve"] if curve is not None and curve.get(over)]
    return unit_of((places[-1] for places in curves), {SECONDS: "s", BYTES: "B", JOULES: "J"}[over])


def _cost(study: StudyResult, place: Combination, target: float, over: str, scale: float) -> str:
    if not tells(study, place.points, over):
        return "-"
    crossed = [_scaled(crossing, scale) for crossing in crossings(study, place.points, target, over=over)]
    words = time_words(over_runs(crossed), "")
    return words.removesuffix(" (1 of 1 not there)").removesuffix(" (1 of 1 untrained)")


def times_table(study: StudyResult, target: float) -> Table:
    """Return the seconds to `target` of each combination: raw with its bracket, and smoothed."""
    rows = []
    for place in _finished(study):
        rows.append(
            {
                **_place(study, place),
                "seeds": str(len(place.points)),
                "first evaluation there": time_words(to_target(study, place, target)),
                "crossed in": bracket_words(crossings(study, place.points, target)),
                "mean of 3 there": time_words(to_target(study, place, target, smoothed=True)),
            }
        )
    return rows


def ratios_table(study: StudyResult, target: float) -> Table:
    """Return how many times as fast as the baseline each rival is, raw and smoothed, with the pairs."""
    rows = []
    for panel in study.panels:
        for rival in study.rivals:
            for x in study.xs:
                raw = ratio(study, panel, rival, x, target)
                rows.append(
                    {
                        **_place(study, study.at(panel, rival, x)),
                        "pairs": str(raw.n if raw is not None else 0),
                        "first evaluation there": ratio_cell(raw),
                        "1 left out": "yes" if raw is not None and is_clear(raw) else "no",
                        "mean of 3 there": ratio_cell(ratio(study, panel, rival, x, target, smoothed=True)),
                    }
                )
    return rows


def rounds_table(study: StudyResult) -> Table:
    """Return the accuracies within equal numbers of rounds, and the rounds to each target."""
    places = _by_training(study)
    return _budget_rows(study, places, ROUNDS, not shares_trainings(study))


def bytes_table(study: StudyResult) -> Table:
    """Return the accuracies within equal payload bytes, and the bytes to each target."""
    places = _by_training(study)
    return _budget_rows(study, places, BYTES, not shares_trainings(study))


def seconds_table(study: StudyResult) -> Table:
    """Return the accuracies within seconds that are equal at each x and panel, and those to each target."""
    return _timed_rows(study, SECONDS)


def joules_table(study: StudyResult) -> Table:
    """Return the same within equal joules of all devices; without combinations that do not tell of them."""
    return _timed_rows(study, JOULES)


def _timed_rows(study: StudyResult, over: str) -> Table:
    rows: Table = []
    for panel in study.panels:
        for x in study.xs:
            places = [study.at(panel, line, x) for line in study.lines]
            rows += _budget_rows(study, [p for p in places if tells(study, p.points, over)], over)
    return rows


def parts_table(study: StudyResult) -> Table:
    """Return the mean time of each combination, the share of each part, lower bounds, and the straggler."""
    rows = []
    for place in _finished(study):
        parts = means(study, place, "parts_s")
        whole = sum(parts.values())
        if whole <= 0:
            continue
        shares = {f"{part} (%)": f"{100 * seconds / whole:.1f}" for part, seconds in parts.items()}
        bounds = {
            f"least with {name}": f"{amount(s)} s" for name, s in means(study, place, "bounds_s").items()
        }
        rows.append(
            {
                **_place(study, place),
                "whole": f"{amount(whole)} s",
                **shares,
                **bounds,
                "most often last": _straggler(study, place),
            }
        )
    return _filled(rows)


def air_table(study: StudyResult, target: float | None) -> Table:
    """Return the spread over trainings and draws of the air, for each combination that has draws.

    Quantiles count runs that never reached the target (Kaplan-Meier); variances need all of them to.
    """
    rows = []
    for place in study.combinations:
        table = over_the_air(study, place.axes)
        if not table:
            continue
        row = _place(study, place) | {"trainings x draws": f"{len(table)} x {len(table[0])}"}
        row |= variance_cells("whole run", variance(study, place.axes, None))
        if target is not None:
            crossed = [crossing for points in table for crossing in crossings(study, points, target)]
            row[f"{percent(target)}: median (5 .. 95 %)"] = quantiles_cell(crossed)
            row |= variance_cells(percent(target), variance(study, place.axes, target))
        rows.append(row)
    return rows


def failures_table(study: StudyResult) -> Table:
    """Return every point that failed, and why."""
    return [
        {
            **{axis.name: study.columns[axis.path][i] for axis in study.axes},
            "seed": f"{study.columns['seed_learning'][i]}/{study.columns['seed_air'][i]}",
            "point": study.columns["key"][i],
            "reason": " ".join(str(study.columns["reason"][i]).split()),
        }
        for i in study.failed()
    ]


def _finished(study: StudyResult) -> list[Combination]:
    return [place for place in study.combinations if place.points]


def _place(study: StudyResult, place: Combination, with_x: bool = True) -> dict[str, str]:
    roles = study.roles
    cells = {axis.name: axis.shown(place.axes[axis.path]) for axis in roles.panels}
    if roles.x is not None and with_x:
        cells[roles.x.name] = roles.x.shown(place.axes[roles.x.path])
    line = place.axes[roles.line.path] if roles.line is not None else ""
    return cells | {roles.line.name if roles.line is not None else "study": study.short_label(line)}


def _by_training(study: StudyResult) -> list[Combination]:
    """Return one combination for each set of trainings: others differ in timing only."""
    places: dict[tuple[str, ...], Combination] = {}
    for place in _finished(study):
        places.setdefault(tuple(study.columns["training"][i] for i in place.points), place)
    return list(places.values())


def _budget_rows(study: StudyResult, places: Sequence[Combination], over: str, with_x: bool = True) -> Table:
    """Return one row for each place: the accuracy within shares of the budget that all of them have."""
    scale, unit = _unit(study, over)
    budget = common_budget(study, [i for place in places for i in place.points], over)
    rows = []
    for place in places if not math.isnan(budget) else ():
        row = _place(study, place, with_x) | {"budget": f"{amount(budget / scale)} {unit}"}
        for name, share in SHARES.items():
            row[name] = accuracy_cell(accuracy_at(study, place.points, share * budget, over))
        for target in study.targets:
            crossed = [
                _scaled(crossing, scale) for crossing in crossings(study, place.points, target, over=over)
            ]
            row[f"to {percent(target)}"] = time_words(over_runs(crossed), unit)
        rows.append(row)
    return rows


def _scaled(crossing: Crossing, scale: float) -> Crossing:
    low, high = crossing.bracket
    return Crossing(crossing.at / scale, (low / scale, high / scale), crossing.censored)


def _straggler(study: StudyResult, place: Combination) -> str:
    last: Counter[str] = Counter()
    for i in place.points:
        last.update(study.columns["straggler"][i] or {})
    if not last:
        return "-"
    device, most = min(last.items(), key=lambda item: (-item[1], item[0]))
    return f"{device} ({fixed_percent(most / last.total())})"


def _filled(rows: Sequence[Mapping[str, str]]) -> Table:
    names = list(dict.fromkeys(name for row in rows for name in row))
    return [{name: row.get(name, "-") for name in names} for row in rows]
