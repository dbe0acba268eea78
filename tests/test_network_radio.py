"""UMi path loss, noise, rates, retransmissions, powers and interference: by hand and in closed form."""

import numpy as np
import pytest

from slfac_sim.foundation.units import dbm_to_w, w_to_dbm
from slfac_sim.network.radio import interference
from slfac_sim.network.radio.budget import PowerControl, blocks, noise_dbm, uplink_power_dbm
from slfac_sim.network.radio.harq import Harq, mean_tries, residual
from slfac_sim.network.radio.pathloss.umi import Umi
from slfac_sim.network.radio.rates import nr_mcs
from slfac_sim.network.radio.rates.nr_mcs import NrMcs
from slfac_sim.network.radio.rates.shannon_gap import ShannonGap
from slfac_sim.network.radio.rates.truncated_shannon import TruncatedShannon
from slfac_sim.network.radio.signal import limited


def loss(distance_m, los, carrier_hz=3.5e9):
    distance = np.atleast_1d(np.asarray(distance_m, dtype=float))
    return Umi().loss_db(distance, np.full(distance.shape, los), carrier_hz)


def ratios(*levels_db):
    return 10.0 ** (np.array(levels_db) / 10.0)


@pytest.mark.parametrize(
    ("distance_m", "los", "expected_db"),
    [  # with a pocket calculator: h 10 and 1.5 m, 3.5 GHz (20 lg 3.5 = 10.8814, 21.3 lg 3.5 = 11.5887)
        (100.0, True, 85.3141),  # d3D 100.3606: 32.4 + 42.0328 + 10.8814 - 0.0001
        (100.0, False, 104.6438),  # 35.3 x 2.001563 + 22.4 + 11.5887
        (10.0, True, 66.7611),  # d3D 13.1244: 32.4 + 23.4797 + 10.8814
        (1000.0, True, 119.1531),  # beyond 210 m: 32.4 + 120.0006 + 10.8814 - 9.5 x 4.645151
    ],
)
def test_umi_by_hand(distance_m, los, expected_db):
    assert loss(distance_m, los)[0] == pytest.approx(expected_db, abs=0.002)


def test_umi_is_monotone_and_worse_without_line_of_sight():
    distance_m = np.geomspace(10.0, 5000.0, 400)
    for carrier_hz in (0.7e9, 3.5e9, 28e9):
        seen, blocked = loss(distance_m, True, carrier_hz), loss(distance_m, False, carrier_hz)
        assert np.all(blocked >= seen)
        assert np.all(np.diff(seen) >= 0)
        assert np.all(np.diff(blocked) >= 0)


def test_umi_takes_what_is_nearer_than_ten_metres_as_ten():
    assert loss(0.0, True) == loss(10.0, True)


def test_umi_line_of_sight_probability():
    p = Umi().los_probability(np.array([1.0, 18.0, 36.0, 150.0]))
    assert p[:2] == pytest.approx([1.0, 1.0])
    assert p[2] == pytest.approx(0.5 + np.exp(-1.0) * 0.5)
    assert p[3] == pytest.approx(0.12 + np.exp(-150 / 36) * 0.88)


def test_umi_refuses_antennas_below_the_street_clutter():
    with pytest.raises(ValueError, match="above 1 m"):
        Umi(device_height=1.0)


def test_noise_of_20_mhz():
    assert noise_dbm(20e6, 7.0) == pytest.approx(-93.99, abs=0.005)
    assert noise_dbm(10e6, 7.0) == pytest.approx(noise_dbm(20e6, 7.0) - 3.0103, abs=1e-4)
    assert dbm_to_w(23.0) == pytest.approx(0.19953, abs=1e-5)


def test_mcs_efficiencies_are_q_times_r():
    assert len(nr_mcs.EFFICIENCIES) == len(nr_mcs.THRESHOLDS_DB) == 29
    assert nr_mcs.EFFICIENCIES[0] == 2 * 120 / 1024
    assert nr_mcs.EFFICIENCIES[10] == 4 * 340 / 1024
    assert nr_mcs.EFFICIENCIES[28] == pytest.approx(5.5547, abs=5e-5)
    assert list(nr_mcs.THRESHOLDS_DB) == sorted(nr_mcs.THRESHOLDS_DB)


