"""Changes of a network in time: outages and traces on media and on devices, against closed forms."""

from dataclasses import replace
from math import inf, sqrt
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import simpy
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from slfac_sim.foundation.errors import BadInput
from slfac_sim.foundation.plugins import find
from slfac_sim.network import Hosts, Lost, Network
from slfac_sim.network.change import Target
from slfac_sim.network.change.gilbert_elliott import GilbertElliott
from slfac_sim.network.change.outages import Outages
from slfac_sim.network.change.trace import Trace
from slfac_sim.network.delays import Jitter
from slfac_sim.network.kinds import trace as measured
from slfac_sim.network.kinds.cell import Cell
from slfac_sim.network.kinds.ideal import Ideal
from slfac_sim.network.kinds.multi_cell import MultiCell
from slfac_sim.network.kinds.topology import Topology
from slfac_sim.network.kinds.wifi import Wifi
from slfac_sim.network.topology.settings import Access, WiredLink
from slfac_sim.network.transfers import Bursts
from slfac_sim.network.transport._bursts import lost_in_bursts
from slfac_sim.network.transport.udp import Udp
from slfac_sim.network.varying.traces.reading import effect_of

NAMES = ("d0", "d1", "d2")
HOSTS = Hosts(NAMES, ("server",))


def opened(settings: Any, seed: int = 0) -> tuple[simpy.Environment, Network]:
    env = simpy.Environment()
    return env, settings.open(env, HOSTS, seed)


def ends(settings: Any, *transfers: tuple[str, Any, int], seed: int = 0) -> list[float]:
    """Return when transfers (from, to, bytes) end that all begin at 0."""
    env, network = opened(settings, seed)
    sent = [network.transfer(*transfer) for transfer in transfers]
    env.run()
    return [transfer.value.end_s for transfer in sent]


@pytest.fixture
def half(tmp_path: Path) -> Path:
    """A factor of 1 and of 0.5 in turn, each for 1 s."""
    file = tmp_path / "half.csv"
    file.write_text("time_s,factor\n0,1\n1,0.5\n")
    return file


def test_on_off_outages_take_what_preempt_resume_work_takes() -> None:
    """E[T] = S (1 + D/U) + D^2 / (U + D): 11.0909 s for 10 s of work, with U = 10 s and D = 1 s."""
    outages = {"out": Outages(on="up", mean_on=10.0, mean_off=1.0)}
    network = Ideal(up_rate=8e6, change=outages)
    took_s = [ends(network, ("d0", "server", 10_000_000), seed=seed)[0] for seed in range(4000)]
    mean_s = sum(took_s) / len(took_s)
    deviation_s = sqrt(sum((one - mean_s) ** 2 for one in took_s) / len(took_s) / (len(took_s) - 1))
    assert abs(mean_s - 11.0909) < 4.0 * deviation_s
    assert 4.0 * deviation_s < 0.03 * 11.0909


def test_a_link_is_up_for_its_part_of_the_time() -> None:
    (course,) = Outages(devices="all", mean_on=3.0, mean_off=1.0).effect(Target("x", "d0", True), 1).factors
    up_s = t_s = 0.0
    while t_s < 40_000.0:
        next_s = course.next_s(t_s)
        assert {course.at(t_s), course.at(next_s)} == {0.0, 1.0}
        up_s, t_s = up_s + course.at(t_s) * (next_s - t_s), next_s
    assert up_s / t_s == pytest.approx(course.mean, rel=0.02) == pytest.approx(0.75, rel=0.02)


def test_outages_are_of_a_device_and_seed_alone() -> None:
    def first_s(seed: int, device: str, change: str = "x") -> list[float]:
        outages = Outages(devices="all", mean_on=3.0, mean_off=1.0)
        courses = [outages.effect(Target(change, device, way), seed).factors[0] for way in (True, False)]
        return [course.next_s(10.0) for course in courses]

    assert first_s(0, "d0")[0] == first_s(0, "d0")[1]  # both ways at once
    assert len({*first_s(0, "d0"), *first_s(1, "d0"), *first_s(0, "d1"), *first_s(0, "d0", "y")}) == 4


