"""A study as plain data: `summary.json`, its numbers by combination, and the rows of `points.csv`."""

import dataclasses
import itertools
from collections.abc import Iterator, Sequence
from typing import Any

from slfac_sim.analysis.crossings import Crossing, final_accuracy
from slfac_sim.analysis.statistics import Interval, interval_of
from slfac_sim.analysis.studies import answers
from slfac_sim.analysis.studies.study import BYTES, JOULES, Combination, StudyPoints
from slfac_sim.foundation.json_values import json_value
from slfac_sim.foundation.targets import Target

_SCALARS = ("simulated_s", "rounds", "transfers", "lost", "missed", "energy_j", "wire_bytes", "digest")
_MAPPINGS = ("bytes", "bits_per_value", "energy", "parts_s", "bounds_s", "handovers")


def study_summary(study: StudyPoints, closing: Sequence[str]) -> dict[str, Any]:
    """Return the summary of the study, with the `closing` lines; what is not known, or infinite, is null."""
    failed, main = study.failed(), answers.main_target(study)
    summary = {
        "name": study.name,
        "targets": [target.plain for target in study.targets],
        "main_target": None if main is None else main.plain,
        "axes": {axis.path: list(axis.texts) for axis in study.axes},
        "x": study.roles.x.path if study.roles.x is not None else None,
        "lines": study.roles.line.path if study.roles.line is not None else None,
        "baseline": study.baseline,
        "seeds": sorted(set(study.columns["seed_learning"])),
        "points": {
            "all": study.size,
            "finished": study.size - len(failed),
            "failed": len(failed),
            "air_draws": sum(study.columns["air_draw"]),
        },
        "correlated_along_x": answers.shares_trainings(study),
        "combinations": [_combination(study, place) for place in study.combinations],
        "ratios": list(_ratios(study)),
        "crossovers": list(_crossovers(study)),
        "air": list(_air(study)),
        "failures": [
            {name: study.columns[name][i] for name in ("key", "reason")} | _axes_of(study, i) for i in failed
        ],
        "closing": list(closing),
    }
    plain: dict[str, Any] = json_value(summary)
    return plain


def point_rows(study: StudyPoints) -> Iterator[dict[str, Any]]:
    """Yield one flat row for each point, failed ones included, in the study's order.

    A crossing has its place, the evaluation before it (`_after`), and whether it is censored: then its place
    is that of the last evaluation, and the target lies beyond. It has no place where the untrained model
    met the target.
    """
    for i in range(study.size):
        row = {"key": study.columns["key"][i], "training": study.columns["training"][i], **_axes_of(study, i)}
        row |= {name: study.columns[name][i] for name in ("air_draw", "status", "reason", "label", *_SCALARS)}
        for name in _MAPPINGS:
            row |= {f"{name}.{key}": value for key, value in (study.columns[name][i] or {}).items()}
        if study.columns["status"][i] == "finished":
            row |= _reached(study, i)
        yield row


def _reached(study: StudyPoints, i: int) -> dict[str, Any]:
    row: dict[str, Any] = {"accuracy_final_mean": final_accuracy(study.columns["curve"][i]["accuracy"])}
    for target in study.targets:
        key = f"to_{target.text}"
        for smoothed, end in ((False, ""), (True, ".smoothed")):
            (crossing,) = answers.crossings(study, [i], target, smoothed)
            row |= {f"{key}{end}_s": _place_of(crossing), f"{key}{end}_after_s": crossing.bracket[0]}
            row |= {f"{key}{end}_censored": crossing.censored}
        row[f"{key}_untrained"] = crossing.untrained
        for over, unit in ((BYTES, "bytes"), (JOULES, JOULES)):
            if answers.tells(study, [i], over):
                (crossing,) = answers.crossings(study, [i], target, over=over)
                at = _place_of(crossing)
                row[f"{key}_{unit}"] = int(at) if over == BYTES and at is not None else at
                row[f"{key}_{unit}_censored"] = crossing.censored
    return row


def _place_of(crossing: Crossing) -> float | None:
    """Return the place of a crossing; none where the untrained model was there."""
    return None if crossing.untrained else crossing.at


def _axes_of(study: StudyPoints, i: int) -> dict[str, Any]:
    axes = {axis.path: study.columns[axis.path][i] for axis in study.axes}
    return axes | {name: study.columns[name][i] for name in ("seed_learning", "seed_air")}


def _combination(study: StudyPoints, place: Combination) -> dict[str, Any]:
    points = place.points
    line = study.roles.line
    row: dict[str, Any] = {
        "axes": dict(place.axes),
        "label": study.line_label(place.axes[line.path] if line is not None else ""),
        "seeds": len(points),
        "simulated_s": _mean("simulated_s", [study.columns["simulated_s"][i] for i in points]),
        "bytes_total": _mean("bytes_total", [study.columns["bytes"][i]["total"] for i in points]),
        "energy_j": _mean("energy_j", [study.columns["energy_j"][i] for i in points]),
        "energy": answers.means(study, place, "energy"),
        "accuracy_final": _mean(
            "accuracy", [final_accuracy(study.columns["curve"][i]["accuracy"]) for i in points]
        ),
        "parts_s": answers.means(study, place, "parts_s"),
        "bounds_s": answers.means(study, place, "bounds_s"),
        "largest_part": answers.largest_part(study, place),
    }
    row["targets"] = {target.text: _targets(study, place, target) for target in study.targets}
    return row


def _targets(study: StudyPoints, place: Combination, target: Target) -> dict[str, Any]:
    return {
        "first_s": answers.to_target(study, place, target),
        "smoothed_s": answers.to_target(study, place, target, smoothed=True),
        "first_bytes": answers.to_target(study, place, target, over=BYTES),
        f"first_{JOULES}": answers.to_target(study, place, target, over=JOULES),
        "crossings_s": answers.crossings(study, place.points, target),
    }


def _ratios(study: StudyPoints) -> Iterator[dict[str, Any]]:
    for panel, rival, target in _questions(study):
        for x in study.xs:
            base, other = study.at(panel, study.baseline, x), study.at(panel, rival, x)
            row: dict[str, Any] = {"axes": dict(other.axes), "target": target.plain}
            for name, smoothed in (("first", False), ("smoothed", True)):
                row[name] = answers.ratio(study, panel, rival, x, target, smoothed)
            yield row | {"equal_accuracy": answers.equally_accurate(study, base, other, target)}


def _crossovers(study: StudyPoints) -> Iterator[dict[str, Any]]:
    unit = study.roles.x.unit if study.roles.x is not None else ""
    for panel, rival, target in _questions(study):
        for place in answers.crossovers(study, panel, rival, target):
            row = {"panel": panel, "line": rival, "target": target.plain, "unit": unit}
            yield row | dataclasses.asdict(place)


def _questions(study: StudyPoints) -> Iterator[tuple[dict[str, str], str, Target]]:
    yield from itertools.product(study.panels, study.rivals, study.targets)


def _air(study: StudyPoints) -> Iterator[dict[str, Any]]:
    targets = {"simulated_s": None, **{f"to_{target.text}_s": target for target in study.targets}}
    for place in study.combinations:
        if answers.over_the_air(study, place.axes):
            splits = {name: answers.variance(study, place.axes, target) for name, target in targets.items()}
            yield {"axes": dict(place.axes), **splits}


def _mean(quantity: str, values: Sequence[float]) -> Interval | None:
    return interval_of(quantity, values) if values else None
