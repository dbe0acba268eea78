"""Who is on a network, by role; a scenario and a network speak of hosts in these terms."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

_DEVICE = re.compile(r"d\d{3,}")


def is_device(host: str) -> bool:
    """Return whether `host` has the name of a device; no server has one."""
    return _DEVICE.fullmatch(host) is not None


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
