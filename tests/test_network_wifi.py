"""802.11: frame times by hand, Bianchi's oracles, the fluid and the packets against each other."""

import itertools
from math import inf

import numpy as np
import pytest
import simpy
from hypothesis import given, settings
from hypothesis import strategies as st

from slfac_sim.network.engine import Engine, Flow
from slfac_sim.network.media.csma import Csma
from slfac_sim.network.media.dcf import Dcf
from slfac_sim.network.radio.rates.wifi import Wifi
from slfac_sim.network.radio.signal import limited
from slfac_sim.network.wifi.backoff import Backoff
from slfac_sim.network.wifi.bianchi import alone_probability, attempt_probability, fixed_point, mean_slot_s
from slfac_sim.network.wifi.standards import PHYS, answers_bps, control_rate_bps, rates, widths_hz
from slfac_sim.network.wifi.timing import Exchanges, frame_us


def accesses_per_s(
    senders: int, window: int, doublings: int, slot_s: float, success_s: float, collision_s: float
) -> float:
    """Return the successful accesses a second of each of `senders`, whose frames may differ in length.

    Bianchi's normalised throughput S is `senders` times this times the length of the payload in seconds.
    """
    tau, _ = fixed_point(senders, window, doublings)
    ones = np.ones(senders)
    slot = mean_slot_s(tau, slot_s, np.arange(senders), ones, ones * success_s, ones * collision_s)
    return alone_probability(tau, senders) / slot


def rules(standard, packet_bytes=1400, aggregation=True, rts=False, eifs=False, bandwidth_hz=20e6):
    return Exchanges(standard, bandwidth_hz, packet_bytes, aggregation, rts, eifs, block_ack_request=True)


def drain(share, flows):
    """Start all flows at 0 and return when each was through."""
    for flow in flows:
        share.start(0.0, flow)
    ends = {}
    while share.due_s < inf:
        now_s = share.due_s
        ends.update((flow, now_s) for flow in share.finish(now_s))
    return [ends[flow] for flow in flows]


# Frame times


def test_frame_times_by_hand():
    assert frame_us(1536, 54e6) == 20 + 4 * 57  # 12,310 bits in symbols of 216
    assert frame_us(1538, 65e6, 36) == 36 + 4 * 48  # 12,326 bits in symbols of 260
    assert [frame_us(octets, 24e6) for octets in (14, 32, 20)] == [28, 32, 28]  # ACK, BlockAck, RTS
    assert frame_us(14, 6e6) == 44


@pytest.mark.parametrize(
    ("data_mbps", "control_mbps"), [(6, 6), (6.5, 6), (9, 6), (13, 12), (18, 12), (24, 24), (65, 24), (2, 6)]
)
def test_answers_go_at_the_highest_mandatory_rate_up_to_the_datas(data_mbps, control_mbps):
    assert control_rate_bps(data_mbps * 1e6) == control_mbps * 1e6


IEEE_MBPS = {  # one stream, 800 ns: as the tables of the standards print them
    ("802.11ac", 20): [6.5, 13, 19.5, 26, 39, 52, 58.5, 65, 78],
    ("802.11ac", 40): [13.5, 27, 40.5, 54, 81, 108, 121.5, 135, 162, 180],
    ("802.11ac", 80): [29.3, 58.5, 87.8, 117, 175.5, 234, 263.3, 292.5, 351, 390],
    ("802.11ac", 160): [58.5, 117, 175.5, 234, 351, 468, 526.5, 585, 702, 780],
    ("802.11ax", 20): [8.6, 17.2, 25.8, 34.4, 51.6, 68.8, 77.4, 86, 103.2, 114.7, 129, 143.4],
    ("802.11ax", 40): [17.2, 34.4, 51.6, 68.8, 103.2, 137.6, 154.9, 172.1, 206.5, 229.4, 258.1, 286.8],
    ("802.11ax", 80): [36, 72.1, 108.1, 144.1, 216.2, 288.2, 324.3, 360.3, 432.4, 480.4, 540.4, 600.5],
    ("802.11ax", 160): [72.1, 144.1, 216.2, 288.2, 432.4, 576.5, 648.5, 720.6, 864.7, 960.8, 1080.9, 1201],
}


def test_rates_of_wide_channels_are_those_of_the_standards_tables():
    assert {(standard, int(width / 1e6)) for standard, width in WIDE} == set(IEEE_MBPS)
    for (standard, mhz), expected_mbps in IEEE_MBPS.items():
        found_mbps = [rate.bps / 1e6 for rate in rates(standard, 1e6 * mhz)]
        assert found_mbps == pytest.approx(expected_mbps, abs=0.1)  # tables round, and some not N_DBPS


WIDE = [(standard, width) for standard in ("802.11ac", "802.11ax") for width in widths_hz(standard)]


