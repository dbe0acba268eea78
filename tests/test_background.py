"""Background traffic against closed forms; it keeps nothing alive, hides no stall, is a function of time."""

from itertools import pairwise, takewhile
from math import sqrt
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import simpy
from hypothesis import given, settings
from hypothesis import strategies as st
from topologies import hosts, ideal, is_whole, network, wire

from slfac_sim.foundation.errors import BadInput
from slfac_sim.network import Hosts, Network
from slfac_sim.network.change.background import Background

ON = hosts(2)
CAPACITY_BPS = 1e6


def wired(air_bps: float = 1e12, **change: Any) -> Any:
    """Return two devices behind a wire of `CAPACITY_BPS`, with these changes."""
    return network(
        "topology",
        access={"home": {"network": ideal(air_bps), "devices": 2}},
        links={"core": wire("home", "server", CAPACITY_BPS)},
        change=change,
    )


def others(rate_bps: float, on: str = "core", **more: Any) -> dict[str, Any]:
    return {"kind": "background", "on": on, "rate": rate_bps, **more}


def probed(crowd: Any, nbytes: int, every_s: float, count: int) -> tuple[np.ndarray, Network]:
    """Return what so many uploads took, one every `every_s`."""
    env = simpy.Environment()
    opened = crowd.open(env, ON, 0)
    took_s = []
    for i in range(1, count + 1):
        env.run(i * every_s)
        transfer = opened.transfer("d0", "server", nbytes)
        env.run(transfer)
        took_s.append(transfer.value.end_s - transfer.value.asked_s)
    return np.array(took_s), opened


@pytest.mark.parametrize("load", [0.3, 0.7])
@pytest.mark.parametrize(
    "law", [{"sizes": "deterministic"}, {"sizes": "exponential"}, {"sizes": "pareto", "shape": 2.5}]
)
def test_a_transfer_takes_its_size_over_what_is_left(law: dict[str, Any], load: float) -> None:
    """M/G/1 with processor sharing: E[T | x] = x / (C (1 - rho)), whatever the law of sizes."""
    crowd = wired(
        others=others(load * CAPACITY_BPS, "core home->server", size=1250, **law)
    )  # one takes 10 ms alone
    took_s, _ = probed(crowd, 2500, 0.6, 400)
    deviation_s = took_s.std(ddof=1) / sqrt(len(took_s))
    expected_s = 0.02 / (1.0 - load)
    assert abs(took_s.mean() - expected_s) < 4.0 * deviation_s < 0.25 * expected_s


def test_on_a_medium_too() -> None:
    crowd = network(
        "ideal", up_rate=CAPACITY_BPS, change={"others": others(0.5 * CAPACITY_BPS, "up", size=1250)}
    )
    took_s, _ = probed(crowd, 2500, 0.4, 400)
    assert abs(took_s.mean() - 0.04) < 4.0 * took_s.std(ddof=1) / sqrt(len(took_s)) < 0.008


def test_a_source_is_on_for_its_part_of_the_time() -> None:
    """While it is on it takes 0.4 of the wire; a tiny transfer then gets 0.6, and else the whole wire."""
    on_off = others(0.1 * CAPACITY_BPS, "core home->server", source="on_off", mean_on=1.0, mean_off=3.0)
    took_s, _ = probed(wired(others=on_off), 1, 20.0, 2000)
    was_on = took_s > 1.3 * 8 / CAPACITY_BPS
    assert was_on.mean() == pytest.approx(0.25, abs=4.0 * sqrt(0.25 * 0.75 / 2000))
    assert took_s[was_on] == pytest.approx(8 / CAPACITY_BPS / 0.6, rel=1e-3)