def test_a_factor_on_a_medium_is_for_all_that_are_on_it(half: Path) -> None:
    network = Ideal(up_rate=8e6, down_rate=8e6, change={"slow": Trace(file=half, on="up")})
    # 1 MB each in two: 8 Mbit in the first second, 4 in the next, then 4 more of the 16
    assert ends(network, ("d0", "server", 10**6), ("d1", "server", 10**6)) == [2.5, 2.5]
    assert ends(network, ("server", "d0", 10**6)) == [1.0]


def test_a_rate_of_a_device_stands_in_place_of_its_own(tmp_path: Path) -> None:
    file = tmp_path / "drive.csv"
    file.write_text("time_s,up_bps,down_bps,device\n0,2e6,1e6,d0\n1,4e6,1e6,d0\n")
    network = Ideal(
        up_rate=8e6, down_rate=8e6, change={"drive": Trace(file=file, devices=("d0",), end="hold")}
    )
    assert ends(network, ("d0", "server", 500_000)) == [1.5]
    assert ends(network, ("d1", "server", 500_000)) == [0.5]
    # half of the air each: d0 has 1 of its 4 Mbit until 1 s, when d1 is through
    assert ends(network, ("d0", "server", 500_000), ("d1", "server", 500_000)) == [1.75, 1.0]
    # a multicast is as slow as its slowest receiver, changed or not
    assert ends(network, ("server", NAMES, 125_000)) == [1.0]
    file.write_text("time_s,rate_bps,latency_s\n0,32e6,0.25\n")
    fast = {"fast": Trace(file=file, devices=("d0",))}
    network = Ideal(up_rate=8e6, down_rate=8e6, latency=0.5, change=fast)
    assert ends(network, ("server", NAMES, 10**6), ("server", ("d1",), 0)) == [1.5, 0.5]
    assert ends(network, ("server", "d0", 10**6)) == [0.5]
    assert network.survey(HOSTS, 0).multicast_rate_bps == 8e6


def test_rates_come_before_factors_whatever_the_order(half: Path, tmp_path: Path) -> None:
    file = tmp_path / "rate.csv"
    file.write_text("time_s,rate_bps\n0,2e6\n")
    rate, factor = Trace(file=file, devices="all"), Trace(file=half, on="up")
    for change in ({"a": rate, "b": factor}, {"a": factor, "b": rate}):
        # 2 Mbit in the first second, 1 in the next, 1 more of 2 in the third
        assert ends(Ideal(up_rate=8e6, change=change), ("d0", "server", 500_000)) == [2.5]


def test_the_survey_has_the_mean_and_the_most(half: Path) -> None:
    plain = Cell(positions=((20.0, 0.0),) * 3)
    changed = Cell(positions=plain.positions, change={"slow": Trace(file=half, on="up")})
    (link, *_), (other, *_) = plain.survey(HOSTS, 0).links, changed.survey(HOSTS, 0).links
    assert other.up_rate_bps == pytest.approx(0.75 * link.up_rate_bps)
    assert other.up_best_bps == link.up_best_bps
    assert (other.down_rate_bps, other.down_best_bps) == (link.down_rate_bps, link.down_best_bps)
    still = changed.still.survey(HOSTS, 0).links[0]
    assert still.up_rate_bps == pytest.approx(0.75 * link.up_rate_bps)


@pytest.mark.parametrize("medium", ["fair", "ofdma", "tdma", "fdma", "fifo", "proportional_fair"])
def test_a_change_that_changes_nothing_changes_nothing(medium: str, tmp_path: Path) -> None:
    file = tmp_path / "one.csv"
    file.write_text("time_s,factor\n0,1\n1,1\n")
    sent = (("d0", "server", 10**6), ("d1", "server", 3 * 10**6), ("server", NAMES, 10**6))
    once = Cell(medium=find("slfac_sim.network.media", medium)())
    same = Cell(
        medium=find("slfac_sim.network.media", medium)(), change={"none": Trace(file=file, devices="all")}
    )
    assert ends(once, *sent) == ends(same, *sent)


