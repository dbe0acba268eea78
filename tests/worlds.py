"""Small scenarios for the tests: made-up images, a small network, an ideal or a real cell."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from slfac_sim.foundation.plugins import find, kinds
from slfac_sim.learning.world import World
from slfac_sim.ledger.reader import LedgerReader
from slfac_sim.ledger.store import FileLedger
from slfac_sim.ledger.tables import TABLES
from slfac_sim.runs.opening import build
from slfac_sim.scenario.files import load
from slfac_sim.scenario.schema import Scenario
from slfac_sim.simulation.simulate import simulate

TINY = Path(__file__).with_name("tiny.yaml")
_PROTOCOL = re.compile(r"protocol(\.kind)?=(\{\s*kind:\s*)?(\w+)\b(?![.])")
_EDGES = (
    "server=null",
    "servers={edge1: 1 GFLOP/s, edge2: 1 GFLOP/s, cloud: 1 GFLOP/s}",
    "network={kind: spokes, up_rate: 3 Mbit/s, down_rate: 5 Mbit/s}",
)


def with_servers(overrides: Sequence[str]) -> tuple[str, ...]:
    """Return `overrides`, and where their protocol learns at edges these, on a network that has them."""
    chosen = [match[3] for text in overrides if (match := _PROTOCOL.match(text))]
    if not chosen or any(text.startswith("servers") for text in overrides):
        return tuple(overrides)
    known = chosen[-1] in kinds("slfac_sim.protocols")
    if not known or find("slfac_sim.protocols", chosen[-1]).servers == "one":
        return tuple(overrides)
    return (*(text for text in overrides if not text.startswith(("network", "server"))), *_EDGES)


def scenario(*overrides: str, seed: int | None = None) -> Scenario:
    return load(TINY, with_servers(overrides), seed)


def world(*overrides: str) -> World:
    return build(scenario(*overrides))


def live_run(path: Path, *overrides: str) -> tuple[Scenario, float, str]:
    """Run the tiny scenario into the ledger `path`; return it with the simulated seconds and the digest."""
    chosen = scenario(*overrides)
    with FileLedger(path) as ledger:
        seconds = simulate(chosen, chosen.protocol.run(build(chosen)), ledger)
        return chosen, seconds, ledger.digest()


def table(path: Path, name: str) -> list[dict[str, Any]]:
    columns = list(TABLES[name])
    return [dict(zip(columns, row, strict=True)) for row in LedgerReader(path).tuples(name, columns)]


def column(rows: Sequence[dict[str, Any]], name: str) -> list[Any]:
    return [row[name] for row in rows]