@pytest.mark.parametrize(("standard", "bandwidth_hz"), WIDE)
def test_answers_in_wide_channels_follow_the_scheme_and_not_the_rate(standard, bandwidth_hz):
    """BPSK is answered at 6 Mbit/s, QPSK at 12, all others at 24."""
    answers = [answers_bps(standard, bandwidth_hz, rate.bps) for rate in rates(standard, bandwidth_hz)]
    assert answers == [6e6, 12e6, 12e6] + [24e6] * (len(answers) - 3)
    assert answers_bps(standard, bandwidth_hz, 1e6) == 6e6
    assert answers_bps(standard, bandwidth_hz, 9e9) == 24e6


def test_answers_in_a_narrower_part_of_a_channel():
    assert answers_bps("802.11ac", 80e6, 13.5e6) == 6e6  # MCS 0 in 40 MHz, not what 13.5 was in 20
    assert answers_bps("802.11ac", 80e6, 26e6) == 24e6  # MCS 3 in 20 MHz
    assert answers_bps("802.11ac", 20e6, 58.5e6) == 24e6  # MCS 6
    assert answers_bps("802.11ac", 160e6, 58.5e6) == 6e6  # MCS 0, the most robust
    assert answers_bps("802.11ax", 20e6, 8.6e6) == 6e6  # as the tables round it
    assert answers_bps("802.11ax", 20e6, 34.4e6) == 24e6


def test_frames_of_80211ac_and_ax_by_hand():
    # VHT: 20 + SIG-A 8 + STF 4 + LTF 4 + SIG-B 4 = 40; 4 + 1538 bytes are 12,358 bits, 8 symbols of 1560
    ac = rules("802.11ac", bandwidth_hz=80e6)
    assert ac.access(1400, 390e6).sent_s == pytest.approx((40 + 8 * 4) * 1e-6)  # 4 + 1466: 11,782 bits
    # HE: 20 + RL-SIG 4 + SIG-A 8 + STF 4 + LTF 7.2 = 43.2; 11,782 bits in symbols of 8166
    ax = rules("802.11ax", bandwidth_hz=80e6)
    assert ax.access(1400, 8166e6 / 13.6).sent_s == pytest.approx((43.2 + 2 * 13.6) * 1e-6)
    # SIFS 16, ACK 28, AIFS 43 as in 802.11n; two packets: 2 x 1472 - 2 + 4 bytes, BlockAck of 32 or 56 bytes
    assert ac.access(1400, 390e6).success_s == pytest.approx((72 + 16 + 28 + 43) * 1e-6)
    two = [one.access(2800, rate) for one, rate in ((ac, 390e6), (ax, 8166e6 / 13.6))]
    assert two[0].success_s == pytest.approx((40 + 16 * 4 + 16 + 32 + 43) * 1e-6)  # 23,558 bits
    assert two[1].success_s == pytest.approx((43.2 + 3 * 13.6 + 16 + 40 + 43) * 1e-6)


def test_a_symbol_that_is_just_full_is_one_symbol():
    """Of HE the bits of a symbol, 8166 / 13.6 x 13.6, are whole but for rounding."""
    for rate in rates("802.11ax", 160e6):
        bits = round(rate.bps * 13.6e-6)
        for symbols in (1, 3, 400):
            octets = (symbols * bits - 22) / 8
            assert frame_us(octets, rate.bps, 43.2, 13.6) == pytest.approx(43.2 + symbols * 13.6)


def test_what_limits_an_aggregate_of_80211ac_and_ax():
    # 5.484 ms: 1361 VHT symbols of 156 bits, 400 HE symbols of 702; 1472 bytes a subframe of 1400
    assert rules("802.11ac").most_packets(39e6) == (1361 * 156 - 22) // 8 // 1472 == 18
    assert rules("802.11ax").most_packets(702e6 / 13.6) == (400 * 702 - 22) // 8 // 1472 == 23
    assert rules("802.11ac", bandwidth_hz=80e6).most_packets(390e6) == 64  # the BlockAck
    assert rules("802.11ax", bandwidth_hz=80e6).most_packets(8166e6 / 13.6) == 256
    assert rules("802.11ac", aggregation=False).most_packets(390e6) == 1


@pytest.mark.parametrize(("standard", "bandwidth_hz"), WIDE)
def test_one_sender_in_a_wide_channel_has_the_closed_form(standard, bandwidth_hz):
    """Full A-MPDUs one after another, each with half a window of idle slots before it."""
    fast_bps = rates(standard, bandwidth_hz)[-1].bps
    one = rules(standard, 1472, bandwidth_hz=bandwidth_hz)
    packets = one.most_packets(fast_bps)
    flows = [Flow(8.0 * 1472 * packets * 50, fast_bps, src="s", dst="ap")]
    end_s = drain(Csma(standard=standard, bandwidth=bandwidth_hz).share(1, 1.0), flows)[0]
    phy = PHYS[standard]
    bits = 22 + 8 * (packets * (4 + 1472 + 66) + 2 * (packets - 1))
    data_us = phy.preamble_us + phy.symbol_us * np.ceil(bits / round(fast_bps * phy.symbol_us * 1e-6))
    answer_us = {"802.11ac": 32, "802.11ax": 40}[standard]
    assert end_s == pytest.approx(50e-6 * (7.5 * 9 + data_us + 16 + answer_us + 43))
    assert 0.6 < flows[0].bits / end_s / fast_bps < 1.0