def test_lowest_mcs_thresholds_follow_their_formula():
    efficiencies = np.array(nr_mcs.EFFICIENCIES[:3])
    assert 10 * np.log10(2**efficiencies - 1) + 1.2 == pytest.approx(nr_mcs.THRESHOLDS_DB[:3], abs=0.051)


def test_peak_rates():
    up_bps, down_bps = (NrMcs().rate_bps(ratios(40.0), 20e6, uplink)[0] for uplink in (True, False))
    assert up_bps / 1e6 == pytest.approx(87.6, abs=0.05)
    assert down_bps / up_bps == pytest.approx(0.86 / 0.92)
    # TS 38.306: 273 resource blocks, mu 1, 4 layers, 256QAM, downlink: 2337.0 Mbit/s
    four_layers = 4 * 8 * 948 / 1024 * 0.86 * nr_mcs.symbols_per_s(273, 1)
    assert four_layers / 1e6 == pytest.approx(2337.0, abs=0.05)


def test_peak_rate_of_four_layers_is_that_of_ts_38306():
    wide = NrMcs(table="256qam", down_layers=4, up_layers=2)
    down_bps, up_bps = (wide.rate_bps(ratios(60.0), 100e6, uplink)[0] for uplink in (False, True))
    assert down_bps / 1e6 == pytest.approx(2337.0, abs=0.05)
    assert up_bps == pytest.approx(down_bps / 2 / 0.86 * 0.92)


@pytest.mark.parametrize("table", ["64qam", "256qam"])
def test_layers_share_the_power_and_as_many_are_taken_as_serve_best(table):
    """max over l of l SE(SNR / l), by the model of one layer; up, blocks are chosen with them."""
    snr = ratios(*np.linspace(-10.0, 50.0, 241))
    one, many = NrMcs(table=table), NrMcs(table=table, up_layers=4, down_layers=8)
    for uplink, most in ((True, 4), (False, 8)):
        best_bps = np.max([n * one.rate_bps(snr / n, 20e6, uplink) for n in range(1, most + 1)], axis=0)
        assert many.rate_bps(snr, 20e6, uplink) == pytest.approx(best_bps)
    limited_by = limited(snr * 20e6)
    each = [n * one.best_rate_bps(limited(snr * 20e6 / n), 20e6, 1.0, True) for n in range(1, 5)]
    assert many.best_rate_bps(limited_by, 20e6, 1.0, True) == pytest.approx(np.max(each, axis=0))
    assert np.array_equal(many.covers(limited_by, True), one.covers(limited_by, True))


def test_the_mean_over_fades_of_several_layers_is_that_of_the_fades():
    gains = -np.log((np.arange(200_000) + 0.5) / 200_000)
    model = NrMcs(down_layers=4)
    for level_db in (0.0, 20.0, 35.0):
        mean_bps = model.mean_rate_bps(ratios(level_db), 20e6, False, lambda gain: np.exp(-gain))[0]
        fades_bps = model.rate_bps(ratios(level_db)[0] * gains, 20e6, False)
        assert mean_bps == pytest.approx(fades_bps.mean(), rel=1e-4)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"up_layers": 5}, r"up_layers must lie between 1 and 4 \(got 5\)"),
        ({"down_layers": 0}, r"down_layers must lie between 1 and 8 \(got 0\)"),
    ],
)
def test_layers_out_of_range_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        NrMcs(**settings)


def test_rate_steps_at_the_thresholds_and_never_falls():
    below, at = NrMcs().rate_bps(ratios(-6.31, -6.29), 20e6, True)
    assert below == 0.0
    assert at == pytest.approx(12 * 51 * 28000 * 0.92 * 240 / 1024)
    sweep = NrMcs().rate_bps(ratios(*np.linspace(-10, 30, 801)), 20e6, True)
    assert np.all(np.diff(sweep) >= 0)


