"""`ask`: which value of a setting meets a bound, by bisection over replays."""

import argparse

from slfac_sim.cli._asking import add_search_arguments, print_answer, request_of


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the scenario, the question and what is varied."""
    parser.add_argument("scenario", metavar="FILE", help="a scenario file, or the name of a shipped one")
    parser.add_argument("question", metavar="QUESTION", help='such as "time_to_accuracy(0.95) <= 600 s"')
    add_search_arguments(parser)


def main(arguments: argparse.Namespace) -> int:
    """Answer; the last line says which value does it, or that none does."""
    from slfac_sim.studies.search.asking import ask

    print_answer(ask(request_of(arguments), arguments.question), arguments.json)
    return 0
