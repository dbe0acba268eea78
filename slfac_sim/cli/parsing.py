"""Words become arguments; what is missing, unknown or misspelt is told in a sentence or two."""

import argparse
import re
from collections.abc import Sequence
from typing import NoReturn

from slfac_sim.cli.commands import COMMANDS, module_of
from slfac_sim.foundation.errors import did_you_mean
from slfac_sim.foundation.program import program

_EPILOG = """the first five minutes:
  {program} quick                           a scenario that is shipped, in a minute
  {program} init                            a scenario of your own: scenario.yaml
  {program} check scenario.yaml             what it will run, and how long that takes
  {program} scenario.yaml codec=raw network.bandwidth="10 MHz"
  {program} COMMAND --help                  everything about one command"""


class Parser(argparse.ArgumentParser):
    """A parser whose errors say what to type instead, without the whole usage before it."""

    def error(self, message: str) -> NoReturn:
        """Exit with status 2 and the message, in our words where argparse's would mislead."""
        missing = message.partition("arguments are required: ")[2].split(", ")
        needed = [name for name in missing if name and not name.startswith("KEY=")]
        if needed:
            message = "; ".join(f"{name} is missing{self._meant(name)}" for name in needed)
        if choice := re.fullmatch(r"argument (\S+): invalid choice: '(.*)' \(choose from (.*)\)", message):
            names = choice[3].replace("'", "").split(", ")
            message = (
                f"{choice[1]}: no '{choice[2]}' among {', '.join(names)}{did_you_mean(choice[2], names)}"
            )
        self.exit(2, f"{self.prog}: {message}\n`{self.prog} --help` shows all\n")

    def _meant(self, name: str) -> str:
        """Return what the argument `name` is, in brackets, if its help or its choices say so."""
        for action in self._actions:
            if name in (action.metavar, *action.option_strings):
                text = action.help or " or ".join(action.choices or ())
                return f" ({text})" if text else ""
        return ""

    def refuse(self, words: Sequence[str]) -> NoReturn:
        """Exit with status 2, for there is no place for `words`; name the option that was meant."""
        options = [option for action in self._actions for option in action.option_strings]
        word = words[0].partition("=")[0] if words[0].startswith("-") else words[0]
        what = "no such option" if word.startswith("-") else "one word too many"
        self.error(f"{word}: {what}{did_you_mean(word, options) if word.startswith('-') else ''}")


def arguments_of(parser: Parser, words: Sequence[str]) -> argparse.Namespace:
    """Return the arguments in `words`; overrides may also stand after options, where argparse leaves them."""
    from slfac_sim.foundation.ending import OPTIONS

    arguments, rest = parser.parse_known_args(words)
    left = [word for word in rest if word not in OPTIONS]
    for option in set(rest) - set(left):  # behind an action, as in `codec compare`
        setattr(arguments, option.removeprefix("--").replace("-", "_"), True)
    overrides = vars(arguments).get("overrides")
    odd = [word for word in left if overrides is None or word.startswith("-") or "=" not in word]
    if odd:
        vars(arguments).get("parser", parser).refuse(odd)
    if overrides is not None:
        arguments.overrides = [*overrides, *left]
    return arguments


def parser_of(command: str) -> Parser:
    """Return the parser; only the `command` in question adds its own arguments."""
    from slfac_sim.foundation.ending import add_options

    parser = Parser(
        prog=program(),
        description="Wireless network simulation coupled with real split learning.",
        epilog=_EPILOG.format(program=program()),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("-V", "--version", action=_Version)
    subparsers = parser.add_subparsers(dest="command", metavar="COMMAND")
    for name, purpose in COMMANDS.items():
        text = purpose.format(program=program())
        subparser = subparsers.add_parser(name, help=text, description=text, prog=program(name))
        if name == command:
            module_of(name).add_arguments(subparser)
            add_options(subparser)
            subparser.set_defaults(parser=subparser)
    return parser


class _Version(argparse.Action):
    """Print the version, the commit, and the versions of what results depend on."""

    def __init__(self, option_strings: Sequence[str], dest: str) -> None:
        super().__init__(
            option_strings, argparse.SUPPRESS, nargs=0, help="print the versions, and the commit"
        )

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from slfac_sim.cli.version import lines

        print("\n".join(lines()))
        parser.exit()
