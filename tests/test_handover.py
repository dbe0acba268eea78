"""Handover: event A3 by hand, what a device that moves meets at each station, and what stays as it was."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from test_change_laws import HOSTS, played

from slfac_sim.foundation.plugins import adapter, find
from slfac_sim.network.kinds.multi_cell import MultiCell

THERE = [(20.0, 5.0), (140.0, 10.0), (0.0, 60.0), (-30.0, -250.0)]
LINE: dict[str, Any] = {
    "station_positions": ((0.0, 0.0), (400.0, 0.0)),
    "pathloss": "free_space",
    "shadowing": "none",
    "interference": "none",
    "header_bytes": 0,
}


def cells(**own: Any) -> MultiCell:
    settings = adapter(find("slfac_sim.network.kinds", "multi_cell")).validate_python(own)
    assert isinstance(settings, MultiCell)
    return settings


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def positions(file: str, rows: list[tuple[float, str, float, float]]) -> dict[str, Any]:
    text = "".join(f"{t},{name},{x},{y}\n" for t, name, x, y in rows)
    Path(file).write_text(f"time_s,device,x_m,y_m\n{text}")
    return {"kind": "positions", "file": file, "devices": tuple(dict.fromkeys(row[1] for row in rows))}


def straight(speed: float) -> dict[str, Any]:
    """Return the way of d000 from one station of `LINE` to the other."""
    return positions("line.csv", [(0, "d000", 50, 0), (300 / speed, "d000", 350, 0)])


def crossed_m(hysteresis_db: float) -> float:
    """Return where on the way the other station of `LINE` is so much better: x / (400 - x) in dB by power."""
    ratio = 10 ** (hysteresis_db / 20)
    return 400 * ratio / (1 + ratio)


@pytest.mark.parametrize("hysteresis", [1.0, 3.0, 6.0])
def test_a_device_on_a_line_is_handed_over_where_the_other_station_is_better(hysteresis: float) -> None:
    rule = {"hysteresis": hysteresis, "filter": 0, "time_to_trigger": 0.0}
    air = cells(**LINE, handover=rule, change={"away": straight(10.0)}).air(HOSTS, 3)
    (one,) = air.handovers(60.0)
    assert (one.device, one.source, one.target, one.is_ping_pong) == ("d000", "s0", "s1", False)
    steps = (crossed_m(hysteresis) - 50) / 5  # free space is not shadowed: steps of 5 m
    there_s = (np.floor(steps) + 1) * 0.5
    assert one.at_s == pytest.approx(np.ceil(there_s / 0.04 - 1e-9) * 0.04)
    assert one.target_dbm - one.source_dbm > hysteresis


def test_the_time_to_trigger_and_the_filter_delay_it() -> None:
    at_s = {}
    for name, rule in {
        "at_once": {"filter": 0, "time_to_trigger": 0.0},
        "later": {"filter": 0, "time_to_trigger": 0.16},
        "filtered": {"filter": 16, "time_to_trigger": 0.0},
    }.items():
        air = cells(**LINE, handover=rule, change={"away": straight(10.0)}).air(HOSTS, 3)
        (one,) = air.handovers(60.0)
        at_s[name] = one.at_s
    assert at_s["later"] - at_s["at_once"] == pytest.approx(0.16)
    assert at_s["filtered"] > at_s["at_once"] + 0.16


def test_a_path_is_on_the_lane_of_the_station_that_serves_then() -> None:
    air = cells(**LINE, change={"away": straight(10.0)}).air(HOSTS, 3)
    (one,) = air.handovers(60.0)
    (up,) = air.paths("d000", ("server",))
    (down,) = air.paths("server", ("d000",))
    (effect,) = air.effects(up)
    before_s = np.nextafter(one.at_s, 0.0)
    assert effect.factors[0].next_s(before_s) == one.at_s
    for path in (up, down):
        way = "up" if path.uplink else "down"
        assert air.moved(path, before_s).lane == f"s0/{way}"
        assert air.moved(path, one.at_s).lane == f"s1/{way}"
        assert air.resumes_s(path, before_s) == before_s
        assert air.resumes_s(path, one.at_s) == one.at_s + 0.05
        assert air.resumes_s(path, one.at_s + 1.0) == one.at_s + 1.0


AIRS: dict[str, dict[str, Any]] = {
    "activity": {},
    "full": {"interference": "full", "outage": "allow"},
    "load": {"interference": "load", "offered": 1e5, "outage": "allow"},
    "ofdma": {"medium": "ofdma", "power_control": {}},
    "blocks": {"fading": {"kind": "block", "coherence": 0.05}, "small_scale": "rician"},
    "tdma": {"medium": "tdma", "interference": "none"},
}


@pytest.mark.parametrize("air", AIRS)
def test_devices_that_stand_still_have_the_transfers_of_a_network_without_walks(air: str) -> None:
    rows = [(0.0, name, x, y) for name, (x, y) in zip(HOSTS.devices, THERE, strict=True)]
    still = cells(**AIRS[air], change={"none": positions("still.csv", rows)})
    without = cells(**AIRS[air], positions=THERE)
    if air != "tdma":  # which has a slot on each lane for whoever may come
        assert played(still) == played(without)
    assert still.air(HOSTS, 3).handovers(1e9) == []
