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
_SERVERS = ("server", "edge2", "cloud")  # the first is called as the only server is elsewhere
_EDGES = (
    "server=null",
    f"servers={{{', '.join(f'{name}: 1 GFLOP/s' for name in _SERVERS)}}}",
    "network={kind: spokes, up_rate: 3 Mbit/s, down_rate: 5 Mbit/s}",
)


def with_servers(overrides: Sequence[str]) -> tuple[str, ...]:
    """Return `overrides`; where their protocol learns at edges with these, on a network that has them.

    What they say of the server is then said of all, or of the first if it is when it is down.
    """
    chosen = [match[3] for text in overrides if (match := _PROTOCOL.match(text))]
    if not chosen or any(text.startswith("servers") for text in overrides):
        return tuple(overrides)
    known = chosen[-1] in kinds("slfac_sim.protocols")
    if not known or find("slfac_sim.protocols", chosen[-1]).servers == "one":
        return tuple(overrides)
    told = [text for text in overrides if not text.startswith(("network", "server"))]
    for rest in (text.removeprefix("server.") for text in overrides if text.startswith("server.")):
        names = _SERVERS[:1] if rest.startswith("availability") else _SERVERS
        told += [f"servers.{name}.{rest}" for name in names]
    return (*told, *_EDGES)


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
