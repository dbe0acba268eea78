"""Where the time went: worked by hand, sums of every kind of run, barriers, stragglers, lower bounds."""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from timelines import SPEEDS, compute, evaluation, offer, play, send, several_rounds, worked_by_hand
from worlds import live_run, table

from slfac_sim.analysis import structure
from slfac_sim.analysis.attribution import PARTS, attribute, attribute_each
from slfac_sim.analysis.bounds import BOUNDS, bounds, busiest_lane_s
from slfac_sim.analysis.critical_path import Segment
from slfac_sim.analysis.device_days import device_days, mean_day
from slfac_sim.effects import Task, Together
from slfac_sim.hosts import names
from slfac_sim.ledger.tables import TABLES
from slfac_sim.network.kinds.ideal import Ideal

CELL = "network={kind: cell, bandwidth: 5 MHz, uplink_share: 0.4, device_power: 1 mW}"
RUNS = {
    "slfac": ("codec=slfac", CELL),
    "fading": (CELL[:-1] + ", fading: {kind: block, coherence: 20 ms}}",),
    "epochs, unicast": (
        *("protocol.steps=null", "protocol.model_broadcast=unicast", "protocol.initial_model=broadcast"),
        *("partition={kind: dirichlet, alpha: 0.3}", CELL),
    ),
    "no sharing": ("network={kind: ideal, sharing: none, up_rate: 1 Mbit/s, down_rate: 1 Mbit/s}",),
}


