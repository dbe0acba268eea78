"""The tables of a study's report, as rows of texts: times, ratios, equal budgets, parts; it writes no file.

Every table is a list of rows, each a mapping from column to text; all rows of a table have the same columns.
"""

import itertools
import math
from collections import Counter
from collections.abc import Mapping, Sequence

from slfac_sim.analysis.crossings import Crossing
from slfac_sim.analysis.format import amount, fixed_percent, target_words, unit_of
from slfac_sim.analysis.statistics import OverRuns, over_runs
from slfac_sim.analysis.studies import answers, phrases
from slfac_sim.analysis.studies.study import BYTES, JOULES, ROUNDS, SECONDS, WIRE, Combination, StudyPoints
from slfac_sim.foundation.targets import Target

Table = list[dict[str, str]]
SHARES = {"at a quarter": 0.25, "at half": 0.5, "at all of it": 1.0}  # of the common budget

_HANDOVERS = {"handovers": "count", "ping-pongs": "ping_pongs", "interrupted (s)": "interruption_s"}


def costs_table(study: StudyPoints) -> Table:
    """Return what each combination needs to each target: seconds, bytes, and joules of its devices.

    All are those of the first evaluation at or above the target; the last is left out where no point tells.
    """
    places = finished(study)
    known = [
        over for over in (SECONDS, BYTES, JOULES) if any(answers.tells(study, p.points, over) for p in places)
    ]
    units = {over: _unit(study, over) for over in known}
    rows = []
    for place in places if study.targets else ():
        row = place_cells(study, place) | {"seeds": str(len(place.points))}
        for target in study.targets:
            for over, (scale, unit) in units.items():
                row[f"{target_words(target)}: {unit}"] = _cost(study, place, target, over, scale)
        rows.append(row)
    return rows


def wires_table(study: StudyPoints) -> Table:
    """Return the bytes that have crossed each wire when a target is met, for each combination and target.

    A place that does not tell of a wire, which it may not have, has a dash; empty where there are no wires.
    """
    curves = [curve for curve in study.columns["curve"] if curve is not None]
    wires = list(dict.fromkeys(name for curve in curves for name in curve if name.startswith(WIRE)))
    scale, unit = unit_of((curve[wire][-1] for curve in curves for wire in wires if wire in curve), "B")
    return [
        {
            **place_cells(study, place),
            "target": target_words(target),
            **{f"{w.removeprefix(WIRE)}, {unit}": _cost(study, place, target, w, scale) for w in wires},
        }
        for place in (finished(study) if wires else ())
        for target in study.targets
    ]


def _unit(study: StudyPoints, over: str) -> tuple[float, str]:
    """Return the unit, and what it is worth, in which a table of the study tells of `over`."""
    if over == ROUNDS:
        return 1.0, "rounds"
    curves = [curve[over] for curve in study.columns["curve"] if curve is not None and curve.get(over)]
    return unit_of((places[-1] for places in curves), {SECONDS: "s", BYTES: "B", JOULES: "J"}[over])


def _cost(study: StudyPoints, place: Combination, target: Target, over: str, scale: float) -> str:
    if not answers.tells(study, place.points, over):
        return "-"
    words = phrases.time_words(_needed(study, place, target, over, scale), "")
    return words.removesuffix(" (1 of 1 not there)").removesuffix(" (1 of 1 untrained)")


def _needed(study: StudyPoints, place: Combination, target: Target, over: str, scale: float) -> OverRuns:
    """Return how much of `over`, in units of `scale`, a combination needs to `target`."""
    crossed = answers.crossings(study, place.points, target, over=over)
    scaled = [(c.at / scale, (c.bracket[0] / scale, c.bracket[1] / scale), c.censored) for c in crossed]
    return over_runs([Crossing(*crossing) for crossing in scaled])


def times_table(study: StudyPoints, target: Target) -> Table:
    """Return the seconds to `target` of each combination: raw with its bracket, and smoothed."""
    return [
        {
            **place_cells(study, place),
            "seeds": str(len(place.points)),
            "first evaluation there": phrases.time_words(answers.to_target(study, place, target)),
            "crossed in": phrases.bracket_words(answers.crossings(study, place.points, target)),
            "mean of 3 there": phrases.time_words(answers.to_target(study, place, target, smoothed=True)),
        }
        for place in finished(study)
    ]


def ratios_table(study: StudyPoints, target: Target) -> Table:
    """Return how many times as fast as the baseline each rival is, raw and smoothed, with the pairs."""
    rows = []
    for place in itertools.product(study.panels, study.rivals, study.xs):
        raw, smoothed = (answers.ratio(study, *place, target, each) for each in (False, True))
        cells = {
            "pairs": str(raw.n if raw is not None else 0),
            "first evaluation there": phrases.ratio_cell(raw),
            "clear difference": "yes" if raw is not None and answers.is_clear(raw) else "no",
            "mean of 3 there": phrases.ratio_cell(smoothed),
        }
        rows.append(place_cells(study, study.at(*place)) | cells)
    return rows


def budget_table(study: StudyPoints, over: str) -> Table:
    """Return the accuracies within equal amounts of `over`, and how much of it each target takes.

    Seconds, and joules of all devices, are equal at each x and panel; rounds and payload bytes everywhere.
    Combinations that do not tell of `over` are left out.
    """
    unit = _unit(study, over)
    if over in (ROUNDS, BYTES):
        return _budget_rows(study, _by_training(study), over, unit, not answers.shares_trainings(study))
    rows: Table = []
    for panel in study.panels:
        for x in study.xs:
            places = [study.at(panel, line, x) for line in study.lines]
            told = [place for place in places if answers.tells(study, place.points, over)]
            rows += _budget_rows(study, told, over, unit)
    return rows


