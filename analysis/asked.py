"""Figures that were asked for by name, and what is said where there is no such one."""

from collections.abc import Container, Sequence
from pathlib import Path

from slfac_sim.foundation.errors import BadInput, did_you_mean

_SAME = {
    "time_to_accuracy": "accuracy_over_time",
    "bytes_to_accuracy": "accuracy_over_bytes",
    "energy_to_accuracy": "accuracy_over_energy",
    "time_by_part": "time_parts",
}
"""Figures of runs, and what shows the same of a study."""


def check_names(names: Sequence[str], known: Sequence[str]) -> None:
    """Raise `BadInput` unless all `names` are `known` ones of figures."""
    for name in names:
        if name not in known:
            raise BadInput(f"no figure '{name}' among {', '.join(known)}{likely(name, known)}")


def likely(name: str, known: Sequence[str]) -> str:
    """Return what ends the error: which of the `known` figures shows the same, or has a like name."""
    for of_runs, of_study in _SAME.items():
        if name == of_runs and of_study in known:
            return f"; of a study it is '{of_study}'"
        if name == of_study and of_runs in known:
            return f"; of runs it is '{of_runs}'"
    return did_you_mean(name, known)


def check_shown(names: Sequence[str], shown: Container[str], folders: Sequence[Path]) -> None:
    """Raise `BadInput` if there are `names` and none is `shown`: the `folders` have nothing for them."""
    if names and not any(name in shown for name in names):
        raise BadInput("; ".join(nothing_for(name, folders) for name in names))


def nothing_for(name: str, folders: Sequence[Path]) -> str:
    """Return the sentence for a figure for which none of the `folders` has anything."""
    several = f"none of the {len(folders)} runs has anything"
    which = several if len(folders) > 1 else f"{folders[0]}: has nothing"
    return f"{which} for the figure '{name}'"
