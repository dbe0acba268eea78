"""`evaluate`: measure the trained model of a run again, with another codec or on other data; no training."""

import argparse
import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from slfac_sim.cli.common import note, print_table

if TYPE_CHECKING:
    from slfac_sim.runs.evaluate import Measured


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the run, what is to be other than in it, and the form."""
    parser.add_argument("run", type=Path, metavar="RUN", help="the folder of a finished run")
    parser.add_argument(
        "overrides", nargs="*", metavar="KEY=VALUE", help="another codec, other data: codec=raw"
    )
    parser.add_argument(
        "--best", action="store_true", help="the best model by the validation part, not the final one"
    )
    parser.add_argument("--json", action="store_true", help="print JSON")


def main(arguments: argparse.Namespace) -> int:
    """Print what the model reaches."""
    from slfac_sim.runs.evaluate import evaluate

    name = "best" if arguments.best else "final"
    measured = evaluate(arguments.run, arguments.overrides, name, note)
    if arguments.json:
        facts = {**dataclasses.asdict(measured), "folder": str(measured.folder)}
        print(json.dumps(facts, indent=2))
    else:
        print_table(
            f"{measured.folder}: {measured.name} weights, of after round {measured.round}",
            list(_rows(measured)),
            "ll",
        )
    return 0


def _rows(measured: "Measured") -> Iterator[tuple[str, str]]:
    from slfac_sim.analysis.format import fixed_percent
    from slfac_sim.foundation.metrics import METRICS

    yield "data", measured.data
    yield "codec", measured.codec
    for name, value in measured.figures.items():
        if value is None:
            continue
        title = METRICS[name].title if name in METRICS else "accuracy without the codec"
        is_share = name not in METRICS or METRICS[name].is_share
        yield title, fixed_percent(value, 2) if is_share else f"{value:.4f}"
