"""The generic CSV: a time and rates in each row, for all devices alike or for each by its name."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from slfac_sim.foundation.errors import BadInput, did_you_mean
from slfac_sim.network.varying.traces.lines import Row, number
from slfac_sim.network.varying.traces.series import COLUMNS, RATES, Measured, Series, last_end_s

HEAD = "time_s,up_bps,down_bps[,device][,latency_s][,loss]"
TIME, DEVICE, BOTH = "time_s", "device", "rate_bps"
_OTHER_UNIT = re.compile("[kmg]i?(bps|bit|b)", re.IGNORECASE)
_IN_BPS = " Rates are in bit/s; a cell may have a unit: 6.06 Mbit/s"
_KNOWN = (TIME, BOTH, *COLUMNS, DEVICE)


@dataclass
class _Growing:
    """The rows so far of one device."""

    times_s: list[float] = field(default_factory=list)
    values: list[Sequence[float]] = field(default_factory=list)


def measured(rows: Iterator[Row], name: str) -> Measured:
    """Return what `rows` hold, a head and the rest; times count from the first one in the file.

    Raises `BadInput`, which begins with `name` and the number of the line.
    """
    line, head = next(rows)
    _check_head(head, f"{name}:{line}")
    numbers = [column for column in head if column not in (TIME, DEVICE)]
    by_device = _collected(rows, head, numbers, name)
    if not by_device:
        raise BadInput(f"{name}: there is nothing below the head")
    first_s = min(growing.times_s[0] for growing in by_device.values())
    return Measured({device: _series(it, numbers, first_s) for device, it in by_device.items()})


def _check_head(head: Sequence[str], place: str) -> None:
    unknown = [column for column in head if column not in _KNOWN]
    if unknown:
        hint = did_you_mean(unknown[0], _KNOWN) or f" (known are {', '.join(_KNOWN)})"
        hint += _IN_BPS if _OTHER_UNIT.search(unknown[0]) else ""
        raise BadInput(f"{place}: unknown column '{unknown[0]}'{hint}")
    twice = [column for column in head if head.count(column) > 1]
    if twice:
        raise BadInput(f"{place}: the column '{twice[0]}' is there twice")
    given = {*head} & {BOTH, *RATES, "factor"}
    if TIME not in head or given not in ({BOTH}, {*RATES}, {"factor"}):
        raise BadInput(
            f"{place}: expected {HEAD}, or {BOTH} or factor in place of the two rates (got {','.join(head)})"
        )


def _collected(
    rows: Iterable[Row], head: Sequence[str], numbers: Sequence[str], name: str
) -> dict[str, _Growing]:
    at, of = head.index(TIME), head.index(DEVICE) if DEVICE in head else None
    places = [(head.index(column), column) for column in numbers]
    by_device: dict[str, _Growing] = {}
    for line, cells in rows:
        place = f"{name}:{line}"
        if len(cells) != len(head):
            raise BadInput(f"{place}: {len(cells)} values in {len(head)} columns")
        growing = by_device.setdefault("" if of is None else _device(cells[of], place), _Growing())
        t_s = number(cells[at], TIME, place)
        if growing.times_s and not growing.times_s[-1] < t_s:
            raise BadInput(f"{place}: time_s {t_s:.15g} does not come after {growing.times_s[-1]:.15g}")
        growing.times_s.append(t_s)
        growing.values.append([number(cells[i], column, place) for i, column in places])
    return by_device


def _device(cell: str, place: str) -> str:
    if not cell:
        raise BadInput(f"{place}: no device is named")
    return cell


def _series(growing: _Growing, numbers: Sequence[str], first_s: float) -> Series:
    columns = dict(zip(numbers, zip(*growing.values, strict=True), strict=True))
    if BOTH in columns:
        both = columns.pop(BOTH)
        columns |= dict.fromkeys(RATES, both)
    times_s = [t_s - first_s for t_s in growing.times_s]
    return Series([0.0, *times_s[1:]], last_end_s(times_s), columns)