@pytest.mark.parametrize(
    ("bandwidth_hz", "numerology", "blocks"),
    [(20e6, 1, 51), (100e6, 1, 273), (20e6, 0, 106), (20e6, 2, 24), (1e6, 1, 2), (2e6, 1, 5)],
)
def test_resource_blocks(bandwidth_hz, numerology, blocks):
    assert nr_mcs.resource_blocks(bandwidth_hz, numerology) == blocks


def test_resource_block_table_fills_75_to_100_percent_of_the_band():
    for numerology, row in nr_mcs._RESOURCE_BLOCKS.items():
        filled = [blocks * 12 * 15e3 * 2**numerology / (mhz * 1e6) for mhz, blocks in row.items()]
        assert 0.75 < min(filled) < max(filled) < 1.0


def test_remark_about_a_bandwidth_outside_the_table():
    assert NrMcs().remarks(20e6) == ()
    assert NrMcs().remarks(2e6) == (
        "2 MHz is no NR bandwidth at 30 kHz spacing: taken as 5 resource blocks (0.9 B / 12 subcarriers)",
    )


def test_settings_out_of_range_are_refused():
    with pytest.raises(ValueError, match="se_max"):
        ShannonGap(se_max=0.0)


def test_every_threshold_and_efficiency_against_the_literals() -> None:
    """SNR thresholds and Q x R x 1024 of MCS 0 to 28, written out once more, by hand."""
    assert nr_mcs.THRESHOLDS_DB == (
        -6.3, -5.1, -4.0, -2.8, -2.4, -1.0, 0.5, 0.8, 2.4, 2.5, 2.9, 4.2, 4.5, 6.0, 6.3, 7.9, 7.9,
        8.8, 9.8, 10.1, 11.6, 12.3, 13.4, 14.3, 15.0, 16.6, 17.1, 18.4, 19.0,
    )  # fmt: skip
    assert [round(efficiency * 1024) for efficiency in nr_mcs.EFFICIENCIES] == [
        240, 314, 386, 502, 616, 758, 898, 1052, 1204, 1358, 1360, 1512, 1736, 1960, 2212, 2464, 2632,
        2628, 2796, 3102, 3402, 3696, 3996, 4314, 4632, 4932, 5238, 5460, 5688,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("numerology", "blocks"),
    [
        (0, {5: 25, 10: 52, 15: 79, 20: 106, 25: 133, 30: 160, 40: 216, 50: 270}),
        (1, {5: 11, 10: 24, 15: 38, 20: 51, 25: 65, 30: 78, 40: 106, 50: 133, 60: 162, 90: 245, 100: 273}),
        (2, {10: 11, 15: 18, 20: 24, 25: 31, 30: 38, 40: 51, 50: 65, 60: 79, 80: 107, 90: 121, 100: 135}),
    ],
)  # fmt: skip
def test_resource_blocks_of_the_standard_bandwidths(numerology: int, blocks: dict[int, int]) -> None:
    assert {mhz: nr_mcs.resource_blocks(mhz * 1e6, numerology) for mhz in blocks} == blocks


def test_a_band_below_one_resource_block_is_refused() -> None:
    with pytest.raises(ValueError, match=r"at least 400 kHz \(got 100 kHz\); a plain number is Hz"):
        nr_mcs.NrMcs().check(100e3)
    nr_mcs.NrMcs().check(400e3)


