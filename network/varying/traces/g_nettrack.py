"""G-NetTrack's CSV, as of University College Cork's data sets: a row a second, rates in kbit/s."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from slfac_sim.foundation.errors import BadInput
from slfac_sim.network.varying.traces.lines import Row, number
from slfac_sim.network.varying.traces.series import RATES, Measured, Series, last_end_s

TIMESTAMP, STATE, DOWNLOADING = "Timestamp", "State", "D"
_BITRATES = ("UL_bitrate", "DL_bitrate")  # in the order of RATES
_FORM = "%Y.%m.%d_%H.%M.%S"
_MISSING = "-"


def measured(rows: Iterator[Row], name: str, downloads_only: bool) -> Measured:
    """Return what `rows` hold; times count from the first row.

    Of rows of one second the first counts; a missing rate is the one before it. Raises `BadInput`, which
    begins with `name` and the number of the line.
    """
    line, head = next(rows)
    needed = [TIMESTAMP, *_BITRATES, *([STATE] if downloads_only else [])]
    missing = [column for column in needed if column not in head]
    if missing:
        raise BadInput(f"{name}:{line}: no column {missing[0]}, which G-NetTrack's files have")
    places = {column: head.index(column) for column in needed}
    times_s: list[float] = []
    rates_bps: list[tuple[float, float]] = []
    first: datetime | None = None
    for line, cells in rows:
        place = f"{name}:{line}"
        if len(cells) < len(head):
            raise BadInput(f"{place}: {len(cells)} values in {len(head)} columns")
        if downloads_only and cells[places[STATE]] != DOWNLOADING:
            continue
        at = _time(cells[places[TIMESTAMP]], place)
        first = first or at
        t_s = (at - first).total_seconds()
        if times_s and t_s < times_s[-1]:
            raise BadInput(f"{place}: {cells[places[TIMESTAMP]]} is before the line above it")
        if not times_s or t_s > times_s[-1]:
            before = rates_bps[-1] if rates_bps else (0.0, 0.0)
            times_s.append(t_s)
            rates_bps.append(_rates(cells, places, before, place))
    if not times_s:
        raise BadInput(f"{name}: there is no row{' with State D' if downloads_only else ''} below the head")
    columns = dict(zip(RATES, zip(*rates_bps, strict=True), strict=True))
    return Measured({"": Series(times_s, last_end_s(times_s), columns)})


def _time(text: str, place: str) -> datetime:
    try:
        return datetime.strptime(text, _FORM)
    except ValueError:
        wanted = "a time such as 2019.12.14_09.30.05"
        raise BadInput(f"{place}: {TIMESTAMP} must be {wanted} (got {text!r})") from None


def _rates(
    cells: Sequence[str], places: dict[str, int], before: tuple[float, float], place: str
) -> tuple[float, float]:
    up, down = (
        held if cells[places[column]] == _MISSING else 1000.0 * number(cells[places[column]], column, place)
        for column, held in zip(_BITRATES, before, strict=True)
    )
    return up, down
