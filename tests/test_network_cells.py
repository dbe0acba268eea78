"""Cells with every medium and duplex, several cells that disturb each other, and Wi-Fi, as networks."""

import pytest
import simpy

from slfac_sim.foundation.plugins import adapter, find, kinds
from slfac_sim.network import Hosts
from slfac_sim.network.kinds.cell import Cell
from slfac_sim.network.kinds.multi_cell import MultiCell, hexagonal
from slfac_sim.network.kinds.wifi import Wifi
from slfac_sim.network.media.csma import Csma
from slfac_sim.network.media.dcf import Dcf
from slfac_sim.network.media.ofdma import Ofdma
from slfac_sim.network.radio.budget import PowerControl
from slfac_sim.network.radio.fading.none import NoFading
from slfac_sim.network.radio.harq import Harq
from slfac_sim.network.radio.rates.shannon_gap import ShannonGap

NAMES = tuple(f"d{i}" for i in range(12))
CELL_MEDIA = sorted(set(kinds("slfac_sim.network.media")) - {"csma", "dcf"})
STILL = {"shadowing": "none", "fading": NoFading()}


def read(kind, **node):
    return adapter(find("slfac_sim.network.kinds", kind)).validate_python(node)


def upload(settings, names=NAMES, nbytes=40_000, seed=0):
    """Let everyone send at once; return the deliveries."""
    env = simpy.Environment()
    network = settings.open(env, Hosts(names, ("server",)), seed)
    transfers = [network.transfer(name, "server", nbytes) for name in names]
    env.run()
    return [transfer.value for transfer in transfers]


@pytest.mark.parametrize("duplex", ["tdd", "fdd", "half"])
@pytest.mark.parametrize("medium", CELL_MEDIA)
def test_a_cell_with_every_medium_delivers_both_ways(medium, duplex):
    env = simpy.Environment()
    network = read("cell", medium=medium, duplex=duplex).open(env, Hosts(NAMES, ("server",)), 0)
    transfers = [network.transfer(name, "server", 40_000) for name in NAMES]
    transfers += [network.transfer("server", name, 40_000) for name in NAMES]
    transfers.append(network.transfer("server", NAMES, 9_000))
    gone = network.transfer(NAMES[0], "server", 10**9)
    env.timeout(0.05).callbacks.append(lambda _: gone.cancel())
    env.run()
    got = [transfer.value for transfer in transfers]
    for way in (got[:12], got[12:]):
        part = {"tdd": 0.5, "fdd": 1.0, "half": 1.0}[duplex]
        assert sum(d.airtime_s for d in way) <= part * max(d.last_bit_s for d in way) * (1 + 1e-12)
    for delivery in got:
        assert delivery.airtime_s * delivery.rate_bps == pytest.approx(8 * delivery.wire_bytes, rel=1e-9)
        assert 0.0 < delivery.energy_j <= 30.0 * (delivery.last_bit_s - delivery.start_s)
        assert delivery.delivered
    assert network.stalled() == ()


@pytest.mark.parametrize(
    ("duplex", "times"), [("tdd", (2.0, 2.0)), ("fdd", (1.0, 1.0)), ("half", (2.0, 2.0))]
)
def test_duplexes_by_hand(duplex, times):
    # Both ways at once: a TDD direction has half of the time; half duplex shares it while both are on.
    cell = Cell(
        duplex=duplex, positions=((50.0, 0.0),), latency=0.0, header_bytes=0, retransmission=None, **STILL
    )
    link = cell.survey(Hosts(("d0",), ("server",)), 0).links[0]
    env = simpy.Environment()
    network = cell.open(env, Hosts(("d0",), ("server",)), 0)
    up = network.transfer("d0", "server", round(link.up_rate_bps / 8))
    down = network.transfer("server", "d0", round(link.down_rate_bps / 8))
    env.run()
    assert (up.value.end_s, down.value.end_s) == pytest.approx(times, rel=1e-6)


def test_ofdma_gives_the_cell_edge_more_than_turns_do():
    places = ((1500.0, 0.0),) * 4
    far = {"positions": places, "rate": ShannonGap(se_max=12.0), "shadowing": "none", "fading": NoFading()}
    turns = upload(Cell(**far), NAMES[:4])[3]
    band = upload(Cell(**far, medium=Ofdma()), NAMES[:4])[3]
    assert band.rate_bps > 3.5 * turns.rate_bps
    assert band.energy_j == pytest.approx(0.5 * (band.last_bit_s) * 10**-0.7, rel=1e-6)
    assert turns.energy_j == pytest.approx(turns.airtime_s * 10**-0.7)


@pytest.mark.parametrize("duplex", ["tdd", "half"])
@pytest.mark.parametrize("medium", CELL_MEDIA)
def test_best_rates_bound_what_a_crowd_has(medium, duplex):
    cell = read("cell", medium=medium, duplex=duplex, radius=1500.0)
    links = {link.device: link for link in cell.survey(Hosts(NAMES, ("server",)), 3).links}
    env = simpy.Environment()
    network = cell.open(env, Hosts(NAMES, ("server",)), 3)
    down = [network.transfer("server", name, 400_000) for name in NAMES]
    up = [network.transfer(name, "server", 4_000) for name in NAMES]
    env.run()
    for transfer in up:
        assert transfer.value.rate_bps <= links[transfer.src].up_best_bps * (1 + 1e-9)
    for transfer in down:
        assert transfer.value.rate_bps <= links[transfer.dst].down_best_bps * (1 + 1e-9)


