"""The stored numbers of the packet simulator: the runs of a case, and samples of what they gave."""

import json
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from cases import WifiCase
from handover import HandoverCase
from wired import WiredCase

STORED = Path(__file__).resolve().parent / "reference"


@dataclass(frozen=True)
class Sample:
    """The mean of a quantity over replications, and their standard deviation (0 for a single one)."""

    mean: float
    deviation: float
    size: int

    @classmethod
    def of(cls, values: Sequence[float]) -> "Sample":
        """Return the sample of `values`."""
        deviation = statistics.stdev(values) if len(values) > 1 else 0.0
        return cls(statistics.mean(values), deviation, len(values))

    def error(self, value: float) -> float:
        """Return how far `value` is from the mean, as a part of it."""
        return value / self.mean - 1.0

    def __str__(self) -> str:
        return f"{self.mean:.4f} ± {self.deviation:.4f} ({self.size})"


@cache
def stored(family: str) -> Mapping[str, Any]:
    """Return what ns-3 gave: the document that reference.py wrote."""
    document: dict[str, Any] = json.loads((STORED / f"{family}.json").read_text(encoding="utf-8"))
    return document


def reference(family: str, case: WifiCase | WiredCase | HandoverCase) -> Sequence[Mapping[str, Any]]:
    """Return the stored runs of `case`. Raises `LookupError` if none has its parameters."""
    for entry in stored(family)["cases"]:
        if entry["arguments"] == case.arguments(1) and len(entry["runs"]) == case.replications:
            runs: Sequence[Mapping[str, Any]] = entry["runs"]
            return runs
    raise LookupError(f"{case.name}: its reference numbers are not those of its parameters; make them anew")
