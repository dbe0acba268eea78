"""Where devices are over time, by a file."""

from array import array
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np

from slfac_sim.foundation.errors import BadInput
from slfac_sim.foundation.files import read_text
from slfac_sim.network.varying.motion import Leg, Motion, Point
from slfac_sim.network.varying.traces import fcd
from slfac_sim.network.varying.traces.lines import Row, coordinate, number, rows_of

Format = Literal["auto", "csv", "fcd"]

_FASTEST = 100e3  # m/s

HEAD = ("time_s", "device", "x_m", "y_m")
_EXPECTED = f"{','.join(HEAD)} (csv) or <{fcd.ROOT}> of SUMO (fcd)"


class Tracks(NamedTuple):
    """What is in a file that `are_vehicles` or devices: of each, times, x and y, one after the other."""

    rows: Mapping[str, "array[float]"]
    are_vehicles: bool

    def motion(self, who: str, origin_m: Point) -> Motion:
        """Return the way of `who` around `origin_m`; the first place in the file is at time 0."""
        rows, (x_m, y_m) = self.rows[who], origin_m
        first_s = min(each[0] for each in self.rows.values())
        legs: list[Leg] = [
            (rows[i] - first_s, rows[i + 1] - x_m, rows[i + 2] - y_m) for i in range(0, len(rows), 3)
        ]
        return Motion(legs[0][1:], legs)  # a first row that is not at 0 ends a pause


def tracks_in(file: Path, form: Format, place: str) -> Tracks:
    """Return what is in `file`. Raises `BadInput`, which begins with `place`, if it cannot be used."""
    try:
        stamp = file.stat()
        return _read(file, stamp.st_mtime_ns, stamp.st_size, form)
    except BadInput as error:
        raise BadInput(f"{place}: {error}") from None
    except UnicodeDecodeError as error:
        raise BadInput(f"{place}: '{file}' cannot be read (not text in UTF-8)") from error
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise BadInput(f"{place}: '{file}' cannot be read ({reason})") from error


@lru_cache(maxsize=16)
def _read(file: Path, changed_ns: int, size: int, form: Format) -> Tracks:
    with file.open("rb") as stream:
        first = stream.read(256).removeprefix(b"\xef\xbb\xbf").lstrip()[:1]
    if not first:
        raise BadInput(f"'{file}' is empty: expected {_EXPECTED}")
    are_vehicles = form == "fcd" or (form == "auto" and first == b"<")
    rows = fcd.rows_in(file) if are_vehicles else _collected(rows_of(read_text(file), str(file)), str(file))
    if not rows:
        nothing = "nobody is on the way in it" if are_vehicles else "there is nothing below the head"
        raise BadInput(f"{file}: {nothing}")
    _refuse_leaps(rows, str(file))
    return Tracks(rows, are_vehicles)


def _refuse_leaps(rows: Mapping[str, "array[float]"], name: str) -> None:
    """Raise `BadInput` for who is faster than anything on earth, as by a place that was not known."""
    for who, own in rows.items():
        times_s, *xy_m = np.frombuffer(own).reshape(-1, 3).T
        went_m = np.hypot(*(np.diff(each) for each in xy_m))
        for i in np.flatnonzero(went_m > _FASTEST * np.diff(times_s))[:1].tolist():
            way = f"{went_m[i] / 1e3:.6g} km from {times_s[i]:.15g} s to {times_s[i + 1]:.15g} s"
            raise BadInput(f"{name}: {who} goes {way}: expected {_FASTEST / 1e3:g} km/s at most")


def _collected(lines: Iterator[Row], name: str) -> dict[str, "array[float]"]:
    line, head = next(lines)
    if sorted(head) != sorted(HEAD):
        raise BadInput(f"{name}:{line}: expected {','.join(HEAD)} (got {','.join(head)})")
    time, device, x, y = (head.index(column) for column in HEAD)
    rows: dict[str, array[float]] = {}
    for line, cells in lines:
        place = f"{name}:{line}"
        if len(cells) != len(head):
            raise BadInput(f"{place}: {len(cells)} values in {len(head)} columns")
        if not cells[device]:
            raise BadInput(f"{place}: no device is named")
        own, t_s = rows.setdefault(cells[device], array("d")), number(cells[time], "time_s", place)
        if own and not own[-3] < t_s:
            raise BadInput(f"{place}: time_s {t_s:.15g} does not come after {own[-3]:.15g}")
        own.extend((t_s, coordinate(cells[x], "x_m", place), coordinate(cells[y], "y_m", place)))
    return rows