@pytest.mark.parametrize("source", ["poisson", "on_off"])
@pytest.mark.parametrize("sizes", ["deterministic", "exponential", "pareto"])
def test_the_mean_rate_is_what_is_asked_for(source: Any, sizes: Any) -> None:
    background = Background(rate=8e3, on="core", source=source, size=1000, sizes=sizes, shape=3.0)
    bursts = list(takewhile(lambda burst: burst.at_s < 40_000.0, background.bursts("others", "core", 1)))
    assert sum(burst.bits for burst in bursts) / 40_000.0 == pytest.approx(8e3, rel=0.04)
    assert all(one.at_s < other.at_s for one, other in pairwise(bursts))
    assert all(0.0 <= burst.draw < 1.0 and burst.bits > 0.0 for burst in bursts)


def test_each_link_has_traffic_of_its_own_and_its_bits_are_whole() -> None:
    _, opened = probed(wired(others=others(3e5, size=5000)), 2500, 1.0, 200)
    use = {one.link: one for one in opened.link_use()}
    assert is_whole(use)
    up, down = use["core home->server"], use["core server->home"]
    assert up.background_bits != down.background_bits
    assert up.carried_bits - up.background_bits == pytest.approx(200 * 8 * 2500)
    assert down.carried_bits == down.background_bits == pytest.approx(3e5 * 200, rel=0.1)
    assert use["home/up"].background_bits == 0.0


def test_it_may_be_on_one_way_and_on_a_medium() -> None:
    one_way = wired(1e6, there=others(2e5, "core server->home"), air=others(1e5, "home/up", size=1000))
    _, opened = probed(one_way, 2500, 1.0, 200)
    background = {one.link: one.background_bits for one in opened.link_use()}
    assert background["core home->server"] == background["home/down"] == 0.0
    assert background["core server->home"] > 0.0
    assert background["home/up"] == pytest.approx(1e5 * 200, rel=0.1)


def test_it_is_the_same_whether_or_not_somebody_looks() -> None:
    def end_s(looks: bool) -> float:
        env = simpy.Environment()
        opened = wired(others=others(0.9 * CAPACITY_BPS, size=20_000)).open(env, ON, 0)
        for second in range(1, 60):
            env.run(second + 1 / 3)
            if looks:
                opened.link_use()
                opened.transfer("d1", "server", 0)
        transfer = opened.transfer("d0", "server", 100_000)
        env.run()
        return float(transfer.value.end_s)

    assert end_s(True) == end_s(False) > 60.0 + 0.8


@settings(max_examples=15)
@given(
    on=st.sampled_from(["core", "home", "home/up"]),
    size=st.sampled_from([400, 3000, 40_000]),
    starts_s=st.lists(st.floats(0.0, 1.0), min_size=1, max_size=6),
    tick_s=st.sampled_from([0.0017, 0.11]),
    sparse=st.booleans(),
)
def test_it_is_the_same_whatever_else_happens(
    on: str, size: int, starts_s: list[float], tick_s: float, sparse: bool
) -> None:
    """The clock of a busy simulation stops at every tick, that of an idle one at what is heard of alone."""
    crowd = wired(1e6, others=others(1e4 if sparse else 4e5, on, size=size, sizes="exponential"))

    def played(busy: bool) -> list[Any]:
        env, went = simpy.Environment(), []
        opened = crowd.open(env, ON, 0)

        def send(number: int, start_s: float) -> Any:
            yield env.timeout(start_s)
            ends = [("d0", "server"), ("server", "d1"), ("server", ("d0", "d1"))][number % 3]
            transfer = opened.transfer(*ends, 3000 * number)
            if number == 4:
                yield env.timeout(0.05) | transfer
                went.append(transfer.value if transfer.triggered else transfer.cancel())
            else:
                went.append((yield transfer))

        def tick() -> Any:
            while env.now < 3.0:
                yield env.timeout(tick_s)

        for number, start_s in enumerate(starts_s):
            env.process(send(number, start_s))
        if busy:
            env.process(tick())
        env.run(3.5)
        return [*went, *opened.link_use()]

    assert played(busy=True) == played(busy=False)


