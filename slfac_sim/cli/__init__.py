"""The command line: what a user types becomes one call; each command lives in a file of its own.

Exit status: 0 done, 1 the run failed, 2 usage or input, 4 some points of a study failed, 130 interrupted
with Ctrl-C, 143 with SIGTERM.
Nothing heavy is imported before it is known what is wanted, so that `--help` answers at once.
"""

import os
import sys
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from slfac_sim.cli.commands import COMMANDS, OF_THE_PROGRAM, module_of, no_scenario

if TYPE_CHECKING:
    from argparse import Namespace

    from slfac_sim.foundation.errors import BadInput, BadSettings
    from slfac_sim.scenario.located import ScenarioError


def entry() -> int:
    """Run the command that the shell asks for: what `slfac-sim` and `python -m slfac_sim` start."""
    if "_ARGCOMPLETE" in os.environ:
        from slfac_sim.cli.completing import answer

        answer()
    return main(sys.argv[1:])


def main(argv: Sequence[str]) -> int:
    """Run the command that `argv` asks for and return the exit status."""
    from slfac_sim.foundation.ending import status_of

    words = [*argv]  # not list(argv): once imported, the command `list` is what that name means here
    if words[:1] == ["help"]:
        words = [*words[1:2], "--help"]
    if words[:1] == ["version"]:
        words = ["--version"]
    if words and words[0] not in COMMANDS and words[0] not in OF_THE_PROGRAM:
        if (reason := no_scenario(words[0])) is not None:
            print(reason, file=sys.stderr)
            return 2
        words.insert(0, "run")
    return status_of(partial(_performed, words), "--debug" in words, "--no-plugins" in words)


def _performed(words: Sequence[str]) -> int:
    from slfac_sim.cli.parsing import arguments_of, parser_of
    from slfac_sim.foundation.errors import BadSettings
    from slfac_sim.foundation.files import check_name
    from slfac_sim.scenario.located import ScenarioError

    arguments = arguments_of(parser_of(words[0] if words else ""), words)
    if arguments.command is None:
        parser_of("").print_help()
        return 2
    for name, value in vars(arguments).items():
        if isinstance(value, os.PathLike) or (name in ("scenario", "study") and isinstance(value, str)):
            check_name(value)
    from slfac_sim.foundation.logs import at_level

    with at_level(vars(arguments).get("log_level")):
        try:
            return int(module_of(arguments.command).main(arguments))
        except (BadSettings, ScenarioError) as error:
            raise _with_pages(_placed(error, arguments)) from error


def _placed(error: "BadSettings | ScenarioError", arguments: "Namespace") -> "BadSettings | ScenarioError":
    """Return `error` with the places of its settings, where the command reads one scenario."""
    from slfac_sim.foundation.errors import BadSettings
    from slfac_sim.scenario.files import placed

    read = vars(arguments)
    if not isinstance(error, BadSettings) or "scenario" not in read or "overrides" not in read:
        return error
    return placed(error, read["scenario"], read["overrides"], read.get("seed"))


def _with_pages(error: "BadSettings | ScenarioError") -> "BadInput":
    """Return `error` with a last line that says where to read on about its settings."""
    from slfac_sim.cli.pages import read_on
    from slfac_sim.foundation.errors import BadInput

    line = read_on(error.paths)
    return BadInput(f"{error}\n{line}" if line else str(error))
