"""Compare our own code with the stored numbers of the packet simulator: the tables of docs/validation.md.

    python validation/compare.py [--write docs/validation.md]

It runs each stored case with our code, the Wi-Fi cases as a fluid and packet by packet, prints the tables,
and with --write puts them into that file, between the marks that name them. It needs no ns-3: `make
validation` makes the numbers anew before it calls this.
"""

import argparse
import statistics
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from cases import FAMILIES, WifiCase
from handover_tables import handover_table
from ours import fluid, packets, wires
from stored import Sample, reference
from wired import WiredCase
from wired_cases import FORWARD
from wired_tables import WIRED_TABLES

EQUAL = ("wifi_a", "wifi_n", "wifi_n_again", "wifi_n_long")
"""The families in which all stations have the same rate, and upload only."""
MAKESPANS = (*EQUAL, "wifi_both", "wifi_wide")
"""Those whose tables are of makespans."""


def makespan(runs: Sequence[Mapping[str, Any]]) -> Sample:
    """Return the time until the last transfer was through."""
    return Sample.of([max(run["end_s"]) for run in runs])


def wifi_row(family: str, case: WifiCase) -> str:
    """Return the row of `case` without what is random on our side."""
    them, us = makespan(reference(family, case)), max(fluid(case).end_s)
    return f"| {case.name} | {them} | {us:.4f} | {100 * them.error(us):+.2f} % |"


def packets_cells(family: str, case: WifiCase) -> str:
    """Return the further cells of that row: the same packet by packet, and when a mean transfer ended."""
    them, us = reference(family, case), packets(case, case.replications)
    last = Sample.of([max(run.end_s) for run in us])
    their_mean_s = statistics.mean(statistics.mean(run["end_s"]) for run in them)
    our_mean_s = statistics.mean(statistics.mean(run.end_s) for run in us)
    error = makespan(them).error(last.mean)
    return f" {last} | {100 * error:+.2f} % | {their_mean_s:.4f} | {our_mean_s:.4f} |"


def wifi_table(family: str) -> Iterator[str]:
    """Yield the lines of the table of a Wi-Fi family."""
    yield (
        "| case | ns-3: makespan, s (runs) | fluid, s | error | packet by packet, s (runs) | error "
        "| ns-3: mean end, s | packet by packet: mean end, s |"
    )
    yield "| --- | --- | --- | --- | --- | --- | --- | --- |"
    for case in FAMILIES[family]:
        assert isinstance(case, WifiCase)
        yield wifi_row(family, case) + packets_cells(family, case)


def throughput_table() -> Iterator[str]:
    """Yield the lines of the table of all stations' throughput, until the first upload is through."""
    yield "| case | ns-3: throughput, Mbit/s (runs) | fluid, Mbit/s | error |"
    yield "| --- | --- | --- | --- |"
    for family in EQUAL:
        for case in FAMILIES[family]:
            assert isinstance(case, WifiCase)
            them, us = throughput(family, case)
            yield f"| {case.name} | {them} | {us:.4f} | {100 * them.error(us):+.2f} % |"


def throughput(family: str, case: WifiCase) -> tuple[Sample, float]:
    """Return the throughput of all stations in Mbit/s, ns-3's until the first upload is through, and ours.

    The fluid's uploads all end together, so that its throughput is the same throughout.
    """
    runs = reference(family, case)
    mbps = [8e-6 * sum(run["bytes_at_first_end"]) / min(run["end_s"]) for run in runs]
    all_bytes = len(case.rates_mbps) * case.payload_bytes
    return Sample.of(mbps), 8e-6 * all_bytes / max(fluid(case).end_s)


