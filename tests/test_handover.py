"""Handover: event A3 by hand, what a device that moves meets at each station, and what stays as it was."""

from math import ceil, hypot
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import simpy
from hypothesis import given, settings
from hypothesis import strategies as st
from test_change_laws import HOSTS, played
from test_resume import killed, resumed, rows, undisturbed
from told import sentences
from worlds import TINY

from slfac_sim.cli import main
from slfac_sim.foundation.errors import BadInput
from slfac_sim.foundation.plugins import adapter, find
from slfac_sim.network.kinds.multi_cell import MultiCell
from slfac_sim.network.varying.motion import Motion

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


def walks(**own: Any) -> tuple[Any, list[Any]]:
    """Return an air of four devices on their ways, and their walks."""
    air: Any = cells(**own).air(HOSTS, 3)
    return air, list(air._travellers._walks.values())


def told_by_a_clock(gains_db: Any, first: int, rule: dict[str, float], count: int) -> list[tuple[float, int]]:
    """Return times and targets of A3 by going from measurement to measurement, `gains_db` of each number."""
    a, in_a_row = 0.5 ** (rule["filter"] / 4), ceil(rule["time_to_trigger"] / rule["interval"] - 1e-9)
    filtered, station, since, found = gains_db(0), first, {}, []
    begins_s = 0.0
    for number in range(count):
        now_s = number * rule["interval"]
        filtered = [(1 - a) * was + a * new for was, new in zip(filtered, gains_db(number), strict=True)]
        for other, level in enumerate(filtered):
            if now_s >= begins_s and level > filtered[station] + rule["hysteresis"]:
                since.setdefault(other, number)
            else:
                since.pop(other, None)
        ready = [other for other, begun in since.items() if number - begun >= in_a_row]
        if ready:
            station = max(ready, key=lambda other: filtered[other])
            found.append((now_s, station))
            since, begins_s = {}, now_s + rule["interruption"]
    return found


RULES = {
    "default": {},
    "quick": {"time_to_trigger": 0.0, "hysteresis": 0.0, "filter": 0.0},
    "slow": {"time_to_trigger": 0.64, "hysteresis": 2.0, "filter": 11.0, "interval": 0.08},
    "daps": {"interruption": 0.0, "time_to_trigger": 0.1},
}


@pytest.mark.parametrize("name", RULES)
def test_handovers_are_those_of_a_clock_that_goes_from_measurement_to_measurement(name: str) -> None:
    walk = {"kind": "random_waypoint", "speed": (3.0, 30.0), "pause": 60.0}
    air, ways = walks(stations=3, handover=RULES[name], change={"walk": walk})
    rule = vars(air._handover) | {
        "time_to_trigger": np.ceil(air._handover.time_to_trigger / 0.04 - 1e-9) * 0.04
    }
    count = 10_000
    found = air.handovers((count - 0.5) * rule["interval"])
    for place, (device, way) in enumerate(zip(HOSTS.devices, ways, strict=True)):
        steps = way.steps(rule["interval"] * np.arange(count))
        gains_db = way.gains_db(range(int(steps[-1]) + 1)).T.tolist()
        first = int(air.ground.serving[place])
        by_clock = told_by_a_clock(lambda number, g=gains_db, s=steps: g[s[number]], first, rule, count)
        own = [(one.at_s, int(one.target[1:])) for one in found if one.device == device]
        assert [target for _, target in own] == [target for _, target in by_clock]
        assert [at_s for at_s, _ in own] == pytest.approx([at_s for at_s, _ in by_clock])
    assert found
    assert [one.at_s for one in found] == sorted(one.at_s for one in found)


def test_ping_pong_is_to_be_back_within_a_second() -> None:
    air, _ = walks(stations=7, change={"walk": {"kind": "random_waypoint", "speed": (20.0, 30.0)}})
    left_s: dict[tuple[str, str], float] = {}
    found = air.handovers(600.0)
    for one in found:
        assert one.is_ping_pong == (one.at_s - left_s.get((one.device, one.target), -9.0) < 1.0)
        left_s[one.device, one.source] = one.at_s
    assert {one.is_ping_pong for one in found} == {True, False}


def test_it_does_not_matter_when_one_asks() -> None:
    walk = {"walk": {"kind": "random_waypoint", "speed": (20.0, 30.0), "pause": 40.0}}
    early, late = (cells(change=walk).air(HOSTS, 3) for _ in range(2))
    late.handovers(1e3)
    (path,) = early.paths("d001", ("server",))
    for t_s in (1.0, 30.0, 31.7, 200.0):
        one, other = (air.moved(path, t_s) for air in (early, late))
        assert (one.lane, one.snr_db, one.power_w) == (other.lane, other.snr_db, other.power_w)
        assert early.rate_bps(one, 0, {"s0/up": 1}) == late.rate_bps(other, 0, {"s0/up": 1})
    assert early.handovers(300.0) == late.handovers(300.0)
    assert list(early.sightings([5.0, 250.0])) == list(late.sightings([5.0, 250.0]))