def test_one_packet_of_80211a_by_hand():
    access = rules("802.11a", 1472).access(1e6, 54e6)
    # data 248, SIFS 16, ACK 28, DIFS 34
    assert access == pytest.approx((1472 * 8, 326e-6, 292e-6, 282e-6, 248e-6, 248e-6, 0.0))
    patient = rules("802.11a", 1472, eifs=True).access(1e6, 54e6)
    assert patient.collision_s == pytest.approx(342e-6)  # SIFS + ACK at 6 Mbit/s = 60 more
    assert patient.success_s == access.success_s


def test_rts_by_hand():
    access = rules("802.11a", 1472, rts=True).access(1e6, 54e6)
    # RTS 28, SIFS, CTS 28, SIFS before what an exchange without them takes; RTS and DIFS when it collides
    assert access == pytest.approx((1472 * 8, 414e-6, 380e-6, 62e-6, 276e-6, 28e-6, 0.0))


def test_a_group_frame_is_neither_answered_nor_aggregated_and_does_not_ask():
    access = rules("802.11n", 1472, rts=True).access(1e6, 65e6, group=True)
    assert access == pytest.approx((1472 * 8, 271e-6, 228e-6, 271e-6, 228e-6, 228e-6, 0.0))


def test_aggregates_fill_the_longest_ppdu():
    of_1400 = rules("802.11n")
    assert [of_1400.most_packets(rate * 1e6) for rate in (65, 6.5, 1)] == [30, 3, 1]
    assert rules("802.11n", 100).most_packets(65e6) == 64  # the BlockAck window
    assert of_1400.most_packets(300e6) == 65535 // 1472
    assert rules("802.11a").most_packets(54e6) == 1
    assert rules("802.11n", aggregation=False).most_packets(65e6) == 1


def test_an_aggregate_by_hand():
    # A subframe is 4 + 1468 bytes, the last one 4 + 1466: 2942 bytes, 91 symbols, then BlockAck
    two = rules("802.11n").access(2800, 65e6)
    assert two == pytest.approx((22400, 491e-6, 448e-6, 443e-6, 400e-6, 400e-6, 1.0))
    assert rules("802.11n").access(1e6, 65e6).sent_s <= 5484e-6


def test_a_block_ack_request_by_hand():
    # 24 bytes at 24 Mbit/s are 32 us, SIFS 16, BlockAck 32, AIFS 43; nothing is delivered
    request = rules("802.11n").request(65e6)
    assert request == pytest.approx((0.0, 123e-6, 80e-6, 75e-6, 32e-6, 32e-6, 1.0))


@pytest.mark.parametrize("asks", [True, False])
@pytest.mark.parametrize("senders", [2, 5, 20])
def test_packet_by_packet_asks_after_collisions_as_often_as_the_fluid_says(senders, asks):
    """Until the first is through; without requests more gets through."""
    flows = uploads(*[65] * senders, bits=32e6)
    fluid_bps = allot(Csma(block_ack_request=asks), *flows).sum()
    share = Dcf(block_ack_request=asks, retry_limit=None, seed=3).share(senders, 1.0)
    for flow in flows:
        share.start(0.0, flow)
    now_s, through = 0.0, []
    while not through:
        now_s = share.due_s
        through = share.finish(now_s)
    assert sum(flow.bits - flow.left_bits for flow in flows) / now_s == pytest.approx(fluid_bps, rel=0.06)
    assert allot(Csma(block_ack_request=False), *flows).sum() > allot(Csma(), *flows).sum()


def test_what_is_queued_limits_an_aggregate_and_one_packet_is_no_aggregate():
    one = rules("802.11n").access(1400, 65e6)
    assert one == rules("802.11n", aggregation=False).access(1e6, 65e6)
    # 35 packets are an aggregate of 30 and one of 5
    full, rest = rules("802.11n").access(49000, 65e6), rules("802.11n").access(7000, 65e6)
    mean = rules("802.11n").mean_access(49000, 65e6)
    assert mean == pytest.approx(tuple((a + b) / 2 for a, b in zip(full, rest, strict=True)))


@given(st.integers(1, 200_000), st.sampled_from(["802.11a", "802.11n"]), st.sampled_from([6e6, 26e6, 65e6]))
def test_accesses_one_by_one_have_the_mean_of_the_message(nbytes, standard, rate_bps):
    exchanges, left_bytes, accesses = rules(standard), float(nbytes), []
    while left_bytes > 0.0:
        accesses.append(exchanges.access(left_bytes, rate_bps))
        left_bytes -= accesses[-1].payload_bits / 8.0
    assert left_bytes == 0.0
    assert exchanges.mean_access(nbytes, rate_bps) == pytest.approx(np.mean(accesses, axis=0), rel=1e-9)


