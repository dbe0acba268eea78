"""Days of devices of which few take part: as if each was walked for itself, at the cost of what was done."""

from collections.abc import Iterator, Sequence
from math import fsum, nextafter
from typing import Any

import pytest
from fakes import payload
from hypothesis import given, settings
from hypothesis import strategies as st
from timelines import Tables, Together, compute, evaluation, offer, play, send

from slfac_sim.analysis.attribution import cut, total
from slfac_sim.analysis.critical_path import Segment, Walk
from slfac_sim.analysis.days import LANES, lane_of
from slfac_sim.analysis.device_days import DeviceDays, device_days, mean_day
from slfac_sim.analysis.report.blocks import Lane
from slfac_sim.analysis.report.crowd import crowd, crowd_of
from slfac_sim.analysis.structure import devices_of, structure
from slfac_sim.effects import Send, Task
from slfac_sim.hosts.names import SERVER, device_names
from slfac_sim.network.kinds.ideal import Ideal

DEVICES = device_names(6)
SPEEDS = {**{name: (1.0 + place) * 1e9 for place, name in enumerate(DEVICES)}, SERVER: 10e9}
NETWORK = Ideal(up_rate=8e3, down_rate=16e3, latency=0.125)

WORK = st.lists(
    st.one_of(
        st.tuples(st.just("compute"), st.floats(0.0, 3.0)),
        st.tuples(st.just("server"), st.floats(0.0, 3.0)),
        st.tuples(st.sampled_from(["up", "down", "to all"]), st.integers(0, 2000)),
    ),
    max_size=4,
)
WHO = st.lists(st.sampled_from(DEVICES), unique=True, max_size=4)
PARTS_OF_A_RUN = st.tuples(
    st.sampled_from(["tasks", "below one", "in one", "cohort", "root"]),
    WHO,
    st.lists(WORK, min_size=4, max_size=4),
)


def _effect(device: str, kind: str, amount: float) -> Any:
    if kind in ("compute", "server"):
        return compute(device if kind == "compute" else SERVER, amount)
    if kind == "up":
        return send(device, SERVER, int(amount))
    return _sent(device if kind == "down" else tuple(DEVICES), int(amount))


def _sent(dst: str | tuple[str, ...], nbytes: int) -> Send:
    return Send(SERVER, dst, {"model_down": payload(nbytes)})


def _performed(device: str, work: Sequence[tuple[str, float]], *last: Any) -> Task:
    for kind, amount in work:
        yield _effect(device, kind, amount)
    yield from (effect for effect in last)


def _together(tasks: Sequence[Task]) -> Task:
    yield Together(tasks)


def _in_turn(tasks: Sequence[Task]) -> Task:
    for task in tasks:
        yield from task


def _part(number: int, kind: str, who: Sequence[str], work: Sequence[Any]) -> Iterator[Any]:
    tasks = [_performed(device, own) for device, own in zip(who, work, strict=False)]
    if kind == "cohort":
        own = enumerate(zip(who, work, strict=False))
        tasks = [
            _performed(device, done, offer(place, 0.5, len(who), f"cohort {number}"))
            for place, (device, done) in own
        ]
    if kind == "root":
        yield from _in_turn(tasks)
    elif tasks:
        yield Together(
            [{"below one": _together, "in one": _in_turn}[kind](tasks)] if "one" in kind else tasks
        )


def _played(parts: Sequence[Any]) -> Tables:
    def protocol() -> Task:
        for number, (kind, who, work) in enumerate(parts):
            yield from _part(number, kind, who, work)
            yield compute(SERVER, 0.25, "average")
            yield evaluation(number)

    return play(protocol(), SPEEDS, NETWORK)


def _walked(tables: Tables, device: str, since_s: float, until_s: float) -> tuple[Segment, ...]:
    """Return the day of `device`, walked from the end of the run for itself."""
    of = structure(tables)
    walk = Walk(of, of.ended_s(""), device)
    walk.back(("", of.last[""] + 1))
    return cut(reversed(walk.segments), since_s, until_s)


@given(st.lists(PARTS_OF_A_RUN, min_size=1, max_size=5), st.floats(0.0, 1.0), st.floats(0.0, 1.0))
@settings(max_examples=150)
def test_every_day_is_as_if_it_was_walked_for_itself(parts: Any, one: float, other: float) -> None:
    tables = _played(parts)
    end_s = structure(tables).ended_s("")
    since_s, until_s = sorted([one * end_s, nextafter(other * end_s, 0.0)])  # no evaluation's instant
    for days, span in (
        (device_days(tables), (0.0, end_s)),
        (device_days(tables, until_s, since_s), (since_s, until_s)),
    ):
        assert list(days) == devices_of(tables)
        for device, day in days.items():
            assert day == _walked(tables, device, *span)


@given(st.lists(PARTS_OF_A_RUN, min_size=1, max_size=5))
def test_what_is_said_of_all_days_is_that_of_each(parts: Any) -> None:
    days = device_days(_played(parts))
    every = total([segment for day in days.values() for segment in day])
    assert mean_day(days) == {part: seconds / max(len(days), 1) for part, seconds in every.items()}
    spent_s = days.spent_s(lane_of, LANES)
    for device, day in days.items():
        for lane in LANES:
            own = fsum(one.to_s - one.from_s for one in day if lane_of(one) == lane)
            assert spent_s[device][lane] == pytest.approx(own, rel=1e-9, abs=1e-12)
    counted = sum(devices for _, devices in days.counted())
    assert counted == sum(map(len, days.values()))


def _many(devices: int, rounds: int, each: int) -> DeviceDays:
    """Return the days of a run in which every device takes part in its turn, `each` in a round."""
    names = device_names(devices)

    def protocol() -> Task:
        for number in range(rounds):
            who = [names[(number * each + place) % devices] for place in range(each)]
            yield Together([_performed(device, [("compute", 1.0), ("up", 10)]) for device in who])
            yield compute(SERVER, 0.25, "average")
            yield _sent(tuple(names), 100)

    return device_days(play(protocol(), dict.fromkeys([*names, SERVER], 1e9), NETWORK))


def test_days_cost_what_was_done_not_devices_times_rounds() -> None:
    days = _many(devices=200, rounds=50, each=4)
    assert len(days) == 200
    assert sum(map(len, days.values())) > 200 * 50 * 2
    assert sum(1 for _ in days.counted()) < 50 * 40  # four that take part, and what all share


def test_a_crowd_of_spans_of_many_is_that_of_many_lanes() -> None:
    spans = [(0.0, 4.0, 0), (4.0, 10.0, 1)]
    lanes = [*(Lane(str(place), spans) for place in range(3)), Lane("other", [(0.0, 10.0, 1)])]
    counted = [*((*span, 3) for span in spans), (0.0, 10.0, 1, 1)]
    assert crowd("all", 4, counted, 2, 0.0, 10.0, 7) == crowd_of("all", lanes, 2, 0.0, 10.0, 7)
