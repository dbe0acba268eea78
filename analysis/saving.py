"""Writes a figure with the table behind it, as the page that is drawn for has them."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from slfac_sim.analysis.booktabs import write_booktabs
from slfac_sim.analysis.style import page, save
from slfac_sim.analysis.text_tables import write_csv

MOST_PRINTED = 60  # rows that a page of a paper has room for


def save_with_table(figure: Figure, rows: Iterable[Mapping[str, Any]], folder: Path, name: str) -> list[Path]:
    """Write `figure` and its `rows` as `name` into `folder`; return the files: figure, CSV, LaTeX.

    LaTeX for a paper alone, and of no more rows than a page has room for.
    """
    kept = list(rows)
    files = [*save(figure, folder, name), write_csv(kept, folder / f"{name}.csv")]
    print_it = page().print_table and len(kept) <= MOST_PRINTED
    return [*files, write_booktabs(kept, folder / f"{name}.tex")] if print_it else files
