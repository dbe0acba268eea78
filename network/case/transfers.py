"""The transfers of a case, from the JSON tree: by columns, because there may be a hundred thousand."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import repeat
from math import inf
from typing import Any

from slfac_sim.foundation.errors import BadInput
from slfac_sim.network.case.parts import Air, Link, Transfer
from slfac_sim.network.case.rules import (
    AMOUNT,
    CAP,
    LEVEL,
    MISSING,
    POSITIVE,
    TIME,
    Name,
    Rule,
    Text,
    check,
    got,
    mapping,
    no_link,
    setting,
)

Path = tuple[str, ...]

_AIRBORNE = ("phy_rate_bps", "snr_db")  # keys that mean nothing on a wire
_KEYS = (
    *("id", "path", "start_s", "bytes", "consumption", "weight", "cap_bps", "src", "dst"),
    *_AIRBORNE,
)
_NO_CAP, _NO_LEVEL, _NO_NAME, _NO_RATE = None, None, "", 0.0


def read_transfers(rows: Any, links: Mapping[str, Link]) -> list[Transfer]:
    """Return the transfers in `rows`. Raises `BadInput` for the first fault of the first faulty column."""
    if type(rows) is not list:
        raise BadInput(f"transfers: must be a list (got {got(rows)})")
    known = frozenset(_KEYS)
    for i, row in enumerate(rows):
        if type(row) is not dict or not row.keys() <= known:
            mapping(f"transfers[{i}]", row, _KEYS)
    used = frozenset().union(*rows)

    def column(key: str, rule: Rule, default: Any = MISSING) -> Iterable[Any]:
        return _column(rows, key, rule, default) if key in used or default is MISSING else repeat(default)

    ids = _once(column("id", Name()))
    paths = _paths(rows, links)
    transfers = list(
        map(
            Transfer,
            ids,
            paths,
            column("start_s", TIME),
            column("bytes", AMOUNT),
            _consumptions(rows, paths),
            column("weight", POSITIVE, 1.0),
            (inf if cap is None else cap for cap in column("cap_bps", CAP, _NO_CAP)),
            column("src", Text(), _NO_NAME),
            column("dst", Text(), _NO_NAME),
            column("phy_rate_bps", POSITIVE, _NO_RATE),
            column("snr_db", LEVEL, _NO_LEVEL),
        )
    )
    _suit(transfers, rows, links, used)
    return transfers


def _column(rows: Sequence[Any], key: str, rule: Rule, default: Any) -> list[Any]:
    given = [row[key] for row in rows if key in row]
    if not all(map(rule.holds, given)) or (default is MISSING and len(given) < len(rows)):
        for i, row in enumerate(rows):
            setting(f"transfers[{i}]", row, key, rule, default)  # raises for the first, with the reason
    return given if len(given) == len(rows) else [row.get(key, default) for row in rows]


def _once(ids: Iterable[int | str]) -> Iterable[int | str]:
    first: dict[int | str, int] = {}
    for i, name in enumerate(ids):
        if first.setdefault(name, i) != i:
            raise BadInput(f"transfers[{i}].id: {got(name)} is the id of transfers[{first[name]}]")
    return first


def _paths(rows: Sequence[Any], links: Mapping[str, Link]) -> list[Path]:
    good: dict[Path, Path] = {}  # equal paths become one object
    paths = []
    for i, row in enumerate(rows):
        names = row.get("path", MISSING)
        try:
            path = good[tuple(names)] if type(names) is list else None
        except (KeyError, TypeError):
            path = None
        if path is None:
            path = _path(f"transfers[{i}]", row, links)
            good[path] = path
        paths.append(path)
    return paths


def _path(where: str, row: Mapping[str, Any], links: Mapping[str, Link]) -> Path:
    if "path" not in row:
        raise BadInput(f"{where}: missing key 'path'")
    names = row["path"]
    if type(names) is not list or not names:
        raise BadInput(f"{where}.path: must be a list of at least one link (got {got(names)})")
    for name in names:
        if type(name) is not str or name not in links:
            raise BadInput(f"{where}.path: {no_link(name, links)}")
        if names.count(name) > 1:
            raise BadInput(f"{where}.path: link '{name}' stands twice in it")
        if isinstance(links[name], Air) and len(names) > 1:
            raise BadInput(f"{where}.path: medium '{name}' must be alone in it (got {len(names)} links)")
    return tuple(names)


def _consumptions(rows: Sequence[Any], paths: Sequence[Path]) -> list[tuple[float, ...]]:
    plain = {path: (1.0,) * len(path) for path in set(paths)}
    return [
        _consumption(f"transfers[{i}].consumption", row["consumption"], path)
        if "consumption" in row
        else plain[path]
        for i, (row, path) in enumerate(zip(rows, paths, strict=True))
    ]


def _consumption(where: str, node: Any, path: Path) -> tuple[float, ...]:
    for name, value in mapping(where, node).items():
        if name not in path:
            raise BadInput(f"{where}: link '{name}' is not in the path {', '.join(path)}")
        check(f"{where}.{name}", value, POSITIVE)
    return tuple(node.get(name, 1.0) for name in path)


def _suit(
    transfers: Sequence[Transfer], rows: Sequence[Any], links: Mapping[str, Link], used: frozenset[str]
) -> None:
    """Check what a transfer on a medium must have, and on a wire must not."""
    if not used.intersection(_AIRBORNE) and not any(isinstance(link, Air) for link in links.values()):
        return
    for i, (transfer, row) in enumerate(zip(transfers, rows, strict=True)):
        link = links[transfer.path[0]]
        if isinstance(link, Air):
            from slfac_sim.network.case.media import check_airborne

            check_airborne(f"transfers[{i}]", transfer, row, link)
        else:
            for key in row.keys() & _AIRBORNE:
                raise BadInput(f"transfers[{i}].{key}: there is no medium in its path")
