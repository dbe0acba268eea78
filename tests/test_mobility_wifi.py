"""Devices that move around an access point: the laws of those that move in a cell."""

from pathlib import Path
from typing import Any

import pytest
import simpy
from test_mobility import HOSTS, WALK, played
from test_resume import rows
from worlds import TINY

from slfac_sim.cli import main
from slfac_sim.foundation.plugins import adapter, find
from slfac_sim.network.kinds.wifi import Wifi

AIRS: dict[str, dict[str, Any]] = {
    "csma": {},
    "dcf": {"medium": "dcf"},
    "blocks": {"fading": {"kind": "block", "coherence": 0.05}},
    "802.11a": {"medium": {"kind": "csma", "standard": "802.11a"}},
}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def wifi(**own: Any) -> Wifi:
    settings = adapter(find("slfac_sim.network.kinds", "wifi")).validate_python(own)
    assert isinstance(settings, Wifi)
    return settings


@pytest.mark.parametrize("transport", ["fluid", "tcp"])
@pytest.mark.parametrize("air", AIRS)
def test_bits_are_conserved_on_the_way(air: str, transport: str) -> None:
    walk = {"walk": WALK | {"devices": ("d000", "d002")}}
    settings = wifi(**AIRS[air], transport={"kind": transport}, radius=40.0, change=walk)
    went = played(settings)
    assert len(went) == 16
    for one in went:
        assert one.asked_s <= one.start_s <= one.last_bit_s
        bits = one.rate_bps * one.airtime_s
        assert bits <= 8.0 * one.wire_bytes * (1.0 + 1e-6)
        if one.delivered:
            assert bits >= 8.0 * one.payload_bytes * (1.0 - 1e-6)
    assert played(settings) == went


def test_devices_that_stand_still_are_where_they_are_without_a_walk() -> None:
    there = [(2.0, 5.0), (-14.0, 10.0), (0.0, 6.0), (-3.0, -15.0)]
    lines = "".join(f"0,{name},{x},{y}\n" for name, (x, y) in zip(HOSTS.devices, there, strict=True))
    Path("still.csv").write_text(f"time_s,device,x_m,y_m\n{lines}")
    for air in AIRS.values():
        still = wifi(**air, change={"none": {"kind": "positions", "file": "still.csv"}})
        assert played(still) == played(wifi(**air, positions=there))


def test_a_rate_is_that_of_the_place_of_the_moment() -> None:
    """Ten seconds on it is 40 m away, as one that stands there; a step is 1 m at most."""
    Path("away.csv").write_text("time_s,device,x_m,y_m\n0,d000,2,0\n19,d000,78,0\n")
    plain: dict[str, Any] = {"shadowing": "none", "radius": 80.0, "outage": "allow"}
    rates_bps = []
    for own in (
        {"change": {"away": {"kind": "positions", "file": "away.csv", "devices": ("d000",)}}},
        {"positions": ((42.0, 0.0), (5.0, 0.0), (5.0, 1.0), (5.0, 2.0))},
    ):
        env = simpy.Environment()
        network = wifi(**plain, **own).open(env, HOSTS, 1)
        env.run(10.0)
        transfer = network.transfer("d000", "server", 1000)
        env.run(transfer)
        rates_bps.append(transfer.value.rate_bps)
        if "change" in own:
            (seen,) = network.sightings([10.0])
            assert (seen.x_m, seen.station) == (42.0, "server")
    assert rates_bps[0] == rates_bps[1]


def test_a_replay_is_the_live_run_and_keeps_the_laws() -> None:
    air = ["network=wifi", "network.change.walk={kind: random_waypoint, speed: [3 m/s, 9 m/s]}"]
    quiet = ["--quiet", "--draw", "none", "--out"]
    assert main(["run", str(TINY), *quiet, "plain"]) == 0
    assert main(["run", str(TINY), *air, "--strict", *quiet, "live"]) == 0
    assert main(["replay", "plain", *air, *quiet, "replay"]) == 0
    assert rows(Path("replay")) == rows(Path("live"))
