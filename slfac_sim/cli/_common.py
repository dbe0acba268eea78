"""What the commands that read a scenario have in common."""

import argparse

from slfac_sim.scenario import Scenario


def add_scenario_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the scenario, its overrides and the seed."""
    parser.add_argument("scenario", metavar="FILE", help="a scenario file, or the name of a shipped one")
    parser.add_argument(
        "overrides", nargs="*", metavar="KEY=VALUE", help='such as network.bandwidth="10 MHz" or codec=raw'
    )
    parser.add_argument("--seed", type=int, metavar="N", help="set both seeds, learning and air, to N")


def read_scenario(arguments: argparse.Namespace) -> Scenario:
    """Return the scenario that the arguments name. Raises `BadInput` with all of its faults."""
    from slfac_sim.scenario_file import load

    return load(arguments.scenario, arguments.overrides, arguments.seed)
