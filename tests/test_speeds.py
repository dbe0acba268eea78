"""Computing speeds of devices: keyed draws, their distribution, and counts that must fit."""

import math
import statistics
from pathlib import Path
from typing import get_args

import pytest
from scipy import stats

from slfac_sim.foundation.errors import BadInput
from slfac_sim.foundation.plugins import find, kinds
from slfac_sim.hosts.speeds.fixed import Fixed
from slfac_sim.hosts.speeds.log_normal import LogNormal
from slfac_sim.hosts.speeds.measured import Measured
from slfac_sim.hosts.speeds.profiles import PROFILES, Name, Profiles

DEVICES = [f"d{i:03d}" for i in range(400)]
TABLE = Path(__file__).with_name("block_times.csv")
EVERY = [Fixed(), LogNormal(), Profiles(names={"phone": 100, "laptop": 300}), Measured(table=TABLE)]


def test_every_kind_is_examined_here() -> None:
    assert {type(speed) for speed in EVERY} == {
        find("slfac_sim.hosts.speeds", kind) for kind in kinds("slfac_sim.hosts.speeds")
    }


@pytest.mark.parametrize("speed", EVERY, ids=lambda speed: type(speed).__name__)
def test_every_device_has_a_positive_speed_in_its_order_and_again(speed) -> None:
    found = speed.speeds(DEVICES, seed=3)
    assert list(found) == DEVICES
    assert all(0 < value < math.inf for value in found.values())
    assert speed.speeds(DEVICES, seed=3) == found
    assert speed.speeds(DEVICES[::-1], seed=3) == found  # what is drawn does not depend on the order


def test_log_normal_has_its_median_and_spread() -> None:
    found = LogNormal(median=5e9, sigma=0.8).speeds(DEVICES, seed=1)
    logs = [math.log(value / 5e9) / 0.8 for value in found.values()]
    assert stats.kstest(logs, "norm").pvalue > 0.01
    assert statistics.median(found.values()) == pytest.approx(5e9, rel=0.15)
    assert set(LogNormal(median=5e9, sigma=0.0).speeds(DEVICES, seed=1).values()) == {5e9}


def test_adding_a_device_changes_nobody_elses_draw() -> None:
    fewer = LogNormal().speeds(DEVICES[:10], seed=1)
    assert LogNormal().speeds(DEVICES, seed=1) | fewer == LogNormal().speeds(DEVICES, seed=1)
    assert LogNormal().speeds(DEVICES[:10], seed=2) != fewer


def test_profiles_deal_out_exactly_their_counts_and_not_in_order() -> None:
    names: dict[Name, int] = {"raspberry_pi_4": 100, "jetson_nano": 300}
    found = list(Profiles(names=names).speeds(DEVICES, seed=1).values())
    assert sorted(found) == [PROFILES["raspberry_pi_4"].speed] * 100 + [PROFILES["jetson_nano"].speed] * 300
    in_first_half = found[:200].count(PROFILES["raspberry_pi_4"].speed)
    assert 35 <= in_first_half <= 65
    assert list(Profiles(names=names).speeds(DEVICES, seed=2).values()) != found


def test_profiles_whose_counts_do_not_fit_are_refused() -> None:
    with pytest.raises(BadInput, match=r"must sum to the number of devices, 400 \(got 3\)"):
        Profiles(names={"phone": 3}).speeds(DEVICES, seed=0)


def test_the_names_allowed_are_the_profiles_and_the_boards_keep_their_ratio() -> None:
    assert get_args(Name) == tuple(PROFILES)
    pi, nano, tx2 = (PROFILES[name].speed for name in ("raspberry_pi_4", "jetson_nano", "jetson_tx2"))
    assert tx2 / nano == pytest.approx(1.81)
    assert tx2 / pi == pytest.approx(11.6)


@pytest.mark.parametrize("name", PROFILES)
def test_no_profile_trains_faster_than_its_peak_or_rests_on_more_than_it_works(name: str) -> None:
    profile = PROFILES[name]
    assert 0.01 < profile.efficiency < 0.3
    assert 0.0 < profile.idle < profile.busy
    assert profile.power.idle + profile.power.compute == pytest.approx(profile.busy)
    assert 0.05 < profile.memory_bandwidth / profile.peak < 2.1  # bytes per FLOP


def test_hardware_is_dealt_out_as_the_speeds_are() -> None:
    fleet = Profiles(names={"raspberry_pi_4": 100, "microcontroller": 300}, hardware=True)
    speeds, found = fleet.speeds(DEVICES, seed=1), fleet.hardware_of(DEVICES, seed=1)
    memories = {PROFILES[name].speed: PROFILES[name].memory for name in fleet.names}
    assert {device: own.memory for device, own in found.items()} == {
        device: memories[speed] for device, speed in speeds.items()
    }


def test_measured_times_are_read_by_block() -> None:
    assert Measured(table=TABLE).blocks() == {"conv1": (0.001, 0.0025), "conv2": (0.002, 0.005)}
    assert set(Measured(table=TABLE, speed=3e9).speeds(DEVICES, seed=0).values()) == {3e9}


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", ":1: found nothing, expected block,forward_s,backward_s"),
        ("block,forward\n", ":1: found block,forward, expected"),
        ("block,forward_s,backward_s\n", ": there is no block in it"),
        ("block,forward_s,backward_s\na,1\n", ":2: found 2 columns, expected 3"),
        ("block,forward_s,backward_s\na,1,2\nb,x,2\n", ":3: found x, 2, expected two times in seconds"),
        ("block,forward_s,backward_s\na,1,-2\n", ":2: found 1, -2, expected times of 0 s or more"),
        ("block,forward_s,backward_s\na,1,inf\n", ":2: found 1, inf, expected times of 0 s or more"),
        ("block,forward_s,backward_s\na,1,2\n\na,1,2\n", ":4: the block 'a' is there twice"),
    ],
)
def test_a_table_that_cannot_be_used_is_refused_with_its_line(tmp_path: Path, text: str, fault: str) -> None:
    path = tmp_path / "times.csv"
    path.write_text(text)
    with pytest.raises(BadInput) as caught:
        Measured(table=path).speeds(DEVICES, seed=0)
    assert str(caught.value).startswith(f"{path}{fault}")


def test_a_table_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"table: .*none\.csv: cannot be read \(No such file"):
        Measured(table=tmp_path / "none.csv").blocks()
