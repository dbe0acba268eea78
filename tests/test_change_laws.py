"""Laws of networks that change, over all kinds, transports, changes: bits are conserved, times in order."""

from pathlib import Path
from typing import Any

import pytest
import simpy

from slfac_sim.foundation.errors import BadInput
from slfac_sim.foundation.plugins import adapter, find, kinds
from slfac_sim.foundation.streams import stream
from slfac_sim.network import Delivery, Hosts

HOSTS = Hosts(tuple(f"d{i:03}" for i in range(4)), ("server",))
FACTOR = (
    "time_s,factor,latency_s,loss\n0,1,0.01,0\n0.2,0.5,0.02,0.1\n0.4,0,0.05,0.2\n0.5,1,0.01,0\n0.7,0.25,0,0\n"
)
RATES = "time_s,up_bps,down_bps\n0,4e6,9e6\n0.3,1e6,2e6\n0.5,0,0\n0.6,8e6,16e6\n"
NETWORKS: dict[str, dict[str, Any]] = {
    "ideal": {"up_rate": 9e6, "down_rate": 20e6},
    "cell": {"fading": {"kind": "block", "coherence": 0.05}},
    "multi_cell": {},
    "wifi": {},
    "trace": {"file": "rates.csv"},
    "topology": {
        "access": {"home": {"network": {"kind": "wifi"}, "devices": 4}},
        "links": {"core": {"between": ("home", "server"), "capacity": 15e6, "latency": 0.002}},
    },
}
LINKS = {  # over which there is background traffic
    "ideal": ["up"],
    "cell": ["up", "down"],
    "multi_cell": ["s0", "s1/up"],
    "wifi": ["air"],
    "trace": ["up"],
    "topology": ["core", "home/air"],
}
TRANSPORTS = {"fluid": {}, "tcp": {}, "udp": {"tries": None}}
CHANGES: dict[str, dict[str, Any]] = {
    "outages": {"kind": "outages", "mean_on": 0.2, "mean_off": 0.1},
    "factor": {"kind": "trace", "file": "factor.csv"},
    "bursts": {"kind": "gilbert_elliott"},
    "background": {"kind": "background", "rate": 2e6, "size": 20_000},
}


@pytest.fixture(autouse=True)
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("factor.csv").write_text(FACTOR)
    Path("rates.csv").write_text(RATES)


def opened(kind: str, transport: str, change: dict[str, Any]) -> Any:
    """Return the settings of a network of that kind."""
    own = {"transport": {"kind": transport, **TRANSPORTS[transport]}, "change": {"x": change}}
    return adapter(find("slfac_sim.network.kinds", kind)).validate_python({**NETWORKS[kind], **own})


def played(settings: Any) -> list[Delivery]:
    """Return how 16 transfers went, up, down and to all, begun at random times; every fifth is given up."""
    env, draws = simpy.Environment(), stream(1, "laws")
    network = settings.open(env, HOSTS, 3)
    went: list[Delivery] = []

    def send(number: int, begin_s: float, nbytes: int) -> Any:
        yield env.timeout(begin_s)
        device = HOSTS.devices[number % 4]
        ends = [(device, "server"), ("server", device), ("server", HOSTS.devices)][number % 3]
        transfer = network.transfer(*ends, nbytes)
        if number % 5 == 4:
            yield env.timeout(0.05) | transfer
            went.append(transfer.value if transfer.triggered else transfer.cancel())
        else:
            went.append((yield transfer))

    for number in range(16):
        env.process(send(number, draws.uniform(0.0, 1.5), int(draws.integers(1, 150_000))))
    env.run(1e4)
    assert not network.stalled()
    return went


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("kind", NETWORKS)
def test_bits_are_conserved_and_times_are_in_order(kind: str, transport: str, change: str) -> None:
    assert {*NETWORKS} == {*kinds("slfac_sim.network.kinds")}
    targets = [
        {"devices": "all"},
        {"devices": HOSTS.devices[:1]},
        *([{"on": "core"}] if kind == "topology" else []),
    ]
    if change == "background":
        targets = [{"on": on} for on in LINKS[kind]]
    for target in targets:
        settings = opened(kind, transport, {**CHANGES[change], **target})
        if change == "bursts" and transport == "fluid":
            with pytest.raises(BadInput, match="gilbert_elliott loses packets, and fluid has none"):
                settings.open(simpy.Environment(), HOSTS, 3)
            continue
        went = played(settings)
        assert len(went) == 16
        for one in went:
            assert one.asked_s <= one.start_s <= one.last_bit_s
            assert one.asked_s <= one.last_bit_s <= one.end_s or not one.delivered
            bits = one.rate_bps * one.airtime_s
            assert bits <= 8.0 * one.wire_bytes * (1.0 + 1e-6)
            if one.delivered:  # 802.11 is told of payload alone
                least = one.payload_bytes if kind in ("wifi", "topology") else one.wire_bytes
                assert bits >= 8.0 * least * (1.0 - 1e-6)
        assert played(settings) == went
