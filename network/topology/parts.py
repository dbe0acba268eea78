"""An access network as a part of a topology: its names there."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from slfac_sim.network.air import Air
from slfac_sim.network.topology.groups import Group
from slfac_sim.network.transfers import Lane


@dataclass(frozen=True, eq=False)
class Part:
    """An access network of a topology: its air, who is on it, and its stations that are nodes.

    Its uplinks wait `grant_s` for their first bit. Messages travel `in_packets` or not.
    """

    name: str
    air: Air
    group: Group
    stations: tuple[str, ...]
    grant_s: float = 0.0
    in_packets: bool = False

    @cached_property
    def lanes(self) -> Sequence[Lane]:
        """Its lanes, by their names in the access network."""
        return tuple(self.air.lanes())

    def node(self, station: str) -> str:
        """Return the node at which the lanes of `station` end."""
        return f"{self.name}/{station}" if station in self.stations else self.name

    def lane(self, name: str) -> str:
        """Return what the topology calls the lane `name` of this network."""
        return f"{self.name}/{name}"
