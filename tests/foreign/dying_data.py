"""A data set for the tests of studies: the synthetic one, whose loading kills its process at first."""

import os
import signal
from pathlib import Path
from typing import Any

from slfac_sim.foundation.plugins import settings
from slfac_sim.learning.datasets import DataSource
from slfac_sim.learning.datasets.synthetic import Synthetic


@settings
class DyingData(DataSource):
    """`deaths` loads end in SIGKILL, or in an error if `politely`; they are counted in `place`/log."""

    place: str
    deaths: int
    politely: bool = False

    def load(self, report: Any = None) -> Any:
        log = Path(self.place) / "log"
        before = log.stat().st_size if log.exists() else 0
        with log.open("a") as file:
            file.write("x")
        if before < self.deaths and self.politely:
            raise RuntimeError("out of luck")
        if before < self.deaths:
            os.kill(os.getpid(), signal.SIGKILL)
        return Synthetic(train_samples=240, test_samples=100, size=12, classes=4).load()
