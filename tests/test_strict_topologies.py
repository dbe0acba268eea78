"""Strict runs over generated topologies: every protocol and transport keeps the laws, on every link."""

from math import fsum
from pathlib import Path
from random import Random

import pytest
from worlds import scenario, table

from slfac_sim.foundation.plugins import find, kinds
from slfac_sim.runs.run import prepare, run

AIRS = (
    "kind: cell, bandwidth: 5 MHz",
    "kind: cell, bandwidth: 10 MHz, medium: ofdma, fading: {kind: block, coherence: 50 ms}",
    "kind: cell, bandwidth: 10 MHz, medium: proportional_fair, duplex: fdd",
    "kind: wifi",
    "kind: multi_cell, stations: 2, interference: activity",
    "kind: ideal, up_rate: 20 Mbit/s, down_rate: 30 Mbit/s",
)
TRANSPORTS = ("fluid", "tcp", "{kind: udp, loss: 0.1}", "{kind: tcp, loss: 0.3, tries: 3}")


def topology(seed: int, is_lossy: bool, servers: tuple[str, ...]) -> str:
    """Return two access networks, a tree of switches and servers above them, and a wire across."""
    draw = Random(seed)
    split = draw.randint(1, 4)
    homes = (servers[0], servers[0] if len(servers) == 1 else servers[1])
    access = ", ".join(
        f"n{i}: {{network: {{{draw.choice(AIRS)}}}, devices: {count}, server: {home}}}"
        for i, (count, home) in enumerate(zip((split, 5 - split), homes, strict=True))
    )
    nodes = ["n0", "sw0", "n1", *(["sw1"] if draw.random() < 0.5 else []), *servers]
    pairs = [("n0", "sw0"), ("n1", nodes[3])] if "sw1" in nodes else [("n0", "sw0"), ("n1", "sw0")]
    pairs += [("sw0", "sw1")] if "sw1" in nodes else []
    pairs += [(draw.choice([node for node in nodes if node.startswith("sw")]), name) for name in servers]
    pairs += [("sw0", servers[-1])] if draw.random() < 0.5 else []
    return f"network={{kind: topology, access: {{{access}}}, links: {{{_links(draw, pairs, is_lossy)}}}}}"


def _links(draw: Random, pairs: list[tuple[str, str]], is_lossy: bool) -> str:
    links = []
    for number, (one, other) in enumerate(pairs):
        capacity, latency_ms = draw.choice((1, 3, 10, 1000)), draw.choice((0, 1, 20))
        more = ", duplex: half" if draw.random() < 0.3 else f", back_capacity: {draw.choice((2, 40))} Mbit/s"
        more += ", loss: 0.05" if is_lossy and draw.random() < 0.5 else ""
        what = f"capacity: {capacity} Mbit/s, latency: {latency_ms} ms{more}"
        links.append(f"w{number}: {{between: [{one}, {other}], {what}}}")
    return ", ".join(links)


def given(seed: int, protocol: str, transport: str) -> list[str]:
    """Return the overrides of a case: with edges and a cloud where the protocol has them."""
    edges = find("slfac_sim.protocols", protocol).servers == "edges"
    servers = ("edge1", "edge2", "cloud") if edges else ("server",)
    named = ", ".join(f"{name}: 1 GFLOP/s" for name in servers)
    several = ["server=null", f"servers={{{named}}}"] if edges else []
    lossy = transport != "fluid"
    return [
        f"protocol={protocol}",
        *several,
        topology(seed, lossy, servers),
        f"network.transport={transport}",
    ]


@pytest.mark.matrix
@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("protocol", kinds("slfac_sim.protocols"))
def test_every_protocol_and_transport_keeps_the_laws_over_generated_topologies(
    protocol: str, transport: str, seed: int, tmp_path: Path
) -> None:
    overrides = ("protocol.rounds=1", "protocol.steps=1", *given(seed, protocol, transport))
    prepared = prepare(scenario(*overrides), tmp_path / "r", threads=1)
    summary = run(prepared, checkpoint_every=0, strict=True)
    assert summary["status"] == "finished", f"{summary['reason']} ({overrides})"
    ledger = tmp_path / "r" / "ledger.sqlite"
    use = table(ledger, "link_use")
    assert use
    for row in use:
        parts = (row["carried_bits"], row["lost_bits"], row["in_flight_bits"])
        assert row["offered_bits"] == pytest.approx(fsum(parts), rel=1e-9, abs=1e-3), row["link"]
    if table(ledger, "transfers"):
        assert sum(row["carried_bits"] for row in use) > 0.0
