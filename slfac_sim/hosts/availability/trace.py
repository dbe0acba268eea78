"""Hosts that are down when a file says so."""

import csv
import io
import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path

from slfac_sim.foundation.errors import BadInput
from slfac_sim.foundation.files import read_text
from slfac_sim.foundation.plugins import settings
from slfac_sim.hosts.availability import Availability, Outage

COLUMNS = ("device", "down_s", "up_s")
REASON = "off"  # where the file has no column `reason`

Plan = dict[str, list[Outage]]


@settings
class Trace(Availability):
    """Each line is one outage of one host; a host without lines is never down."""

    file: Path
    """A CSV file of outages: `device,down_s,up_s`, in seconds, with this line at its head. An empty `up_s`
    means never; a fourth column `reason` says why. The lines of a device are in the order of time, those of
    several devices may be mixed.
    """

    def outages(self, host: str, seed: int) -> Iterator[Outage]:
        """Yield what the file says of `host`; nothing is drawn. Raises `BadInput`, naming file and line."""
        return iter(self._plan().get(host, ()))

    def check(self, hosts: Sequence[str]) -> None:
        """Raise `BadInput` for a file that cannot be used or that names a device not among `hosts`."""
        unknown = sorted(self._plan().keys() - set(hosts))
        if unknown:
            known = hosts[0] if len(hosts) == 1 else f"{hosts[0]} to {hosts[-1]}"
            raise BadInput(f"{self.file}: no device '{unknown[0]}' (there are {known})")

    def _plan(self) -> Plan:
        path = Path(self.file)
        try:
            stamp = path.stat()
            return _read(path, stamp.st_mtime_ns, stamp.st_size)
        except BadInput:
            raise
        except UnicodeDecodeError as error:
            raise BadInput(f"availability.file: '{self.file}' cannot be read (not text in UTF-8)") from error
        except (OSError, ValueError, csv.Error) as error:
            reason = error.strerror if isinstance(error, OSError) else error
            raise BadInput(f"availability.file: '{self.file}' cannot be read ({reason})") from error


@lru_cache(maxsize=4)
def _read(path: Path, changed_ns: int, size: int) -> Plan:
    """Return the plan in the file at `path`, read once as long as it does not change."""
    return _plan_of(csv.reader(io.StringIO(read_text(path), newline="")), str(path))


def _plan_of(lines: Iterable[list[str]], name: str) -> Plan:
    plan: Plan = defaultdict(list)
    rows = ((number, row) for number, row in enumerate(lines, start=1) if row)
    number, head = next(rows, (1, []))
    columns = tuple(cell.strip() for cell in head)
    if columns not in (COLUMNS, (*COLUMNS, "reason")):
        wanted = f"{','.join(COLUMNS)} or {','.join(COLUMNS)},reason"
        raise BadInput(f"{name}:{number}: the first line must be {wanted} (got {','.join(columns)!r})")
    for number, row in rows:
        device, outage = _outage(row, len(columns), f"{name}:{number}")
        if plan[device] and outage.down_s < plan[device][-1].up_s:
            overlap = f"goes down at {outage.down_s:g} s but is down until {plan[device][-1].up_s:g} s"
            raise BadInput(f"{name}:{number}: {device} {overlap}")
        plan[device].append(outage)
    return dict(plan)


def _outage(row: Sequence[str], columns: int, where: str) -> tuple[str, Outage]:
    if len(row) != columns:
        raise BadInput(f"{where}: {len(row)} values in {columns} columns")
    device, down, up, *reason = (cell.strip() for cell in row)
    down_s, up_s = _seconds(down, f"{where}: down_s"), _seconds(up, f"{where}: up_s") if up else math.inf
    if up_s < down_s:
        raise BadInput(f"{where}: up_s {up_s:g} is before down_s {down_s:g}")
    return device, Outage(down_s, up_s, (reason[0] if reason else "") or REASON)


def _seconds(text: str, where: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0.0 <= value < math.inf:
        raise BadInput(f"{where} must be a number of seconds, at least 0 (got {text!r})")
    return value