# Bianchi

FHSS_SENDERS = (5, 10, 20, 50)


def fhss(rts):
    """Return T_s and T_c for 400 bits of headers, 8184 of payload, ACK and CTS of 240, RTS of 288."""
    data_us = 400 + 8184
    success_us, collision_us = data_us + 28 + 1 + 240 + 128 + 1, data_us + 128 + 1
    if rts:
        return (288 + 28 + 1 + 240 + 28 + 1 + success_us) * 1e-6, (288 + 128 + 1) * 1e-6
    return success_us * 1e-6, collision_us * 1e-6


FHSS = [
    (False, 32, 3, (0.8097, 0.7532, 0.6788, 0.5529)),
    (False, 32, 5, (0.8102, 0.7579, 0.6975, 0.6109)),
    (False, 128, 3, (0.8250, 0.8263, 0.7981, 0.7252)),
    (True, 32, 5, (0.8342, 0.8370, 0.8362, 0.8317)),
]


@pytest.mark.parametrize(("rts", "window", "doublings", "expected"), FHSS)
def test_bianchis_fhss_throughput(rts, window, doublings, expected):
    for n, throughput in zip(FHSS_SENDERS, expected, strict=True):
        each_per_s = accesses_per_s(n, window, doublings, 50e-6, *fhss(rts))
        assert n * each_per_s * 8184e-6 == pytest.approx(throughput, abs=1e-4)


@pytest.mark.parametrize(("rts", "window", "doublings", "expected"), FHSS)
def test_drawn_backoffs_have_bianchis_throughput_within_3_percent(rts, window, doublings, expected):
    success_s, collision_s = fhss(rts)
    for n, throughput in zip(FHSS_SENDERS, expected, strict=True):
        backoff = Backoff(1, window, doublings, retry_limit=None)
        for i in range(n):
            backoff.join(f"s{i}")
        elapsed_s, successes = 0.0, 0
        for _ in range(12000):
            idle, first = backoff.idle_slots(), backoff.first()
            backoff.count_down(idle)
            elapsed_s += idle * 50e-6 + (success_s if len(first) == 1 else collision_s)
            successes += len(first) == 1
            for name in first:
                (backoff.succeed if len(first) == 1 else backoff.fail)(name)
        assert successes * 8184e-6 / elapsed_s == pytest.approx(throughput, rel=0.03)


def test_alone_a_sender_waits_half_the_window():
    assert fixed_point(1, 16, 6) == (2.0 / 17.0, 0.0)
    assert accesses_per_s(1, 16, 6, 9e-6, 326e-6, 282e-6) == pytest.approx(1.0 / (326e-6 + 7.5 * 9e-6))


@given(st.integers(2, 500))
def test_the_fixed_point_is_one(n):
    tau, p = fixed_point(n, 16, 6)
    assert p == pytest.approx(1.0 - (1.0 - tau) ** (n - 1), abs=1e-12)
    assert tau == attempt_probability(p, 16, 6)


@given(st.lists(st.floats(1e-4, 6e-3), min_size=1, max_size=6), st.floats(0.01, 0.5))
def test_the_mean_slot_is_the_formula_with_sorted_collisions(collision_s, tau):
    n, success_s = len(collision_s), np.array(collision_s) * 1.3
    formula_s = (1 - tau) ** n * 9e-6 + tau * (1 - tau) ** (n - 1) * success_s.sum()
    for i, length_s in enumerate(sorted(collision_s), start=1):
        formula_s += tau * (1 - tau) ** (n - i) * (1 - (1 - tau) ** (i - 1)) * length_s
    mean_s = mean_slot_s(tau, 9e-6, np.arange(n), np.ones(n), success_s, np.array(collision_s))
    assert mean_s == pytest.approx(formula_s, rel=1e-9)


def test_the_mean_slot_with_several_kinds_of_frame_against_every_outcome():
    tau, frames = 0.2, [(0, 0.25, 3e-3), (1, 1.0, 2e-3), (0, 0.75, 1e-3), (2, 0.5, 2e-3), (2, 0.5, 5e-3)]
    sender, chance, length_s = (np.array(column) for column in zip(*frames, strict=True))
    choices = [[(1 - tau, 0.0)] + [(tau * c, t) for s, c, t in frames if s == one] for one in range(3)]
    expected_s = 0.0
    for outcome in itertools.product(*choices):
        sent = [length for _, length in outcome if length]
        held_s = 9e-6 if not sent else 2.0 * sent[0] if len(sent) == 1 else max(sent)
        expected_s += held_s * np.prod([probability for probability, _ in outcome])
    assert mean_slot_s(tau, 9e-6, sender, chance, 2.0 * length_s, length_s) == pytest.approx(expected_s)


