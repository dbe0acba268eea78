"""Opened networks: what a transfer takes, what it is worth, and that the air is the same for everyone."""

from math import inf

import numpy as np
import pytest
import simpy
from scipy.stats import norm

from slfac_sim.foundation.errors import BadInput
from slfac_sim.foundation.plugins import adapter, find, kinds
from slfac_sim.network import Hosts
from slfac_sim.network.fluid_network import FluidNetwork
from slfac_sim.network.kinds.cell import Cell
from slfac_sim.network.kinds.ideal import Ideal
from slfac_sim.network.radio.fading.block import Block
from slfac_sim.network.radio.fading.ergodic import Ergodic
from slfac_sim.network.radio.fading.none import NoFading
from slfac_sim.network.radio.pathloss.umi import Umi
from slfac_sim.network.radio.rates.shannon_gap import ShannonGap
from slfac_sim.network.transport.fluid import Fluid

NAMES = tuple(f"d{i}" for i in range(8))


def opened(settings, names=NAMES, seed=0):
    env = simpy.Environment()
    return env, settings.open(env, Hosts(names, ("server",)), seed)


def later(env, at_s, action):
    env.timeout(at_s).callbacks.append(lambda _: action())


def test_processor_sharing_by_hand():
    # 10 Mbit/s; (start, bytes) = (0, 1.25e6), (0.2, 0.25e6), (0.5, 0.625e6) end at 1.7, 0.65 and 1.55 s
    env, network = opened(Ideal(up_rate=10e6))
    done = {}

    def send(name, nbytes):
        transfer = network.transfer(name, "server", nbytes)
        transfer.callbacks.append(lambda event: done.__setitem__(name, event.value))

    for at_s, name, nbytes in ((0.0, "d0", 1_250_000), (0.2, "d1", 250_000), (0.5, "d2", 625_000)):
        later(env, at_s, lambda name=name, nbytes=nbytes: send(name, nbytes))
    env.run()
    assert [done[name].end_s for name in ("d0", "d1", "d2")] == pytest.approx([1.7, 0.65, 1.55], abs=1e-9)
    assert [done[name].airtime_s for name in ("d0", "d1", "d2")] == pytest.approx([1.0, 0.2, 0.5])
    assert list(done) == ["d1", "d2", "d0"]


def test_ideal_without_sharing_gives_each_device_its_own_link():
    env, network = opened(Ideal(up_rate=8e6, sharing="none", latency=0.25))
    transfers = [network.transfer(name, "server", 1_000_000) for name in NAMES]
    twice = network.transfer("d0", "server", 1_000_000)
    env.run()
    assert [t.value.end_s for t in transfers[1:]] == [1.25] * 7
    assert transfers[0].value.end_s == twice.value.end_s == 2.25


def test_directions_do_not_share():
    env, network = opened(Ideal(up_rate=8e6, down_rate=8e6))
    up, down = network.transfer("d0", "server", 10**6), network.transfer("server", "d0", 10**6)
    env.run()
    assert up.value.end_s == down.value.end_s == 1.0


def test_latency_follows_the_last_bit_and_frees_the_air():
    env, network = opened(Ideal(up_rate=8e6, latency=0.5))
    first = network.transfer("d0", "server", 10**6)
    second = []
    later(env, 1.0, lambda: second.append(network.transfer("d1", "server", 10**6)))
    env.run()
    assert (first.value.last_bit_s, first.value.end_s) == (1.0, 1.5)
    assert (second[0].value.start_s, second[0].value.last_bit_s) == (1.0, 2.0)


def test_zero_bytes_take_the_latency_only():
    env, network = opened(Cell(retransmission=None))
    transfer = network.transfer("d0", "server", 0)
    env.run()
    got = transfer.value
    assert (got.wire_bytes, got.airtime_s, got.energy_j) == (0, 0.0, 0.0)
    assert (got.last_bit_s, got.end_s) == (0.0, 0.005)
    assert got.rate_bps > 0.0


