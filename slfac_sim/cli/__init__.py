"""The command line: what a user types becomes one call; each command lives in a file of its own.

Exit status: 0 done, 1 the run failed, 2 usage or input, 4 some points of a study failed, 130 interrupted
with Ctrl-C, 143 with SIGTERM.
Nothing heavy is imported before it is known what is wanted, so that `--help` answers at once.
"""

import argparse
import difflib
import importlib
import os
import sys
from collections.abc import Sequence
from functools import partial
from typing import Any

COMMANDS = {
    "run": "train, transmit and time a scenario (also without the word: `python -m slfac_sim FILE`)",
    "resume": "go on with a run that was interrupted or killed, to the same end",
    "verify": "run the scenario of a finished run again and compare every row",
    "check": "say what a scenario would run, without training",
    "replay": "time a finished run again: another network, other speeds, another server, no training",
    "sweep": "run a study: every combination of settings and seeds, each training once",
    "ask": "find the value of a setting that meets a bound, by bisection over replays",
    "crossover": "find where one codec stops beating another, over a setting of the network",
    "explain": "say where the simulated time of a run went, and who was waited for",
    "trace": "write a run's timeline for Perfetto",
    "list": "list the runs under a folder",
    "compare": "set two runs side by side: what differs in their settings and in their results",
    "export": "write the tables of a run as CSV or Parquet files",
    "cite": "print the references of the parts that a scenario uses",
    "codec": "try codecs on tensors: encode, decode, compare, inspect, spectra",
    "capture": "save real activations and gradients of named training steps as .npy files",
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
    words = [*argv]  # not list(argv): once imported, the command `list` is what that name means here
    if words and words[0] not in COMMANDS and words[0] not in ("-h", "--help", "--version"):
        if (meant := _misspelt(words[0])) is not None:
            print(f"{words[0]}: no such command, and no scenario; did you mean '{meant}'?", file=sys.stderr)
            return 2
        words.insert(0, "run")
    arguments = _arguments(_parser(words[0] if words else ""), words)
    if arguments.command is None:
        _parser("").print_help()
        return 2
    from slfac_sim.foundation.ending import status_of

    return status_of(partial(_performed, arguments), arguments.debug, arguments.no_plugins)


def _performed(arguments: argparse.Namespace) -> int:
    from slfac_sim.foundation.files import check_name

    for name, value in vars(arguments).items():
        if isinstance(value, os.PathLike) or (name in ("scenario", "study") and isinstance(value, str)):
            check_name(value)
    return int(_module(arguments.command).main(arguments))


def _misspelt(word: str) -> str | None:
    """Return the command that `word` is nearly; None for what may be a scenario."""
    near = difflib.get_close_matches(word, COMMANDS, n=1)
    if not near or os.path.exists(word):
        return None
    from slfac_sim.scenario.files import shipped

    return None if {word, f"{word}.yaml"} & shipped().keys() else near[0]


def _arguments(parser: argparse.ArgumentParser, words: Sequence[str]) -> argparse.Namespace:
    """Return the arguments in `words`; overrides may also stand after options, where argparse leaves them."""
    from slfac_sim.foundation.ending import OPTIONS

    arguments, rest = parser.parse_known_args(words)
    left = [word for word in rest if word not in OPTIONS]
    for option in set(rest) - set(left):  # behind an action, as in `codec compare`
        setattr(arguments, option.removeprefix("--").replace("-", "_"), True)
    overrides = getattr(arguments, "overrides", None)
    odd = [word for word in left if overrides is None or word.startswith("-") or "=" not in word]
    if odd:
        parser.error(f"unrecognized arguments: {' '.join(odd)}")
    if overrides is not None:
        arguments.overrides = [*overrides, *left]
    return arguments


def _parser(command: str) -> argparse.ArgumentParser:
    """Return the parser; only the command in question adds its own arguments."""
    from slfac_sim.foundation.ending import add_options

    parser = argparse.ArgumentParser(
        prog="python -m slfac_sim",
        description="Wireless network simulation coupled with real split learning.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    version = _version() if command == "--version" else ""  # it asks git
    parser.add_argument("--version", action="version", version=version)
    subparsers = parser.add_subparsers(dest="command", metavar="COMMAND")
    for name, purpose in COMMANDS.items():
        subparser = subparsers.add_parser(name, help=purpose, description=purpose)
        if name == command:
            _module(name).add_arguments(subparser)
            add_options(subparser)
    return parser


def _version() -> str:
    from slfac_sim import __version__
    from slfac_sim.foundation.version import versions

    named = ", ".join(f"{name} {version or 'unknown'}" for name, version in versions().items())
    return f"slfac_sim {__version__} ({named})"


def _module(command: str) -> Any:
    return importlib.import_module(f"slfac_sim.cli.{command}")
