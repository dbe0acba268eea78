"""Figures that were asked for by name, and what is said where there is no such one."""

from collections.abc import Container, Sequence
from pathlib import Path

from slfac_sim.foundation.errors import BadInput, did_you_mean


def check_names(names: Sequence[str], known: Sequence[str]) -> None:
    """Raise `BadInput` unless all `names` are `known` ones of figures."""
    for name in names:
        if name not in known:
            raise BadInput(f"no figure '{name}' among {', '.join(known)}{did_you_mean(name, known)}")


def check_shown(names: Sequence[str], shown: Container[str], folders: Sequence[Path]) -> None:
    """Raise `BadInput` unless all `names` are `shown`: the `folders` have something for these figures."""
    for name in names:
        if name not in shown:
            raise BadInput(nothing_for(name, folders))


def nothing_for(name: str, folders: Sequence[Path]) -> str:
    """Return the sentence for a figure for which none of the `folders` has anything."""
    several = f"none of the {len(folders)} runs has anything"
    which = several if len(folders) > 1 else f"{folders[0]}: has nothing"
    return f"{which} for the figure '{name}'"