# The fluid

LONG_BITS = 8.0 * 1400 * 30 * 100


def allot(medium, *flows):
    rates_bps, parts, radiating = medium.allot(flows)
    assert parts.sum() == pytest.approx(1.0)
    assert (radiating > 0.0).all()
    assert (radiating < 1.0).all()
    return rates_bps


def uploads(*rates_mbps, bits=LONG_BITS):
    return [Flow(bits, rate * 1e6, src=f"s{i}", dst="ap") for i, rate in enumerate(rates_mbps)]


def test_one_sender_alone_has_the_closed_form():
    flows = uploads(54, bits=8.0 * 1472 * 680)
    end_s = drain(Csma(standard="802.11a").share(1, 1.0), flows)[0]
    assert end_s == pytest.approx(680 * (326e-6 + 7.5 * 9e-6))
    assert flows[0].airtime_s == pytest.approx(end_s)
    assert flows[0].radiated_s == pytest.approx(680 * 248e-6)


def test_the_last_packet_may_be_short():
    end_s = drain(Csma(standard="802.11a").share(1, 1.0), uploads(54, bits=8.0 * 1572))[0]
    # 100 + 64 bytes: 1334 bits, 7 symbols, 48 us instead of 248
    assert end_s == pytest.approx(2 * (326e-6 + 7.5 * 9e-6) - 200e-6)


def test_a_slow_sender_slows_all_to_its_own_rate():
    medium = Csma(standard="802.11a")
    bits = 8.0 * 1472 * 1000
    alike = allot(medium, *uploads(54, 54, 54, 54, bits=bits))
    mixed = allot(medium, *uploads(54, 54, 54, 6, bits=bits))
    # T_s: 326 us at 54 Mbit/s; at 6 data 2072, SIFS 16, ACK 44, DIFS 34. T_c: 282 and 2106
    tau, p = fixed_point(4, 16, 6)
    wins, quiet = tau * (1 - p), 1 - tau
    fast_only = quiet * (1 - quiet**3 - 3 * tau * quiet**2)  # the slow one is quiet, two or three others not
    slot_us = quiet**4 * 9 + wins * (3 * 326 + 2166) + tau * p * 2106 + fast_only * 282
    assert mixed == pytest.approx([wins * 8 * 1472 / slot_us * 1e6] * 4)
    assert alike[0] > 2.0 * mixed[0]


def test_an_access_point_contends_once_and_serves_its_flows_in_turn():
    medium = Csma(standard="802.11a")
    down = [Flow(LONG_BITS, 54e6, src="ap", dst=f"d{i}") for i in range(3)]
    two = allot(medium, *uploads(54, 54))
    rates_bps = allot(medium, *down, *uploads(54))
    assert rates_bps == pytest.approx([two[0] / 3] * 3 + [two[0]])


def test_aggregates_of_unequal_size_weigh_unequally_and_take_like_airtimes():
    medium = Csma(packet_bytes=1400)
    flows = uploads(65, 6.5)
    rates_bps = allot(medium, *flows)
    assert rates_bps[0] / rates_bps[1] == pytest.approx(10.0)
    _, parts, _ = medium.allot(flows)
    assert parts[0] / parts[1] == pytest.approx(1.0, rel=0.05)
    equal_bps = allot(Csma(packet_bytes=1400, aggregation=False), *flows)
    assert equal_bps[0] == pytest.approx(equal_bps[1])


def test_aggregation_and_rts_do_what_they_are_for():
    crowd = uploads(*[65] * 20)
    plain, asking = Csma(aggregation=False), Csma(aggregation=False, rts=True)
    assert allot(Csma(), *crowd).sum() > 1.3 * allot(plain, *crowd).sum()
    assert allot(asking, *uploads(65)).sum() < allot(plain, *uploads(65)).sum()
    assert allot(Csma(rts=True), *crowd).sum() > 1.2 * allot(Csma(), *crowd).sum()


def test_a_group_flow_needs_no_answer():
    medium, bits = Csma(standard="802.11a"), 8.0 * 1472 * 100
    end_s = drain(medium.share(1, 1.0), [Flow(bits, 54e6, src="ap", dst="*")])[0]
    assert end_s == pytest.approx(100 * (326e-6 - 44e-6 + 7.5 * 9e-6))


def test_a_flow_takes_no_more_than_its_cap():
    flows = uploads(54, 54, bits=1e9)
    flows[0].cap_bps = 1e6
    free_bps = Csma().allot(uploads(54, 54, bits=1e9))[0]
    capped_bits, filled_bits = served_bits(Csma(), flows, 1.0)
    assert capped_bits == pytest.approx(1e6)
    assert filled_bits == pytest.approx(free_bps.sum() - 1e6)  # what the first leaves of the air


