"""Who is on a network, by role; a scenario and a network speak of hosts in these terms."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Hosts:
    """Who is on a network, by role; no name stands twice."""

    devices: Sequence[str]
    servers: Sequence[str]

    @property
    def server(self) -> str:
        """The only server. Raises `ValueError` where there are several."""
        (server,) = self.servers
        return server