def test_every_mcs_of_the_256qam_table_against_the_literals() -> None:
    """Q x R x 1024 of MCS 0 to 27; the thresholds of what is in both tables, and the trend above."""
    assert [efficiency * 1024 for efficiency in nr_mcs.EFFICIENCIES_256] == [
        240, 386, 616, 898, 1204, 1512, 1736, 1960, 2212, 2464, 2632, 2796, 3102, 3402, 3696, 3996, 4314,
        4632, 4932, 5238, 5460, 5688, 6032, 6376, 6728, 7080, 7332, 7584,
    ]  # fmt: skip
    expected_db = [
        -6.3, -4.0, -2.4, 0.5, 2.4, 4.2, 4.5, 6.0, 6.3, 7.9, 7.9, 9.8, 10.1, 11.6, 12.3, 13.4, 14.3, 15.0,
        16.6, 17.1, 18.29, 19.04, 20.17, 21.29, 22.43, 23.57, 24.39, 25.20,
    ]  # fmt: skip
    assert list(nr_mcs.THRESHOLDS_256_DB) == pytest.approx(expected_db, abs=0.006)
    assert list(nr_mcs.THRESHOLDS_256_DB) == sorted(nr_mcs.THRESHOLDS_256_DB)


def test_channel_quality_indices_are_q_times_r() -> None:
    """The efficiencies of the CQI tables, TS 38.214, 5.2.2.1-2 and -3, above MCS 0, are those of an MCS."""
    cqi_64 = (.2344, .3770, .6016, .8770, 1.1758, 1.4766, 1.9141, 2.4063, 2.7305, 3.3223, 3.9023, 4.5234,
              5.1152, 5.5547)  # fmt: skip
    cqi_256 = (.3770, .8770, 1.4766, 1.9141, 2.4063, 2.7305, 3.3223, 3.9023, 4.5234, 5.1152, 5.5547, 6.2266,
               6.9141, 7.4063)  # fmt: skip
    for quality, table in ((cqi_64, nr_mcs.EFFICIENCIES), (cqi_256, nr_mcs.EFFICIENCIES_256)):
        for efficiency in quality:
            assert np.abs(np.array(table) - efficiency).min() < 6e-5


def test_256qam_gives_more_where_the_air_is_good():
    few, many = NrMcs(), NrMcs(table="256qam")
    snr = ratios(*np.linspace(-10, 40, 501))
    rates = [model.rate_bps(snr, 20e6, uplink=False) for model in (few, many)]
    assert rates[1][-1] / rates[0][-1] == pytest.approx(7584 / 5688)
    assert np.all(np.diff(rates[1]) >= 0.0)
    assert np.all(rates[1][snr > 10**1.95] >= rates[0][snr > 10**1.95])


def test_truncated_shannon_by_hand():
    rates = TruncatedShannon()
    at = ratios(-10.01, -9.99, 0.0, 10.0, 40.0)
    down = [0.0, 0.6 * np.log2(1 + at[1]), 0.6, 0.6 * 3.459432, 4.4]
    up = [0.0, 0.4 * np.log2(1 + at[1]), 0.4, 0.4 * 3.459432, 2.0]
    assert rates.rate_bps(at, 10e6, uplink=False) == pytest.approx(np.array(down) * 10e6)
    assert rates.rate_bps(at, 10e6, uplink=True) == pytest.approx(np.array(up) * 10e6)
    assert rates.remarks(10e6) == ()
    with pytest.raises(ValueError, match=r"must lie in \(0, 1\] \(got 0\)"):
        TruncatedShannon(up_alpha=0.0)
    with pytest.raises(ValueError, match="reached above snr_min"):
        TruncatedShannon(snr_min=30.0)


def test_tries_by_hand():
    assert mean_tries(0.1, 4) == pytest.approx(1.111)
    assert mean_tries(0.1, 1) == 1.0
    assert residual(0.1, 4) == pytest.approx(1e-4)


def test_retransmissions_take_the_block_error_rate_off_the_rate():
    for most in (1, 2, 4):
        assert Harq(bler=0.1, max_tries=most).goodput == pytest.approx(0.9)
    assert Harq().mean_delay_s == pytest.approx(0.111 * 0.004)
    assert (Harq(bler=0.0).goodput, Harq(bler=0.0).mean_delay_s) == (1.0, 0.0)
    with pytest.raises(ValueError, match=r"bler must lie in \[0, 1\) \(got 1\)"):
        Harq(bler=1.0)
    with pytest.raises(ValueError, match=r"at least 1 \(got 0\)"):
        Harq(max_tries=0)


