"""The command line: what a user types becomes one call; each command lives in a file of its own.

Exit status: 0 done, 1 the run failed, 2 usage or input, 130 interrupted. Nothing heavy is imported before
it is known what is wanted, so that `--help` answers at once.
"""

import argparse
import importlib
import sys
from collections.abc import Sequence
from typing import Any

COMMANDS = {
    "run": "train, transmit and time a scenario (also without the word: `python -m slfac_sim FILE`)",
    "check": "say what a scenario would run, without training",
    "schema": "print the JSON Schema of scenarios, for editors",
    "data": "fetch the data sets ahead of time, or say where they are",
}
_EPILOG = """examples:
  python -m slfac_sim scenarios/100_devices.yaml
  python -m slfac_sim 100_devices network.bandwidth="10 MHz" codec.uplink.theta=0.95
  python -m slfac_sim check 100_devices codec=raw
  python -m slfac_sim data fetch mnist"""


def main(argv: Sequence[str]) -> int:
    """Run the command that `argv` asks for and return the exit status."""
    words = list(argv)
    if words and words[0] not in COMMANDS and not words[0].startswith("-"):
        words.insert(0, "run")
    arguments = _parser(words[0] if words else "").parse_args(words)
    if arguments.command is None:
        _parser("").print_help()
        return 2
    from slfac_sim.foundation.errors import BadInput

    try:
        return int(_module(arguments.command).main(arguments))
    except BadInput as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130


def _parser(command: str) -> argparse.ArgumentParser:
    """Return the parser; only the command in question adds its own arguments."""
    parser = argparse.ArgumentParser(
        prog="python -m slfac_sim",
        description="Wireless network simulation coupled with real split learning.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=_version())
    subparsers = parser.add_subparsers(dest="command", metavar="COMMAND")
    for name, purpose in COMMANDS.items():
        subparser = subparsers.add_parser(name, help=purpose, description=purpose)
        if name == command:
            _module(name).add_arguments(subparser)
    return parser


def _version() -> str:
    from slfac_sim import __version__

    return f"slfac_sim {__version__}"


def _module(command: str) -> Any:
    return importlib.import_module(f"slfac_sim.cli.{command}")
