"""The tables of the wired cases: durations that ns-3 has, and ours."""

from collections.abc import Callable, Iterator, Mapping

from cases import FAMILIES
from ours import wires
from stored import reference
from wired import WiredCase


def wired_rows(family: str, case: WiredCase) -> Iterator[tuple[float, float]]:
    """Yield the duration in seconds of each transfer, from its own start: ns-3's and ours."""
    run = reference(family, case)[0]
    for flow, them, us in zip(case.flows, run["end_s"], wires(case).end_s, strict=True):
        yield them - flow.start_s, us - flow.start_s


def wired_table(family: str) -> Iterator[str]:
    """Yield the lines of the table of a wired family, a line for each transfer."""
    yield "| case | from | to | MB | at, s | ns-3: duration, s | ours, s | error |"
    yield "| --- | --- | --- | --- | --- | --- | --- | --- |"
    for case in FAMILIES[family]:
        assert isinstance(case, WiredCase)
        for flow, (them, us) in zip(case.flows, wired_rows(family, case), strict=True):
            what = f"{flow.src} | {flow.dst} | {flow.payload_bytes * 1e-6:g} | {flow.start_s:g}"
            yield f"| {case.name} | {what} | {them:.4f} | {us:.4f} | {100 * (us / them - 1):+.2f} % |"


def alone_table(family: str) -> Iterator[str]:
    """Yield the lines of the table of cases of one transfer each, to the nanosecond."""
    yield "| case | ns-3: duration, s | ours, s | error |"
    yield "| --- | --- | --- | --- |"
    for case in FAMILIES[family]:
        assert isinstance(case, WiredCase)
        ((them, us),) = wired_rows(family, case)
        yield f"| {case.name} | {them:.9f} | {us:.9f} | {100 * (us / them - 1):+.3f} % |"


def together_table(family: str) -> Iterator[str]:
    """Yield the lines of the table of cases whose transfers begin together: the last end, the worst error."""
    yield "| case | ns-3: last end, s | ours, s | error | largest error of a transfer |"
    yield "| --- | --- | --- | --- | --- |"
    for case in FAMILIES[family]:
        assert isinstance(case, WiredCase)
        rows = list(wired_rows(family, case))
        them, us = (max(ends) for ends in zip(*rows, strict=True))
        worst = max((us_s / them_s - 1.0 for them_s, us_s in rows), key=abs)
        errors = f"{100 * (us / them - 1):+.2f} % | {100 * worst:+.2f} %"
        yield f"| {case.name} | {them:.4f} | {us:.4f} | {errors} |"


WIRED_TABLES: Mapping[str, Callable[[str], Iterator[str]]] = {
    "wired": wired_table,
    "wired_forward": alone_table,
    "wired_slow_start": alone_table,
    "wired_delayed": alone_table,
    "wired_window": alone_table,
    "wired_tree": wired_table,
    "wired_both": together_table,
    "wired_saturated": together_table,
    "wired_short_queue": together_table,
    "wired_fifo": wired_table,
}
