"""The reference of commands: every verb with its arguments, from the parsers that read them."""

import argparse
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from slfac_sim.cli.commands import COMMANDS
from slfac_sim.cli.parsing import parser_of
from slfac_sim.foundation.ending import OPTIONS
from slfac_sim.foundation.program import COMMAND


def commands() -> str:
    """Return the page."""
    shared = "\n".join(f"- `{option}`: {text}" for option, text in OPTIONS.items())
    head = f"""# Commands

Every verb of `{COMMAND}`, which is `python -m slfac_sim`, as `{COMMAND} help VERB` tells of it.
[The command line](../command_line.md) says how they go together. All of them take

- `-h`, `--help`: say what is here
{shared}
"""
    with _called(COMMAND):
        parts = [part for verb in COMMANDS for part in _verb(verb)]
    return "\n\n".join([head, *parts]) + "\n"


@contextmanager
def _called(name: str) -> Iterator[None]:
    """Have the program be called `name` meanwhile."""
    before, sys.argv = sys.argv, [name]
    try:
        yield
    finally:
        sys.argv = before


def _verb(verb: str) -> Iterator[str]:
    (subparsers,) = (
        action for action in parser_of(verb)._actions if isinstance(action, argparse._SubParsersAction)
    )
    yield from _parser(subparsers.choices[verb], f"(command-{verb})=\n## {verb}")


def _parser(parser: argparse.ArgumentParser, heading: str) -> Iterator[str]:
    """Yield what is told of one parser: its purpose, its usage, its arguments, and its actions."""
    yield heading
    yield _sentence(parser.description or "")
    usage = parser.format_usage().replace(" [--debug] [--no-plugins]", "").replace(" [-h]", "")
    yield "\n".join(["```text", *(line[len("usage: ") :] for line in usage.rstrip().splitlines()), "```"])
    yield f"```{{program}} {parser.prog}\n```"
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            helps = {choice.dest: choice.help for choice in action._choices_actions}
            for name, inner in action.choices.items():
                inner.description = helps.get(name, "")
                yield from _parser(inner, f"### {parser.prog.partition(' ')[2]} {name}")
        elif not {*action.option_strings} & {"-h", *OPTIONS}:
            yield _argument(action)


def _argument(action: argparse.Action) -> str:
    text = (action.help or "").replace("%%", "%")
    if not action.option_strings:
        return f"- `{_value(action)}`" + (f": {text}" if text else "")
    value = "" if action.nargs == 0 else f" {_value(action)}"
    names = ", ".join(f"{name}{value}" for name in action.option_strings)
    return f"```{{option}} {names}\n{_sentence(text)}\n```"


def _value(action: argparse.Action) -> str:
    if isinstance(action.metavar, str):
        return action.metavar
    return f"{{{','.join(map(str, action.choices))}}}" if action.choices else action.dest.upper()


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}{'' if text.endswith(('.', '?')) else '.'}" if text else ""
