"""Where devices are over time, by a file."""

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from math import isfinite, nan
from pathlib import Path

from slfac_sim.foundation.errors import BadInput
from slfac_sim.foundation.files import read_text
from slfac_sim.network.varying.motion import Leg, Motion
from slfac_sim.network.varying.traces.lines import Row, number, rows_of

HEAD = ("time_s", "device", "x_m", "y_m")


def motion_of(file: Path, device: str, place: str) -> Motion:
    """Return the way of `device` in `file`.

    Raises `BadInput`, which begins with `place`, for a file that cannot be used or has no rows of it.
    """
    try:
        stamp = file.stat()
        ways = _read(file, stamp.st_mtime_ns, stamp.st_size)
    except BadInput as error:
        raise BadInput(f"{place}: {error}") from None
    except UnicodeDecodeError as error:
        raise BadInput(f"{place}: '{file}' cannot be read (not text in UTF-8)") from error
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise BadInput(f"{place}: '{file}' cannot be read ({reason})") from error
    if device not in ways:
        known = list(ways)
        named = ", ".join(known) if len(known) <= 3 else f"{known[0]}, {known[1]}, ..., {known[-1]}"
        raise BadInput(f"{place}: '{file}' has no rows of {device} (it has {named})")
    (_, *start_m), *legs = ways[device]
    return Motion((start_m[0], start_m[1]), legs)


@lru_cache(maxsize=16)
def _read(file: Path, changed_ns: int, size: int) -> Mapping[str, Sequence[Leg]]:
    """Return the rows of each device, at times from 0 on: the first place in the file is at 0."""
    text, name = read_text(file), str(file)
    if not text.strip():
        raise BadInput(f"'{file}' is empty: expected {','.join(HEAD)}")
    ways = _collected(rows_of(text, name), name)
    if not ways:
        raise BadInput(f"{name}: there is nothing below the head")
    first_s = min(way[0][0] for way in ways.values())
    return {device: [_from(first_s, leg) for leg in way] for device, way in ways.items()}


def _from(first_s: float, leg: Leg) -> Leg:
    return leg[0] - first_s, leg[1], leg[2]


def _collected(rows: Iterator[Row], name: str) -> dict[str, list[Leg]]:
    line, head = next(rows)
    if sorted(head) != sorted(HEAD):
        raise BadInput(f"{name}:{line}: expected {','.join(HEAD)} (got {','.join(head)})")
    time, device, x, y = (head.index(column) for column in HEAD)
    ways: dict[str, list[Leg]] = {}
    for line, cells in rows:
        place = f"{name}:{line}"
        if len(cells) != len(head):
            raise BadInput(f"{place}: {len(cells)} values in {len(head)} columns")
        if not cells[device]:
            raise BadInput(f"{place}: no device is named")
        way, t_s = ways.setdefault(cells[device], []), number(cells[time], "time_s", place)
        if way and not way[-1][0] < t_s:
            raise BadInput(f"{place}: time_s {t_s:.15g} does not come after {way[-1][0]:.15g}")
        way.append((t_s, _coordinate(cells[x], "x_m", place), _coordinate(cells[y], "y_m", place)))
    return ways


def _coordinate(text: str, column: str, place: str) -> float:
    try:
        metres = float(text)
    except ValueError:
        metres = nan
    if not isfinite(metres):
        raise BadInput(f"{place}: {column} must be a number (got {text!r})")
    return metres
