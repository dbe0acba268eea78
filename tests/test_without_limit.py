"""The network without limits: every device keeps its own latencies, so that nothing arrives later on it."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from topologies import played
from worlds import scenario

from slfac_sim.ledger.folder import load
from slfac_sim.runs.explain import explain
from slfac_sim.runs.run import prepare, run
from slfac_sim.runs.without_limit import without_limit
from slfac_sim.scenario.hosts import hosts_of

LATENCIES = st.sampled_from([0, 1, 2, 15, 80])
AIRS = st.sampled_from(
    [
        *("{kind: cell}", "{kind: wifi, up_latency: 6 ms}", "{kind: multi_cell, stations: 2}"),
        "{kind: ideal, latency: 3 ms, up_latency: 40 ms}",
    ]
)


@given(
    st.lists(st.tuples(AIRS, LATENCIES), min_size=1, max_size=3),
    LATENCIES,
    st.sampled_from(["", "transport: tcp, ", "jitter: {mean: 3 ms, spread: 2 ms}, "]),
)
@settings(max_examples=25, deadline=None)
def test_nothing_arrives_later_without_limits(sites: list[Any], metro_ms: int, more: str) -> None:
    sizes = [1] * (len(sites) - 1) + [6 - len(sites)]  # 5 devices
    access = [
        f"a{i}: {{network: {air}, devices: {size}}}"
        for i, ((air, _), size) in enumerate(zip(sites, sizes, strict=True))
    ]
    links = [
        f"l{i}: {{between: [a{i}, hub], capacity: 9 Mbit/s, latency: {latency} ms}}"
        for i, (_, latency) in enumerate(sites)
    ]
    links.append(f"metro: {{between: [hub, server], capacity: 7 Mbit/s, latency: {metro_ms} ms}}")
    where = f"access: {{{', '.join(access)}}}, links: {{{', '.join(links)}}}"
    own = scenario(f"network={{kind: topology, {more}{where}}}")
    hosts = hosts_of(own)
    devices = tuple(hosts.devices)
    for sent in (
        *([(device, "server", 4000)] for device in devices),
        *([("server", device, 4000)] for device in devices),
        [("server", devices, 4000)],
    ):
        (limited,), _ = played(own.network, hosts, sent)
        (unlimited,), _ = played(without_limit(own), hosts, sent)
        assert unlimited.end_s <= limited.end_s * (1 + 1e-9)
        if "tcp" not in more and limited.receivers == 1:  # what remains is the latency
            latency_s = limited.end_s - limited.last_bit_s
            assert unlimited.end_s == pytest.approx(latency_s)


def test_a_far_access_network_leaves_the_replay_of_a_near_one_alone(tmp_path: Path) -> None:
    """One device far away: the others' transfers do not get its latency too."""
    network = (
        "network={kind: topology, access: {near: {network: ideal, devices: 4},"
        " far: {network: {kind: ideal, up_latency: 50 ms}, devices: 1}}, links: {"
        "a: {between: [near, server], capacity: 1 Gbit/s, latency: 1 ms},"
        "b: {between: [far, server], capacity: 1 Gbit/s, latency: 30 ms}}}"
    )
    run(prepare(scenario(network, "protocol=sequential"), tmp_path / "run", threads=1))
    found = explain(load(tmp_path / "run"), True)
    at_least_s, replayed_s = (times["infinite bandwidth"][-1] for times in (found.bounds_s, found.replays_s))
    assert replayed_s is not None
    assert at_least_s * (1 - 1e-9) <= replayed_s < found.end.until_s
