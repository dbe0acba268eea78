"""Devices that move in a cell: their ways, what becomes of their links, whole runs, and what is refused."""

from itertools import pairwise
from math import exp, hypot
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import simpy
from hypothesis import given
from hypothesis import strategies as st
from test_change_laws import HOSTS, played
from test_resume import killed, resumed, rows, undisturbed
from told import sentences
from worlds import TINY, scenario

from slfac_sim.cli import main
from slfac_sim.foundation.plugins import adapter, find
from slfac_sim.network.change import Target
from slfac_sim.network.change._area import Rectangle
from slfac_sim.network.change.gauss_markov import GaussMarkov
from slfac_sim.network.change.random_waypoint import RandomWaypoint
from slfac_sim.network.contract import Station
from slfac_sim.network.kinds.cell import Cell
from slfac_sim.network.radio.pathloss.log_distance import LogDistance
from slfac_sim.network.radio.placement import Layout, ground
from slfac_sim.network.radio.walk import Walk
from slfac_sim.network.varying.motion import Motion
from slfac_sim.runs.planned import planned
from slfac_sim.scenario.fingerprint import point_key

WALK = {"kind": "random_waypoint", "speed": (5.0, 30.0)}
AWAY = "time_s,device,x_m,y_m\n" + "".join(
    f"{t},d{i:03},{20 + 10 * i + 15 * t},{30 * i}\n" for t in (0, 1, 4) for i in range(4)
)


def cell(**own: Any) -> Cell:
    settings = adapter(find("slfac_sim.network.kinds", "cell")).validate_python(own)
    assert isinstance(settings, Cell)
    return settings


def ways(kind: RandomWaypoint | GaussMarkov, count: int) -> list[Motion]:
    return [kind.motion(Target("walk", f"d{i}", True), 7, 100.0) for i in range(count)]


def speeds(motions: list[Motion], t_s: float) -> np.ndarray:
    places = [(*motion.at(t_s), *motion.at(t_s + 1e-3)) for motion in motions]
    return np.array([hypot(c - a, d - b) / 1e-3 for a, b, c, d in places])


@pytest.mark.parametrize(("sides_m", "mean_m"), [((1.0, 1.0), 0.521405), ((500.0, 300.0), 211.954)])
def test_a_leg_is_as_long_as_known(sides_m: tuple[float, float], mean_m: float) -> None:
    assert Rectangle(*sides_m).mean_leg_m == pytest.approx(mean_m, rel=2e-6)
    one, other = np.random.default_rng(1).random((2, 100_000, 2)) * sides_m
    legs_m = np.hypot(*(one - other).T)
    assert abs(legs_m.mean() - mean_m) < 4.0 * legs_m.std() / len(legs_m) ** 0.5


@pytest.mark.parametrize(("speed", "mean"), [((1.0, 20.0), 6.3424), ((0.5, 1.5), 0.91024)])
@pytest.mark.parametrize("t_s", [0.0, 700.0])
def test_random_waypoint_is_as_fast_at_the_start_as_at_any_time(
    speed: tuple[float, float], mean: float, t_s: float
) -> None:
    found = speeds(ways(RandomWaypoint(speed=speed, area=(500.0, 300.0)), 3000), t_s)
    assert abs(found.mean() - mean) < 4.0 * found.std() / len(found) ** 0.5


def test_random_waypoint_pauses_and_is_nearer_to_the_middle_from_the_start_on() -> None:
    walk = RandomWaypoint(area=(500.0, 300.0), pause=120.0)
    motions = ways(walk, 3000)
    going_s = walk.rectangle(100.0).mean_leg_m * walk.mean_pace_s_per_m
    still = 120.0 / (120.0 + going_s)
    for t_s in (0.0, 1500.0):
        paused = speeds(motions, t_s) < 1e-9
        assert abs(paused.mean() - still) < 4.0 * (still * (1.0 - still) / 3000) ** 0.5
        x_m = np.array([motion.at(t_s)[0] for motion in motions])
        assert x_m.std() < 0.93 * 500.0 / 12.0**0.5
        assert np.abs(x_m).max() <= 250.0


