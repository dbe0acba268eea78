"""Why one run is faster: the critical path of each to the hardest target that all have reached."""

from collections.abc import Mapping, Sequence
from math import isclose
from typing import Any

from slfac_sim.analysis.critical_path import (
    AIR_WAIT,
    AIRTIME,
    BARRIER,
    CODEC,
    DEVICE_COMPUTE,
    PARTS,
    PROPAGATION,
    SERVER_COMPUTE,
    SERVER_QUEUE,
    SET_UP,
    WIRE_WAIT,
)
from slfac_sim.analysis.explanation import explained
from slfac_sim.analysis.format import one_decimal, target_words
from slfac_sim.analysis.report.blocks import Block, Cell, Table, Text
from slfac_sim.analysis.report.cells import number, said, seconds
from slfac_sim.analysis.report.runs.answer import common_target
from slfac_sim.analysis.run_table import apart
from slfac_sim.ledger.folder import Run

TITLE = "Where the time went"
_TOLD = 0.02  # of the difference: smaller parts are left to the table
_WORDS = {
    AIRTIME: "air",
    AIR_WAIT: "air",
    WIRE_WAIT: "wires",
    SET_UP: "latency",
    PROPAGATION: "latency",
    DEVICE_COMPUTE: "the devices' compute",
    CODEC: "codec",
    SERVER_QUEUE: "the server's queue",
    SERVER_COMPUTE: "the server's compute",
    BARRIER: "waiting at the barrier",
}
_DIRECTIONS = {"up": "bits per value, up", "down": "bits per value, down"}


def blocks(runs: Sequence[Run]) -> list[Block]:
    """Return what the fastest saves over the slowest, by part, and the table of all parts of all runs."""
    target = common_target(runs)
    parts_s = [_parts_s(run, target_words(target) if target else None) for run in runs]
    whole_s = [sum(each.values()) for each in parts_s]
    if not all(whole_s):
        return []
    names = apart(runs)
    fast, slow = (whole_s.index(end(whole_s)) for end in (min, max))
    where = f"to {target_words(target)}" if target else "to the end of each run"
    rows = [_row(part, [each[part] for each in parts_s], seconds) for part in PARTS if _any(part, parts_s)]
    rows.append(_row("sum", whole_s, seconds))
    rows += [_row(name, bits, number) for name, bits in _bits(runs)]
    head = ("part", *names, *(("difference",) if len(runs) == 2 else ()))
    table = Table(f"The critical path {where}", head, rows)
    told = target and _saved(parts_s[fast], parts_s[slow])
    return [Text(f"{names[fast]} against {names[slow]}, {where}: {told}."), table] if told else [table]


def _parts_s(run: Run, target: str | None) -> Mapping[str, float]:
    told = explained(run)
    return told.paths[list(told.instants).index(target or "end")].parts_s


def _any(part: str, parts_s: Sequence[Mapping[str, float]]) -> bool:
    return any(each[part] for each in parts_s)


def _row(name: str, values: Sequence[float | None], shown: Any) -> tuple[Cell, ...]:
    """Return a row; of two runs with what the second has more than the first."""
    cells = [said(name), *map(shown, values)]
    if len(values) == 2:
        first, second = values
        more = None if first is None or second is None else second - first
        cells.append(shown(0.0 if more is not None and isclose(first or 0.0, second or 0.0) else more))
    return tuple(cells)


def _bits(runs: Sequence[Run]) -> list[tuple[str, list[float | None]]]:
    """Return the bits that a value took on the air, by direction, where a run says them."""
    found = [
        (name, [run.summary.get("bits_per_value", {}).get(way) for run in runs])
        for way, name in _DIRECTIONS.items()
    ]
    return [(name, bits) for name, bits in found if any(bit is not None for bit in bits)]


def _saved(fast_s: Mapping[str, float], slow_s: Mapping[str, float]) -> str:
    """Return ``of 10.0 s saved, 5.7 s are air, 2.4 s codec``; empty where nothing is saved."""
    saved_s: dict[str, float] = {}
    for part, words in _WORDS.items():
        saved_s[words] = saved_s.get(words, 0.0) + slow_s[part] - fast_s[part]
    whole_s = sum(saved_s.values())
    most = sorted(saved_s.items(), key=lambda item: -item[1])
    gains = [f"{one_decimal(gain)} s {words}" for words, gain in most if gain > _TOLD * whole_s]
    losses = [f"{one_decimal(-gain)} s more {words}" for words, gain in most[::-1] if -gain > _TOLD * whole_s]
    if whole_s <= 0.0 or not gains:
        return ""
    first, *others = gains
    parts = ", ".join([first.replace(" s ", " s are ", 1), *others])
    spent = f"; it has {', '.join(losses)}" if losses else ""
    return f"of {one_decimal(whole_s)} s saved, {parts}{spent}"
