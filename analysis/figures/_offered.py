"""What the air offered before a run, for the figures that show it; it reads no file by itself."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from slfac_sim.analysis.rows import offered_of
from slfac_sim.foundation.arrays import Floats
from slfac_sim.ledger.folder import Run

Rows = Sequence[Mapping[str, Any]]
TOO_OLD = "This run was recorded by a version that did not write down what the air offered."


@dataclass(frozen=True)
class Series:
    """The tables `air`, `stations` and `links` of one run, or of a scenario before its run."""

    label: str
    air: Rows
    stations: Rows
    links: Rows

    def column(self, name: str) -> Floats:
        """Return the column `name` of the links [devices]; NaN where it is not known."""
        return np.array([np.nan if row[name] is None else row[name] for row in self.links], np.float64)

    def rate_bps(self, way: str, which: str = "rate") -> Floats:
        """Return the rates (or the `best`) of the links [devices], in the part of the time that `way` has."""
        part = self.air[0][f"{way}_share"] if self.air else 1.0
        return part * self.column(f"{way}_{which}_bps")


def data(run: Run) -> Series:
    """Return what the run's ledger says; nothing, where the run is too old to say it."""
    return Series(run.label, **offered_of(run))
