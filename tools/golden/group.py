"""What a group of golden runs is: commands as data, played in one folder.

A word `CHOICE` stands for every kind that the setting `of` may have, and for every switch of it (a choice of
words, or a truth value) turned alone; `OUT` for a name made of it; `SHIPPED` for every shipped scenario. What
begins with `!` is an act of the player: copy, cut, write, sql, interrupt, columns.
"""

from dataclasses import dataclass, field

Command = tuple[str, ...]


@dataclass(frozen=True)
class Group:
    """Commands that are played in one folder, in order; `of` is the setting that `CHOICE` stands for."""

    name: str
    commands: tuple[Command, ...]
    of: str = ""
    files: dict[str, str] = field(default_factory=dict)


def ours(*words: str) -> Command:
    """Return a command of `python -m slfac_sim`."""
    return ("slfac_sim", *words)


def run(out: str, *overrides: str) -> Command:
    """Return the command that runs the base scenario with `overrides` into the folder `out`."""
    return ours("run", "base.yaml", *overrides, "--out", out, "--quiet")


def each(name: str, of: str, *overrides: str) -> Group:
    """Return the group that runs the base scenario with every kind and switch of the setting `of`."""
    return Group(name, (run("OUT", *overrides),), of)
