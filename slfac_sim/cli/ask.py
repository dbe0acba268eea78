"""`ask`: which value of a setting meets a bound, by bisection over replays.

What varies it, its trainings and its answer are those of `crossover` too.
"""

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING

from slfac_sim.cli.common import add_level_argument, say

if TYPE_CHECKING:
    from slfac_sim.studies.search.replays import Request


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the scenario, the question and what is varied."""
    parser.add_argument("scenario", metavar="FILE", help="a scenario file, or the name of a shipped one")
    parser.add_argument("question", metavar="QUESTION", help='such as "time_to_accuracy(0.95) <= 600 s"')
    add_search_arguments(parser)


def main(arguments: argparse.Namespace) -> int:
    """Answer; the last line says which value does it, or that none does."""
    from slfac_sim.studies.search.ask import ask

    print_answer(ask(request_of(arguments), arguments.question), arguments.json)
    return 0


def add_search_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what is varied, over which range and seeds, and where trainings and the answer lie."""
    parser.add_argument(
        "overrides", nargs="*", metavar="KEY=VALUE", help='such as network.radius="100 m" or codec=raw'
    )
    parser.add_argument(
        "--vary", required=True, metavar="KEY", help="the setting to vary, such as network.bandwidth"
    )
    between = 'range, such as "1 MHz,100 MHz" (default: a tenth to ten times the scenario\'s own)'
    parser.add_argument("--between", metavar="LOW,HIGH", help=between)
    parser.add_argument("--seeds", type=int, metavar="N", help="seeds 0 to N-1 (default: the scenario's own)")
    parser.add_argument(
        "--cache", type=Path, default=Path("runs/trainings"), metavar="DIR", help="where trainings are kept"
    )
    parser.add_argument(
        "--threads", type=int, metavar="N", help="host threads of a training (default: 2, or 1 on one core)"
    )
    parser.add_argument("--out", type=Path, metavar="DIR", help="write the answer into exactly this folder")
    parser.add_argument("--json", action="store_true", help="print the answer as JSON")
    add_level_argument(parser)


def request_of(arguments: argparse.Namespace) -> "Request":
    """Return what the arguments ask for."""
    from slfac_sim.studies.search.replays import Request

    return Request(
        scenario=arguments.scenario,
        vary=arguments.vary,
        overrides=arguments.overrides,
        between=arguments.between,
        seeds=arguments.seeds,
        cache=arguments.cache,
        threads=arguments.threads,
        out=arguments.out,
        say=say,
    )


def print_answer(folder: Path, as_json: bool) -> None:
    """Print the answer that lies in `folder`: where its figure is and its lines, or its JSON."""
    from slfac_sim.analysis.answer_result import ANSWER

    text = (folder / ANSWER).read_text(encoding="utf-8")
    if as_json:
        print(text, end="")
    else:
        print(f"figure: {folder / 'figures' / 'curve.png'}")
        print("\n".join(json.loads(text)["answer"]))