def test_shadows_of_each_link_are_correlated_along_the_way_and_with_those_of_other_stations() -> None:
    loss = {"kind": "log_distance", "shadowing": 6.0, "decorrelation": 20.0}
    _, ways = walks(
        pathloss=loss, change={"away": positions("far.csv", [(0, "d000", 9, 0), (9e5, "d000", 9e5, 0)])}
    )
    (way,) = ways
    shadows = np.array([way.state(step)[1] for step in range(way.step(8e5))])
    for shadow in shadows.T:
        assert shadow.std() == pytest.approx(1.0, abs=0.02)
        assert np.corrcoef(shadow[:-4], shadow[4:])[0, 1] == pytest.approx(np.exp(-1.0), abs=0.02)
    between = np.corrcoef(shadows.T)[np.triu_indices(7, 1)]
    assert between == pytest.approx(np.full(21, 0.5), abs=0.02)


INTERFERENCE: list[dict[str, Any]] = [
    {"interference": "none"},
    {"interference": "activity"},
    {"interference": "full"},
    {"interference": "load", "offered": 2e5},
    {"interference": "activity", "medium": "ofdma", "power_control": {}},
]


@given(st.integers(0, 2**32), st.integers(1, 4), st.sampled_from(INTERFERENCE))
@settings(max_examples=40)
def test_who_has_moved_is_received_and_disturbed_as_if_all_had_always_stood_there(
    draw: int, moving: int, interference: dict[str, Any]
) -> None:
    rng = np.random.default_rng(draw)
    starts, ends = (rng.uniform(-400, 400, (2, 4, 2))).tolist()
    plain = {"stations": 3, "pathloss": "free_space", "shadowing": "none", "outage": "allow"}
    own = plain | interference
    names = HOSTS.devices[:moving]
    rows = [(t_s, name, *at[i]) for t_s, at in ((0, starts), (20, ends)) for i, name in enumerate(names)]
    change = {"away": positions("away.csv", rows)}
    moved, ways = walks(**own, positions=starts, handover={"hysteresis": 0.0}, change=change)
    at = [*(way.place_m(way.step(1e3))[0].tolist() for way in ways), *starts[moving:]]
    stood = cells(**own, positions=at).air(HOSTS, 3)
    heard = {f"s{i}/{way}": int(rng.integers(4)) for i in range(3) for way in ("up", "down")}
    for device in HOSTS.devices:
        for src, dst in ((device, "server"), ("server", device)):
            (path,), (same,) = moved.paths(src, (dst,)), stood.paths(src, (dst,))
            now = moved.moved(path, 1e3)
            assert now.lane == same.lane
            rate_bps, as_there_bps = moved.rate_bps(now, 0, heard)[0], stood.rate_bps(same, 0, heard)[0]
            assert rate_bps == pytest.approx(as_there_bps, rel=1e-9)
            assert now.snr_db == pytest.approx(same.snr_db, abs=1e-9)
    links = {link.device: link for link in stood.survey().links}
    for one in moved.sightings([1e3]):
        link = links[one.device]
        there_bps = pytest.approx([link.up_rate_bps, link.down_rate_bps], rel=1e-9)
        assert one.station == link.station
        assert [one.up_rate_bps, one.down_rate_bps] == there_bps


def test_who_stands_still_hears_every_second_how_near_another_cell_has_come() -> None:
    own = LINE | {"interference": "full", "rate": "shannon_gap"}
    there = [(10.0, 0.0), (300.0, 0.0), (-20.0, 0.0), (0.0, 30.0)]
    change = {"near": positions("near.csv", [(0.5, "d001", 300, 0), (5.5, "d001", 250, 0)])}
    air = cells(**own, positions=there, change=change).air(HOSTS, 3)
    (up,), (down,) = air.paths("d000", ("server",)), air.paths("server", ("d000",))
    (effect,) = air.effects(up)
    (told,) = effect.factors
    assert [told.next_s(t_s) for t_s in (0.0, 1.0, 1.7, 4.0, 5.0)] == [1.0, 2.0, 2.0, 5.0, float("inf")]
    assert air.effects(down) == ()
    rates_bps = [air.rate_bps(air.moved(up, t_s), 0, {})[0] for t_s in (0.0, 1.0, 3.0, 5.0)]
    assert rates_bps == sorted(rates_bps, reverse=True)
    assert rates_bps[0] > rates_bps[-1]
    assert air.moved(up, 2.5) is air.moved(up, 2.0)
    assert air.moved(down, 5.0) is down


FAST = "network.change.jets={kind: random_waypoint, speed: [200 m/s, 300 m/s]}"
CELLS = "network={kind: multi_cell, stations: 3, spacing: 200 m, handover: {time_to_trigger: 40 ms}}"
SEVERAL = [CELLS, FAST]
RUNS = {
    "default": [],
    "full": ["network.interference=full", "network.outage=allow", "network.medium=ofdma"],
    "load": ["network.interference=load", "network.offered=100 kbit/s", "network.outage=allow"],
    "blocks": ["network.fading={kind: block, coherence: 20 ms}", "network.transport=tcp"],
    "crowd": ["network.change.others={kind: background, on: s0, rate: 2 kbit/s, size: 50 B}"],
}


