"""The names of the hosts, the same in scenario, ledger and figures."""

import re
from collections.abc import Collection

from slfac_sim.foundation.roles import is_device

SERVER = "server"
"""The only server; where there are several, each has the name that the scenario gives it."""

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")


def device_names(count: int) -> list[str]:
    """Return the names of `count` devices in device order: `d000`, `d001`, ..."""
    width = max(3, len(str(count - 1)))
    return [f"d{number:0{width}d}" for number in range(count)]


def check_server_names(names: Collection[str]) -> None:
    """Raise `ValueError` for names that several servers cannot have."""
    for name in names:
        if is_device(name):
            raise ValueError(f"'{name}' is a device's name, and cannot be a server's")
        if not _NAME.fullmatch(name):
            raise ValueError(
                f"'{name}' cannot be a server's name: expected a letter, then letters, digits, - and _"
            )
    if len(names) < 2:
        have = ", ".join(names) or "none"
        raise ValueError(f"names two servers or more (got {have}); the only one is written as server:")
