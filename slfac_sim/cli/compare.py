"""`compare`: two runs side by side."""

import argparse
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from slfac_sim.analysis.format import as_fast, losses, measured, one_decimal, reached, share, target_words
from slfac_sim.cli.common import screen_width, warn_of_altered
from slfac_sim.foundation.metrics import METRICS

if TYPE_CHECKING:
    from slfac_sim.foundation.targets import Target
    from slfac_sim.runs.compare import Comparison


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the two runs and the form of the answer."""
    parser.add_argument("a", type=Path, metavar="RUN", help="a run folder")
    parser.add_argument("b", type=Path, metavar="RUN", help="another run folder")
    parser.add_argument("--json", action="store_true", help="print the comparison as JSON")


def main(arguments: argparse.Namespace) -> int:
    """Print what differs, results and ratios; the last line says whether seeds and air are the same."""
    from slfac_sim.runs.compare import compare

    comparison = compare(arguments.a, arguments.b)
    warn_of_altered(comparison.a, comparison.b)
    if arguments.json:
        print(json.dumps(_facts(comparison), indent=2))
        return 0
    from slfac_sim.analysis.text_tables import aligned

    print(aligned([["", "A", "B"], *_lines(comparison)], "lll", screen_width()))
    for target in comparison.targets:
        print(f"time to {target_words(target)}: {_verdict(comparison, target)}")
    print(f"same seeds: {'yes' if comparison.same_seeds else 'no'}; air: {comparison.air}")
    return 0


def _lines(comparison: "Comparison") -> Iterator[list[str]]:
    a, b = comparison.a.summary, comparison.b.summary
    yield ["run", *(_folder(run.folder) for run in (comparison.a, comparison.b))]
    for name in ("scenario", "label", "status"):
        yield [name, str(a[name]), str(b[name])]
    for path in comparison.differing:
        yield [path, *map(_value, comparison.with_units(path))]
    yield ["accuracy, final", *(_accuracy(summary["accuracy"]["final"]) for summary in (a, b))]
    for name in METRICS:
        values = [summary.get("metrics", {}).get(name, {}).get("final") for summary in (a, b)]
        if set(values) != {None}:
            yield [f"{METRICS[name].title}, final", *(measured(name, value) for value in values)]
    yield ["simulated s", one_decimal(a["simulated_s"]), one_decimal(b["simulated_s"])]
    for target in comparison.targets:
        times = (run.times_s[target] for run in (comparison.a, comparison.b))
        yield [f"s to {target_words(target)}", *map(reached, times)]
    yield ["MB", *(one_decimal(summary["bytes"]["total"] / 1e6) for summary in (a, b))]
    if any(summary.get("lost") or summary.get("missed") for summary in (a, b)):
        yield ["transfers", *(_transfers(summary) for summary in (a, b))]
    yield ["digest", *(str(summary.get("digest", ""))[:8] or "-" for summary in (a, b))]


def _transfers(summary: Mapping[str, Any]) -> str:
    return losses(summary["transfers"], summary.get("lost", 0), summary.get("missed", 0))


def _verdict(comparison: "Comparison", target: "Target") -> str:
    ratio = comparison.ratio(target)
    if ratio is None:
        times = {"A": comparison.a.times_s[target], "B": comparison.b.times_s[target]}
        missed = [name for name, at_s in times.items() if at_s is None]
        untrained = [name for name, at_s in times.items() if at_s == 0.0]
        reasons = [f"not reached by {' and '.join(missed)}"] if missed else []
        reasons += [f"met by the untrained model of {' and of '.join(untrained)}"] if untrained else []
        return "; ".join(reasons)
    if ratio == 1.0:
        return "equal"
    return f"A is {as_fast(1 / ratio)}" if ratio < 1.0 else f"B is {as_fast(ratio)}"


def _facts(comparison: "Comparison") -> dict[str, Any]:
    return {
        "a": {"folder": str(comparison.a.folder), **comparison.a.summary},
        "b": {"folder": str(comparison.b.folder), **comparison.b.summary},
        "differing": {path: list(pair) for path, pair in comparison.differing.items()},
        "time_ratio_a_over_b": {target.text: comparison.ratio(target) for target in comparison.targets},
        "same_seeds": comparison.same_seeds,
        "air": comparison.air,
    }


def _folder(folder: Path) -> str:
    return "/".join(folder.parts[-2:])


def _value(value: Any) -> str:
    return "-" if value is None else json.dumps(value) if isinstance(value, bool | list) else str(value)


def _accuracy(final: float | None) -> str:
    return "-" if final is None else share(final)