def test_cell_delivery_figures():
    cell = Cell(uplink_share=0.25, retransmission=None)
    link = cell.survey(Hosts(NAMES, ("server",)), 0).links[3]
    env, network = opened(cell)
    transfer = network.transfer("d3", "server", 1449)  # two packets
    env.run()
    got = transfer.value
    assert (got.payload_bytes, got.wire_bytes, got.receivers, got.tries) == (1449, 1449 + 120, 1, 1)
    assert got.rate_bps == pytest.approx(link.up_rate_bps)
    assert got.snr_db == link.up_snr_db
    assert got.airtime_s == pytest.approx(8 * 1569 / link.up_rate_bps)
    assert got.last_bit_s == pytest.approx(4 * got.airtime_s)  # a quarter of the time is the uplink's
    assert got.energy_j == pytest.approx(10**-0.7 * got.airtime_s)
    assert got.end_s == got.last_bit_s + 0.005


def test_each_direction_has_its_part_of_the_time():
    cell = Cell(uplink_share=0.25)
    survey = cell.survey(Hosts(NAMES, ("server",)), 0)
    env, network = opened(cell)
    transfer = network.transfer("server", "d3", 10_000)
    env.run()
    got = transfer.value
    assert (survey.up_share, survey.down_share) == (0.25, 0.75)
    assert got.last_bit_s == pytest.approx(got.airtime_s / 0.75)
    assert got.rate_bps == pytest.approx(survey.links[3].down_rate_bps)
    assert got.energy_j == pytest.approx(10**1.4 * got.airtime_s)


def test_link_budget_by_hand():
    link = Cell(positions=((0.0, 100.0),), shadowing="none").survey(Hosts(("d0",), ("server",)), 0).links[0]
    # 23 dBm + 8 dB - loss + 174 - 73.0103 - 5 dB; the loss with or without line of sight at 100 m
    assert min(abs(126.9897 - loss_db - link.up_snr_db) for loss_db in (85.3141, 104.6438)) < 0.002
    # downwards 21 dB more power and 4 dB more noise
    assert link.down_snr_db - link.up_snr_db == pytest.approx(17.0)
    assert link.distance_m == 100.0


def test_headers_can_be_switched_off():
    survey = Cell(header_bytes=0).survey(Hosts(NAMES, ("server",)), 0)
    assert survey.wire_bytes(1449) == 1449
    assert Cell().survey(Hosts(NAMES, ("server",)), 0).wire_bytes(1448) == 1508


def test_airtimes_fit_into_the_time():
    env, network = opened(Cell(uplink_share=0.6))
    transfers = [network.transfer(name, "server", 40_000 * (i + 1)) for i, name in enumerate(NAMES)]
    env.run()
    last_s = max(t.value.last_bit_s for t in transfers)
    assert sum(t.value.airtime_s for t in transfers) == pytest.approx(0.6 * last_s, rel=1e-9)


def test_multicast_is_one_transmission_at_the_slowest_rate():
    cell = Cell(radius=180.0)
    survey = cell.survey(Hosts(NAMES, ("server",)), 1)
    env, network = opened(cell, seed=1)
    transfer = network.transfer("server", NAMES, 10_000)
    env.run()
    got = transfer.value
    assert (got.dst, got.receivers) == ("*", 8)
    assert got.rate_bps == pytest.approx(min(link.down_rate_bps for link in survey.links))
    assert got.rate_bps == pytest.approx(survey.multicast_rate_bps)
    assert got.energy_j == pytest.approx(10**1.4 * got.airtime_s)


@pytest.mark.parametrize("settings", [Ideal(), Cell()])
def test_unknown_hosts_are_refused(settings):
    _, network = opened(settings)
    for src, dst in (("d0", "d1"), ("nobody", "server"), ("server", "nobody"), ("server", ())):
        with pytest.raises(KeyError):
            network.transfer(src, dst, 1)
    with pytest.raises(ValueError, match="-1 bytes"):
        network.transfer("d0", "server", -1)
    assert network.stalled() == ()


def test_cancel_frees_the_air_and_says_how_far_it_came():
    env, network = opened(Ideal(up_rate=8e6, latency=1.0))
    gone, stays = network.transfer("d0", "server", 10**6), network.transfer("d1", "server", 10**6)
    env.run(until=1.0)
    assert network.stalled() == (gone, stays)
    got = gone.cancel()
    env.run()
    assert (got.delivered, got.airtime_s, got.end_s, got.last_bit_s) == (False, 0.5, 1.0, 1.0)
    assert got.airtime_s * got.rate_bps == 4e6
    assert stays.value.last_bit_s == 1.5
    assert not gone.triggered
    with pytest.raises(RuntimeError, match="has ended"):
        gone.cancel()