def test_gauss_markov_remembers_is_everywhere_alike_and_as_fast_as_asked() -> None:
    motions = ways(GaussMarkov(speed=2.0, memory=0.8, area=(4000.0, 3000.0)), 3000)
    places = np.array([[motion.at(t_s) for t_s in (300.0, 301.0, 302.0)] for motion in motions])
    before, after = np.diff(places, axis=1).transpose(1, 0, 2)
    assert np.hypot(*before.T).mean() == pytest.approx(2.0, rel=0.04)
    assert np.corrcoef(before.ravel(), after.ravel())[0, 1] == pytest.approx(0.8, abs=0.02)
    for side, of_side_m in zip(places[:, 0].T, (4000.0, 3000.0), strict=True):
        assert side.std() == pytest.approx(of_side_m / 12.0**0.5, rel=0.04)
    narrow = ways(GaussMarkov(speed=20.0, area=(10.0, 30.0)), 20)
    assert all(abs(x) <= 5.0 and abs(y) <= 15.0 for way in narrow for x, y in map(way.at, range(50)))


@given(st.lists(st.tuples(st.floats(0.01, 10.0), st.floats(-50, 50), st.floats(-50, 50)), max_size=8))
def test_who_has_come_so_far_is_there_at_that_time(legs: list[tuple[float, float, float]]) -> None:
    ends_s = np.cumsum([leg[0] for leg in legs]).tolist()
    all_legs = [(t_s, x, y) for t_s, (_, x, y) in zip(ends_s, legs, strict=True)]
    points = [(0.0, 0.0), *((x, y) for _, x, y in legs)]
    whole_m = sum(hypot(c - a, d - b) for (a, b), (c, d) in pairwise(points))
    motion = Motion((0.0, 0.0), all_legs)
    assert motion.reaches_s(whole_m + 1.0) == float("inf")
    assert motion.at(1e6) == points[-1]
    for part in (0.2, 0.7):
        if whole_m > 1e-3:
            at_s = motion.reaches_s(part * whole_m)
            begun = sum(end_s <= at_s for end_s in ends_s)
            so_far = [*points[: begun + 1], motion.at(at_s)]
            come_m = sum(hypot(c - a, d - b) for (a, b), (c, d) in pairwise(so_far))
            assert come_m == pytest.approx(part * whole_m, rel=1e-6, abs=1e-6)


def straight(settings: Cell, seed: int = 3) -> Walk:
    """Return the walk of a device that goes straight on for ever, at 1 m/s."""
    layout = Layout((Station("server", 0.0, 0.0),), 150.0, 10.0, ((30.0, 0.0),))
    budget = settings.air(HOSTS, seed).radio.budget  # type: ignore[attr-defined]
    start = ground(["d000"], seed, layout, budget, lambda placed: placed.covered)
    return Walk("d000", seed, Motion((30.0, 0.0), [(1e9, 1e9, 0.0)]), budget, start, 0, layout.stations)


def test_shadows_are_correlated_along_the_way() -> None:
    walk = straight(cell(pathloss=LogDistance(shadowing=6.0, decorrelation=20.0)))
    assert walk.step_m == 5.0
    steps = walk.step(1e6 + 2.5)
    assert steps == 200_000
    shadows = np.array([walk.state(step)[1][0] for step in range(steps)])
    assert abs(shadows.mean()) < 0.05
    assert shadows.std() == pytest.approx(1.0, abs=0.02)
    assert np.corrcoef(shadows[:-4], shadows[4:])[0, 1] == pytest.approx(exp(-1.0), abs=0.02)


def test_a_line_of_sight_is_drawn_anew_after_50_m_of_steps_of_a_quarter_of_the_decorrelation() -> None:
    walk = straight(cell())
    assert walk.step_m == 2.5
    seen = [bool(walk.state(step)[0][0]) for step in range(walk.step(2000.0))]
    changes = [step for step in range(1, len(seen)) if seen[step] != seen[step - 1]]
    assert changes
    assert all(step % 20 == 0 for step in changes)
    near = [straight(cell(), seed) for seed in range(400)]
    again = [walk.state(walk.step(50.1))[0][0] for walk in near]  # 80 m away: 0.225 + 0.775 e^(-80 / 36)
    assert np.mean(again) == pytest.approx(0.309, abs=0.1)


def test_a_rate_is_that_of_the_place_of_the_moment() -> None:
    plain: dict[str, Any] = {"shadowing": "none", "pathloss": {"kind": "free_space"}, "header_bytes": 0}
    Path("away.csv").write_text(AWAY)
    moving = cell(**plain, change={"away": {"kind": "positions", "file": "away.csv"}})
    env = simpy.Environment()
    network = moving.open(env, HOSTS, 3)
    env.run(4.5)
    late = network.transfer("d001", "server", 100_000)
    env.run(late)
    there = [(20.0 + 10.0 * i + 60.0, 30.0 * i) for i in range(4)]
    other = simpy.Environment()
    still = cell(**plain, positions=there).open(other, HOSTS, 3)
    other.run(4.5)
    same = still.transfer("d001", "server", 100_000)
    other.run(same)
    assert late.value.end_s == pytest.approx(same.value.end_s, rel=1e-9)
    assert late.value.snr_db == pytest.approx(same.value.snr_db, abs=1e-9)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


