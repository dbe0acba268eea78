"""The coupling of transfers and air: against a slow simulation, and where instants and limits meet."""

import random
from math import inf, nan
from statistics import fmean

import pytest
import simpy

from slfac_sim.foundation.errors import BadInput
from slfac_sim.foundation.plugins import adapter, find
from slfac_sim.network import Hosts
from slfac_sim.network.kinds.cell import Cell
from slfac_sim.network.kinds.ideal import Ideal
from slfac_sim.network.kinds.multi_cell import MultiCell
from slfac_sim.network.kinds.wifi import Wifi
from slfac_sim.network.media.dcf import Dcf
from slfac_sim.network.radio.budget import PowerControl
from slfac_sim.network.radio.fading.none import NoFading
from slfac_sim.network.radio.rates.shannon_gap import ShannonGap
from slfac_sim.scenario.files import ScenarioError, load

NAMES = tuple(f"d{i}" for i in range(6))


def read(kind, **node):
    return adapter(find("slfac_sim.network.kinds", kind)).validate_python(node)


def opened(settings, names=NAMES):
    env = simpy.Environment()
    return env, settings.open(env, Hosts(names, ("server",)), 0)


def drawn_plan(rng):
    """Return (when, number, src, dst, bytes, when it is given up), many of them at the same instants."""
    plan, at_s = [], 0.0
    for number in range(24):
        at_s += rng.choice((0.0, 0.0, 0.002, rng.expovariate(100.0)))
        src, dst = rng.choice(((rng.choice(NAMES), "server"), ("server", rng.choice(NAMES))))
        gone_s = at_s + rng.choice((inf, inf, inf, 0.0, 0.002, rng.expovariate(200.0)))
        plan.append((at_s, number, src, dst, rng.randrange(1, 60_000), gone_s))
    return plan


def played(settings, plan):
    """Return when each transfer's last bit left, or was given up, and how many bits it had had by then."""
    env, network = opened(settings)
    transfers, ends = {}, {}

    def start(number, src, dst, nbytes):
        transfers[number] = network.transfer(src, dst, nbytes)

    def give_up(number):
        transfer = transfers[number]
        if transfer.last_bit_s is None:
            delivery = transfer.cancel()
            ends[number] = (env.now, delivery.airtime_s * delivery.rate_bps)

    for at_s, number, src, dst, nbytes, gone_s in plan:
        env.timeout(at_s).callbacks.append(lambda _, call=(number, src, dst, nbytes): start(*call))
        if gone_s < inf:
            env.timeout(gone_s).callbacks.append(lambda _, number=number: give_up(number))
    env.run()
    assert network.stalled() == ()
    for number, transfer in transfers.items():
        if number not in ends:
            ends[number] = (transfer.value.last_bit_s, 8.0 * transfer.value.wire_bytes)
    return ends


