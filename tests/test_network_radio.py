"""Path loss, noise, rates and fading against values worked by hand and closed forms."""

import numpy as np
import pytest
from scipy.special import exp1
from scipy.stats import kstest

from slfac_sim.foundation.units import dbm_to_w
from slfac_sim.network.radio.budget import noise_dbm
from slfac_sim.network.radio.fading.block import Block
from slfac_sim.network.radio.fading.ergodic import Ergodic
from slfac_sim.network.radio.fading.none import NoFading
from slfac_sim.network.radio.pathloss.umi import Umi, breakpoint_m, pathloss_db
from slfac_sim.network.radio.rates import nr_mcs
from slfac_sim.network.radio.rates.nr_mcs import NrMcs
from slfac_sim.network.radio.rates.shannon_gap import ShannonGap


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


def test_umi_branches_meet_at_the_breakpoint():
    for carrier_hz in (0.7e9, 3.5e9, 28e9):
        at_m = breakpoint_m(carrier_hz, 10.0, 1.5)
        assert at_m == pytest.approx(18.0 * carrier_hz / 3e8)
        near, far = loss([at_m, at_m * (1 + 1e-12)], True, carrier_hz)
        assert abs(near - far) < 1e-6


def test_umi_is_monotone_and_worse_without_line_of_sight():
    distance_m = np.geomspace(10.0, 5000.0, 400)
    for carrier_hz in (0.7e9, 3.5e9, 28e9):
        seen, blocked = loss(distance_m, True, carrier_hz), loss(distance_m, False, carrier_hz)
        assert np.all(blocked >= seen)
        assert np.all(np.diff(seen) >= 0)
        assert np.all(np.diff(blocked) >= 0)


def test_umi_takes_what_is_nearer_than_ten_metres_as_ten():
    assert loss(0.0, True) == loss(10.0, True)


def test_umi_pure_function_takes_slant_distance():
    distance_m = np.array([50.0])
    slant_m = np.hypot(distance_m, 8.5)
    direct = pathloss_db(distance_m, slant_m, 3.5e9, 10.0, 1.5, np.array([True]))
    assert direct == loss(50.0, True)


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


def test_ergodic_shannon_is_the_closed_form():
    rates = ShannonGap(se_max=1e9)
    snr = ratios(-10.0, 0.0, 10.0, 20.0, 30.0)
    mean = Ergodic().mean_rate_bps(rates, snr, 1.0, True)
    assert mean == pytest.approx(np.log2(np.e) * np.exp(1 / snr) * exp1(1 / snr), rel=1e-6)
    assert mean == pytest.approx([0.1321, 0.8603, 2.9065, 5.8840, 9.1436], abs=5e-5)


def test_ergodic_shannon_with_a_ceiling_and_a_gap():
    rates = ShannonGap(gap=3.0, se_max=5.55)
    snr = ratios(0.0, 15.0, 30.0)
    effective = snr / 10**0.3
    closed = np.exp(1 / effective) * (exp1(1 / effective) - exp1(2**5.55 / effective)) * np.log2(np.e)
    assert Ergodic().mean_rate_bps(rates, snr, 2e6, True) == pytest.approx(2e6 * closed, rel=1e-6)
    assert rates.rate_bps(ratios(60.0), 1e6, True)[0] == 5.55e6


def test_ergodic_mcs_is_the_mean_over_fades():
    snr = ratios(-3.0, 8.0, 25.0)
    gains = np.random.default_rng(1).standard_exponential(200_000)
    drawn = np.array([NrMcs().rate_bps(s * gains, 20e6, True) for s in snr])
    error = drawn.std(axis=1) / np.sqrt(gains.size)
    mean = Ergodic().mean_rate_bps(NrMcs(), snr, 20e6, True)
    assert np.all(np.abs(drawn.mean(axis=1) - mean) < 4 * error)
    assert np.all(Block().mean_rate_bps(NrMcs(), snr, 20e6, True) == mean)
    assert np.all(NoFading().mean_rate_bps(NrMcs(), snr, 20e6, True) == NrMcs().rate_bps(snr, 20e6, True))


def test_block_gains_are_exponential_and_keyed():
    gains = [Block().gain(3, "d01", block) for block in range(2000)]
    assert kstest(gains, "expon").pvalue > 0.01
    assert Block().gain(3, "d01", 17) == gains[17]
    assert Block().gain(3, "d02", 17) != gains[17] != Block().gain(4, "d01", 17)


def test_settings_out_of_range_are_refused():
    with pytest.raises(ValueError, match="coherence"):
        Block(coherence=0.0)
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
    with pytest.raises(ValueError, match=r"at least 400 kHz \(got 100 kHz\)"):
        nr_mcs.NrMcs().check(100e3)
    nr_mcs.NrMcs().check(400e3)
