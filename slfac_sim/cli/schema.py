"""`schema`: what a setting is; without a path, the whole JSON Schema of scenarios or of studies."""

import argparse
import json


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the setting, and the choice between the two kinds of file."""
    parser.add_argument(
        "path",
        nargs="?",
        metavar="PATH",
        help="a setting (network.radius), a part (network), or one of its kinds (network=wifi)",
    )
    parser.add_argument("--study", action="store_true", help="of study files, not of scenarios")
    parser.add_argument("--json", action="store_true", help="print the JSON Schema of the setting")


def main(arguments: argparse.Namespace) -> int:
    """Print what the setting is, or the schema, on standard output."""
    if arguments.study:
        from slfac_sim.studies.files import schema
    else:
        from slfac_sim.scenario.files import schema
    from slfac_sim.scenario.explained import explain

    whole = schema()
    if arguments.path is None:
        print(json.dumps(whole, indent=2, ensure_ascii=False))
        return 0
    explanation = explain(arguments.path, whole)
    if arguments.json:
        print(json.dumps(explanation.schema, indent=2, ensure_ascii=False))
    else:
        print(explanation)
    return 0