def test_power_control_saves_energy_near_the_station_and_none_at_the_edge():
    places = ((15.0, 0.0), (300.0, 0.0))
    plain, saving = (
        upload(Cell(positions=places, power_control=control, **STILL), NAMES[:2])
        for control in (None, PowerControl(alpha=1.0))
    )
    assert saving[0].energy_j < 0.1 * plain[0].energy_j
    assert saving[1].energy_j == pytest.approx(plain[1].energy_j)


def test_retransmissions_cost_rate_and_time():
    plain, again = Cell(retransmission=None), Cell()
    assert again.retransmission == Harq(bler=0.1, max_tries=4, round_trip=0.004)
    assert read("cell", retransmission="none") == plain
    first, second = (settings.survey(Hosts(NAMES, ("server",)), 0) for settings in (plain, again))
    assert second.links[0].up_rate_bps == pytest.approx(0.9 * first.links[0].up_rate_bps)
    assert second.latency_s == pytest.approx(0.005 + 0.111 * 0.004)  # 1 + 0.1 + 0.01 + 0.001 tries


def test_rician_fading_is_for_lines_of_sight_only():
    steady = Cell(small_scale="rician").survey(Hosts(NAMES, ("server",)), 1).links
    for plain, link in zip(Cell().survey(Hosts(NAMES, ("server",)), 1).links, steady, strict=True):
        assert (plain.up_snr_db, plain.los) == (link.up_snr_db, link.los)
        assert (plain.up_rate_bps == link.up_rate_bps) == (not link.los)


def test_correlated_shadowing_joins_neighbours():
    def spread(shadowing):
        cell = Cell(positions=((60.0, 0.0), (60.5, 0.0)), shadowing=shadowing)
        levels = [
            [link.up_snr_db for link in cell.survey(Hosts(("a", "b"), ("s",)), seed).links]
            for seed in range(40)
        ]
        return sum(abs(a - b) for a, b in levels)

    assert spread("correlated") < 0.8 * spread("independent")


def test_a_still_fade_counts_for_coverage():
    survey = read("cell", fading="static", radius=200.0).survey(Hosts(NAMES, ("server",)), 0)
    assert all(link.up_rate_bps > 0.0 for link in survey.links)


# --- several cells ---

PLACES = ((-280.0, 45.0), (20.0, 45.0), (320.0, 45.0), (0.0, -60.0), (30.0, 20.0), (160.0, 230.0))


def test_hexagonal_grid():
    assert hexagonal(1, 300.0) == [(0.0, 0.0)]
    places = hexagonal(19, 300.0)
    apart_m = sorted(
        round(((x - u) ** 2 + (y - v) ** 2) ** 0.5) for x, y in places for u, v in places if (x, y) != (u, v)
    )
    assert (len(set(places)), apart_m[0]) == (19, 300)
    assert sum(1 for metres in apart_m if metres == 300) == 2 * 42  # the edges of that grid


def test_one_station_of_many_cells_is_a_cell():
    one = MultiCell(stations=1, radius=150.0).survey(Hosts(NAMES, ("server",)), 5).links
    for alone, link in zip(Cell().survey(Hosts(NAMES, ("server",)), 5).links, one, strict=True):
        assert (alone.up_snr_db, alone.down_rate_bps) == (link.up_snr_db, link.down_rate_bps)


def test_more_interference_is_less_rate():
    rates = [
        [
            link.down_rate_bps
            for link in MultiCell(interference=kind, offered=offered, positions=PLACES)
            .survey(Hosts(NAMES[:6], ("server",)), 0)
            .links
        ]
        for kind, offered in (("none", None), ("load", 4e6), ("full", None))
    ]
    for none, load, full in zip(*rates, strict=True):
        assert none >= load >= full > 0.0
    assert sum(rates[0]) > sum(rates[1]) > sum(rates[2])


PAIR = {
    "station_positions": ((0.0, 0.0), (250.0, 0.0)),
    "positions": ((60.0, 0.0), (190.0, 0.0)),
    "rate": ShannonGap(se_max=20.0),
    "header_bytes": 0,
    "latency": 0.0,
    **STILL,
}