AIRS: dict[str, dict[str, Any]] = {
    "fair": {},
    "ofdma": {"medium": "ofdma", "power_control": {}},
    "proportional_fair": {"medium": "proportional_fair", "small_scale": "rician"},
    "blocks": {"fading": {"kind": "block", "coherence": 0.05}, "small_scale": "rician"},
    "static": {"fading": "static", "outage": "allow", "duplex": "half"},
    "tdma": {"medium": "tdma"},
}


@pytest.mark.parametrize("transport", ["fluid", "tcp", "udp"])
@pytest.mark.parametrize("air", AIRS)
def test_bits_are_conserved_on_the_way(air: str, transport: str) -> None:
    packets = {"kind": transport} if transport != "udp" else {"kind": "udp", "tries": None}
    settings = cell(**AIRS[air], transport=packets, change={"walk": WALK | {"devices": ("d000", "d002")}})
    went = played(settings)
    assert len(went) == 16
    for one in went:
        assert one.asked_s <= one.start_s <= one.last_bit_s
        bits = one.rate_bps * one.airtime_s
        assert bits <= 8.0 * one.wire_bytes * (1.0 + 1e-6)
        if one.delivered:
            assert bits >= 8.0 * one.wire_bytes * (1.0 - 1e-6)
    assert played(settings) == went


def test_devices_that_stand_still_are_where_they_are_without_a_walk() -> None:
    there = [(20.0, 5.0), (-40.0, 10.0), (0.0, 60.0), (-30.0, -50.0)]
    rows = "".join(f"0,{name},{x},{y}\n" for name, (x, y) in zip(HOSTS.devices, there, strict=True))
    Path("still.csv").write_text(f"time_s,device,x_m,y_m\n{rows}")
    for air in AIRS.values():
        still = cell(**air, change={"none": {"kind": "positions", "file": "still.csv"}})
        assert played(still) == played(cell(**air, positions=there))


def test_who_does_not_move_is_not_touched_by_those_that_do() -> None:
    alone = cell(medium="fdma", change={"walk": WALK | {"devices": ("d001",)}})
    ends_s = []
    for settings in (alone, cell(medium="fdma")):
        env = simpy.Environment()
        network = settings.open(env, HOSTS, 3)
        sent = [network.transfer(device, "server", 400_000) for device in HOSTS.devices]
        env.run(1e3)
        ends_s.append([transfer.value.end_s for transfer in sent])
    moved, still = ends_s
    assert moved[1] != still[1]
    assert moved[:1] + moved[2:] == still[:1] + still[2:]


RUNS = {
    "walk": ["network.change.walk={kind: random_waypoint, speed: [20 m/s, 40 m/s]}"],
    "drift": ["network.medium=ofdma", "network.change.walk={kind: gauss_markov, speed: 100 km/h}"],
    "fading": ["network.fading={kind: block, coherence: 20 ms}", "network.change.walk={kind: gauss_markov}"],
    "crowd": [
        "network.change.walk={kind: gauss_markov, speed: 20 m/s}",
        "network.change.others={kind: background, on: up, rate: 300 kbit/s, size: 20 kB}",
    ],
    "file": ["network.change.away={kind: positions, devices: [d000, d002], file: away.csv}"],
}


@pytest.mark.parametrize("change", RUNS)
def test_a_replay_is_the_live_run_and_keeps_the_laws(change: str) -> None:
    Path("away.csv").write_text(AWAY)
    quiet = ["--quiet", "--draw", "none", "--out"]
    assert main(["run", str(TINY), *quiet, "plain"]) == 0
    assert main(["run", str(TINY), *RUNS[change], "--strict", *quiet, "live"]) == 0
    assert main(["replay", "plain", *RUNS[change], *quiet, "replay"]) == 0
    assert rows(Path("replay")) == rows(Path("live"))
    assert rows(Path("live"))["transfers"] != rows(Path("plain"))["transfers"]


def test_a_walk_goes_on_and_a_changed_file_is_another_run() -> None:
    undisturbed(Path("whole"), RUNS["walk"][0])
    killed(Path("cut"), 30, RUNS["walk"][0])
    resumed(Path("cut"))
    assert rows(Path("cut")) == rows(Path("whole"))
    Path("away.csv").write_text(AWAY)
    first = point_key(scenario(*RUNS["file"]))
    Path("away.csv").write_text(AWAY.replace("0,d000,20", "0,d000,21"))
    assert point_key(scenario(*RUNS["file"])) != first