@pytest.mark.parametrize("name", RUNS)
def test_a_replay_among_several_stations_is_the_live_run(name: str) -> None:
    quiet = ["--quiet", "--draw", "none", "--out"]
    assert main(["run", str(TINY), *quiet, "plain"]) == 0
    assert main(["run", str(TINY), *SEVERAL, *RUNS[name], "--strict", *quiet, "live"]) == 0
    assert main(["replay", "plain", *SEVERAL, *RUNS[name], *quiet, "replay"]) == 0
    live = rows(Path("live"))
    assert rows(Path("replay")) == live
    assert live["handovers"]


def test_a_run_with_handovers_goes_on_where_it_was_cut() -> None:
    undisturbed(Path("whole"), *SEVERAL)
    killed(Path("cut"), 30, *SEVERAL)
    resumed(Path("cut"))
    assert rows(Path("cut")) == rows(Path("whole"))
    assert rows(Path("cut"))["handovers"]


MC = "network={kind: multi_cell, stations: 2, "
WAY = "change: {away: {kind: positions, file: away.csv}}}"
REFUSED = {
    "network={kind: multi_cell, change: {walk: {kind: random_waypoint, speed: [0 m/s, 1 m/s]}}}": "override "
    "'network={kind: multi_cell, change: {walk: {kind: random_waypoint, speed: [0 m/s, 1 m/s]}}}': "
    "network.change.walk.speed.0: must be more than 0 (got '0 m/s')",
    MC + WAY: "network.change.away.file: 'away.csv' has no rows of d001 (it has d000)",
    MC + WAY.replace("file", "devices: [d000], file").replace("away.csv", "astray.csv"): "network.change: "
    "d000 never comes within reach of a station (5423.07 km from s1 at the nearest); move it or the "
    "station, or write outage: allow",
    "network={kind: multi_cell, station_positions: [[0 m, 0 m], [90 km, 0 m]], change: {w: {kind: "
    "gauss_markov, area: [300 m, 300 m]}}}": "network.station_positions: nobody ever comes within reach of "
    "s1 (89.85 km from d000 at the nearest); move it, or write outage: allow",
    "network={kind: multi_cell, handover: {interval: 0 s}}": "override 'network={kind: multi_cell, handover: "
    "{interval: 0 s}}': network.handover.interval: must be at least 0.001 (got '0 s')",
    "network={kind: multi_cell, handover: {filter: 20}}": "override 'network={kind: multi_cell, handover: "
    "{filter: 20}}': network.handover.filter: must be at most 19 (got 20)",
    "network={kind: multi_cell, handover: {hysteresis: -1 dB}}": "override 'network={kind: multi_cell, "
    "handover: {hysteresis: -1 dB}}': network.handover.hysteresis: must be at least 0 (got '-1 dB')",
    "network={kind: multi_cell, shadowing: correlated, change: {walk: {kind: gauss_markov}}}": "network."
    "shadowing: correlated is for devices that stand still; shadowing: independent is correlated along their "
    "ways",
}


@pytest.mark.parametrize("override", REFUSED)
def test_what_is_refused_is_one_sentence(override: str, capsys: pytest.CaptureFixture[str]) -> None:
    positions("away.csv", [(0, "d000", 1, 1), (9, "d000", 9, 1)])
    positions("astray.csv", [(0, "d000", 5e5, 5.4e6), (9, "d000", 5e5, 5.4e6)])
    assert main(["check", str(TINY), override]) == 2
    (line,) = sentences(capsys.readouterr().err)
    assert line == REFUSED[override]


def test_background_of_a_cell_in_which_nobody_is_is_told() -> None:
    crowd = {"kind": "background", "on": "s1/up", "rate": 1e5}
    near = ((10.0, 0.0), (20.0, 0.0), (0.0, 30.0), (0.0, 40.0))
    with pytest.raises(BadInput) as error:
        cells(stations=2, positions=near, change={"others": crowd}).open(simpy.Environment(), HOSTS, 3)
    assert str(error.value) == (
        "network.change.others.on: no device is on s1/up at the start, so that nobody sends there: "
        "expected s0/up, s0/down"
    )


PLACE = st.tuples(st.floats(-50, 50), st.floats(-50, 50))


@given(st.lists(PLACE, min_size=1, max_size=5), PLACE)
def test_how_near_a_way_comes_is_that_of_its_nearest_place(
    points: list[tuple[float, float]], to: tuple[float, float]
) -> None:
    way = Motion(points[0], [(float(number), *point) for number, point in enumerate(points[1:], start=1)])
    near_m = way.nearest_m(*to)
    on_the_way_m = min(hypot(to[0] - x, to[1] - y) for x, y in map(way.at, np.linspace(0, 5, 2001).tolist()))
    assert near_m <= on_the_way_m + 1e-9
    assert near_m == pytest.approx(on_the_way_m, abs=0.2)