def test_it_does_not_run_ahead_of_what_its_user_does_next() -> None:
    def sent(stepwise: bool) -> Any:
        env = simpy.Environment()
        opened = wired(1e6, others=others(2e5, size=1000)).open(env, ON, 0)
        transfer = opened.transfer("d0", "server", 100_000)
        opened.heed(lambda: 0.5)
        while stepwise and env.peek() < 0.5:
            env.step()
        env.run(0.5)
        return transfer.cancel()

    assert sent(stepwise=True) == sent(stepwise=False)


def test_who_acts_off_the_calendar_is_told() -> None:
    env = simpy.Environment()
    opened = wired(1e6, others=others(2e5, size=1000)).open(env, ON, 0)
    opened.transfer("d0", "server", 100_000)
    while env.now == 0.0 or env.peek() < 0.5:
        env.step()
    with pytest.raises(RuntimeError, match="d1 -> server: begun at "):
        opened.transfer("d1", "server", 100_000)


def test_it_keeps_nothing_alive() -> None:
    env = simpy.Environment()
    opened = wired(others=others(5e5)).open(env, ON, 0)
    env.run()
    assert env.now == 0.0
    transfer = opened.transfer("d0", "server", 100_000)
    env.run()
    assert env.now == transfer.value.end_s


@pytest.mark.parametrize("cut", ["core", "home/up"])
@pytest.mark.parametrize("on", ["core", "home"])
def test_it_hides_no_stall(cut: str, on: str, tmp_path: Path) -> None:
    file = tmp_path / "cut.csv"
    file.write_text("time_s,factor\n0,1\n1,0\n2,0\n")
    change = {"cut": {"kind": "trace", "on": cut, "file": file, "end": "hold"}, "others": others(1e4, on)}
    if cut == "core" and on == "core":
        change["others"]["on"] = "core server->home"  # in the mean the cut way carries too little
    env = simpy.Environment()
    opened = wired(1e6, **change).open(env, ON, 0)
    transfer = opened.transfer("d0", "server", 10_000_000)
    env.run()
    assert opened.stalled() == (transfer,)
    transfer.cancel()
    env.run()
    assert not opened.stalled()


@pytest.mark.parametrize("kind", ["cell", "multi_cell", "wifi"])
def test_it_hides_no_stall_on_the_air(kind: str, tmp_path: Path) -> None:
    file = tmp_path / "cut.csv"
    file.write_text("time_s,factor\n0,1\n0.05,0\n1,0\n")
    cut = {"kind": "trace", "devices": ["d0"], "file": file, "end": "hold"}
    on = {"cell": "down", "multi_cell": "s0/down", "wifi": "air"}[kind]
    change = {"cut": cut, "others": others(1e5, on, size=1000)}
    env = simpy.Environment()
    opened = network(kind, change=change).open(env, ON, 0)
    transfer = opened.transfer("d0", "server", 50_000_000)
    env.run()
    assert opened.stalled() == (transfer,)


def test_a_transfer_goes_on_behind_an_outage_with_it() -> None:
    cut = {"kind": "outages", "on": "core", "mean_on": 0.5, "mean_off": 0.5}
    took_s, opened = probed(wired(cut=cut, others=others(1e5, size=1000)), 12_500, 20.0, 20)
    assert 0.1 < took_s.mean() < 2.0
    assert is_whole({one.link: one for one in opened.link_use()})


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (
            {"others": others(1e5, "cor")},
            "network.change.others.on: no 'cor' among home, home/up, home/down, core; did you mean 'core'?",
        ),
        (
            {"others": others(1e6)},
            "network.change.others.rate: background traffic of 1e+06 bit/s on core home->server, which"
            " carries 1e+06, would never end: expected less",
        ),
        (
            {"web": others(6e5), "video": others(5e5, "core server->home")},
            "network.change.video.rate: background traffic of 1.1e+06 bit/s on core server->home, which"
            " carries 1e+06, would never end: expected less",
        ),
        (
            {"others": others(2e6, "home/up")},
            "network.change.others.rate: background traffic of 2e+06 bit/s on home/up, which carries 1e+06,"
            " would never end: expected less",
        ),
    ],
)
def test_what_cannot_be_is_told(change: dict[str, Any], sentence: str) -> None:
    with pytest.raises(BadInput) as error:
        wired(1e6, **change).open(simpy.Environment(), ON, 0)
    assert str(error.value) == sentence


