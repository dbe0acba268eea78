"""Tables as CSV files, the same for runs and for studies."""

import csv
import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any


def write_rows(rows: Iterable[Mapping[str, Any]], path: Path) -> Path:
    """Write `rows` as CSV, columns in the order of their first appearance; NaN and None are empty cells."""
    kept = list(rows)
    names = list(dict.fromkeys(name for row in kept for name in row))
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, names, lineterminator="\n")
        writer.writeheader()
        writer.writerows({name: _cell(value) for name, value in row.items()} for row in kept)
    return path


def _cell(value: Any) -> Any:
    if isinstance(value, float):  # numpy's floats are such as well, and would be written with their type
        return "" if math.isnan(value) else float(value)
    return value
