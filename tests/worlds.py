"""Small scenarios for the tests: made-up images, a small network, an ideal or a real cell."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from slfac_sim.learning.world import World
from slfac_sim.ledger.reader import LedgerReader
from slfac_sim.ledger.store import FileLedger
from slfac_sim.ledger.tables import TABLES
from slfac_sim.runs.opening import build
from slfac_sim.scenario.files import load
from slfac_sim.scenario.schema import Scenario
from slfac_sim.simulation.simulate import simulate

TINY = Path(__file__).with_name("tiny.yaml")


def scenario(*overrides: str, seed: int | None = None) -> Scenario:
    return load(TINY, overrides, seed)


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