@pytest.fixture(scope="module", params=RUNS)
def tables(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    path = tmp_path_factory.mktemp("run") / "ledger.sqlite"
    live_run(path, *RUNS[request.param])
    return {name: table(path, name) for name in TABLES}


def assert_seamless(segments: Sequence[Segment], from_s: float, to_s: float) -> None:
    assert segments[0].from_s == from_s
    assert segments[-1].to_s == to_s
    assert all(one.to_s == other.from_s for one, other in pairwise(segments))
    assert all(one.from_s < one.to_s and one.part in PARTS for one in segments)


def test_the_server_is_called_alike_everywhere() -> None:
    assert structure.SERVER == names.SERVER


def test_a_round_worked_by_hand() -> None:
    """docs/design.md has the clock of this round; d000, the slowest, is on the path all the way."""
    found = attribute(worked_by_hand())
    assert found.until_s == pytest.approx(4.79 + 6e-10, abs=1e-12)
    assert list(found.parts_s) == list(PARTS)
    assert found.parts_s == pytest.approx(
        {
            "device compute": 2.0,  # forward and backward of d000
            "codec": 0.0,
            "waiting for air": 0.25 + 1.0,  # half of 0.5 s from 1 s on; two thirds of 1.5 s down
            "airtime": 0.5 + 0.5 + 0.1 + 0.1,
            "propagation": 4 * 0.01,
            "server queue": 0.0,
            "server compute": 0.3 + 6e-10,
            "waiting at the barrier": 0.0,
            "waiting for wires": 0.0,
            "set-up": 0.0,
        },
        abs=1e-12,
    )
    assert found.straggler == {"d000": 2}  # the cohort and the averaging; the hand-out costs nothing here
    assert [(one.size, one.device) for one in found.barriers] == [(3, "d000"), (3, "d000")]
    (first, after) = found.rounds
    assert (first.round, first.to_s, first.straggler) == (1, pytest.approx(4.68 + 6e-10), "d000")
    assert (after.round, after.straggler) == (None, None)
    (step,) = found.steps
    assert (step.round, step.step, step.straggler) == (1, 1, "d000")
    assert (step.from_s, step.to_s) == pytest.approx((0.0, 4.57), abs=1e-12)


def test_the_days_of_the_same_round() -> None:
    tables = worked_by_hand()
    days = device_days(tables)
    assert list(days) == ["d000", "d001", "d002"]
    fast = dict.fromkeys(PARTS, 0.0)
    for segment in days["d002"]:
        fast[segment.part] += segment.to_s - segment.from_s
    assert fast["device compute"] == pytest.approx(0.5, abs=1e-12)
    assert fast["waiting at the barrier"] == pytest.approx((1.76 - 1.01) + (4.68 - 3.93), abs=1e-12)
    assert fast["airtime"] == pytest.approx(0.5 + 0.5 + 0.1 + 0.1, abs=1e-12)
    mean = mean_day(days)
    assert sum(mean.values()) == pytest.approx(4.79 + 6e-10, abs=1e-12)
    assert mean["device compute"] == pytest.approx((2.0 + 1.0 + 0.5) / 3, abs=1e-12)


def test_the_bounds_of_the_same_round() -> None:
    found = bounds(worked_by_hand())
    assert list(found) == list(BOUNDS)
    assert found["infinite bandwidth"] == pytest.approx(1 + 0.3 + 1 + 6e-10 + 4 * 0.01, abs=1e-12)
    assert found["zero compute"] == pytest.approx(3 * 0.5 + 3 * 0.1, abs=1e-9)  # the uplink's work
    assert found["no contention"] == pytest.approx(1 + 0.51 + 0.3 + 0.51 + 1 + 0.11 + 6e-10 + 0.11, abs=1e-9)


def test_every_second_of_a_run_has_a_part(tables: Any) -> None:
    end = attribute(tables)
    assert end.until_s == max(row["end_s"] for name in ("transfers", "computes") for row in tables[name])
    assert_seamless(end.path, 0.0, end.until_s)
    assert sum(end.parts_s.values()) == pytest.approx(end.until_s, rel=1e-9)
    assert end.parts_s["waiting at the barrier"] == 0.0
    assert all(end.parts_s[part] > 0.0 for part in ("device compute", "codec", "airtime", "server compute"))


def test_and_so_has_every_second_to_each_evaluation(tables: Any) -> None:
    end = attribute(tables)
    instants = [row["at_s"] for row in tables["evals"]]
    for instant_s, found in zip(instants, attribute_each(tables, instants), strict=True):
        assert found.until_s == instant_s
        assert sum(found.parts_s.values()) == pytest.approx(instant_s, rel=1e-9)
        assert found.path == tuple(one for one in end.path if one.to_s <= instant_s)


def test_rounds_follow_one_another_and_steps_lie_within_them(tables: Any) -> None:
    found = attribute(tables)
    ends = [row["at_s"] for row in tables["rounds"]]
    assert [one.round for one in found.rounds] == [1, 2, None]
    assert [one.to_s for one in found.rounds] == [*ends, found.until_s]
    for one in (*found.rounds, *found.steps):
        assert sum(one.parts_s.values()) == pytest.approx(one.to_s - one.from_s, rel=1e-9)
    for one, other in pairwise(found.steps):
        assert (one.round, one.step) < (other.round, other.step)
        assert one.to_s <= other.from_s + 1e-12
    assert {one.round for one in found.steps} == {1, 2}


def test_whoever_is_called_the_straggler_asked_last(tables: Any) -> None:
    found = attribute(tables)
    asked: dict[str, list[tuple[float, str]]] = {}
    for row in tables["offers"]:
        asked.setdefault(row["queue"], []).append((row["asked_s"], f"d00{row['place']}"))
    for step in found.steps:
        cohort = asked[f"cohort {step.round}.{step.step}"]
        assert step.straggler == (max(cohort)[1] if len(cohort) > 1 else None)
    assert sum(found.straggler.values()) == len(found.barriers)


def test_every_device_has_a_whole_day(tables: Any) -> None:
    days = device_days(tables)
    end = attribute(tables)
    assert list(days) == [f"d00{place}" for place in range(5)]
    for day in days.values():
        assert_seamless(day, 0.0, end.until_s)
    mean = mean_day(days)
    assert sum(mean.values()) == pytest.approx(end.until_s, rel=1e-9)
    assert mean["waiting at the barrier"] > 0.0
    computed = sum(
        row["end_s"] - row["asked_s"]
        for row in tables["computes"]
        if row["host"] != "server" and "code" not in row["what"]
    )
    assert 5 * mean["device compute"] == pytest.approx(computed, rel=1e-9)


def test_a_part_of_the_days_is_the_same_cut_out(tables: Any) -> None:
    since_s, until_s = (row["at_s"] for row in tables["rounds"])
    whole = device_days(tables)
    for device, day in device_days(tables, until_s, since_s).items():
        assert_seamless(day, since_s, until_s)
        inside = [one for one in whole[device] if one.from_s >= since_s and one.to_s <= until_s]
        assert [one[:5] for one in day] == [one[:5] for one in inside]


def test_no_bound_exceeds_the_record(tables: Any) -> None:
    for until_s in [None, *(row["at_s"] for row in tables["evals"])]:
        recorded_s = attribute(tables, until_s).until_s
        found = bounds(tables, until_s)
        assert all(0.0 <= value <= recorded_s * (1 + 1e-9) for value in found.values())
        assert all(found.values()) == (recorded_s > 0.0)


@pytest.mark.parametrize(
    ("bound", "overrides"),
    [
        ("infinite bandwidth", ("network={kind: ideal, up_rate: 1e18, down_rate: 1e18, latency: 5 ms}",)),
        (
            "zero compute",
            (
                "network.bandwidth=5 MHz",
                "network.retransmission=none",
                "devices.speed={kind: fixed, speed: 1e30}",
                "server.speed=1e30",
            ),
        ),
    ],
)
def test_nor_does_it_exceed_the_run_without_the_limit(
    tmp_path: Path, bound: str, overrides: tuple[str, ...]
) -> None:
    live_run(tmp_path / "with", "network.bandwidth=5 MHz", "network.retransmission=none")
    live_run(tmp_path / "without", *overrides)
    with_limit = {name: table(tmp_path / "with", name) for name in TABLES}
    without = attribute({name: table(tmp_path / "without", name) for name in TABLES}).until_s
    assert bounds(with_limit)[bound] <= without * (1 + 1e-9)
    assert without < attribute(with_limit).until_s


def test_stations_work_side_by_side_and_the_busiest_bounds_the_time(tables: Any) -> None:
    """Two halves of the devices on two stations: about half the airtime, and multicasts bound nothing."""
    tables = {**tables, "air": [{**row, "medium": "fair"} for row in tables["air"]]}
    of = {row["device"]: f"s{place % 2}" for place, row in enumerate(tables["links"])}
    apart = {**tables, "links": [{**row, "station": of[row["device"]]} for row in tables["links"]]}
    shares = {"up": 0.4, "down": 0.6}
    share_of = lambda row: shares["up" if row["dst"] == "server" else "down"]  # noqa: E731
    together_s, apart_s = (busiest_lane_s(one, share_of, None) for one in (tables, apart))
    lanes: dict[tuple[str, str], float] = {}
    for row in tables["transfers"]:
        if row["dst"] != "*":
            way, device = ("up", row["src"]) if row["dst"] == "server" else ("down", row["dst"])
            lanes[way, of[device]] = lanes.get((way, of[device]), 0.0) + row["airtime_s"] / shares[way]
    assert apart_s == pytest.approx(max(lanes.values()))
    assert apart_s < 0.9 * together_s


def test_a_run_from_before_its_air_was_written_down_has_the_same_bounds(tables: Any) -> None:
    if tables["air"][0]["medium"] == "none":
        pytest.skip("the rows alone do not tell that every device has a medium of its own")
    old = {name: rows for name, rows in tables.items() if name not in ("air", "stations", "links")}
    assert bounds(old) == pytest.approx(bounds(tables), rel=1e-6)


def test_alone_on_a_direction_that_has_two_fifths_of_the_time_takes_two_and_a_half_times_the_airtime(
    tmp_path: Path,
) -> None:
    live_run(tmp_path / "run", CELL, "devices.count=1")
    alone = {name: table(tmp_path / "run", name) for name in TABLES}
    recorded_s = attribute(alone).until_s
    assert bounds(alone)["no contention"] == pytest.approx(recorded_s, rel=1e-6)  # nobody to contend with


def _together(*tasks: Task, **limits: Any) -> Task:
    yield compute("server", 1.0)
    yield Together(tasks, **limits)
    yield compute("server", 0.5, "average")
    yield evaluation(1)


def _task(*effects: Any) -> Task:
    yield from (effect for effect in effects)  # a tuple takes no replies


HOSTS = {"d000": 1e9, "d001": 1e9, "server": 1e9}


def test_at_a_deadline_the_path_goes_through_the_work_that_was_cut_off() -> None:
    cut = _task(compute("d000", 9.0))
    tables = play(_together(cut, _task(compute("d001", 2.0)), deadline_s=3.0), HOSTS)
    found = attribute(tables)
    assert found.until_s == 4.5
    assert found.parts_s["device compute"] == 3.0
    assert found.straggler == {"d000": 1}
    with pytest.raises(ValueError, match="timing steered"):
        bounds(tables)


def test_a_shared_processor_gives_no_bounds(tmp_path: Path) -> None:
    live_run(tmp_path / "ledger.sqlite", CELL, "server.discipline=sharing", "server.speed=0.2 GFLOP/s")
    shared = {name: table(tmp_path / "ledger.sqlite", name) for name in TABLES}
    with pytest.raises(ValueError, match="server worked on several things at once"):
        bounds(shared)
    found = attribute(shared)
    assert sum(found.parts_s.values()) == pytest.approx(found.until_s)


def test_time_until_a_deadline_that_nobody_uses_is_waiting() -> None:
    stuck = _task(compute("d000", 1.0), offer(0, 1.0, of=2))
    found = attribute(play(_together(stuck, _task(compute("d001", 2.0)), deadline_s=3.0), HOSTS))
    assert found.until_s == 4.5
    assert found.parts_s["waiting at the barrier"] == 1.0  # from 3 s, when d001 is through, to 4 s
    assert found.parts_s["device compute"] == 2.0


def test_with_enough_results_the_path_goes_through_the_one_that_made_it_enough() -> None:
    slow, quick = _task(compute("d000", 9.0)), _task(compute("d001", 2.0))
    found = attribute(play(_together(slow, quick, enough=1), HOSTS))
    assert [(one.host, one.to_s) for one in found.path] == [("server", 1.0), ("d001", 3.0), ("server", 3.5)]
    assert found.straggler == {}  # the other one did not wait: it was cut off


def test_waiting_for_a_busy_server_is_its_queue_and_for_a_busy_device_its_computing() -> None:
    at_server = _together(_task(compute("server", 2.0)), _task(compute("server", 3.0, "decode")))
    found = attribute(play(at_server, HOSTS)).parts_s
    assert (found["server queue"], found["codec"], found["server compute"]) == (2.0, 3.0, 1.5)
    at_device = _together(_task(compute("d000", 2.0)), _task(compute("d000", 3.0, "decode")))
    found = attribute(play(at_device, HOSTS)).parts_s
    assert (found["device compute"], found["codec"]) == (2.0, 3.0)


def test_work_of_another_device_in_a_common_task_is_waiting_to_the_rest() -> None:
    relay = _task(compute("d000", 2.0), send("d000", "server", 1000), compute("d001", 3.0))
    days = device_days(play(relay, HOSTS, Ideal(up_rate=8e3, down_rate=8e3)))
    assert [(one.part, one.to_s - one.from_s) for one in days["d000"]] == [
        ("device compute", 2.0),
        ("airtime", 1.0),
        ("waiting at the barrier", 3.0),
    ]
    assert [(one.part, one.to_s) for one in days["d001"]] == [
        ("waiting at the barrier", 2.0),
        ("waiting at the barrier", 3.0),
        ("device compute", 6.0),
    ]


AT_OWN_PACE = [
    "protocol.kind=asynchronous",
    "protocol={kind: fedasync, rounds: 2, steps: 3}",
    "protocol={kind: fedbuff, rounds: 2, steps: 3, concurrency: 3, buffer: 2}",
    "protocol={kind: fedbuff, rounds: 2, steps: 3, concurrency: 1}",
]


@pytest.mark.parametrize("protocol", AT_OWN_PACE)
def test_where_nobody_waits_every_device_has_its_day_too(protocol: str, tmp_path: Path) -> None:
    """All its work and time on the air; in a round, which may end in a task of another, a part of that."""
    live_run(tmp_path / "ledger.sqlite", protocol, CELL)
    tables = {name: table(tmp_path / "ledger.sqlite", name) for name in TABLES}
    whole = device_days(tables)
    for device, day in whole.items():
        assert_seamless(day, 0.0, attribute(tables).until_s)
        own = [segment for segment in day if segment.host == device]
        computes = [row for row in tables["computes"] if row["host"] == device]
        sends = [row for row in tables["transfers"] if device in (row["src"], row["dst"])]
        spent_s = sum(row["end_s"] - row["asked_s"] for row in computes + sends)
        busy = [one for one in own if one.part != "waiting at the barrier"]
        assert sum(one.to_s - one.from_s for one in busy) == pytest.approx(spent_s, rel=1e-9)
    since_s, until_s = (row["at_s"] for row in tables["rounds"])
    for device, day in device_days(tables, until_s, since_s).items():
        inside = [one for one in whole[device] if one.from_s < until_s and one.to_s > since_s]
        assert [(one.part, one.host) for one in day] == [(one.part, one.host) for one in inside]
        assert_seamless(day, since_s, until_s)


def test_an_evaluation_within_a_task_has_its_own_path() -> None:
    early = _task(compute("d000", 1.0), evaluation(1), compute("d000", 1.0))
    tables = play(_together(early, _task(compute("d001", 5.0))), HOSTS)
    assert [one.host for one in attribute(tables, 2.0).path] == ["server", "d000"]
    assert [one.host for one in attribute(tables, 3.0).path] == ["server", "d001"]  # the end's path, cut off
    assert bounds(tables, 2.0)["infinite bandwidth"] == 2.0


def test_nothing_recorded_is_no_time_at_all() -> None:
    empty: dict[str, list[Any]] = {name: [] for name in TABLES}
    assert sum(attribute(empty).parts_s.values()) == 0.0
    assert device_days(empty) == {}
    assert mean_day(device_days(empty)) == dict.fromkeys(PARTS, 0.0)
    assert bounds(empty) == dict.fromkeys(BOUNDS, 0.0)


def test_times_outside_the_run_are_refused() -> None:
    tables = worked_by_hand()
    with pytest.raises(ValueError, match="is no time of the run"):
        attribute(tables, 4.8)
    with pytest.raises(ValueError, match="the time of no evaluation"):
        bounds(tables, 1.0)


EFFECTS = st.one_of(
    st.tuples(st.just("compute"), st.sampled_from(["forward", "encode"]), st.floats(0.0, 3.0)),
    st.tuples(st.just("server"), st.sampled_from(["decode", "work"]), st.floats(0.0, 3.0)),
    st.tuples(st.sampled_from(["up", "down"]), st.just(""), st.integers(0, 2000)),
)


def _perform(device: str, steps: Sequence[Sequence[tuple[str, str, Any]]], rounds: int) -> Iterator[Any]:
    for number in range(rounds):
        for kind, what, amount in steps[number % len(steps)]:
            if kind in ("compute", "server"):
                yield compute(device if kind == "compute" else "server", amount, what)
            else:
                yield send(*((device, "server") if kind == "up" else ("server", device)), amount)
        yield offer(int(device[1:]), 0.5, of=3, queue=f"cohort {number}")


@given(
    st.lists(st.lists(st.lists(EFFECTS, max_size=4), min_size=1, max_size=3), min_size=3, max_size=3),
    st.booleans(),
)
@settings(max_examples=60)
def test_whatever_the_protocol_the_parts_sum_to_the_whole(work: Any, nested: bool) -> None:
    """The asserts of the analysis itself are part of what is tested."""

    def protocol() -> Task:
        for _ in range(2):
            tasks = [_perform(device, steps, 2) for device, steps in zip(SPEEDS, work, strict=False)]
            yield Together([_task(Together([task])) for task in tasks] if nested else tasks)
            yield compute("server", 0.25, "average")

    tables = play(protocol(), SPEEDS, Ideal(up_rate=8e3, down_rate=16e3, latency=0.125))
    found = attribute(tables)
    assert_seamless(found.path, 0.0, found.until_s)
    assert found.parts_s["waiting at the barrier"] == 0.0
    assert all(value <= found.until_s * (1 + 1e-9) for value in bounds(tables).values())
    for day in device_days(tables).values():
        assert_seamless(day, 0.0, found.until_s)


def test_long_runs_are_walked_without_recursion() -> None:
    found = attribute(several_rounds(rounds=20, steps=10))
    assert len(found.steps) == 200
    assert len(found.rounds) == 21