def test_half_the_time_takes_twice_as_long():
    for medium in (Csma(), Dcf()):
        whole, half = (drain(medium.share(3, c), uploads(65, 26, 6.5, bits=8e5)) for c in (1.0, 0.5))
        assert half == pytest.approx([2.0 * end_s for end_s in whole])


# The packets


def served_bits(medium, flows, for_s):
    share = medium.share(len(flows), 1.0)
    for flow in flows:
        share.start(0.0, flow)
    while share.due_s < for_s:
        share.finish(share.due_s)
    for flow in flows:
        share.cancel(for_s, flow)
    assert sum(flow.airtime_s for flow in flows) <= for_s * (1.0 + 1e-9)
    return np.array([flow.bits - flow.left_bits for flow in flows])


@pytest.mark.parametrize(
    ("standard", "rates_mbps", "for_s"),
    [
        ("802.11a", [54], 1.0),
        ("802.11a", [54] * 5, 4.0),
        ("802.11a", [54] * 20, 4.0),
        ("802.11a", [54, 54, 54, 6], 8.0),
        ("802.11n", [65] * 10, 40.0),
        ("802.11n", [65, 65, 6.5, 6.5], 40.0),
        ("802.11ac", [78] * 5, 40.0),
        ("802.11ax", [143.4] * 5, 40.0),
    ],
)
def test_packets_and_fluid_carry_alike_within_3_percent(standard, rates_mbps, for_s):
    medium = Dcf(standard=standard, packet_bytes=1400, retry_limit=None)
    flows, fluid = uploads(*rates_mbps, bits=1e12), uploads(*rates_mbps, bits=1e12)
    bits = served_bits(medium, flows, for_s)
    like_bits = served_bits(Csma(standard=standard, packet_bytes=1400), fluid, for_s)
    assert bits.sum() == pytest.approx(like_bits.sum(), rel=0.03)
    radiated_s = sum(flow.radiated_s for flow in flows)
    assert radiated_s == pytest.approx(sum(flow.radiated_s for flow in fluid), rel=0.05)


def test_an_access_point_of_packets_serves_its_flows_in_turn():
    down = [Flow(1e12, 54e6, src="ap", dst=f"d{i}") for i in range(3)]
    bits = served_bits(Dcf(standard="802.11a"), [*down, *uploads(54, bits=1e12)], 4.0)
    assert bits[:3].max() - bits[:3].min() <= 8 * 1472
    assert bits[3] == pytest.approx(bits[:3].sum(), rel=0.05)


def test_one_backoff_and_one_exchange_to_the_microsecond():
    seeds = range(40)
    ends_s = [
        drain(Dcf(standard="802.11a", seed=s).share(1, 1.0), uploads(54, bits=11776.0))[0] for s in seeds
    ]
    slots = (np.array(ends_s) - 292e-6) / 9e-6
    assert slots == pytest.approx(np.round(slots), abs=1e-6)
    assert set(np.round(slots).astype(int)) <= set(range(16))
    assert len(set(ends_s)) > 8


def test_a_senders_backoffs_depend_on_nobody_else():
    alone, among = Backoff(3, 16, 6, 7), Backoff(3, 16, 6, 7)
    among.join("x")
    for backoff in (alone, among):
        backoff.join("a")
    for _ in range(600):  # over the edge of a block of draws
        assert alone.slots["a"] == among.slots["a"]
        for backoff in (alone, among):
            backoff.fail("a")
        among.succeed("x")
    assert Backoff(3, 16, 6, 7).slots != alone.slots


def test_the_window_doubles_up_to_a_limit_and_a_frame_is_given_up():
    backoff = Backoff(1, 16, 2, 4)
    drawn = {failures: [] for failures in range(4)}
    backoff.join("a")
    for attempt in range(4000):
        drawn[attempt % 4].append(backoff.slots["a"])
        backoff.fail("a")
    assert [max(slots) for slots in drawn.values()] == [15, 31, 63, 63]
    assert [min(slots) for slots in drawn.values()] == [0, 0, 0, 0]
    assert backoff.dropped == 1000


def test_a_newcomer_waits_for_what_is_on_the_air_and_idle_slots_are_counted_once():
    share = Dcf(standard="802.11a").share(2, 1.0)
    early, late = uploads(54, 54, bits=11776.0)
    share.start(0.0, early)
    begins_s = share.due_s - 292e-6
    share.start(begins_s + 1e-6, late)  # its first symbol is out
    assert share.finish(share.due_s) == [early]
    assert share.due_s >= begins_s + 326e-6 + 292e-6 - 1e-12
    assert share.finish(share.due_s) == [late]
    assert share.due_s == inf