def test_neighbours_disturb_only_while_they_send():
    # d0 (cell 0) sends longer than d1 (cell 1): disturbed until d1 is through, then not.
    quiet, noisy = (
        MultiCell(interference=kind, **PAIR).survey(Hosts(NAMES[:2], ("server",)), 0).links[0].up_rate_bps / 2
        for kind in ("none", "full")
    )
    assert noisy < 0.9 * quiet
    env = simpy.Environment()
    network = MultiCell(interference="activity", **PAIR).open(env, Hosts(NAMES[:2], ("server",)), 0)
    long, short = (
        network.transfer(name, "server", size)
        for name, size in zip(NAMES, (4_000_000, 1_000_000), strict=False)
    )
    env.run()
    left_bits = 32e6 - noisy * short.value.last_bit_s
    assert long.value.last_bit_s == pytest.approx(short.value.last_bit_s + left_bits / quiet, rel=1e-9)
    alone = network.transfer("d0", "server", 1_000_000)
    env.run()
    assert alone.value.rate_bps == pytest.approx(2 * quiet)


def test_directions_of_cells_do_not_disturb_each_other():
    env = simpy.Environment()
    network = MultiCell(interference="activity", **PAIR).open(env, Hosts(NAMES[:2], ("server",)), 0)
    up, down = network.transfer("d0", "server", 10**6), network.transfer("server", "d1", 10**6)
    env.run()
    links = MultiCell(interference="none", **PAIR).survey(Hosts(NAMES[:2], ("server",)), 0).links
    assert (up.value.rate_bps, down.value.rate_bps) == pytest.approx(
        (links[0].up_rate_bps, links[1].down_rate_bps)
    )


def test_a_multicast_is_sent_by_every_station_that_serves_a_receiver():
    env = simpy.Environment()
    network = MultiCell(interference="none", **PAIR).open(env, Hosts(NAMES[:2], ("server",)), 0)
    both = network.transfer("server", NAMES[:2], 10_000)
    gone = network.transfer("server", NAMES[:2], 10**8)
    env.timeout(0.1).callbacks.append(lambda _: gone.cancel())
    env.run()
    got = both.value
    assert (got.dst, got.receivers, got.payload_bytes, got.wire_bytes) == ("*", 2, 10_000, 20_000)
    assert got.airtime_s * got.rate_bps == pytest.approx(8 * 20_000)
    assert not gone.triggered
    assert network.stalled() == ()


def test_everyone_is_served_by_the_station_it_hears_best():
    survey = MultiCell().survey(Hosts([f"d{i}" for i in range(30)], ("server",)), 2)
    assert len({link.station for link in survey.links}) > 3
    assert {link.station for link in survey.links} <= {station.name for station in survey.stations}
    assert all(link.up_rate_bps > 0.0 for link in survey.links)


@pytest.mark.parametrize(
    ("kind", "node", "text"),
    [
        ("multi_cell", {"duplex": "half"}, "duplex must be tdd or fdd"),
        ("multi_cell", {"stations": 128}, "stations must be 1 to 127"),
        ("multi_cell", {"interference": "load"}, "interference: load needs offered"),
        ("multi_cell", {"offered": "1 Mbit/s"}, "offered goes with interference: load .got activity"),
        ("cell", {"medium": "csma"}, "csma and dcf are media of network: {kind: wifi}"),
        (
            "cell",
            {"medium": "proportional_fair", "fading": "block"},
            "proportional_fair medium is a mean over fades: it needs fading: ergodic",
        ),
        ("wifi", {"medium": "fair"}, "medium must be csma or dcf"),
        ("wifi", {"fading": "ergodic"}, "no PHY rate is a mean over fades"),
        ("wifi", {"radius": "1 m"}, "min_distance must be below the radius, 1 m"),
    ],
)
def test_wrong_settings_are_refused(kind, node, text):
    with pytest.raises(ValueError, match=text):
        read(kind, **node)


# --- Wi-Fi ---


def test_wifi_shares_one_channel_and_a_slow_device_slows_all():
    near, far = ((3.0, 0.0),) * 4, ((3.0, 0.0),) * 3 + ((60.0, 0.0),)
    plain = Csma(standard="802.11a")
    fast, slow = (upload(Wifi(positions=places, medium=plain), NAMES[:4]) for places in (near, far))
    assert len({delivery.last_bit_s for delivery in fast}) == 1
    assert slow[0].last_bit_s > 1.5 * fast[0].last_bit_s
    assert slow[0].wire_bytes == 40_000 + 28 * 64  # 28 packets of 1472 with UDP, IP, LLC, MAC and FCS


def test_wifi_packet_by_packet_agrees_with_the_fluid():
    fluid, packets = (
        max(delivery.last_bit_s for delivery in upload(Wifi(medium=medium), NAMES[:5], nbytes=500_000))
        for medium in (Csma(standard="802.11a"), Dcf(standard="802.11a"))
    )
    assert packets == pytest.approx(fluid, rel=0.03)


def test_wifi_survey_tells_udp_rates_and_draws_follow_the_seed():
    survey = Wifi().survey(Hosts(NAMES, ("server",)), 0)
    assert (survey.medium, survey.duplex, survey.crowd_independent) == ("csma", "half", False)
    assert all(link.up_rate_bps < 65e6 for link in survey.links)
    assert all(link.up_best_bps >= link.up_rate_bps for link in survey.links)
    runs = [[d.end_s for d in upload(Wifi(medium=Dcf()), NAMES[:3], seed=seed)] for seed in (1, 1, 2)]
    assert runs[0] == runs[1] != runs[2]
