"""Fades of devices on their ways: those of the speed, gone through as far as a device has come."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_resume import rows
from worlds import TINY

from slfac_sim.cli import main
from slfac_sim.network.change import Target
from slfac_sim.network.change.gauss_markov import GaussMarkov
from slfac_sim.network.change.random_waypoint import RandomWaypoint
from slfac_sim.network.radio.fading.block import Block
from slfac_sim.network.radio.fading.jakes import Jakes
from slfac_sim.network.varying.motion import Motion

CARRIER_HZ = 3.5e9
RAYLEIGH = np.zeros(1)


def straight(speed_mps: float, until_s: float = 1e4) -> Motion:
    return Motion((0.0, 0.0), [(until_s, until_s * speed_mps, 0.0)])


def test_the_blocks_of_a_vehicle_are_those_of_its_doppler_shift() -> None:
    """30 km/h at 3.5 GHz: 97.29 Hz, 4.35 ms."""
    vehicle = Block().followed(CARRIER_HZ, {"d0": straight(30.0 / 3.6)})
    assert vehicle.coherence_s == pytest.approx(0.423 / 97.29, rel=1e-4)


@given(speed_mps=st.floats(1.0, 100.0), first=st.integers(0, 10_000), seed=st.integers(0, 99))
def test_who_goes_at_a_speed_has_the_fades_of_that_speed(speed_mps: float, first: int, seed: int) -> None:
    blocks, ways = range(first, first + 20), {"d0": straight(speed_mps)}
    for kind, error in ((Block, 0.0), (Jakes, 1e-6)):
        going = kind().followed(CARRIER_HZ, ways).gains(seed, ["d0"], blocks, RAYLEIGH)
        given_it = kind(speed=speed_mps).tuned(CARRIER_HZ).gains(seed, ["d0"], blocks, RAYLEIGH)
        assert np.abs(going - given_it).max() <= error


@given(speeds_mps=st.lists(st.floats(1.0, 40.0), min_size=1, max_size=6), pace=st.floats(1.0, 4.0))
def test_a_place_on_a_way_has_its_fade_however_fast_one_comes_there(
    speeds_mps: list[float], pace: float
) -> None:
    def gains(pace: float) -> np.ndarray:
        ends_m = np.cumsum(speeds_mps).tolist()
        way = Motion((0.0, 0.0), [((i + 1.0) / pace, end_m, 0.0) for i, end_m in enumerate(ends_m)])
        followed = Jakes(interval=0.25 / pace).followed(CARRIER_HZ, {"d0": way})
        return followed.gains(1, ["d0"], range(4 * len(speeds_mps)), RAYLEIGH)

    assert np.abs(gains(1.0) - gains(pace)).max() < 1e-6


def test_who_stands_has_the_fades_of_what_moves_around_it() -> None:
    """A vehicle of 20 m/s that halts after 10 s, and a device that never moves, have 27.6 blocks a second."""
    halts = Motion((0.0, 0.0), [(10.0, 200.0, 0.0)])
    block = Block().followed(CARRIER_HZ, {"d0": halts})
    assert block.coherence_s == pytest.approx(Block(speed=20.0).tuned(CARRIER_HZ).coherence_s)
    second = round(1.0 / block.coherence_s)
    for device, first, expected in (("d0", 0, 552), ("d0", 11 * second, 27.6), ("d1", 0, 27.6)):
        gains = block.gains(1, [device], range(first, first + second), RAYLEIGH)
        assert len({*gains[0].tolist()}) == pytest.approx(expected, abs=1.5)
    one = block.gains(1, ["d1", "d0"], range(40), np.zeros(2))
    assert one[1].tolist() == block.gains(1, ["d0"], range(40), RAYLEIGH)[0].tolist()
    assert block.gain(1, "d0", 7, 0.0) == one[1, 7]


def test_the_mean_speed_is_that_of_the_way() -> None:
    target = Target("walk", "d0", True)
    assert RandomWaypoint(speed=(20.0, 20.0)).motion(target, 1, 100.0).speed_mps == pytest.approx(20.0)
    assert GaussMarkov(speed=7.0).motion(target, 1, 100.0).speed_mps == 7.0
    pausing = Motion((0.0, 0.0), [(1.0, 3.0, 4.0), (9.0, 3.0, 4.0), (10.0, 3.0, 19.0)])
    assert pausing.speed_mps == 10.0
    assert pausing.stopped().speed_mps == 0.0


def test_what_is_given_holds() -> None:
    ways = {"d0": straight(20.0)}
    for fading in (Block(speed=3.0), Block(coherence=0.02), Jakes(speed=3.0), Jakes(doppler=10.0)):
        assert fading.followed(CARRIER_HZ, ways) == fading.tuned(CARRIER_HZ)
    assert Block().followed(CARRIER_HZ, {}) == Block().tuned(CARRIER_HZ)
    assert Block().tuned(CARRIER_HZ).coherence_s == Block(speed=1.0).tuned(CARRIER_HZ).coherence_s


@pytest.mark.parametrize("fading", ["block", "{kind: jakes, interval: 5 ms}"])
def test_a_replay_is_the_live_run_and_keeps_the_laws(
    fading: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    walk = "network.change.walk={kind: random_waypoint, devices: [d001, d003], speed: [5 m/s, 9 m/s]}"
    air = [f"network.fading={fading}", walk]
    quiet = ["--quiet", "--draw", "none", "--out"]
    assert main(["run", str(TINY), *quiet, "plain"]) == 0
    assert main(["run", str(TINY), *air, "--strict", *quiet, "live"]) == 0
    assert main(["replay", "plain", *air, *quiet, "replay"]) == 0
    assert rows(Path("replay")) == rows(Path("live"))