@pytest.mark.parametrize("network", [Cell, Wifi])
def test_transfers_wait_while_everybody_is_down(network: Any, tmp_path: Path) -> None:
    file = tmp_path / "down.csv"
    file.write_text("time_s,factor\n0,1\n0.05,0\n7.05,1\n")
    plain = ends(network(), ("d0", "server", 10**6), ("server", "d1", 10**6))
    away = {"down": Trace(file=file, devices="all", end="hold")}
    later = ends(network(change=away), ("d0", "server", 10**6), ("server", "d1", 10**6))
    assert min(plain) > 0.05
    assert later == pytest.approx([end_s + 7.0 for end_s in plain], rel=1e-9)
    file.write_text("time_s,factor\n0,0\n7,1\n")
    later = ends(network(change=away), ("d0", "server", 10**6), ("server", "d1", 10**6))
    assert later == pytest.approx([end_s + 7.0 for end_s in plain], rel=1e-9)


def test_a_day_of_trace_costs_nothing_while_nobody_sends(tmp_path: Path) -> None:
    file = tmp_path / "day.csv"
    rows = "".join(f"{t},{1e6 + t % 7}\n" for t in range(86_400))
    file.write_text(f"time_s,rate_bps\n{rows}")
    env, network = opened(Ideal(change={"day": Trace(file=file, devices="all")}))
    first = network.transfer("d0", "server", 1000)
    events = 0
    while env.peek() < inf:
        env.step()
        events += 1
    assert events < 10
    assert first.value.end_s < 1.0
    env.run(80_000.5)
    second = network.transfer("d0", "server", 1000)
    env.run(second)
    assert second.value.rate_bps == 1e6 + 80_000 % 7


def test_what_a_change_names_must_be_there(half: Path, tmp_path: Path) -> None:
    file = tmp_path / "own.csv"
    file.write_text("time_s,rate_bps,device\n0,1e6,d1\n0,1e6,d2\n")
    of_d0 = f"network.change.x.file: '{file}' has no rows of d0 (it has d1, d2)"
    of_none = (
        f"network.change.x.file: '{file}' has a column device, and what it is for is no device: leave the"
    )
    wrong = {
        of_d0: Trace(file=file, devices="all"),
        f"{of_none} column out": Trace(file=file, on="up"),
        "network.change.x.on: no 'upp' among up, down; did you mean 'up'?": Trace(file=half, on="upp"),
        "network.change.x.devices: no 'd9' among d0 to d2": Outages(devices=("d9",)),
    }
    for said, change in wrong.items():
        with pytest.raises(BadInput) as caught:
            Ideal(change={"x": change}).survey(HOSTS, 0)
        assert str(caught.value) == said
    with pytest.raises(ValueError, match="say what changes: on: a link, or devices: all or a list"):
        Outages()


def wired(**settings: Any) -> Topology:
    """Two devices on an access network of 8 Mbit/s each way, behind a wire of 100 Mbit/s and 10 ms."""
    access = {"home": Access(network=Ideal(up_rate=8e6, down_rate=8e6), devices=2)}
    links = {"core": WiredLink(between=("home", "server"), capacity=100e6, latency=0.01)}
    return Topology(access=access, links=links, **settings)


TWO = Hosts(NAMES[:2], ("server",))


def wired_ends(network: Topology, *transfers: tuple[str, Any, int]) -> list[float]:
    env = simpy.Environment()
    opened = network.open(env, TWO, 0)
    sent = [opened.transfer(*transfer) for transfer in transfers]
    env.run()
    return [transfer.value.end_s for transfer in sent]


def test_a_wire_has_the_capacity_of_the_trace_each_way(tmp_path: Path) -> None:
    file = tmp_path / "core.csv"
    file.write_text("time_s,up_bps,down_bps,latency_s\n0,4e6,1e6,0.01\n1,2e6,1e6,0.5\n")
    trace = Trace(file=file, on="core", end="hold")
    # 8 Mbit up: 4 in the first second, 2 in each later one; down 1 Mbit/s all the time
    assert wired_ends(wired(change={"slow": trace}), ("d0", "server", 10**6)) == [3.5]
    assert wired_ends(wired(change={"slow": trace}), ("server", "d1", 250_000)) == [2.5]
    up = Trace(file=file, on="core home->server", end="hold")
    assert wired_ends(wired(change={"slow": up}), ("d0", "server", 10**6)) == [3.5]
    assert wired_ends(wired(change={"slow": up}), ("server", "d1", 250_000)) == [pytest.approx(0.26)]