TOO_MUCH_BPS = 1e12


def carried_bps(lane: str, on: Any, **of: Any) -> float:
    """Return what a lane carries, by the sentence that refuses more."""
    with pytest.raises(BadInput, match="would never end: expected less") as error:
        network(change={"others": others(TOO_MUCH_BPS, lane)}, **of).open(simpy.Environment(), on, 3)
    return float(str(error.value).split("carries ")[1].split(",")[0])


def emptied_bps(on: Any, devices: tuple[str, ...], up: bool, **of: Any) -> float:
    """Return the bits per second until all of `devices` are through that begin at once with equal sizes."""
    env = simpy.Environment()
    opened = network(**of).open(env, on, 3)
    ends = [(device, "server") if up else ("server", device) for device in devices]
    transfers = [opened.transfer(*pair, 20_000_000) for pair in ends]
    env.run()
    sent_bits = sum(8.0 * transfer.value.wire_bytes for transfer in transfers)
    return sent_bits / max(transfer.value.last_bit_s for transfer in transfers)


PARTED = [{"kind": "tdma"}, {"kind": "tdma", "slots": 8}, {"kind": "fdma"}]


@pytest.mark.parametrize("up", [True, False])
@pytest.mark.parametrize("medium", [*PARTED, {"kind": "tdma", "work_conserving": True}, {"kind": "fair"}])
def test_what_a_medium_carries_is_what_it_takes_to_empty_it(medium: dict[str, Any], up: bool) -> None:
    """Whose slot or channel is the slowest counts, where it is for nobody else; else the mean of times."""
    of = {"kind": "cell", "medium": medium}
    carried = carried_bps("up" if up else "down", hosts(4), **of)
    assert carried == pytest.approx(emptied_bps(hosts(4), hosts(4).devices, up, **of), rel=1e-3)


@pytest.mark.parametrize("medium", PARTED)
def test_of_a_little_less_a_place_of_ones_own_is_emptied_again(medium: dict[str, Any]) -> None:
    of = {"kind": "cell", "medium": medium}
    most_bps = carried_bps("up", hosts(4), **of)
    env = simpy.Environment()
    crowd = others(0.8 * most_bps, "up", size=most_bps / 400.0)
    opened = network(change={"others": crowd}, **of).open(env, hosts(4), 3)
    env.run(60.0)
    transfer = opened.transfer("d0", "server", round(most_bps / 400.0))
    env.run()
    assert transfer.value.end_s < 65.0


def test_neighbours_are_taken_as_quiet_and_who_moves_as_at_the_start() -> None:
    """While all others send, it carries less than is asked of it."""
    on = Hosts(tuple(f"d{i:03d}" for i in range(10)), ("server",))
    change = {"walk": {"kind": "gauss_markov"}, "others": others(3e5, "s0/up", size=2000)}
    of = network("multi_cell", stations=2, medium="fair", change=change)
    links = [link for link in of.survey(on, 3).links if link.station == "s0"]
    assert len(links) / sum(1.0 / link.up_rate_bps for link in links) < 3e5
    env = simpy.Environment()
    opened = of.open(env, on, 3)
    env.run(20.0)
    transfer = opened.transfer("d001", "server", 1000)
    env.run()
    assert transfer.value.end_s < 21.0


def test_it_has_to_be_on_something() -> None:
    with pytest.raises(ValueError, match="say over which link it goes, on: a medium or a wire"):
        Background(rate=1e6)
