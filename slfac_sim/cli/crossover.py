"""`crossover`: over one setting of the network, where one codec stops beating another."""

import argparse

from slfac_sim.cli.ask import add_search_arguments, print_answer, request_of
from slfac_sim.foundation.targets import Target


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the scenario, the two sides, the target and what is varied."""
    sides = 'a codec (raw) or overrides ("codec.uplink.theta=0.8; codec.downlink=raw")'
    parser.add_argument("scenario", metavar="FILE", help="a scenario file, or the name of a shipped one")
    parser.add_argument("a", metavar="A", help=sides)
    parser.add_argument("b", metavar="B", help=sides)
    parser.add_argument(
        "--target", metavar="TARGET", help="0.9, or balanced_accuracy=0.7 (default: the hardest both reach)"
    )
    add_search_arguments(parser)


def main(arguments: argparse.Namespace) -> int:
    """Answer; the last line says where they cross, or that they never do in the range."""
    from slfac_sim.studies.search.crossover import crossover

    target = None if arguments.target is None else Target.read(arguments.target)
    folder = crossover(request_of(arguments), arguments.a, arguments.b, target)
    print_answer(folder, arguments.json)
    return 0
