"""`schema`: print the JSON Schema of scenarios or of studies."""

import argparse
import json


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the choice between the two kinds of file."""
    parser.add_argument("--study", action="store_true", help="the schema of study files, not of scenarios")


def main(arguments: argparse.Namespace) -> int:
    """Print the schema on standard output."""
    if arguments.study:
        from slfac_sim.studies.files import schema
    else:
        from slfac_sim.scenario.files import schema

    print(json.dumps(schema(), indent=2, ensure_ascii=False))
    return 0