def replayed(settings, plan):
    """Return the same, with all rates anew whenever anything happens."""
    air, part = settings.air(Hosts(NAMES, ("server",)), 0), 0.5
    left, paths, ends, now_s = {}, {}, {}, 0.0
    coming = {number: row for row in plan for number in [row[1]]}
    while coming or left:
        crowd = [paths[number].lane for number in left]
        loud = settings.medium.crowd == "power"  # then all of a lane's uploads are on the air at once
        heard = {lane: crowd.count(lane) if loud and lane.endswith("up") else 1 for lane in crowd}
        block = 0 if air.coherence_s is None else round(now_s // air.coherence_s)
        if air.coherence_s is not None and now_s >= (block + 1) * air.coherence_s:
            block += 1
        rates = {}
        for number in left:
            n = crowd.count(paths[number].lane)
            rate_bps, among = air.rate_bps(paths[number], block, heard)
            rates[number] = part * (rate_bps if among is None else among(n)) / n
        block_s = inf if air.coherence_s is None or not left else (block + 1) * air.coherence_s
        then_s = min(
            block_s,
            *(row[0] for row in coming.values()),
            *(plan[number][5] for number in left),
            *(now_s + left[number] / rates[number] for number in left if rates[number] > 0.0),
        )
        for number in list(left):
            due_s = now_s + left[number] / rates[number] if rates[number] > 0.0 else inf
            left[number] -= rates[number] * (then_s - now_s)
            wire_bits = 8.0 * air.framing("").wire_bytes(plan[number][4])
            if due_s <= then_s:
                ends[number] = (then_s, wire_bits)
                del left[number]
            elif plan[number][5] <= then_s:
                ends[number] = (then_s, wire_bits - left[number])
                del left[number]
        now_s = then_s
        for number, (at_s, _, src, dst, nbytes, gone_s) in list(coming.items()):
            if at_s <= now_s:
                del coming[number]
                paths[number] = air.paths(src, (dst,))[0]
                if gone_s <= now_s:
                    ends[number] = (now_s, 0.0)
                else:
                    left[number] = 8.0 * air.framing("").wire_bytes(nbytes)
    return ends


@pytest.mark.parametrize("fading", ["none", "ergodic", {"kind": "block", "coherence": 0.003}, "jakes"])
@pytest.mark.parametrize("medium", ["fair", "ofdma"])
@pytest.mark.parametrize("interference", ["none", "full", "activity"])
def test_busy_neighbours_and_fades_against_a_slow_simulation(medium, fading, interference):
    settings = read(
        "multi_cell",
        stations=3,
        spacing="150 m",
        medium=medium,
        fading=fading,
        interference=interference,
        rate={"kind": "shannon_gap", "se_max": 20.0},
    )
    for seed in range(3):
        plan = drawn_plan(random.Random(seed))
        got, expected = played(settings, plan), replayed(settings, plan)
        assert got.keys() == expected.keys()
        for number, (end_s, bits) in expected.items():
            assert got[number] == (pytest.approx(end_s, rel=1e-9), pytest.approx(bits, rel=1e-7, abs=1e-3))


PAIR = {
    "station_positions": ((0.0, 0.0), (250.0, 0.0)),
    "positions": ((60.0, 0.0), (190.0, 0.0)),
    "interference": "none",
    "shadowing": "none",
    "fading": NoFading(),
    "rate": ShannonGap(se_max=20.0),
}


def multicast(places, give_up_s=inf):
    """Return a multicast to two devices of two stations, its parts, and what came of giving it up."""
    env, network = opened(MultiCell(**{**PAIR, "positions": places}), NAMES[:2])
    transfer, came = network.transfer("server", NAMES[:2], 500_000), []

    def between(_):
        # behind the arrivals of this instant, and before those who wait for them hear of it
        came.append(transfer.value if transfer.triggered else transfer.cancel())

    if give_up_s < inf:
        env.timeout(give_up_s).callbacks.append(lambda _: env.timeout(0.0).callbacks.append(between))
    parts = network.stalled()
    env.run()
    assert network.stalled() == ()
    return transfer, parts, came


def test_a_multicast_given_up_at_the_instant_at_which_one_station_is_through():
    places = ((60.0, 0.0), (600.0, 0.0))
    whole, parts, _ = multicast(places)
    first, last = sorted(part.value.end_s for part in parts)
    assert first < last == whole.value.end_s
    transfer, _, (delivery,) = multicast(places, first)
    assert not transfer.triggered
    assert (delivery.delivered, delivery.receivers, delivery.end_s) == (False, 2, first)
    bits = delivery.airtime_s * delivery.rate_bps
    assert 0.5 * 8 * delivery.wire_bytes < bits < 8 * delivery.wire_bytes


def test_a_multicast_has_happened_at_the_very_instant_of_its_last_arrival():
    whole, _, _ = multicast(PAIR["positions"])
    transfer, _, (delivery,) = multicast(PAIR["positions"], whole.value.end_s)
    assert transfer.triggered
    assert delivery == whole.value
    with pytest.raises(RuntimeError, match="has ended"):
        transfer.cancel()


def energies(medium, power_control):
    env, network = opened(read("cell", medium=medium, radius=60.0, power_control=power_control))
    transfers = [network.transfer(name, "server", 40_000) for name in NAMES]
    env.run()
    return [transfer.value.energy_j for transfer in transfers]


@pytest.mark.parametrize("medium", ["ofdma", "fdma", {"kind": "ofdma", "resource_blocks": 2}])
def test_who_is_not_limited_by_power_spends_as_much_in_a_part_of_the_band(medium):
    gentle = PowerControl(target=1e-14, alpha=0.8)
    assert energies(medium, gentle) == pytest.approx(energies("fair", gentle), rel=1e-9)
    assert min(energies(medium, None)) > 1.9 * max(energies("fair", None)) / len(NAMES)
    limited = energies(medium, None)
    parts = 2 if isinstance(medium, dict) else len(NAMES)  # all the power, for so many times as long
    assert limited == pytest.approx([parts * energy for energy in energies("fair", None)], rel=0.1)


def test_power_control_at_its_limit_is_no_power_control():
    everything = PowerControl(target=1.0, alpha=1.0)
    assert energies("ofdma", everything) == pytest.approx(energies("ofdma", None), rel=1e-12)


@pytest.mark.parametrize("standard", ["802.11a", "802.11n"])
@pytest.mark.parametrize("kind", ["csma", "dcf"])
def test_the_survey_of_wifi_knows_that_a_multicast_is_neither_answered_nor_aggregated(kind, standard):
    settings = read("wifi", medium={"kind": kind, "standard": standard})
    surveyed_bps = settings.survey(Hosts(NAMES, ("server",)), 0).multicast_rate_bps
    env, network = opened(settings)
    transfer = network.transfer("server", NAMES, 4_000_000)
    env.run()
    assert 32e6 / transfer.value.last_bit_s == pytest.approx(surveyed_bps, rel=1e-2)


@pytest.mark.parametrize(
    ("duplex", "text"),
    [
        ("tdd", "network.medium: tdma: 5 slots are too few for 6 users"),
        ("half", "network.medium: tdma: 5 slots are too few for 13 users"),
    ],
)
def test_too_few_slots_are_refused_before_anything_runs(duplex, text):
    settings = read("cell", medium={"kind": "tdma", "slots": 5}, duplex=duplex)
    for ask in (settings.survey, lambda *who: settings.open(simpy.Environment(), *who)):
        with pytest.raises(BadInput) as caught:
            ask(Hosts(NAMES, ("server",)), 0)
        assert str(caught.value) == text


def test_a_device_out_of_reach_is_no_part_of_the_load():
    settings = {**PAIR, "interference": "load", "offered": 1e6, "outage": "allow"}
    near = MultiCell(**settings).survey(Hosts(NAMES[:2], ("server",)), 0).links
    settings["positions"] = (*PAIR["positions"], (900_000.0, 0.0))
    links = MultiCell(**settings).survey(Hosts(NAMES[:3], ("server",)), 0).links
    assert links[2].down_rate_bps == 0.0
    assert [link.down_rate_bps for link in links[:2]] == [link.down_rate_bps for link in near]


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ("[[.nan, 1], [2, 3]]", "network.positions.0.0: expected a length such as '10 m' (got '.nan')"),
        ("[[2, !!float nan], [2, 3]]", "network.positions.0.1: must be a finite number (got nan)"),
    ],
)
def test_a_place_that_is_no_number_is_refused_word_for_word(written, text):
    override = f"network={{kind: cell, positions: {written}}}"
    with pytest.raises(ScenarioError) as caught:
        load("small", ("devices.count=2", override))
    assert str(caught.value) == f"override '{override}': {text}"


