"""The list of figures: what each shows, of which folders."""

import importlib
import re

from slfac_sim.foundation.plugins import kinds

FAMILIES = {
    "Figures of runs": "slfac_sim.analysis.figures",
    "Figures of studies": "slfac_sim.analysis.studies.figures",
}


def figures() -> str:
    """Return the page."""
    head = """# Figures

What `slfac-sim figure RUN... --name NAME` draws, and `run.figure(NAME)`; [figures for a paper](../figures.md)
says in which forms. After a run those are drawn that are marked *at once*; those of *one run* show no two on
one axis.
"""
    parts = [_family(title, family) for title, family in FAMILIES.items()]
    return "\n\n".join([head, *parts]) + "\n"


def _family(title: str, family: str) -> str:
    rows = [_row(family, name) for name in kinds(family)]
    return "\n".join([f"## {title}", "", "| name | shows | drawn |", "|---|---|---|", *rows])


def _row(family: str, name: str) -> str:
    module = importlib.import_module(f"{family}.{name}")
    text = " ".join((module.__doc__ or "").split("\n\n")[0].split())
    shown = re.split(r"; it reads no file|(?<=\.)\s", text)[0].rstrip(".")
    marks = {"at once": getattr(module, "MAIN", False), "one run": getattr(module, "ONE_RUN", False)}
    return f"| `{name}` | {shown} | {', '.join(mark for mark, holds in marks.items() if holds)} |"