def test_cancel_after_the_last_bit_and_at_once():
    env, network = opened(Ideal(up_rate=8e6, latency=1.0))
    at_once = network.transfer("d1", "server", 10**6).cancel()
    late = network.transfer("d0", "server", 10**6)
    env.run(until=1.5)
    got = late.cancel()
    env.run()
    assert (at_once.airtime_s, at_once.start_s) == (0.0, 0.0)
    assert (got.last_bit_s, got.end_s, got.airtime_s, got.delivered) == (1.0, 1.5, 1.0, False)
    assert not late.triggered
    with pytest.raises(RuntimeError):
        late.cancel()


# --- the same air for everyone ---


def rates_of_blocks(nbytes):
    """Return what d0 meets while d0 to d3 send `nbytes` each: airtime per bit, block by block."""
    cell = Cell(fading=Block(coherence=0.01), rate=ShannonGap(), positions=((60.0, 0.0),) * 4)
    env, air, seen = simpy.Environment(), cell.air(Hosts(NAMES[:4], ("server",)), 5), {}
    rates_bps = air.rates_bps

    def noted(paths, block, heard):
        rates = rates_bps(paths, block, heard)
        seen.update(((path.devices, block), rate) for path, rate in zip(paths, rates, strict=True))
        return rates

    air.rates_bps = noted
    network = FluidNetwork(env, air, Fluid().sender(0))
    transfers = [network.transfer(name, "server", nbytes) for name in NAMES[:4]]
    env.run()
    assert env.now < 30.0
    return seen, [t.value for t in transfers]


def test_payload_sizes_meet_the_same_fades():
    small, _ = rates_of_blocks(200_000)
    large, _ = rates_of_blocks(500_000)
    assert small.items() <= large.items()
    assert len(large) > len(small) > 8


def test_block_fading_conserves_bits_and_matches_a_sum_by_hand():
    cell = Cell(fading=Block(coherence=0.01), positions=((60.0, 0.0),), header_bytes=0)
    env, network = opened(cell, NAMES[:1], seed=5)
    air = cell.air(Hosts(NAMES[:1], ("server",)), 5)
    (path,) = air.paths("d0", ("server",))
    transfer = network.transfer("d0", "server", 250_000)
    env.run()
    left_bits, block, airtime_s = 2e6, 0, 0.0
    while True:
        rate_bps, _ = air.rate_bps(path, block, {})
        if left_bits <= rate_bps * 0.005:  # the uplink has half of each block
            break
        left_bits, block, airtime_s = left_bits - rate_bps * 0.005, block + 1, airtime_s + 0.005
    assert block > 3
    assert transfer.value.airtime_s == pytest.approx(airtime_s + left_bits / rate_bps, rel=1e-9)
    assert transfer.value.last_bit_s == pytest.approx(2 * transfer.value.airtime_s, rel=1e-9)
    assert transfer.value.airtime_s * transfer.value.rate_bps == pytest.approx(2e6)


def test_a_faded_device_does_not_hold_up_the_others():
    cell = Cell(
        fading=Block(coherence=0.05), positions=((40.0, 0.0), (1600.0, 0.0)), outage="allow", shadowing="none"
    )
    env, network = opened(cell, NAMES[:2], seed=2)
    air = cell.air(Hosts(NAMES[:2], ("server",)), 2)
    (path,) = air.paths("d1", ("server",))
    served = [air.rate_bps(path, block, {})[0] > 0.0 for block in range(5)]
    assert served == [False, False, True, False, True]
    near, far = network.transfer("d0", "server", 4 * 10**6), network.transfer("d1", "server", 4_000)
    env.run()
    assert 0.2 < far.value.last_bit_s < near.value.last_bit_s
    assert far.value.start_s == 0.1  # the first block that serves it
    in_use_s = near.value.airtime_s + far.value.airtime_s
    assert near.value.last_bit_s == pytest.approx(2 * in_use_s)  # the uplink's half of the time never idles


def test_the_grid_rests_while_nothing_is_on_the_air():
    env, network = opened(Cell(fading=Block(coherence=0.01)))
    network.transfer("d0", "server", 1000)
    env.run()
    assert env.now < 0.05  # otherwise the grid would tick for ever
    later(env, 10.0, lambda: network.transfer("d0", "server", 1000))
    env.run()
    assert 10.0 < env.now < 10.1


