"""`schema`: print the JSON Schema of scenarios."""

import argparse
import json


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add nothing: the schema has no choices."""


def main(arguments: argparse.Namespace) -> int:
    """Print the schema on standard output."""
    from slfac_sim.scenario_file import schema

    print(json.dumps(schema(), indent=2, ensure_ascii=False))
    return 0