def test_a_wire_may_carry_more_than_it_says(tmp_path: Path, half: Path) -> None:
    file = tmp_path / "core.csv"
    file.write_text("time_s,rate_bps\n0,1e6\n1,1e9\n")
    fast = {"fast": Trace(file=file, on="core", end="hold"), "half": Trace(file=half, on="core", end="hold")}
    network = wired(change=fast)
    (wire,) = network.survey(TWO, 0).wires
    assert wire.capacity_bps == 1e9
    assert wired_ends(network, ("d0", "server", 10**6)) == [pytest.approx(1.0 + 7 / 8 + 0.01)]


def test_a_medium_before_a_wire_may_change_too(half: Path, tmp_path: Path) -> None:
    file = tmp_path / "fast.csv"
    file.write_text("time_s,rate_bps\n0,400e6\n")
    sent = (("d0", "server", 10**6), ("d1", "server", 10**6))
    for on in ("home", "home/up"):
        assert wired_ends(wired(change={"slow": Trace(file=half, on=on)}), *sent) == [2.51, 2.51]
    # 400 Mbit/s on the air: now the wire, 100 Mbit/s, is full
    by_wire = {"fast": Trace(file=file, devices="all")}
    assert wired_ends(wired(change=by_wire), *sent) == [pytest.approx(0.16 + 0.01)] * 2


def test_an_outage_of_a_wire_holds_up_everybody(tmp_path: Path) -> None:
    file = tmp_path / "down.csv"
    file.write_text("time_s,factor\n0,1\n0.5,0\n3.5,1\n")
    sent = (("d0", "server", 10**6), ("server", "d1", 500_000))
    network = wired(change={"cut": Trace(file=file, on="core", end="hold")})
    assert wired_ends(network, *sent) == [4.01, pytest.approx(0.51)]


def test_a_medium_that_cannot_follow_a_wire_that_changes_is_refused(half: Path) -> None:
    cell = Cell(medium=find("slfac_sim.network.media", "tdma")())
    links = {"core": WiredLink(between=("home", "server"), capacity=1e12, latency=0.01)}
    network = Topology(
        access={"home": Access(network=cell, devices=2)},
        links=links,
        change={"out": Outages(on="core")},
    )
    with pytest.raises(BadInput, match=r"tdma does not divide anew what the wire core, which may be full"):
        network.survey(TWO, 0)


def test_changes_of_an_access_network_go_with_the_topology() -> None:
    network = Ideal(change={"out": Outages(devices="all")})
    with pytest.raises(
        ValueError, match=r"access.home.network.change: goes with the topology, network.change"
    ):
        Topology(access={"home": Access(network=network, devices=2)})


def test_a_link_that_is_not_there_is_told_with_all_that_are(half: Path) -> None:
    with pytest.raises(BadInput) as caught:
        wired(change={"x": Trace(file=half, on="coer")}).survey(TWO, 0)
    known = "home, home/up, home/down, core"
    assert str(caught.value) == f"network.change.x.on: no 'coer' among {known}; did you mean 'core'?"


BURSTS = Bursts(to_bad=0.01, to_good=0.1)


def test_gilbert_elliott_loses_what_it_should_in_runs_of_the_length_that_they_should_have() -> None:
    """(p, r, k, h) = (0.01, 0.1, 1, 0): loss 0.090909, bursts of 10 packets, lag-1 correlation 1 - p - r."""
    assert BURSTS.mean == pytest.approx(0.090909, abs=1e-6)
    lost = lost_in_bursts(BURSTS, np.random.default_rng(1), 2_000_000)
    assert lost.mean() == pytest.approx(0.090909, rel=0.03)
    runs = np.diff(np.flatnonzero(np.diff(np.concatenate(([0], lost.astype(int), [0])))))[::2]
    assert runs.mean() == pytest.approx(10.0, rel=0.03)
    centred = lost - lost.mean()
    assert (centred[1:] * centred[:-1]).mean() / centred.var() == pytest.approx(1.0 - 0.01 - 0.1, abs=0.01)
    few = lost_in_bursts(Bursts(0.01, 0.1, 0.02, 0.5), np.random.default_rng(2), 2_000_000)
    assert few.mean() == pytest.approx((0.1 * 0.02 + 0.01 * 0.5) / 0.11, rel=0.03)