def test_equal_calls_give_equal_deliveries():
    def run():
        env, network = opened(Cell(fading=Block()), seed=11)
        transfers = [network.transfer(name, "server", 30_000) for name in NAMES]
        later(env, 0.02, lambda: transfers.append(network.transfer("server", NAMES, 9_000)))
        env.run()
        return [t.value for t in transfers]

    assert repr(run()) == repr(run())


def test_adding_a_device_changes_no_other_link():
    for cell in (Cell(), Cell(rate=ShannonGap()), Cell(fading=NoFading())):
        many = cell.survey(Hosts(NAMES, ("server",)), 2).links
        for count in (1, 3, 7):  # to the last bit: no sum may depend on how many there are
            assert list(cell.survey(Hosts(NAMES[:count], ("server",)), 2).links) == list(many[:count])
        assert cell.survey(Hosts(NAMES, ("server",)), 3).links != many


def test_shadowing_and_power_leave_positions_alone():
    places = [link.distance_m for link in Cell().survey(Hosts(NAMES, ("server",)), 2).links]
    assert places == [
        link.distance_m for link in Cell(shadowing="none").survey(Hosts(NAMES, ("server",)), 2).links
    ]
    narrow = Cell(bandwidth=10e6).survey(Hosts(NAMES, ("server",)), 2).links
    wide = Cell().survey(Hosts(NAMES, ("server",)), 2).links
    assert narrow[0].up_snr_db - wide[0].up_snr_db == pytest.approx(10 * np.log10(2))


# --- placement and coverage ---


def test_places_are_uniform_in_the_disc():
    names = [f"d{i}" for i in range(3000)]
    distance_m = np.array([link.distance_m for link in Cell().survey(Hosts(names, ("server",)), 0).links])
    assert distance_m.min() >= 10.0
    assert distance_m.max() <= 150.0
    inner = np.mean(distance_m < 75.0)  # (75^2 - 10^2) / (150^2 - 10^2) = 0.2467
    assert inner == pytest.approx(0.2467, abs=0.024)


def test_uncovered_places_are_drawn_again_and_counted():
    cell, names = Cell(radius=1500.0, fading=NoFading()), [f"d{i}" for i in range(300)]
    survey = cell.survey(Hosts(names, ("server",)), 0)
    assert survey.redraws > 0
    assert all(link.up_rate_bps > 0.0 < link.down_rate_bps for link in survey.links)
    alone = [cell.survey(Hosts([name], ("server",)), 0).redraws for name in names]
    assert sum(alone) == survey.redraws  # keyed by device: the others do not matter


def test_the_share_of_uncovered_places_is_that_of_the_link_budget():
    """Up in one block of 360 kHz, down in 20 MHz, from -6.3 dB on; integrated over ring and shadow."""
    names, radius_m = [f"d{i}" for i in range(20_000)], 1200.0
    redrawn = Cell(radius=radius_m).survey(Hosts(names, ("server",)), 7).redraws / len(names)
    up_db = 23 + 8 + 174 - 10 * np.log10(360e3) - 5 + 6.3
    down_db = 44 + 8 + 174 - 10 * np.log10(20e6) - 9 + 6.3
    middle = (np.arange(4000) + 0.5) / 4000
    distance_m = np.sqrt(100.0 + middle * (radius_m**2 - 100.0))
    seen = Umi().los_probability(distance_m)
    lost = [
        norm.sf((min(up_db, down_db) - Umi().loss_db(distance_m, np.full(4000, los), 3.5e9)) / sigma_db)
        for los, sigma_db in ((True, 4.0), (False, 7.82))
    ]
    share = float(np.mean(seen * lost[0] + (1.0 - seen) * lost[1]))
    assert 0.02 < share < 0.5
    assert redrawn == pytest.approx(share / (1.0 - share), abs=4 * np.sqrt(share / len(names)) / (1 - share))


def test_a_hopeless_radius_is_refused():
    with pytest.raises(
        BadInput, match=r"^network\.radius: no covered place within 50000 m for d0 in 200 attempts;"
    ):
        Cell(radius=50_000.0, min_distance=40_000.0).survey(Hosts(("d0",), ("server",)), 0)


FAR = {"positions": ((20.0, 0.0), (30_000.0, 0.0), (0.0, 40_000.0)), "shadowing": "none"}


def test_given_places_without_coverage_are_refused_word_for_word():
    for call in (Cell(**FAR).survey, lambda *args: Cell(**FAR).open(simpy.Environment(), *args)):
        with pytest.raises(BadInput) as caught:
            call(Hosts(("d0", "d1", "d2"), ("server",)), 0)
        assert str(caught.value) == (
            "network.positions: no coverage for d1, d2; move them, or write outage: allow"
        )


