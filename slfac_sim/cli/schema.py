"""`schema`: what a setting is; without a path, the whole JSON Schema of scenarios or of studies."""

import argparse
import json
import re


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
    from slfac_sim.cli.pages import page_of
    from slfac_sim.foundation.program import program
    from slfac_sim.scenario.explained import explain
    from slfac_sim.scenario.pages import STUDIES

    whole = schema()
    if arguments.path is None:
        print(json.dumps(whole, indent=2, ensure_ascii=False))
        return 0
    explanation = explain(arguments.path, whole)
    if arguments.json:
        print(json.dumps(explanation.schema, indent=2, ensure_ascii=False))
    else:
        page = STUDIES if arguments.study else page_of(tuple(re.split(r"[.=]", explanation.path)))
        print(explanation, f"  Read on: `{program('docs')} {page}`.", sep="\n")
    return 0
