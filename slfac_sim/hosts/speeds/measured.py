"""Measured times: what each block of the model takes on a device, from a table."""

import csv
import functools
import math
from collections.abc import Mapping, Sequence
from pathlib import Path

from slfac_sim.foundation.errors import BadInput
from slfac_sim.foundation.files import read_text
from slfac_sim.foundation.plugins import settings
from slfac_sim.foundation.units import FlopPerSecond
from slfac_sim.hosts.speeds import BlockSeconds, Speeds

COLUMNS = ("block", "forward_s", "backward_s")


@settings
class Measured(Speeds):
    """All devices are alike.

    `devices.slowdowns` can tell the devices apart.
    """

    table: Path
    """A CSV file with the columns block, forward_s and backward_s, both in seconds per sample. Blocks are
    named as in `cut`, and every block that devices hold must be there.
    """
    speed: FlopPerSecond = 5e9
    """FLOP/s achieved in what is not in the table: the averaging, and codecs where there is no
    `devices.codec_speed`.
    """

    def speeds(self, devices: Sequence[str], seed: int) -> dict[str, float]:
        """Return `speed` for each of the `devices`. Raises `BadInput` for a table that cannot be used."""
        self.blocks()
        return dict.fromkeys(devices, self.speed)

    @property
    def sets_work(self) -> bool:
        """Measured times are equivalent FLOPs only at a speed."""
        return True

    def blocks(self) -> Mapping[str, BlockSeconds]:
        """Return the times of each block of the table. Raises `BadInput` with the file and the line."""
        try:
            stamp = self.table.stat()
            return _read(self.table, stamp.st_mtime_ns, stamp.st_size)
        except BadInput:
            raise
        except UnicodeDecodeError as error:
            raise BadInput(f"devices.speed.table: {self.table}: cannot be read (not UTF-8 text)") from error
        except (OSError, ValueError, csv.Error) as error:
            reason = error.strerror if isinstance(error, OSError) else error
            raise BadInput(f"devices.speed.table: {self.table}: cannot be read ({reason})") from error


@functools.lru_cache(maxsize=4)
def _read(path: Path, changed_ns: int, size: int) -> Mapping[str, BlockSeconds]:
    """Return the times in the file, read once as long as it does not change."""
    lines = read_text(path).splitlines()
    rows = csv.reader(lines)
    head = tuple(cell.strip() for cell in next(rows, []))
    if head != COLUMNS:
        raise BadInput(f"{path}:1: found {','.join(head) or 'nothing'}, expected {','.join(COLUMNS)}")
    found: dict[str, BlockSeconds] = {}
    for row in (row for row in rows if row):
        name, times = _row(f"{path}:{rows.line_num}", row)
        if name in found:
            raise BadInput(f"{path}:{rows.line_num}: the block '{name}' is there twice")
        found[name] = times
    if not found:
        raise BadInput(f"{path}: there is no block in it")
    return found


def _row(place: str, row: Sequence[str]) -> tuple[str, BlockSeconds]:
    if len(row) != len(COLUMNS):
        raise BadInput(f"{place}: found {len(row)} columns, expected {len(COLUMNS)}")
    name, *texts = (cell.strip() for cell in row)
    try:
        forward_s, backward_s = map(float, texts)
    except ValueError:
        raise BadInput(f"{place}: found {', '.join(texts)}, expected two times in seconds") from None
    if not all(math.isfinite(one) and one >= 0.0 for one in (forward_s, backward_s)):
        raise BadInput(f"{place}: found {', '.join(texts)}, expected times of 0 s or more")
    return name, (forward_s, backward_s)
