"""Who is on which access network, and with which server: the hosts of a scenario, dealt out by settings."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from slfac_sim.foundation.errors import BadSettings, did_you_mean
from slfac_sim.network.contract import Hosts
from slfac_sim.network.topology.settings import Access

_ACCESS = ("network", "access")


@dataclass(frozen=True)
class Group:
    """The devices of an access network, in device order, and the server that they learn with."""

    devices: tuple[str, ...]
    server: str


def groups(access: Mapping[str, Access], hosts: Hosts) -> dict[str, Group]:
    """Return the group of each access network. Raises `BadSettings`.

    Devices that are named are where they are named; counts take from the others in their order.
    """
    named = _named(access, hosts.devices)
    counts = _counts(access, len(hosts.devices) - len(named))
    if len(named) + sum(counts.values()) != len(hosts.devices):
        on_them = f"{len(named) + sum(counts.values())} devices are on its networks"
        expected = f"expected all {len(hosts.devices)} of devices.count"
        raise BadSettings((_ACCESS, f"{on_them} ({_sizes(access, counts)}), {expected}"))
    free = iter([device for device in hosts.devices if device not in named])
    on: dict[str, list[str]] = {name: [] for name in access}
    for name, count in counts.items():
        named |= {next(free): name for _ in range(count)}
    for device in hosts.devices:
        on[named[device]].append(device)
    return {name: Group(tuple(on[name]), _server(name, one, hosts.servers)) for name, one in access.items()}


def _counts(access: Mapping[str, Access], free: int) -> dict[str, int]:
    """Return how many of the devices that are not named each access network has that names none."""
    counts = {name: one.devices for name, one in access.items() if isinstance(one.devices, int)}
    rest = [name for name, one in access.items() if one.devices is None]
    left = free - sum(counts.values())
    if len(rest) > 1:
        text = f"missing; {rest[0]} takes all that are left already"
        raise BadSettings(((*_ACCESS, rest[1], "devices"), text))
    if rest and left < 1:
        raise BadSettings(((*_ACCESS, rest[0], "devices"), "none is left of devices.count for it"))
    shares = {**counts, **dict.fromkeys(rest, left)}
    return {name: shares[name] for name in access if name in shares}


def _named(access: Mapping[str, Access], devices: Sequence[str]) -> dict[str, str]:
    """Return the access network of each device that is named."""
    named: dict[str, str] = {}
    known = frozenset(devices)
    for name, one in access.items():
        for device in one.devices if isinstance(one.devices, tuple) else ():
            place = (*_ACCESS, name, "devices")
            if device not in known:
                hint = did_you_mean(device, devices)
                raise BadSettings((place, f"no '{device}' among {_range(devices)}{hint}"))
            if device in named:
                where = "twice" if named[device] == name else f"by network.access.{named[device]} too"
                raise BadSettings((place, f"{device} is named {where}"))
            named[device] = name
    return named


def _server(name: str, one: Access, servers: Sequence[str]) -> str:
    place, known = (*_ACCESS, name), ", ".join(servers)
    if name in servers:
        raise BadSettings((place, f"'{name}' is the name of a server; give the access network another"))
    if one.server is None and len(servers) == 1:
        return servers[0]
    if one.server is None:
        raise BadSettings(((*place, "server"), f"must be one of {known}, since there are several"))
    if one.server not in servers:
        hint = did_you_mean(one.server, servers)
        raise BadSettings(((*place, "server"), f"no '{one.server}' among {known}{hint}"))
    return one.server


def _sizes(access: Mapping[str, Access], counts: Mapping[str, int]) -> str:
    named = {name: len(one.devices) for name, one in access.items() if isinstance(one.devices, tuple)}
    sizes = {**named, **counts}
    return ", ".join(f"{name} {sizes[name]}" for name in access)


def _range(devices: Sequence[str]) -> str:
    return devices[0] if len(devices) == 1 else f"{devices[0]} to {devices[-1]}"