def test_a_frame_given_up_on_the_air_is_lost_and_holds_the_channel():
    share = Dcf(standard="802.11a").share(2, 1.0)
    gone, other = uploads(54, 54, bits=11776.0)
    share.start(0.0, gone)
    ends_s = share.due_s
    share.start(ends_s - 1e-4, other)
    share.cancel(ends_s - 5e-5, gone)
    assert share.due_s == ends_s
    assert share.finish(ends_s) == []
    assert (gone.left_bits, gone.radiated_s) == (11776.0, pytest.approx(248e-6))
    assert share.due_s > ends_s + 34e-6
    assert share.finish(share.due_s) == [other]


def test_on_the_clock_it_is_the_same():
    for medium in (Csma(), Dcf()):
        env, flows, ends = simpy.Environment(), uploads(65, 26, 6.5, bits=8e5), {}
        engine, share = Engine(env), medium.share(3, 1.0)
        for flow in flows:
            engine.start(share, flow, lambda through, env=env, ends=ends: ends.update({through: env.now}))
        env.run()
        like_s = drain(medium.share(3, 1.0), uploads(65, 26, 6.5, bits=8e5))
        assert [ends[flow] for flow in flows] == pytest.approx(like_s)


def test_a_channel_that_stands_still_goes_on_where_it_was():
    share = Dcf().share(1, 0.0)
    (flow,) = uploads(65, bits=8e4)
    share.start(0.0, flow)
    assert (share.due_s, flow.start_s) == (inf, None)
    share.set_capacity(1.0, 1.0)
    assert flow.start_s == 1.0
    rest_s = share.due_s - 1.0
    share.set_capacity(1.0 + rest_s / 4, 0.0)
    assert share.due_s == inf
    share.set_capacity(9.0, 1.0)
    assert share.due_s == pytest.approx(9.0 + rest_s * 3 / 4)


def test_a_sender_without_rate_does_not_contend():
    for medium in (Csma(), Dcf()):
        share, (dead, alive) = medium.share(2, 1.0), uploads(0, 65, bits=8e5)
        alone_s = drain(medium.share(1, 1.0), uploads(0, 65, bits=8e5)[1:])[0]
        share.start(0.0, dead)
        share.start(0.0, alive)
        through = []
        while share.due_s < inf:
            now_s = share.due_s
            through += share.finish(now_s)
        assert through == [alive]
        assert now_s == pytest.approx(alone_s)
        share.set_rates(5.0, [(dead, 65e6)])
        assert share.due_s < inf
        share.set_rates(5.01, [(dead, 0.0)])
        assert share.due_s == inf
        share.cancel(7.0, dead)
        assert dead.start_s == 5.0


@pytest.mark.parametrize("settings", [Dcf(), Dcf(standard="802.11a")])
def test_no_flow_has_airtime_from_before_it_came(settings):
    """The first is given up in the midst of its frame, when the second comes; its time is nobody's."""
    share = settings.share(2, 1.0)
    first, second = uploads(24, 24, bits=8e3)
    share.start(0.0, first)
    came_s = 0.5 * share.due_s
    share.start(came_s, second)
    share.cancel(came_s, first)
    while second.left_bits > 0.0:
        ended_s = share.due_s
        share.finish(ended_s)
    assert 0.0 < second.airtime_s <= ended_s - came_s + 1e-12


STEPS = st.lists(
    st.tuples(
        st.floats(0.0, 3e-3), st.sampled_from(["start", "cancel", "rate", "capacity"]), st.integers(0, 5)
    ),
    min_size=1,
    max_size=25,
)


@settings(max_examples=80)
@given(STEPS, st.sampled_from([Csma(), Dcf(), Dcf(standard="802.11a", rts=True, retry_limit=2)]))
def test_bits_and_time_are_conserved_whatever_happens(steps, medium):
    share, now_s, flows, through, cancelled = medium.share(6, 1.0), 0.0, [], [], []
    ends_s = {}

    def finish():
        through.extend(ended := share.finish(now_s))
        ends_s.update(dict.fromkeys(ended, now_s))

    for wait_s, what, i in steps:
        until_s = now_s + wait_s
        while share.due_s <= until_s:
            now_s = share.due_s
            finish()
        now_s = until_s
        active = [flow for flow in flows if flow not in through and flow not in cancelled]
        if what == "start":
            dst = "*" if i == 5 else f"d{i}"
            flows.append(Flow(8.0 * 700 * (i + 1), 65e6 / (i + 1), src=f"s{i // 2}", dst=dst))
            share.start(now_s, flows[-1])
        elif what == "capacity":
            share.set_capacity(now_s, i / 5)
        elif active and what == "cancel":
            cancelled.append(active[i % len(active)])
            share.cancel(now_s, cancelled[-1])
            ends_s[cancelled[-1]] = now_s
        elif active:
            share.set_rates(now_s, [(active[i % len(active)], 1e7 * i)])
    share.set_capacity(now_s, 1.0)
    share.set_rates(now_s, [(flow, 5e7) for flow in flows if flow not in through and flow not in cancelled])
    while share.due_s < inf:
        now_s = share.due_s
        finish()
    assert sorted(map(id, through + cancelled)) == sorted(map(id, flows))
    assert all(flow.left_bits == 0.0 for flow in through)
    assert all(0.0 <= flow.left_bits <= flow.bits for flow in cancelled)
    assert sum(flow.airtime_s for flow in flows) <= now_s * (1.0 + 1e-9)
    assert all(flow.airtime_s > 0.0 and flow.radiated_s > 0.0 for flow in through)
    served_s = {flow: end_s - flow.start_s for flow, end_s in ends_s.items() if flow.start_s is not None}
    assert all(flow.airtime_s <= served_s[flow] + 1e-9 for flow in served_s)


