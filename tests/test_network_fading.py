"""Fading: its laws, its means in closed form and by drawing, and its course in time."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import exp1, j0
from scipy.stats import kstest

from slfac_sim.foundation.streams import stream
from slfac_sim.network import Hosts
from slfac_sim.network.kinds.cell import Cell
from slfac_sim.network.radio.fading import coherence_s, doppler_hz
from slfac_sim.network.radio.fading.block import Block
from slfac_sim.network.radio.fading.ergodic import Ergodic
from slfac_sim.network.radio.fading.jakes import Jakes, gains
from slfac_sim.network.radio.fading.none import NoFading
from slfac_sim.network.radio.fading.static import Static
from slfac_sim.network.radio.rates.nr_mcs import NrMcs
from slfac_sim.network.radio.rates.shannon_gap import ShannonGap
from slfac_sim.network.radio.rates.truncated_shannon import TruncatedShannon
from slfac_sim.network.radio.signal import Signal, evenly, limited

RICIAN = 10.0**0.9


survival = Ergodic().survival


def ratios(*levels_db):
    return 10.0 ** (np.array(levels_db) / 10.0)


def ergodic_bps(rates, snr, bandwidth_hz=1.0, k=0.0, uplink=True):
    return rates.mean_rate_bps(snr, bandwidth_hz, uplink, Ergodic().survival(np.full(snr.shape, k)))


def rician_gains(k, count, seed=1):
    rng = np.random.default_rng(seed)
    z = rng.standard_normal((count, 2)) @ [1.0, 1j] / np.sqrt(2.0)
    return np.abs(np.sqrt(k / (k + 1)) + z / np.sqrt(k + 1)) ** 2


def test_rayleigh_ergodic_capacity_is_the_closed_form():
    snr = ratios(-10.0, 0.0, 10.0, 20.0, 30.0)
    mean = ergodic_bps(ShannonGap(se_max=1e9), snr)
    assert mean == pytest.approx(np.log2(np.e) * np.exp(1 / snr) * exp1(1 / snr), rel=1e-6)
    assert mean == pytest.approx([0.1321, 0.8603, 2.9065, 5.8840, 9.1436], abs=5e-5)


def test_rayleigh_ergodic_capacity_at_a_very_low_snr():
    """Below S = 1/600 by the asymptotic series, log2(e) (S - S^2 + 2 S^3 - 6 S^4)."""
    snr = np.array([1e-6, 1e-4, 1e-3])
    series = np.log2(np.e) * (snr - snr**2 + 2 * snr**3 - 6 * snr**4)
    assert ergodic_bps(ShannonGap(), snr) == pytest.approx(series, rel=1e-6)


def test_ergodic_shannon_with_a_ceiling_and_a_gap():
    rates = ShannonGap(gap=3.0, se_max=5.55)
    snr = ratios(0.0, 15.0, 30.0)
    effective = snr / 10**0.3
    closed = np.exp(1 / effective) * (exp1(1 / effective) - exp1(2**5.55 / effective)) * np.log2(np.e)
    assert ergodic_bps(rates, snr, 2e6) == pytest.approx(2e6 * closed, rel=1e-6)
    assert rates.rate_bps(ratios(60.0), 1e6, True)[0] == 5.55e6


def test_ergodic_truncated_shannon_is_the_closed_form():
    """A step at -10 dB and a ceiling, by parts: alpha log2(e) e^(1/S) (E1(a) - E1(b)) and the step."""
    rates, snr = TruncatedShannon(), ratios(-25.0, 0.0, 12.0, 30.0)
    low, top = 0.1, 2.0 ** (4.4 / 0.6) - 1.0
    smooth = np.exp(1 / snr) * (exp1((1 + low) / snr) - exp1((1 + top) / snr)) * np.log2(np.e)
    closed = 0.6 * (np.log2(1 + low) * np.exp(-low / snr) + smooth)
    assert ergodic_bps(rates, snr, uplink=False) == pytest.approx(closed, rel=1e-6)


@pytest.mark.parametrize("rates", [NrMcs(), NrMcs(table="256qam"), ShannonGap(), TruncatedShannon()])
@pytest.mark.parametrize("k", [0.0, 1.0, RICIAN])
def test_ergodic_rates_are_means_over_fades(rates, k):
    snr = ratios(-3.0, 8.0, 25.0)
    drawn = np.array([rates.rate_bps(s * rician_gains(k, 100_000), 20e6, True) for s in snr])
    error = drawn.std(axis=1) / np.sqrt(drawn.shape[1])
    mean = ergodic_bps(rates, snr, 20e6, k)
    assert np.all(np.abs(drawn.mean(axis=1) - mean) < 4 * error)
    factors, x = np.full(3, k), np.array([0.1, 1.0, 3.0])
    for kind in (Block(), Jakes()):
        assert np.all(kind.survival(factors)(x) == Ergodic().survival(factors)(x))
    assert [kind.survival(factors) for kind in (NoFading(), Static())] == [None, None]


def test_a_strong_steady_path_leaves_no_fading():
    snr = ratios(0.0, 20.0)
    assert ergodic_bps(ShannonGap(se_max=99.0), snr, k=1e3) == pytest.approx(np.log2(1 + snr), rel=1e-3)


def test_the_mean_of_one_device_is_the_same_among_others():
    """To the last bit, and Rayleigh devices keep their own figures beside Rician ones."""
    snr, k = ratios(3.0, 9.0, 17.0), np.array([0.0, RICIAN, 0.0])
    for rates in (NrMcs(), ShannonGap(), TruncatedShannon()):
        for signal in (evenly(snr), limited(snr * 1e6), Signal(snr * 2.0, snr * 1e6)):
            together = rates.best_mean_rate_bps(signal, 1e6, 0.7, True, survival(k))
            alone = [
                rates.best_mean_rate_bps(signal.of([i]), 1e6, 0.7, True, survival(k[[i]]))[0]
                for i in range(3)
            ]
            assert together.tolist() == alone


@pytest.mark.parametrize("k", [0.0, 0.5, RICIAN, 100.0])
def test_survival_of_rician_gains(k):
    x = np.linspace(0.0, 40.0, 40_001)
    tail = survival(np.full(x.shape, k))(x)
    assert tail[0] == 1.0
    assert np.all(np.diff(tail) <= 1e-15)
    assert np.trapezoid(tail, x) == pytest.approx(1.0, abs=1e-6)  # the mean
    drawn = rician_gains(k, 100_000)
    for i in (300, 1000, 2000):
        assert (drawn > x[i]).mean() == pytest.approx(tail[i], abs=4 * 0.5 / np.sqrt(drawn.size))


def test_outage_probability():
    """P(rate < R) = 1 - exp(-(2^R - 1) / S) under Rayleigh block fading."""
    snr, target = 10.0, 2.0
    drawn = np.array([Block().gain(5, "d00", block, 0.0) for block in range(20_000)])
    found = (np.log2(1 + snr * drawn) < target).mean()
    expected = 1 - np.exp(-(2**target - 1) / snr)
    assert found == pytest.approx(expected, abs=4 * np.sqrt(expected * (1 - expected) / drawn.size))
    assert 1 - survival(np.zeros(1))(np.array([0.3]))[0] == pytest.approx(expected)


def test_block_gains_are_exponential_and_keyed():
    drawn = [Block().gain(3, "d01", block, 0.0) for block in range(2000)]
    assert kstest(drawn, "expon").pvalue > 0.01
    assert Block().gain(3, "d01", 17, 0.0) == drawn[17]
    assert Block().gain(3, "d02", 17, 0.0) != drawn[17] != Block().gain(4, "d01", 17, 0.0)
    assert drawn[17] == float(stream(3, "fading/d01", 17).standard_exponential())


@pytest.mark.parametrize("k", [0.0, 0.3, RICIAN])
def test_static_gains_follow_their_law_and_stay(k):
    drawn = np.array([Static().gain(3, f"d{i:04d}", 0, k) for i in range(4000)])
    assert Static().gain(3, "d0007", 999, k) == drawn[7]
    assert drawn.mean() == pytest.approx(1.0, abs=4 * drawn.std() / np.sqrt(drawn.size))
    law = kstest(drawn, lambda x: 1.0 - survival(np.full(len(x), k))(np.asarray(x)))
    assert law.pvalue > 0.01
    assert all(kind.gain(3, "d0007", 5, k) == 1.0 for kind in (NoFading(), Ergodic()))


def test_doppler_and_coherence_time():
    fast_hz = doppler_hz(30 / 3.6, 3.5e9)
    assert fast_hz == pytest.approx(97.29, abs=0.005)
    assert coherence_s(fast_hz) == pytest.approx(4.35e-3, abs=5e-6)


def test_kinds_with_blocks_say_how_long_they_are():
    assert [kind.tuned(1e9).coherence_s for kind in (NoFading(), Static(), Ergodic())] == [None] * 3
    given_s = [kind.tuned(1e9).coherence_s for kind in (Block(coherence=0.1), Jakes(interval=0.02))]
    assert given_s == [0.1, 0.02]


@settings(max_examples=30)
@given(st.floats(0.5e9, 100e9), st.floats(0.1, 100.0))
def test_what_is_not_given_follows_carrier_and_speed(carrier_hz, speed):
    """Tc = 0.423 / fd; a course in steps of a tenth of 1 / fd; what is given stays."""
    fd_hz = speed * carrier_hz / 299_792_458.0
    assert Block(speed=speed).tuned(carrier_hz).coherence_s == pytest.approx(0.423 / fd_hz, rel=1e-12)
    jakes = Jakes(speed=speed).tuned(carrier_hz)
    assert (jakes.doppler, jakes.coherence_s) == pytest.approx((fd_hz, 0.1 / fd_hz), rel=1e-12)
    assert Jakes(doppler=5.0, speed=speed).tuned(carrier_hz).coherence_s == pytest.approx(0.02)
    cell = Cell(fading=Block(speed=speed), carrier=carrier_hz, outage="allow", positions=((20.0, 0.0),))
    assert cell.survey(Hosts(("d0",), ("server",)), 0).coherence_s == pytest.approx(0.423 / fd_hz, rel=1e-12)


@pytest.mark.parametrize("kind", [Block(), Jakes()])
def test_fading_whose_carrier_is_not_known_says_so(kind):
    with pytest.raises(TypeError, match="tuned to a carrier"):
        _ = kind.coherence_s


def courses(k, devices, periods, step):
    """Return power gains [devices, times], at steps of a part of 1 / Doppler."""
    times = np.arange(0.0, periods, step)
    return np.array([gains(11, f"d{i:03d}", times, k) for i in range(devices)])


def test_correlated_gains_have_mean_1_and_the_exponential_law():
    apart = courses(0.0, 400, 50.0, 5.0)
    assert apart.mean() == pytest.approx(1.0, abs=4 / np.sqrt(apart.size))
    assert kstest(apart.ravel(), "expon").statistic < 1.63 / np.sqrt(apart.size) + 0.003  # 1 %, and 1 / N
    rician = courses(RICIAN, 400, 50.0, 5.0)
    assert rician.mean() == pytest.approx(1.0, abs=0.02)
    assert rician.var() == pytest.approx((2 * RICIAN + 1) / (RICIAN + 1) ** 2, rel=0.1)


def test_correlation_in_time_is_clarkes():
    """The covariance of the power is that of the amplitude squared, J0(2 pi fd t)^2, less 1 / N of it."""
    course = courses(0.0, 300, 100.0, 0.1)
    for lag in range(1, 12):
        found = ((course[:, lag:] - 1.0) * (course[:, :-lag] - 1.0)).mean()
        assert found == pytest.approx(j0(2 * np.pi * 0.1 * lag) ** 2, abs=0.03)


def test_level_crossing_rate_and_duration_of_fades():
    """LCR / fd = sqrt(2 pi) r exp(-r^2), and fades last (exp(r^2) - 1) / (r sqrt(2 pi)) / fd on average."""
    step = 0.02
    amplitude = np.sqrt(courses(0.0, 40, 200.0, step))
    for r in (0.3, 0.7, 1.0, 1.5):
        below = amplitude < r
        crossings = (below[:, 1:] & ~below[:, :-1]).sum()
        rate = crossings / (amplitude.size * step)
        assert rate == pytest.approx(np.sqrt(2 * np.pi) * r * np.exp(-(r**2)), rel=0.05)
        duration = below.sum() * step / crossings
        assert duration == pytest.approx((np.exp(r**2) - 1) / (r * np.sqrt(2 * np.pi)), rel=0.05)


def test_correlated_gain_of_a_block_needs_no_history():
    fading = Jakes(doppler=20.0, interval=0.004)
    course = [fading.gain(3, "d01", block, 2.0) for block in (500, 0, 501, 500)]
    assert course[0] == course[3] != course[2]
    assert course[2] == pytest.approx(gains(3, "d01", np.array([501 * 0.004 * 20.0]), 2.0)[0])
    assert fading.gain(4, "d01", 500, 2.0) != course[0] != fading.gain(3, "d02", 500, 2.0)


def test_settings_out_of_range_are_refused():
    with pytest.raises(ValueError, match="coherence must be longer than 0 s"):
        Block(coherence=0.0)
    with pytest.raises(ValueError, match="interval must be longer than 0 s"):
        Jakes(interval=0.0)