def mixed_rows(family: str, case: WifiCase) -> Iterator[tuple[str, Sample, float]]:
    """Yield quantity, ns-3's and ours, of stations with unequal rates.

    Our uploads end together, so that ours of them sent at one rate all the time.
    """
    runs, us = reference(family, case), fluid(case).end_s
    for rate in dict.fromkeys(case.rates_mbps):
        of = [i for i, other in enumerate(case.rates_mbps) if other == rate]
        bps = [
            statistics.mean(8.0 * run["bytes_at_first_end"][i] / min(run["end_s"]) for i in of)
            for run in runs
        ]
        ends = [statistics.mean(run["end_s"][i] for i in of) for run in runs]
        our_end_s = statistics.mean(us[i] for i in of)
        our_mbps = 8e-6 * case.payload_bytes / our_end_s
        yield f"throughput at {rate:g} Mbit/s, Mbit/s", Sample.of([x * 1e-6 for x in bps]), our_mbps
        yield f"end at {rate:g} Mbit/s, s", Sample.of(ends), our_end_s
    yield "makespan, s", makespan(runs), max(us)


def mixed_table(family: str) -> Iterator[str]:
    """Yield the lines of the table of unequal rates."""
    yield "| quantity | ns-3 (runs) | fluid | error |"
    yield "| --- | --- | --- | --- |"
    for case in FAMILIES[family]:
        assert isinstance(case, WifiCase)
        for name, them, us in mixed_rows(family, case):
            yield f"| {name} | {them} | {us:.4f} | {100 * them.error(us):+.2f} % |"


def host_table() -> Iterator[str]:
    """Yield the lines of the table of host times. Call it first: nothing of the cases is cached then."""
    fluid(WifiCase("imports", "802.11a", (54.0, 54.0), 1))
    wires(FORWARD[0])
    yield "| case | ns-3, s | fluid, s | ratio | packet by packet, s | ratio |"
    yield "| --- | --- | --- | --- | --- | --- |"
    for family in ("wifi_a", "wifi_mixed", "wifi_n", "wired"):
        for case in FAMILIES[family]:
            them_s = Sample.of([run["host_cpu_s"] for run in reference(family, case)]).mean
            if isinstance(case, WiredCase):
                us_s, slow = wires(case).host_cpu_s, "| | |"
            else:
                us_s, slow_s = fluid(case).host_cpu_s, packets(case, 1)[0].host_cpu_s
                slow = f"| {slow_s:.4f} | {them_s / slow_s:.1f} |"
            yield f"| {case.name} | {them_s:.3f} | {us_s:.5f} | {them_s / us_s:,.0f} {slow}"


def tables() -> Iterator[tuple[str, Sequence[str]]]:
    """Yield name and lines of each table."""
    yield "host", list(host_table())
    for family in MAKESPANS:
        yield family, list(wifi_table(family))
    yield "throughput", list(throughput_table())
    yield "wifi_mixed", list(mixed_table("wifi_mixed"))
    for family, table in WIRED_TABLES.items():
        yield family, list(table(family))
    yield "handover", list(handover_table())


def replaced(document: str, name: str, lines: Sequence[str]) -> str:
    """Return `document` with `lines` between the marks of table `name`. Raises `LookupError` without them."""
    begin, end = f"<!-- table: {name} -->\n", f"<!-- end: {name} -->"
    head, found, rest = document.partition(begin)
    _, closed, tail = rest.partition(end)
    if not (found and closed):
        raise LookupError(f"no place for table {name}: it wants the lines {begin.strip()} and {end}")
    return head + begin + "\n".join(["", *lines, "", end]) + tail


def main(argv: Sequence[str] | None = None) -> None:
    """Print the tables, and write them where `argv` says."""
    parser = argparse.ArgumentParser(description="Compare our code with the stored reference numbers.")
    parser.add_argument("--write", type=Path, metavar="FILE.md", help="put the tables into this file")
    target = parser.parse_args(argv).write
    for name, lines in tables():
        print("\n".join((f"\n{name}\n", *lines)), flush=True)
        if target is not None:
            text = replaced(target.read_text(encoding="utf-8"), name, lines)
            target.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
