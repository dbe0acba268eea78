"""Tables of what a scenario is made of, and of its settings that differ from defaults."""

from slfac_sim.analysis.format import shortened
from slfac_sim.analysis.report import cells
from slfac_sim.analysis.report.blocks import Cell, Table
from slfac_sim.analysis.told import About

_REQUIRED = "none"
_LETTERS = 36  # of a value; the whole of it stands in the scenario


def parts(said: About) -> Table:
    """Return the plug-ins of the scenario, with what each says of itself."""
    rows = [tuple(_plain(part[key]) for key in ("path", "kind", "what")) for part in said.parts]
    return Table("Parts", ("setting", "kind", "what it is"), rows)


def differing(said: About) -> Table:
    """Return the settings that differ from their defaults, with what they are."""
    rows = [
        (
            cells.said(row["path"]),
            cells.said(shortened(row["value"], _LETTERS)),
            cells.said(shortened(row.get("default") or _REQUIRED, _LETTERS)),
            _plain(row.get("meaning", "")),
        )
        for row in said.differ
        if row["path"] != "name"
    ]
    return Table("Settings that differ from defaults", ("setting", "value", "default", "meaning"), rows)


def _plain(text: str) -> Cell:
    """Return a cell of words without the marks that a docstring has around names."""
    return cells.said(text.replace("`", ""))