def test_so_it_is_without_a_scenario():
    with pytest.raises(BadInput) as caught:
        Cell(positions=((nan, 0.0), (2.0, 3.0))).survey(Hosts(NAMES[:2], ("server",)), 0)
    assert str(caught.value) == "network.positions: d0 must stand at two finite numbers (got nan, 0.0)"
    with pytest.raises(ValueError, match="station_positions must be finite"):
        MultiCell(station_positions=((0.0, inf),))


@pytest.mark.parametrize(("devices", "expected_s"), [(5, 0.39834), (10, 1.03746)])
def test_devices_that_think_and_upload_over_an_opened_network(devices, expected_s):
    """The closed network of PS with one think station (see test_network_queues), by way of `transfer`."""
    rng, took_s = random.Random(801), []
    names = tuple(f"d{i}" for i in range(devices))
    env, network = opened(Ideal(up_rate=8e9), names)

    def device(name):
        while len(took_s) < 30_000:
            yield env.timeout(rng.expovariate(1.0))
            delivery = yield network.transfer(name, "server", round(2e8 * rng.expovariate(1.0)))
            took_s.append(delivery.end_s - delivery.asked_s)

    for name in names:
        env.process(device(name))
    env.run()
    assert fmean(took_s[3_000:]) == pytest.approx(expected_s, rel=0.03)


def test_a_seed_that_would_not_be_looked_at_is_refused():
    with pytest.raises(ValueError, match=r"medium.seed must be left out: .* \(got 5\)"):
        Wifi(medium=Dcf(seed=5))


def test_who_is_out_of_reach_disturbs_nobody():
    settings = {**PAIR, "interference": "activity", "outage": "allow"}
    settings["positions"] = (PAIR["positions"][0], (900_000.0, 0.0))
    env, network = opened(MultiCell(**settings), NAMES[:2])
    lost, transfer = (network.transfer(name, "server", 100_000) for name in ("d1", "d0"))
    env.run()
    assert network.stalled() == (lost,)
    quiet = (
        MultiCell(**{**settings, "interference": "none"}).survey(Hosts(NAMES[:2], ("server",)), 0).links[0]
    )
    assert transfer.value.rate_bps == pytest.approx(quiet.up_rate_bps, rel=1e-12)
    delivery = lost.cancel()
    assert (delivery.delivered, delivery.airtime_s, delivery.energy_j) == (False, 0.0, 0.0)
    assert network.stalled() == ()


@pytest.mark.parametrize("kind", ["cell", "wifi", "multi_cell"])
@pytest.mark.parametrize(("begins_s", "fine"), [(1e3, True), (1e12, False)])
def test_a_clock_too_coarse_for_a_transfer_is_refused(kind: str, begins_s: float, fine: bool) -> None:
    """At 10^12 s its last digit stands for 0.1 ms; no transfer of ours takes a hundred seconds."""
    env = simpy.Environment(begins_s)
    network = read(kind).open(env, Hosts(NAMES, ("server",)), 0)
    network.transfer("d0", "server", 10_000)
    if fine:
        env.run()
        assert network.stalled() == ()
        return
    with pytest.raises(
        BadInput, match=r"^after 1e\+12 s the clock's last digit stands for 0.0001 s, and the"
    ):
        env.run()


def test_a_transfer_that_is_meant_to_take_no_time_takes_none() -> None:
    env = simpy.Environment(1e9)
    network = Ideal(up_rate=1e300, down_rate=1e300).open(env, Hosts(NAMES, ("server",)), 0)
    sent = network.transfer("d0", "server", 10_000)
    env.run()
    assert sent.value.delivered
