"""How devices will move and be handed over, before a run: both follow from the seed and from time alone."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from slfac_sim.analysis.format import count, handovers, one_decimal
from slfac_sim.forecast.round_time import RoundTime
from slfac_sim.scenario.hosts import hosts_of
from slfac_sim.scenario.schema import Scenario
from slfac_sim.simulation.clock import Clock
from slfac_sim.simulation.networks import Rows, move_rows, open_network

_MOST_S = 120.0  # that are looked at
_ODD_M_PER_S = 0.01, 40.0  # slower or faster than that is another unit, more often than not


@dataclass(frozen=True)
class Moves:
    """Where devices are in the first `until_s` of a run, and who serves them: the ledger's tables of both."""

    until_s: float
    tables: Mapping[str, Rows]

    @property
    def moving(self) -> int:
        """How many devices move."""
        return len({row["device"] for row in self.tables["trajectories"]})

    @property
    def facts(self) -> dict[str, Any]:
        """It in numbers, with every handover, for JSON; nothing where nobody moves."""
        if not self.moving:
            return {}
        return {
            "moves": {"devices": self.moving, "until_s": self.until_s, "handovers": self.tables["handovers"]}
        }

    @property
    def lines(self) -> list[tuple[str, str]]:
        """The same for people."""
        rows, stations = self.tables["handovers"], {row["station"] for row in self.tables["trajectories"]}
        lines = [("devices that move", f"{self.moving:,}")] if self.moving else []
        if rows:
            numbers = (
                len(rows),
                sum(row["is_ping_pong"] for row in rows),
                len({row["device"] for row in rows}),
            )
            told = handovers(*numbers, math.fsum(row["interruption_s"] for row in rows))
            lines.append(("handovers", f"{told}, in {one_decimal(self.until_s)} s"))
        elif self.moving and len(stations) > 1:
            where = f"among {count(len(stations), 'station')}"
            lines.append(("handovers", f"none {where} in {one_decimal(self.until_s)} s"))
        return lines

    @property
    def remarks(self) -> list[str]:
        """What their speeds tell of units that were mixed up."""
        fastest = max(self._speeds_m_per_s(), default=0.0)
        slow, fast = _ODD_M_PER_S
        if 0.0 < fastest < slow:
            odd = "are the places of a file in degrees (SUMO with --fcd-output.geo)? They must be metres"
            return [f"no device that moves is faster than {fastest:.2g} m/s: {odd}"]
        if fastest > fast:
            odd = "a speed without a unit is in m/s, places in m"
            return [f"devices move at up to {fastest:.0f} m/s, which is {3.6 * fastest:.0f} km/h: {odd}"]
        return []

    def _speeds_m_per_s(self) -> Iterator[float]:
        """Yield how fast devices went between two sightings."""
        last: dict[str, Mapping[str, Any]] = {}
        for row in self.tables["trajectories"]:
            before = last.get(row["device"])
            if before is not None and row["at_s"] > before["at_s"]:
                way_m = math.hypot(row["x_m"] - before["x_m"], row["y_m"] - before["y_m"])
                yield way_m / (row["at_s"] - before["at_s"])
            last[row["device"]] = row


def moves_of(scenario: Scenario, round_time: RoundTime) -> Moves:
    """Return how devices move while the rounds of `scenario` last, as forecast, and two minutes at most."""
    foreseen_s = scenario.protocol.rounds * (round_time.seconds or math.inf)
    until_s = min(foreseen_s, _MOST_S)
    clock = Clock()
    network = open_network(scenario.network, clock, hosts_of(scenario), scenario.seed.air)
    clock.run(until=until_s)
    return Moves(until_s, move_rows(network, until_s))