# Settings and rates


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Csma(packet_bytes=0), r"packet_bytes must lie between 1 and 2268 \(got 0\)"),
        (lambda: Dcf(packet_bytes=3000), r"packet_bytes must lie between 1 and 2268 \(got 3000\)"),
        (lambda: Dcf(retry_limit=0), r"retry_limit must be at least 1, or null \(got 0\)"),
        (lambda: Csma(bandwidth=40e6), r"bandwidth of 802.11n must be 20 MHz \(got 40 MHz\)"),
        (
            lambda: Dcf(standard="802.11ac", bandwidth=60e6),
            r"bandwidth of 802.11ac must be 20, 40, 80, 160 MHz \(got 60 MHz\)",
        ),
        (
            lambda: Wifi(standard="802.11ax", bandwidth=80e6).check(20e6),
            r"bandwidth must be 20 MHz for 802.11 rates \(got 80 MHz\)",
        ),
        (lambda: Wifi().check(40e6), r"bandwidth must be 20 MHz for 802.11 rates \(got 40 MHz\)"),
    ],
)
def test_bad_settings_are_refused_in_words(make, message):
    with pytest.raises(ValueError, match=f"^{message}$"):
        make()


def test_rates_follow_the_tables():
    snr = np.power(10.0, np.array([7.9, 8.0, 10.9, 16.1, 25.0, 40.0]) / 10.0)
    legacy = Wifi(standard="802.11a").rate_bps(snr, 20e6, True)
    assert (legacy / 1e6).tolist() == [0, 6, 12, 24, 54, 54]
    assert (Wifi().rate_bps(snr, 20e6, True) / 1e6).tolist() == [0, 6.5, 6.5, 26, 58.5, 65]


def test_every_steps_snr_is_that_of_the_table_in_all_of_the_channel_and_lower_in_a_part():
    """Up, 5.1 dB in 80 MHz are 8.1 dB in 40, for MCS 0, or 11.1 dB in 20, for MCS 1 and less than that."""
    wide = Wifi(standard="802.11ac", bandwidth=80e6)
    snr = np.power(10.0, np.array([1.9, 2.1, 5.1, 8.0, 11.0, 33.0]) / 10.0)
    assert (wide.rate_bps(snr, 80e6, False) / 1e6).tolist() == [0, 0, 0, 29.25, 58.5, 390]
    assert (wide.rate_bps(snr, 80e6, True) / 1e6).tolist() == [0, 6.5, 13.5, 29.25, 58.5, 390]
    hundred = np.linspace(0.0, 45.0, 400)
    for standard, bandwidth_hz in WIDE:
        model = Wifi(standard=standard, bandwidth=bandwidth_hz)
        for db in hundred:
            whole = [rate.bps for rate in rates(standard, bandwidth_hz) if rate.least_db <= db - 1e-9]
            found_bps = model.rate_bps(np.array([10 ** (db / 10)]), bandwidth_hz, False)[0]
            assert found_bps == max(whole, default=0.0)


@given(st.sampled_from(["802.11ac", "802.11ax"]), st.floats(-20.0, 60.0))
def test_a_wider_channel_is_never_slower_for_a_device_of_limited_power(standard, snr_db):
    """`snr_db` is that in 20 MHz; coverage is the same in any width."""
    limited_by = limited(np.array([20e6 * 10 ** (snr_db / 10)]))
    widths = [Wifi(standard=standard, bandwidth=width) for width in widths_hz(standard)]
    found_bps = [model.best_rate_bps(limited_by, model.bandwidth, 1.0, True)[0] for model in widths]
    assert found_bps == sorted(found_bps)
    assert len({bool(model.covers(limited_by, True)[0]) for model in widths}) == 1
    assert (found_bps[0] > 0.0) == bool(widths[0].covers(limited_by, True)[0])


def test_the_mean_rate_is_that_of_the_fades():
    gains = -np.log((np.arange(200_000) + 0.5) / 200_000)
    mean_bps = Wifi().mean_rate_bps(np.array([30.0]), 20e6, True, lambda gain: np.exp(-gain))[0]
    assert mean_bps == pytest.approx(Wifi().rate_bps(30.0 * gains, 20e6, True).mean(), rel=1e-4)
