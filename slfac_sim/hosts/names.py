"""The names of the hosts, the same in scenario, ledger and figures."""

SERVER = "server"


def device_names(count: int) -> list[str]:
    """Return the names of `count` devices in device order: `d000`, `d001`, ..."""
    width = max(3, len(str(count - 1)))
    return [f"d{number:0{width}d}" for number in range(count)]