def parts_table(study: StudyPoints) -> Table:
    """Return the mean time of each combination, the share of each part, lower bounds, and the straggler."""
    rows = []
    for place in finished(study):
        parts = answers.means(study, place, "parts_s")
        whole = sum(parts.values())
        if whole <= 0:
            continue
        shares = {f"{part} (%)": f"{100 * seconds / whole:.1f}" for part, seconds in parts.items()}
        bounds = {
            f"least with {name}": f"{amount(s)} s"
            for name, s in answers.means(study, place, "bounds_s").items()
        }
        times = {"whole": f"{amount(whole)} s", **shares, **bounds}
        rows.append({**place_cells(study, place), **times, "most often last": _straggler(study, place)})
    return filled(rows)


def handovers_table(study: StudyPoints) -> Table:
    """Return the mean number of handovers and their interruptions in a whole run, where there are any.

    Beside them stands for which share of the barriers the device was waited for that came last most often.
    """
    if not any((row or {}).get("count") for row in study.columns["handovers"]):
        return []
    rows = []
    for place in finished(study):
        means = answers.means(study, place, "handovers")
        cells = {name: amount(means[key]) for name, key in _HANDOVERS.items() if key in means}
        late = [study.columns["straggler"][i] or {} for i in place.points]
        shares = [max(last.values()) / sum(last.values()) for last in late if last]
        last = fixed_percent(sum(shares) / len(shares)) if shares else "-"
        rows.append({**place_cells(study, place), **cells, "waited for the same device": last})
    return filled(rows)


def losses_table(study: StudyPoints) -> Table:
    """Return the mean number of transfers of a whole run, of those lost, and of device-rounds missed."""
    if not any(study.columns["lost"]):
        return []
    names = {"transfers": "transfers", "lost": "lost", "device-rounds missed": "missed"}
    return [
        {**place_cells(study, place), **{name: _mean(study, place, key) for name, key in names.items()}}
        for place in finished(study)
    ]


def air_table(study: StudyPoints, target: Target | None) -> Table:
    """Return the spread over trainings and draws of the air, for each combination that has draws.

    Quantiles count runs that never reached the target (Kaplan-Meier); variances need all of them to.
    """
    rows = []
    for place in study.combinations:
        table = answers.over_the_air(study, place.axes)
        if not table:
            continue
        row = place_cells(study, place) | {"trainings x draws": f"{len(table)} x {len(table[0])}"}
        row |= phrases.variance_cells("whole run", answers.variance(study, place.axes, None))
        if target is not None:
            crossed = [crossing for points in table for crossing in answers.crossings(study, points, target)]
            row[f"{target_words(target)}: median (5 .. 95 %)"] = phrases.quantiles_cell(crossed)
            row |= phrases.variance_cells(target_words(target), answers.variance(study, place.axes, target))
        rows.append(row)
    return rows


def failures_table(study: StudyPoints) -> Table:
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


def finished(study: StudyPoints) -> list[Combination]:
    """Return the combinations of which a point finished."""
    return [place for place in study.combinations if place.points]


def place_cells(study: StudyPoints, place: Combination, with_x: bool = True) -> dict[str, str]:
    """Return the cells that say which combination a row is about."""
    roles = study.roles
    cells = {axis.name: axis.shown(place.axes[axis.path]) for axis in roles.panels}
    if roles.x is not None and with_x:
        cells[roles.x.name] = roles.x.shown(place.axes[roles.x.path])
    line = place.axes[roles.line.path] if roles.line is not None else ""
    return cells | {roles.line.name if roles.line is not None else "study": study.short_label(line)}


def _mean(study: StudyPoints, place: Combination, column: str) -> str:
    return amount(sum(study.columns[column][i] or 0 for i in place.points) / len(place.points))


def _by_training(study: StudyPoints) -> list[Combination]:
    """Return one combination for each set of trainings: others differ in timing only."""
    places: dict[tuple[str, ...], Combination] = {}
    for place in finished(study):
        places.setdefault(tuple(study.columns["training"][i] for i in place.points), place)
    return list(places.values())


def _budget_rows(
    study: StudyPoints,
    places: Sequence[Combination],
    over: str,
    in_unit: tuple[float, str],
    with_x: bool = True,
) -> Table:
    """Return one row for each place: the accuracy within shares of the budget that all of them have."""
    scale, unit = in_unit
    budget = answers.common_budget(study, [i for place in places for i in place.points], over)
    rows = []
    for place in places if not math.isnan(budget) else ():
        row = place_cells(study, place, with_x) | {"budget": f"{amount(budget / scale)} {unit}"}
        for name, share in SHARES.items():
            row[name] = phrases.accuracy_cell(answers.accuracy_at(study, place.points, share * budget, over))
        for target in study.targets:
            row[f"to {target_words(target)}"] = phrases.time_words(
                _needed(study, place, target, over, scale), unit
            )
        rows.append(row)
    return rows


def _straggler(study: StudyPoints, place: Combination) -> str:
    last: Counter[str] = Counter()
    for i in place.points:
        last.update(study.columns["straggler"][i] or {})
    if not last:
        return "-"
    device, most = min(last.items(), key=lambda item: (-item[1], item[0]))
    return f"{device} ({fixed_percent(most / last.total())})"


def filled(rows: Sequence[Mapping[str, str]]) -> Table:
    """Return `rows` with all columns that one of them has, dashes where another lacks it."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    return [{name: row.get(name, "-") for name in names} for row in rows]