def test_uplink_power_control_by_hand():
    """-80 dBm + 20 dB for 100 blocks + 0.8 x loss: full power (23 dBm) from a loss of 103.75 dB on."""
    assert blocks(20e6) == pytest.approx(100.0)
    power_w = PowerControl().power_w(np.array([80.0, 100.0, 103.75, 120.0]), 20e6, dbm_to_w(23.0))
    assert [w_to_dbm(power) for power in power_w] == pytest.approx([4.0, 20.0, 23.0, 23.0])
    one_tenth_w = PowerControl().power_w(np.array([80.0]), 2e6, dbm_to_w(23.0))
    assert w_to_dbm(one_tenth_w[0]) == pytest.approx(-6.0)
    assert uplink_power_dbm(23.0, -80.0, 51, 0.8, np.array([100.0]))[0] == pytest.approx(17.0757, abs=1e-4)
    with pytest.raises(ValueError, match=r"alpha must lie in \[0, 1\] \(got 2\)"):
        PowerControl(alpha=2.0)


SERVING = np.array([0, 0, 1, 2])
GAIN = np.array([[8.0, 4.0, 1.0, 0.5], [2.0, 1.0, 16.0, 0.25], [1.0, 0.0, 4.0, 32.0]])


def test_downlink_interference_by_hand():
    heard = interference.downlink_w(SERVING, 10.0 * GAIN, np.array([1.0, 0.5, 0.25]))
    assert heard == pytest.approx([10 + 2.5, 5 + 0, 10 + 10, 5 + 1.25])
    assert np.all(interference.downlink_w(SERVING, GAIN, np.zeros(3)) == 0.0)
    sinr = 10.0 * GAIN[SERVING, np.arange(4)] / (1.5 + heard)
    assert sinr[0] == pytest.approx(80 / 14)


def test_uplink_interference_by_hand():
    power_w = np.array([1.0, 3.0, 2.0, 4.0])
    heard = interference.uplink_w(SERVING, power_w, GAIN, np.array([0.5, 1.0, 1.0]))[SERVING]
    at_station_0 = 2.0 * 1.0 + 4.0 * 0.5
    at_station_1 = 0.5 * (1.0 * 2.0 + 3.0 * 1.0) / 2 + 4.0 * 0.25
    at_station_2 = 0.5 * (1.0 * 1.0 + 3.0 * 0.0) / 2 + 2.0 * 4.0
    assert heard == pytest.approx([at_station_0, at_station_0, at_station_1, at_station_2])


def test_loads_are_the_least_fixed_point():
    """Two cells alike: a = offered / (4 - 2 a), so a = 1 - sqrt(1 - offered / 2); above 2 all is lost."""

    def capacity_bps(activity):
        return 4.0 - 2.0 * activity[::-1]

    for offered in (0.5, 1.0, 1.9):
        found = interference.loads(np.full(2, offered), capacity_bps)
        assert found == pytest.approx(np.full(2, 1 - np.sqrt(1 - offered / 2)), abs=2e-5)
    assert interference.loads(np.full(2, 2.5), capacity_bps).tolist() == [1.0, 1.0]
    assert interference.loads(np.array([0.0, 1.0]), capacity_bps) == pytest.approx([0.0, 0.25])
    assert interference.loads(np.array([0.0, 1.0]), np.zeros_like).tolist() == [0.0, 1.0]


def test_loads_rise_with_every_offer():
    rng = np.random.default_rng(9)
    coupling = rng.uniform(0.0, 0.5, (5, 5)) * (1 - np.eye(5))

    def capacity_bps(activity):
        return 10.0 * np.log2(1.0 + 4.0 / (1.0 + coupling @ activity))

    offered_bps = rng.uniform(2.0, 12.0, 5)
    before = interference.loads(offered_bps, capacity_bps)
    assert before == pytest.approx(np.minimum(1.0, offered_bps / capacity_bps(before)), abs=1e-5)
    assert np.all(interference.loads(offered_bps + np.eye(5)[2], capacity_bps) >= before)