@pytest.mark.parametrize("fading", [NoFading(), Ergodic(), Block()])
def test_allowed_outage_stalls_only_who_is_out(fading):
    cell = Cell(**FAR, outage="allow", fading=fading)
    survey = cell.survey(Hosts(("d0", "d1", "d2"), ("server",)), 0)
    assert list(survey.remarks) == ["no coverage for d1, d2 (outage: allow)"]
    assert survey.links[1].up_rate_bps == 0.0
    env, network = opened(cell, ("d0", "d1", "d2"))
    transfers = [network.transfer(name, "server", 1000) for name in ("d0", "d1", "d2")]
    env.run()  # ends: no block grid ticks for them
    assert transfers[0].value.last_bit_s == pytest.approx(2 * transfers[0].value.airtime_s)
    assert network.stalled() == tuple(transfers[1:])
    got = transfers[1].cancel()
    assert (got.airtime_s, got.rate_bps, got.start_s, got.energy_j) == (0.0, 0.0, env.now, 0.0)


def test_number_of_positions_is_checked():
    with pytest.raises(BadInput, match=r"^network\.positions: 1 positions for 2 devices$"):
        Cell(positions=((20.0, 0.0),)).survey(Hosts(("d0", "d1"), ("server",)), 0)


def test_near_positions_are_named():
    survey = Cell(positions=((2.0, 0.0), (50.0, 0.0))).survey(Hosts(("d0", "d1"), ("server",)), 0)
    assert list(survey.remarks) == ["d0: nearer than 10 m, taken as that"]


# --- settings ---


@pytest.mark.parametrize(
    ("wrong", "text"),
    [
        ({"uplink_share": 1.0}, "uplink_share must lie between 0 and 1"),
        ({"min_distance": 150.0}, "min_distance must be below the radius, 150 m"),
        ({"packet_bytes": 0}, "packet_bytes must be at least 1"),
    ],
)
def test_wrong_settings_are_refused(wrong, text):
    with pytest.raises(ValueError, match=text):
        Cell(**wrong)


def test_a_cell_reads_from_a_scenario_node():
    node = {
        "bandwidth": "10 MHz",
        "device_power": "20 dBm",
        "fading": "none",
        "rate": {"kind": "shannon_gap"},
    }
    cell = adapter(find("slfac_sim.network.kinds", "cell")).validate_python(node)
    assert cell == Cell(bandwidth=10e6, device_power=0.1, fading=NoFading(), rate=ShannonGap())
    assert {"cell", "ideal"} <= set(kinds("slfac_sim.network.kinds"))


def test_ideal_survey():
    survey = Ideal(up_rate=1e6, down_rate=2e6, latency=0.01).survey(Hosts(NAMES, ("server",)), 0)
    link = survey.links[0]
    assert (link.up_rate_bps, link.down_rate_bps, link.up_snr_db) == (1e6, 2e6, inf)
    assert (link.device, link.server) == (NAMES[0], "server")
    assert (survey.multicast_rate_bps, survey.latency_s, survey.wire_bytes(5000)) == (2e6, 0.01, 5000)


def test_a_multicast_under_block_fading_goes_at_the_slowest_rate_of_its_block() -> None:
    settings = Cell(fading=Block(coherence=0.05), device_power=0.2, station_power=0.01)
    devices = [f"d{place:03d}" for place in range(8)]
    alone = []
    for device in devices:
        env = simpy.Environment()
        alone.append(settings.open(env, Hosts(devices, ("server",)), 3).transfer("server", device, 1000))
        env.run()
    env = simpy.Environment()
    together = settings.open(env, Hosts(devices, ("server",)), 3).transfer("server", tuple(devices), 1000)
    env.run()
    rates = [transfer.value.rate_bps for transfer in alone]
    assert len(set(rates)) > 1
    assert together.value.rate_bps == pytest.approx(min(rates))


def test_the_survey_knows_that_the_slowest_changes_from_block_to_block() -> None:
    devices = [f"d{place:03d}" for place in range(50)]
    settings = Cell(fading=Block(coherence=0.05))
    survey = settings.survey(Hosts(devices, ("server",)), 0)
    assert survey.multicast_rate_bps < 0.9 * min(link.down_rate_bps for link in survey.links)