REFUSED = {
    "network.change.walk={kind: random_waypoint, speed: [0 m/s, 1 m/s]}": "override "
    "'network.change.walk={kind: random_waypoint, speed: [0 m/s, 1 m/s]}': "
    "network.change.walk.speed.0: must be more than 0 (got '0 m/s')",
    "network.change.walk={kind: random_waypoint, speed: [2 m/s, 1 m/s]}": "override "
    "'network.change.walk={kind: random_waypoint, speed: [2 m/s, 1 m/s]}': "
    "network.change.walk: speed must rise (got 2 m/s, then 1 m/s)",
    "network.change.walk={kind: positions, file: away.csv}": "network.change.walk.file: 'away.csv' has no "
    "rows of d004 (it has d000, d001, ..., d003)",
    "network.change.walk={kind: positions, file: back.csv}": "network.change.walk.file: back.csv:4: "
    "time_s 4 does not come after 5",
    "network.change.walk={kind: positions, file: text.csv}": "network.change.walk.file: text.csv:2: "
    "y_m must be a number (got 'here')",
    "network.change.walk={kind: positions, file: leap.csv}": "network.change.walk.file: leap.csv: d000 goes "
    "5000 km from 4 s to 5 s: expected 100 km/s at most",
    "network.change.walk={kind: positions, file: none.csv}": "network.change.walk.file: 'none.csv' "
    "cannot be read (No such file or directory)",
    "network={kind: ideal, change: {walk: {kind: gauss_markov}}}": "network.change.walk: devices move "
    "in network: {kind: cell}, multi_cell or wifi (this is ideal)",
    "network={kind: cell, shadowing: correlated, change: {walk: {kind: gauss_markov}}}": "network.shadowing: "
    "correlated is for devices that stand still; shadowing: independent is correlated along their ways",
    "network={kind: cell, pathloss: {kind: umi, penetration: {}}, change: {x: {kind: gauss_markov}}}": "net"
    "work.pathloss.penetration: devices in buildings stand still; leave out what moves",
    "network={kind: cell, change: {walk: {kind: gauss_markov}, run: {kind: random_waypoint}}}": "network."
    "change.run.devices: d000 moves by network.change.walk already",
    "network.change.walk={kind: gauss_markov, devices: [d0077]}": "network.change.walk.devices: no 'd0077' "
    "among d000 to d004; did you mean 'd004'?",
}


@pytest.mark.parametrize("override", REFUSED)
def test_what_is_refused_is_one_sentence(override: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("away.csv").write_text(AWAY)
    Path("back.csv").write_text("time_s,device,x_m,y_m\n0,d000,1,1\n5,d000,2,2\n4,d000,3,3\n")
    Path("leap.csv").write_text("time_s,device,x_m,y_m\n3,d000,1,1\n4,d000,0,0\n5,d000,4e6,3e6\n")
    Path("text.csv").write_text("time_s,device,x_m,y_m\n0,d000,1,here\n")
    assert main(["check", str(TINY), override]) == 2
    (line,) = sentences(capsys.readouterr().err)
    assert line == REFUSED[override]


@pytest.mark.parametrize(
    ("network", "said"),
    [
        (
            "{kind: cell, change: {walk: {kind: positions, file: geo.csv, devices: [d000]}}}",
            "no device that moves is faster than 0.00014 m/s: are the places of a file in degrees (SUMO with"
            " --fcd-output.geo)? They must be metres",
        ),
        (
            "{kind: cell, change: {walk: {kind: random_waypoint, speed: [50, 50]}}}",
            "devices move at up to 50 m/s, which is 180 km/h: a speed without a unit is in m/s, places in m",
        ),
        ("{kind: multi_cell, handover: {hysteresis: 1}}", "handover has no effect: no device moves"),
    ],
)
def test_check_asks_about_odd_units_and_settings_without_effect(
    network: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("geo.csv").write_text("time_s,device,x_m,y_m\n0,d000,0.001,0.001\n500,d000,0.071,0.001\n")
    assert said in planned(scenario(f"network={network}")).remarks
    walk = "{kind: random_waypoint, speed: [5, 9]}"
    usual = planned(
        scenario(f"network={{kind: multi_cell, change: {{walk: {walk}}}, handover: {{filter: 0}}}}")
    )
    assert not any("no device moves" in remark or "m/s" in remark for remark in usual.remarks)
