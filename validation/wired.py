"""A wired case: hosts at routers, links between routers, and TCP or UDP from host to host. It runs nothing.

Devices and servers are hosts, each with an access link of its own.
"""

from dataclasses import dataclass
from typing import Any, Literal

LAN_S = 50e-6
PPP_BYTES = 2  # the layer 2 of every link
NO_LIMIT_BPS = 1e15


@dataclass(frozen=True)
class Host:
    """A host whose access link, of `bps` each way, leads to `router`."""

    name: str
    router: int
    bps: float = 1e9
    delay_s: float = LAN_S


@dataclass(frozen=True)
class Link:
    """A full-duplex link between two routers."""

    routers: tuple[int, int]
    bps: float
    delay_s: float = LAN_S


@dataclass(frozen=True)
class Flow:
    """A transfer of `payload_bytes` from one host to another."""

    src: str
    dst: str
    payload_bytes: int
    start_s: float = 0.0


@dataclass(frozen=True)
class WiredCase:
    """Flows over links that serve theirs by deficit round robin, a TCP connection or a UDP socket each.

    `packet_bytes` are the payload of a packet; 52 bytes of TCP (with time stamps) and IP, or 28 of UDP and
    IP, and 2 of PPP stand around it. `window_bytes` is the receiver's buffer of TCP, which acknowledges every
    segment or every other one (`acknowledge`). Where `fifo_packets` is not 0, every link has one queue of so
    many packets for all instead, and drops what does not fit. Nothing in it is random.
    """

    name: str
    links: tuple[Link, ...]
    devices: tuple[Host, ...]
    servers: tuple[Host, ...]
    flows: tuple[Flow, ...]
    transport: Literal["tcp", "udp"] = "tcp"
    packet_bytes: int = 1448
    window_bytes: int = 32768
    acknowledge: int = 2
    fifo_packets: int = 0

    program = "wired"
    replications = 1

    @property
    def hosts(self) -> tuple[Host, ...]:
        """All hosts: devices, then servers."""
        return (*self.devices, *self.servers)

    def arguments(self, run: int) -> list[str]:
        """Return the command line of programs/wired.cc; all replications would be the same."""
        number = {host.name: i for i, host in enumerate(self.hosts)}
        links = (f"{a}:{b}:{link.bps:.0f}:{link.delay_s!r}" for link in self.links for a, b in [link.routers])
        hosts = (f"{host.router}:{host.bps:.0f}:{host.delay_s!r}" for host in self.hosts)
        flows = (f"{f.payload_bytes}:{f.start_s!r}:{number[f.src]}:{number[f.dst]}" for f in self.flows)
        return [
            "--links=" + ",".join(links),
            "--hosts=" + ",".join(hosts),
            "--flows=" + ",".join(flows),
            f"--udp={int(self.transport == 'udp')}",
            f"--segment={self.packet_bytes}",
            f"--window={self.window_bytes}",
            f"--acknowledge={self.acknowledge}",
            f"--fifo={self.fifo_packets}",
        ]

    def topology(self) -> dict[str, Any]:
        """Return the settings of the `topology`: a switch for each router, and an air that costs no time."""
        server = {f.src: f.dst for f in self.flows} | {f.dst: f.src for f in self.flows}
        air = {"kind": "ideal", "up_rate": NO_LIMIT_BPS, "down_rate": NO_LIMIT_BPS}
        wires = [(f"at-{host.name}", host.router, host.bps, host.delay_s) for host in self.devices]
        wires += [(host.name, host.router, host.bps, host.delay_s) for host in self.servers]
        wires += [(f"r{link.routers[0]}", link.routers[1], link.bps, link.delay_s) for link in self.links]
        return {
            "access": {
                f"at-{host.name}": {"network": air, "devices": [host.name], "server": server[host.name]}
                for host in self.devices
            },
            "links": {
                f"{node}-r{router}": {
                    "between": [node, f"r{router}"],
                    "capacity": bps,
                    "latency": delay_s,
                    "header_bytes": PPP_BYTES,
                }
                for node, router, bps, delay_s in wires
            },
            "transport": self._transport(),
        }

    def _transport(self) -> dict[str, Any]:
        if self.transport == "udp":
            return {"kind": "udp"}
        return {"kind": "tcp", "connection": "per_transfer", "rwnd": self.window_bytes}
