"""The wired cases by family: fair links, store-and-forward, slow start, trees, both ways, full links."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from itertools import chain, product
from typing import Literal

from wired import Flow, Host, Link, WiredCase

MEGABYTE = 1_000_000


def _named(prefix: str, router: int, rates_bps: Iterable[float], first: int = 0) -> tuple[Host, ...]:
    return tuple(Host(f"{prefix}{i}", router, bps) for i, bps in enumerate(rates_bps, first))


STAGGERED = (  # start, MB, access in Mbit/s
    (0.0, 1, 1),
    (0.5, 2, 2),
    (1.0, 4, 5),
    (0.0, 10, 10),
    (2.0, 8, 50),
    (3.5, 4, 50),
    (6.0, 6, 50),
)


def _staggered(name: str, window_bytes: int, fifo_packets: int) -> WiredCase:
    return WiredCase(
        name,
        (Link((0, 1), 20e6),),
        _named("d", 0, (1e6 * mbps for _, _, mbps in STAGGERED)),
        (Host("server", 1),),
        tuple(Flow(f"d{i}", "server", mb * MEGABYTE, start) for i, (start, mb, _) in enumerate(STAGGERED)),
        window_bytes=window_bytes,
        fifo_packets=fifo_packets,
    )


def _to_server(devices: Iterable[Host], payload_bytes: int, server: str = "server") -> tuple[Flow, ...]:
    return tuple(Flow(device.name, server, payload_bytes) for device in devices)


ACCESS = _named("d", 0, (1e6, 2e6, 5e6, 10e6, 50e6))

FAIR = (
    WiredCase(
        "together", (Link((0, 1), 20e6),), ACCESS, (Host("server", 1),), _to_server(ACCESS, 5 * MEGABYTE)
    ),
    _staggered("one-after-another", 32768, 0),
    WiredCase(
        "parking-lot",
        (Link((0, 1), 10e6), Link((1, 2), 6e6), Link((2, 3), 8e6)),
        tuple(Host(f"d{i}", router, 100e6) for i, router in enumerate((0, 0, 1, 2))),
        tuple(Host(f"s{router}", router) for router in (1, 2, 3)),
        (
            Flow("d0", "s3", 5 * MEGABYTE),
            Flow("d1", "s1", 5 * MEGABYTE),
            Flow("d2", "s2", 5 * MEGABYTE, 1.0),
            Flow("d3", "s3", 5 * MEGABYTE, 2.0),
        ),
    ),
)


def _chain(name: str, hops: Iterable[tuple[float, float]], payload_bytes: int) -> WiredCase:
    """One flow over `hops` (bit/s and seconds), the first and the last being access links."""
    first, *between, last = hops
    links = tuple(Link((i, i + 1), bps, delay_s) for i, (bps, delay_s) in enumerate(between))
    device, server = Host("d0", 0, *first), Host("server", len(links), *last)
    return WiredCase(name, links, (device,), (server,), _to_server([device], payload_bytes))


PATHS = {  # bit/s and seconds of each hop
    "3-hops": ((100e6, 1e-4), (10e6, 1e-3), (1e9, 5e-3)),
    "3-hops-slow-first": ((5e6, 1e-3), (10e6, 1e-3), (100e6, 1e-3)),
    "5-hops": ((50e6, 5e-5), (100e6, 1e-3), (20e6, 2e-3), (10e6, 5e-3), (200e6, 5e-4)),
    "5-hops-alike": ((10e6, 1e-3),) * 5,
}
DATAGRAM_BYTES = 1472
SIZES = (100, DATAGRAM_BYTES, 10_000, 10 * DATAGRAM_BYTES, 680 * DATAGRAM_BYTES)

FORWARD = tuple(
    replace(_chain(f"{name}-{size}", hops, size), transport="udp", packet_bytes=DATAGRAM_BYTES)
    for name, hops in PATHS.items()
    for size in SIZES
)


def _slow_start(
    rtt_s: float, mbps: float, payload_bytes: int, acknowledge: int = 1, window_kib: int = 4096
) -> WiredCase:
    size = f"{payload_bytes // 1000}kB" if payload_bytes < MEGABYTE else f"{payload_bytes // MEGABYTE}MB"
    name = f"{1e3 * rtt_s:g}ms-{mbps:g}Mbps-{size}"
    name += ("-delayed" if acknowledge > 1 else "") + (f"-{window_kib}KiB" if window_kib != 4096 else "")
    delay_s = rtt_s / 6
    hops = ((1e6 * mbps, delay_s), (10e9, delay_s), (10e9, delay_s))
    case = _chain(name, hops, payload_bytes)
    return replace(case, window_bytes=1024 * window_kib, acknowledge=acknowledge)


LONG_S = (0.01, 0.04, 0.1)
STEPS = (10_000, 100_000, MEGABYTE, 10 * MEGABYTE)
SLOW_START = tuple(_slow_start(*one) for one in product(LONG_S, (10, 100), STEPS))
DELAYED = tuple(_slow_start(rtt_s, 100, size, 2) for rtt_s, size in product(LONG_S, STEPS))
WINDOW = (
    *(_slow_start(0.1, 100, size, window_kib=256) for size in STEPS[2:]),
    _slow_start(0.1, 1000, 40 * MEGABYTE),
)

# Two campuses at router 0, behind which a backhaul leads to the server at router 1.
CAMPUSES = (Link((0, 1), 35e6, 5e-3), Link((0, 2), 30e6, 1e-3), Link((0, 3), 12e6, 2e-3))
MEMBERS = (*_named("a", 2, (2e6, 5e6, 20e6, 50e6)), *_named("b", 3, (4e6, 10e6, 100e6)))
MANY = tuple(
    chain.from_iterable(
        _named(f"{letter}", router, (1e6 * (1 + (7 * i + router) % 13) for i in range(6)))
        for letter, router in (("a", 2), ("b", 3), ("c", 4))
    )
)


def _tree(
    name: str, flows: Iterable[Flow], devices: tuple[Host, ...] = MEMBERS, links: tuple[Link, ...] = CAMPUSES
) -> WiredCase:
    return WiredCase(name, links, devices, (Host("server", 1),), tuple(flows), window_bytes=65536)


TREES = (
    _tree("tree", _to_server(MEMBERS, 5 * MEGABYTE)),
    _tree("tree-down", (Flow("server", device.name, 5 * MEGABYTE) for device in MEMBERS)),
    _tree(
        "tree-staggered",
        (Flow(d.name, "server", (2 + i % 3) * MEGABYTE, 0.4 * i) for i, d in enumerate(MEMBERS)),
    ),
    _tree(
        "tree-18",
        _to_server(MANY, MEGABYTE),
        MANY,
        (*CAMPUSES, Link((0, 4), 15e6, 3e-3)),
    ),
)


def _two_way(n: int, payload_bytes: int, bps: float = 10e6) -> WiredCase:
    devices = _named("d", 0, [50e6] * n)
    down = (Flow("server", device.name, payload_bytes) for device in devices)
    flows = (*_to_server(devices, payload_bytes), *down)
    name = f"both-{n}"
    return WiredCase(name, (Link((0, 1), bps, 2e-3),), devices, (Host("server", 1),), flows)


TWO_WAY = (_two_way(1, 5 * MEGABYTE), _two_way(2, 3 * MEGABYTE), _two_way(5, 2 * MEGABYTE))


def _saturated(n: int, transport: Literal["tcp", "udp"], fifo_packets: int = 0) -> WiredCase:
    devices = _named("d", 0, [50e6] * n)
    return WiredCase(
        f"{transport}-{n}" + (f"-fifo-{fifo_packets}" if fifo_packets else ""),
        (Link((0, 1), 20e6, 5e-3),),
        devices,
        (Host("server", 1),),
        _to_server(devices, MEGABYTE),
        transport,
        packet_bytes=1448 if transport == "tcp" else DATAGRAM_BYTES,
        window_bytes=65536,
        fifo_packets=fifo_packets,
    )


SATURATED = (
    *(_saturated(n, "tcp") for n in (2, 10, 30)),
    *(_saturated(n, "udp") for n in (2, 10, 30)),
    *(_saturated(n, "tcp", 1000) for n in (2, 10, 30)),
)
SHORT_QUEUE = tuple(_saturated(n, "tcp", 100) for n in (2, 10, 30))

WIRED: Mapping[str, tuple[WiredCase, ...]] = {
    "wired": FAIR,
    "wired_forward": FORWARD,
    "wired_slow_start": SLOW_START,
    "wired_delayed": DELAYED,
    "wired_window": WINDOW,
    "wired_tree": TREES,
    "wired_both": TWO_WAY,
    "wired_saturated": SATURATED,
    "wired_short_queue": SHORT_QUEUE,
    "wired_fifo": (_staggered("drop-tail", 262144, 100),),
}
