"""Completion in a shell, by argcomplete: what a word that is begun may become.

The shell calls the program with ``_ARGCOMPLETE`` and the line in ``COMP_LINE``; the answer goes to file
descriptor 8. Neither torch nor pydantic is imported: settings are known from their JSON Schema. Where a
file is broken there is nothing to offer, silently.
"""

import argparse
import os
from collections.abc import Iterator, Sequence

from argcomplete.completers import SuppressCompleter
from argcomplete.finders import CompletionFinder
from argcomplete.lexers import split_line

from slfac_sim.cli.commands import COMMANDS, OF_THE_PROGRAM
from slfac_sim.cli.completing.places import Offered, scenarios
from slfac_sim.cli.completing.words import completer_of, override
from slfac_sim.cli.parsing import parser_of


class Finder(CompletionFinder):
    """Completes the first word also as a scenario, and overrides wherever the command line takes them."""

    words: Sequence[str] = ()
    """The whole words before the one to be completed, without the program's own name."""

    def collect_completions(
        self,
        active_parsers: list[argparse.ArgumentParser],
        parsed_args: argparse.Namespace,
        cword_prefix: str,
    ) -> list[str]:
        """Return what the word that begins with `cword_prefix` may become."""
        parsed_args.overrides = [word for word in self.words if "=" in word and not word.startswith("-")]
        found: list[str] = super().collect_completions(active_parsers, parsed_args, cword_prefix)
        more: Offered = {}
        if len(active_parsers) == 1 and cword_prefix and not cword_prefix.startswith("-"):
            more = scenarios(cword_prefix)
        elif not found and self._takes_override(active_parsers[-1], cword_prefix):
            more = override(cword_prefix, parsed_args)
        self._display_completions.update(more)
        return [*found, *more]

    def _takes_override(self, parser: argparse.ArgumentParser, prefix: str) -> bool:
        """Say whether an override may stand here: behind options argparse looks for none."""
        actions = [*_actions(parser)]
        before = next((action for action in actions if self.words[-1] in action.option_strings), None)
        takes = any(action.dest == "overrides" for action in actions)
        return takes and not prefix.startswith("-") and (before is None or before.nargs == 0)


def answer() -> None:
    """Answer the shell that asks in the environment, and end the process."""
    line, point = os.environ["COMP_LINE"], int(os.environ["COMP_POINT"])
    _, _, _, words, _ = split_line(line, point)
    program, *whole = words
    if whole and whole[0] not in COMMANDS and whole[0] not in (*OF_THE_PROGRAM, "help"):
        at = line.index(program) + len(program)
        os.environ["COMP_LINE"] = f"{line[:at]} run{line[at:]}"
        os.environ["COMP_POINT"] = str(point + len(" run"))
        whole.insert(0, "run")
    verb = whole[0] if whole else ""
    parser = parser_of(verb)
    for action in _actions(parser):
        if (completer := completer_of(action, verb)) is not None:
            vars(action)["completer"] = completer
    finder = Finder()
    finder.words = whole
    finder(parser, always_complete_options=False, default_completer=SuppressCompleter())


def _actions(parser: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    """Yield the arguments of `parser`, and of the commands below it."""
    for action in parser._actions:
        yield action
        if isinstance(action, argparse._SubParsersAction):
            for inner in action.choices.values():
                yield from _actions(inner)