def lossy(**settings: Any) -> Ideal:
    return Ideal(up_rate=8e6, transport=Udp(tries=None), change={"bursts": GilbertElliott(**settings)})


def sent(settings: Any, number: int, seed: int = 0) -> list[Any]:
    """Return the deliveries of `number` uploads of 100 packets by d0, one after the other."""
    env, network = opened(settings, seed)
    deliveries = []
    for _ in range(number):
        transfer = network.transfer("d0", "server", 147_200)
        env.run(transfer)
        deliveries.append(transfer.value)
    return deliveries


def test_bursts_cost_the_bytes_of_their_mean() -> None:
    deliveries = sent(lossy(devices="all"), 1500)
    packets = sum(delivery.wire_bytes for delivery in deliveries) / 1500 / 1500
    assert packets == pytest.approx(100.0 / (1.0 - BURSTS.mean), rel=0.03)
    # in bursts a message often has no loss at all: most of the losses are in few messages
    once = sum(delivery.tries == 1 for delivery in deliveries) / 1500
    alone = (1.0 - BURSTS.bad) * (1.0 - BURSTS.to_bad) ** 99
    assert once == pytest.approx(alone, abs=4.0 * sqrt(alone * (1.0 - alone) / 1500))
    assert deliveries == sent(lossy(devices="all"), 1500)


def test_bursts_that_are_given_up_lose_the_message() -> None:
    bursts = {"bursts": GilbertElliott(devices="all")}
    network = Ideal(transport=Udp(), change=bursts)
    assert network.may_lose
    assert not Ideal(transport=Udp()).may_lose
    env, opened_one = opened(network)
    transfer = opened_one.transfer("d0", "server", 10**7)
    with pytest.raises(Lost):
        env.run(transfer)


def test_bursts_of_a_wire_are_those_of_its_packets() -> None:
    change = {"bursts": GilbertElliott(on="core")}
    assert wired(transport=Udp(), change=change).may_lose
    env = simpy.Environment()
    network = wired(transport=Udp(tries=None), change=change).open(env, TWO, 0)
    transfer = network.transfer("d0", "server", 10**7)
    env.run(transfer)
    lost = {use.link: use.lost_bits / max(use.offered_bits, 1.0) for use in network.link_use()}
    assert lost["core home->server"] == pytest.approx(BURSTS.mean, rel=0.5)
    assert lost["home/up"] == 0.0


def test_bursts_without_packets_are_refused() -> None:
    wanted = "expected network.transport: tcp or udp"
    said = f"network.change.x: gilbert_elliott loses packets, and fluid has none: {wanted}"
    with pytest.raises(BadInput) as caught:
        Ideal(change={"x": GilbertElliott(devices="all")}).survey(HOSTS, 0)
    assert str(caught.value) == said
    with pytest.raises(ValueError, match=r"^99.5 % of the packets are lost, of which 99 % is the most"):
        GilbertElliott(devices="all", to_bad=1.0, to_good=0.005)


def test_losses_of_a_trace_are_those_of_the_moment(tmp_path: Path) -> None:
    file = tmp_path / "loss.csv"
    file.write_text("time_s,rate_bps,loss\n0,8e6,0\n100,8e6,0.2\n")
    drive = Trace(file=file, devices="all", end="hold")
    network = Ideal(transport=Udp(tries=None), change={"drive": drive})
    assert not network.may_lose
    assert Ideal(transport=Udp(), change={"drive": drive}).may_lose
    assert not network.survey(HOSTS, 0).remarks
    assert len(measured.Trace(file=file).survey(HOSTS, 0).remarks) == 1  # without packets losses are in vain
    assert measured.Trace(file=file, transport=Udp()).may_lose
    for network_of in (network, measured.Trace(file=file, end="hold", transport=Udp(tries=None))):
        env, opened_one = opened(network_of)
        early = opened_one.transfer("d0", "server", 1_472_000)
        env.run(200.0)
        late = opened_one.transfer("d0", "server", 1_472_000)
        env.run(late)
        assert early.value.wire_bytes == 1_500_000
        assert late.value.wire_bytes == pytest.approx(1_500_000 / 0.8, rel=0.05)


def test_a_transfer_that_waits_begins_at_the_rate_of_its_first_bit(tmp_path: Path) -> None:
    file = tmp_path / "late.csv"
    file.write_text("time_s,rate_bps\n0,1e6\n1,8e6\n")
    drive = {"drive": Trace(file=file, devices="all", end="hold")}
    late = Ideal(latency=0.25, up_rate=8e6, grant=2.0)
    assert ends(replace(late, change=drive), ("d0", "server", 10**6)) == [3.25]
    assert ends(late, ("d0", "server", 10**6)) == [3.25]


def test_several_stations_change_by_themselves(half: Path) -> None:
    far = MultiCell(positions=((10.0, 5.0), (12.0, 5.0), (14.0, 5.0)))
    plain = {link.device: link for link in far.survey(HOSTS, 0).links}
    (station,) = {link.station for link in plain.values()}
    for on in (station, f"{station}/up", "nowhere"):
        changed = replace(far, change={"slow": Trace(file=half, on=on)})
        if on == "nowhere":
            with pytest.raises(BadInput, match=f"no 'nowhere' among .*{station}, .*{station}/up"):
                changed.survey(HOSTS, 0)
            continue
        for link in changed.survey(HOSTS, 0).links:
            assert link.up_rate_bps == pytest.approx(0.75 * plain[link.device].up_rate_bps)


@settings(deadline=None)
@given(
    steps=st.lists(st.tuples(st.integers(1, 2000), st.integers(0, 40)), min_size=1, max_size=12),
    sizes=st.lists(st.integers(1, 2_000_000), min_size=1, max_size=5),
    starts_ms=st.lists(st.integers(0, 5000), min_size=5, max_size=5),
)
def test_bits_over_any_trace_are_the_integral_of_its_rate(
    steps: list[tuple[int, int]], sizes: list[int], starts_ms: list[int], tmp_path_factory: Any
) -> None:
    """While anybody sends, as much is carried as the trace says."""
    assume(any(rate for _, rate in steps))
    file = tmp_path_factory.getbasetemp() / "any.csv"
    times_ms = [sum(length for length, _ in steps[:i]) for i in range(len(steps))]
    rows = [f"{t / 1000},{rate}e5" for t, (_, rate) in zip(times_ms, steps, strict=True)]
    file.write_text("\n".join(["time_s,rate_bps", *rows]))
    env, network = opened(measured.Trace(file=file))
    sent: list[Any] = []
    for size, start_ms in zip(sizes, starts_ms, strict=False):
        begun = env.timeout(start_ms / 1000)
        begun.callbacks.append(lambda _, size=size: sent.append(network.transfer("d0", "server", size)))
    env.run()
    (course,) = effect_of(measured.Trace(file=file), "d0", True, "").rates_bps
    carried, until_s = 0.0, 0.0
    for from_s, to_s in sorted((one.value.asked_s, one.value.last_bit_s) for one in sent):
        t_s = max(from_s, until_s)
        while t_s < to_s:
            next_s = min(course.next_s(t_s), to_s)
            carried, t_s = carried + course.at(t_s) * (next_s - t_s), next_s
        until_s = max(until_s, to_s)
    assert carried == pytest.approx(8.0 * sum(one.value.payload_bytes for one in sent), rel=1e-9)


def test_a_survey_of_80211_tells_what_is_left_of_a_rate_of_the_phy(tmp_path: Path) -> None:
    file = tmp_path / "phy.csv"
    file.write_text("time_s,rate_bps,latency_s\n0,65e6,0.125\n")
    network = Wifi(change={"phy": Trace(file=file, devices="all")}, jitter=Jitter(mean=0.5))
    survey = network.survey(HOSTS, 0)
    alone_s = ends(Wifi(change=network.change), ("d0", "server", 10**7))[0] - 0.125
    for link in survey.links:
        assert link.up_rate_bps == pytest.approx(8e7 / alone_s, rel=0.01)
        assert link.latency_s == 0.625
