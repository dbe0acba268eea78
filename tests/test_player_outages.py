"""Hosts that go down and come up: what is interrupted, what goes on, what is waited for, what has stalled."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from math import inf, nextafter
from typing import Any

import pytest
import simpy
from fakes import payload
from hypothesis import given, settings
from hypothesis import strategies as st
from worlds import column

from slfac_sim.effects import (
    MISSED,
    Compute,
    Excuse,
    Failed,
    HostDown,
    Note,
    Offer,
    Present,
    Send,
    Task,
    Together,
)
from slfac_sim.hosts.availability import Outage
from slfac_sim.hosts.names import SERVER, device_names
from slfac_sim.ledger.store import MemoryLedger
from slfac_sim.network import Hosts
from slfac_sim.network.kinds.ideal import Ideal
from slfac_sim.simulation.outages import Outages
from slfac_sim.simulation.simulated import SimulatedPlayer, Stalled

DEVICES = device_names(3)
SPEEDS = {"d000": 1e9, "d001": 2e9, "d002": 4e9, SERVER: 10e9}
Spans = list[tuple[float, float]]


class Stage:
    """A simulated player on an ideal network, 1 MB/s each way, no latency; hosts are down in `outages`."""

    def __init__(self, outages: dict[str, Spans], reason: str = "off", **more: Any) -> None:
        self.env = simpy.Environment(initial_time=0.0)
        self.network = Ideal(up_rate=8e6, down_rate=8e6, latency=0.0).open(
            self.env, Hosts(DEVICES, (SERVER,)), 0
        )
        self.rows = MemoryLedger()
        plans = {
            host: iter([Outage(down_s, up_s, reason) for down_s, up_s in spans])
            for host, spans in outages.items()
        }
        self.player = SimulatedPlayer(self.env, self.network, SPEEDS, self.rows, availability=plans, **more)
        self.heard: list[str] = []

    def play(self, *tasks: Task) -> Any:
        return self.player.play(one(Together(tasks)))

    def log(self, what: str) -> Callable[[], None]:
        return lambda: self.heard.append(f"{self.env.now:g} {what}")

    def work(self, host: str, seconds: float, what: str = "work") -> Compute:
        return Compute(host, seconds * SPEEDS[host], self.log(f"{host} {what}"), what)

    def told(self, table: str, *names: str) -> list[tuple[Any, ...]]:
        return self.rows.tuples(table, names)


def one(effect: Any) -> Task:
    return (yield effect)


def send(src: str, dst: str | tuple[str, ...], megabytes: float) -> Send:
    return Send(src, dst, {"smashed_up": payload(int(megabytes * 1e6))})


def offer(place: int, host: str = SERVER, flops: float = 10e9, **more: Any) -> Offer:
    served = {"queue": "q", "max_items": 2, "what": "train", **more}
    return Offer(
        host,
        place=place,
        item=place,
        serve=lambda items: [10 * item for item in items],
        flops=flops,
        **served,
    )


def test_work_on_a_host_that_goes_down_is_cut_off_and_its_jobs_never_run() -> None:
    stage = Stage({"d000": [(2.0, 3.0)]}, reason="crash")

    def tries_again() -> Task:
        try:
            yield stage.work("d000", 5.0, "first")
        except HostDown as down:
            stage.log(f"caught: {down.reason}")()
        try:
            yield stage.work("d000", 0.5, "at once")
        except HostDown:
            stage.log("still down")()
        yield Present(("d000",), wait=True)
        yield stage.work("d000", 0.5, "again")
        return "well"

    results = stage.play(tries_again(), one(stage.work("d000", 1.0, "queued")), one(stage.work("d001", 4.0)))
    assert results == ["well", Failed("d000 is down: crash"), None]
    assert stage.heard == ["2 caught: d000 is down: crash", "2 still down", "3.5 d000 again", "4 d001 work"]
    assert stage.told("computes", "what", "asked_s", "start_s", "end_s", "outcome") == [
        ("first", 0.0, 0.0, 2.0, "down"),
        ("at once", 2.0, 2.0, 2.0, "down"),
        ("queued", 0.0, 0.0, 2.0, "down"),
        ("again", 3.0, 3.0, 3.5, "done"),
        ("work", 0.0, 0.0, 4.0, "done"),
    ]
    assert stage.told("outages", "host", "down_s", "up_s", "reason") == [("d000", 2.0, 3.0, "crash")]


def test_what_ends_at_the_very_instant_of_an_outage_has_ended() -> None:
    stage = Stage({"d000": [(1.0, 2.0)], SERVER: [(3.0, 4.0)]})

    def task() -> Task:
        yield stage.work("d000", 1.0)
        return "done"

    def sends() -> Task:
        yield send("d001", SERVER, 3.0)
        return "sent"

    assert stage.play(task(), sends()) == ["done", "sent"]
    assert stage.told("outages", "host", "down_s", "up_s") == [("d000", 1.0, 2.0)]  # at 3 s it had ended


def test_transfers_of_a_host_that_goes_down_free_the_air() -> None:
    stage = Stage({"d000": [(1.0, inf)], "d001": [(2.0, inf)]})

    def sends(src: str, dst: str, megabytes: float) -> Task:
        assert (yield send(src, dst, megabytes)) == (dst,)
        return stage.env.now

    results = stage.play(
        sends("d000", SERVER, 4.0),
        sends(SERVER, "d001", 4.0),
        sends("d002", SERVER, 1.5),
        sends(SERVER, "d002", 2.0),
    )
    down = [Failed("d000 is down: off"), Failed("d001 is down: off")]
    # up: two share 1 s, then 1 MB is left alone; down: two share 2 s, then 1 MB is left alone
    assert results == [down[0], down[1], pytest.approx(2.0, abs=1e-9), pytest.approx(3.0, abs=1e-9)]
    assert stage.told("transfers", "src", "dst", "outcome", "end_s", "airtime_s")[:1] == [
        ("d000", SERVER, "cancelled", 1.0, 0.5)
    ]
    assert sorted(stage.told("transfers", "outcome")) == [("cancelled",)] * 2 + [("delivered",)] * 2
    assert stage.told("outages", "host", "down_s", "up_s") == [("d000", 1.0, None), ("d001", 2.0, None)]


def test_sending_to_a_host_that_is_down_fails_at_once_and_is_a_row() -> None:
    stage = Stage({"d000": [(0.0, inf)]})
    results = stage.play(one(send(SERVER, "d000", 1.0)), one(send("d000", SERVER, 1.0)))
    assert results == [Failed("d000 is down: off")] * 2
    assert stage.env.now == 0.0
    assert (
        stage.told("transfers", "payload_bytes", "airtime_s", "outcome")
        == [(1_000_000, 0.0, "cancelled")] * 2
    )
    assert len(stage.told("payloads", "sha256")) == 2


def test_a_multicast_goes_on_for_those_that_stay() -> None:
    stage = Stage({"d000": [(0.0, inf)], "d001": [(0.5, 0.6)], SERVER: [(9.0, inf)]})

    def casts() -> Task:
        return (yield send(SERVER, tuple(DEVICES), 1.0))

    def alone() -> Task:
        return (yield send(SERVER, ("d000",), 1.0))

    assert stage.play(casts(), alone()) == [("d002",), Failed("d000 is down: off")]  # d001 lost a part
    assert stage.told("transfers", "receivers", "end_s") == [(1, 0.0), (2, pytest.approx(1.0))]
    stage = Stage({"d000": [(0.25, inf)], "d001": [(0.5, inf)]})
    assert stage.play(one(send(SERVER, ("d000", "d001"), 1.0))) == [Failed("d001 is down: off")]
    assert stage.env.now == 0.5


def test_offers_in_a_queue_of_a_host_that_goes_down_fail_and_so_does_a_batch_in_work() -> None:
    stage = Stage({SERVER: [(1.0, 2.0), (3.5, 4.0)]}, reason="restart")

    def offers(place: int) -> Task:
        try:
            return (yield offer(place))
        except HostDown:
            stage.log(f"offer {place} is lost")()
        try:
            yield offer(place)
        except HostDown:
            stage.log(f"offer {place} is refused")()
        yield Present((SERVER,), wait=True)
        try:
            return (yield offer(place, max_items=2 - place))
        except HostDown as down:
            return down.reason

    def second() -> Task:
        yield stage.work("d001", 2.5)
        return (yield from offers(1))

    results = stage.play(offers(0), second())
    assert stage.heard == [
        "1 offer 0 is lost",
        "1 offer 0 is refused",
        "2.5 d001 work",
        "3.5 offer 1 is lost",
        "3.5 offer 1 is refused",
    ]
    assert results == ["server is down: restart", 10]
    assert stage.env.now == 5.0
    assert stage.told("withdrawals", "task", "asked_s", "end_s", "outcome") == [
        ("0.0", 0.0, 1.0, "down"),
        ("0.0", 1.0, 1.0, "down"),
        ("0.0", 2.0, 3.5, "down"),
        ("0.1", 2.5, 3.5, "down"),
        ("0.1", 3.5, 3.5, "down"),
    ]
    assert stage.told("computes", "task", "end_s", "outcome") == [
        ("0.1", 2.5, "done"),
        ("queue q", 3.5, "down"),
        ("queue q", 5.0, "done"),
    ]


def test_a_stranded_offer_stalls_the_run_though_devices_come_and_go_for_ever() -> None:
    def endless() -> Iterator[Outage]:
        at_s = 0.0
        while True:
            yield Outage(at_s + 1.0, at_s + 2.0, "off")
            at_s += 2.0

    stage = Stage({})
    stage.player = SimulatedPlayer(
        stage.env, stage.network, SPEEDS, stage.rows, availability={"d000": endless(), "d001": endless()}
    )
    with pytest.raises(Stalled, match=r"nothing can happen after 0 s.*queue q of server \(1 of 2 offers\)"):
        stage.play(one(offer(0)))


def test_an_outage_of_a_device_ends_its_hopeless_transfer_and_a_protocol_without_end_ends_as_stalled() -> (
    None
):
    """A transfer that the network never carries: it ends when its device leaves, and stalls if that stays."""

    class Silence:
        def __init__(self, env: simpy.Environment) -> None:
            self.env = env
            self.waiting: list[Any] = []

        def transfer(self, src: str, dst: str, nbytes: int) -> Any:
            event = self.env.event()
            event.src, event.dst, event.payload_bytes, event.asked_s = src, dst, nbytes, self.env.now
            event.cancel = lambda: self.cancel(event)
            self.waiting.append(event)
            return event

        def cancel(self, event: Any) -> Any:
            from slfac_sim.network import Delivery

            self.waiting.remove(event)
            now_s = self.env.now
            spent = (event.asked_s, now_s, now_s, now_s, 0.0, 8.0, 0.0, 0.0, 1)
            return Delivery(
                event.src, event.dst, 1, event.payload_bytes, event.payload_bytes, *spent, delivered=False
            )

        def heed(self, next_s: Any) -> None:
            pass

        def stalled(self) -> list[Any]:
            return self.waiting

    def player(env: simpy.Environment, **spans: Spans) -> SimulatedPlayer:
        plans = {host: iter([Outage(*span, "off") for span in of]) for host, of in spans.items()}
        return SimulatedPlayer(env, Silence(env), SPEEDS, MemoryLedger(), availability=plans)  # type: ignore[arg-type]

    env = simpy.Environment(initial_time=0.0)
    leaves = player(env, d000=[(5.0, 6.0)], d001=[(1.0, 2.0)])
    assert leaves.play(one(Together([one(send("d000", SERVER, 1.0))]))) == [Failed("d000 is down: off")]
    assert env.now == 5.0
    env = simpy.Environment(initial_time=0.0)
    stays = player(env, d001=[(1.0, 2.0), (3.0, 4.0)])
    with pytest.raises(Stalled, match=r"after 0 s.*stalled: d000 -> server"):
        stays.play(one(Together([one(send("d000", SERVER, 1.0))])))
    env = simpy.Environment(initial_time=0.0)
    two = ("d000", "d001")
    with pytest.raises(Stalled, match=r"after 0 s.*stalled: server -> "):
        player(env, d000=[(1.0, 2.0)]).play(one(Together([one(send(SERVER, two, 1.0))])))
    env = simpy.Environment(initial_time=0.0)  # of its own: what stalled is interrupted when it is collected
    multicast = player(env, d000=[(1.0, 2.0)], d001=[(3.0, 4.0)])
    assert multicast.play(one(Together([one(send(SERVER, two, 1.0))]))) == [Failed("d001 is down: off")]
    assert env.now == 3.0


def test_an_end_that_overtakes_an_outage_hastens_no_other() -> None:
    env = simpy.Environment(initial_time=0.0)
    heard: list[str] = []
    plans = {"a": iter([Outage(1.0, 2.0, "off")]), "b": iter([Outage(5.0, 6.0, "off")])}
    outages = Outages(env, plans, MemoryLedger(), heard.append, heard.append)
    outages.put_next_on_calendar()
    outages.end("a", "battery empty")
    outages.end("a", "battery empty")
    env.step()
    assert (env.now, heard, outages.next_s) == (1.0, ["a"], 5.0)


def test_a_protocol_that_ends_with_a_failure_is_reported_as_unable_to_go_on() -> None:
    stage = Stage({SERVER: [(1.0, 2.0)]}, reason="restart")
    with pytest.raises(Stalled, match=r"^after 1 s the protocol cannot go on: server is down: restart$"):
        stage.player.play(one(stage.work(SERVER, 5.0)))
    assert stage.told("outages", "host", "down_s", "up_s") == [(SERVER, 1.0, None)]


def test_present_tells_who_is_up_and_waits_for_one_that_comes_back() -> None:
    stage = Stage({"d000": [(0.0, 3.0)], "d001": [(1.0, 2.0), (2.5, inf)], "d002": [(1.0, inf)]})

    def asks() -> Task:
        replies = [(yield Present(tuple(DEVICES)))]
        yield stage.work(SERVER, 1.5)
        replies.append((yield Present(tuple(DEVICES))))
        replies.append((yield Present(("d002",), wait=True)))
        assert stage.env.now == 1.5  # nobody waits for who never comes back
        replies.append((yield Present(tuple(reversed(DEVICES)), wait=True)))
        assert stage.env.now == 2.0
        replies.append((yield Present(("d000", "d002"), wait=True)))
        assert stage.env.now == 3.0
        return replies

    expected = [("d001", "d002"), (), (), ("d001",), ("d000",)]
    assert stage.player.play(asks()) == expected


def test_a_wait_for_a_host_can_be_cut_off() -> None:
    stage = Stage({"d000": [(0.0, 3.0)]})

    def limited() -> Task:
        missed = yield Together([one(Present(("d000",), wait=True))], deadline_s=1.0)
        yield Present(("d000",), wait=True)
        return missed

    assert stage.player.play(limited()) == [MISSED]
    assert stage.env.now == 3.0

    def stranded() -> Task:
        yield Together([one(Present(("d000",), wait=True))], deadline_s=1.0)
        yield offer(0)

    stage = Stage({"d000": [(0.0, 3.0)]})
    with pytest.raises(Stalled, match="nothing can happen after 1 s"):  # who no longer waits hides no stall
        stage.player.play(stranded())


def test_outages_that_are_out_of_order_are_refused() -> None:
    with pytest.raises(ValueError, match="the outages of d000 are not in order"):
        Stage({"d000": [(2.0, 1.0)]})
    stage = Stage({"d000": [(1.0, 3.0), (2.0, 4.0)]})
    with pytest.raises(ValueError, match="the outages of d000 are not in order"):
        stage.play(one(stage.work("d001", 5.0)))


def test_outages_end_nothing_and_keep_nothing_alive_once_the_protocol_has_ended() -> None:
    stage = Stage({"d000": [(5.0, 6.0)]})
    assert stage.play(one(stage.work("d000", 1.0))) == [None]
    assert stage.env.now == 1.0
    assert stage.told("outages", "host") == []


def test_excuses_count_before_and_after_offers() -> None:
    stage = Stage({})

    def excuses(after_s: float) -> Task:
        yield stage.work("d001", after_s)
        yield Excuse(SERVER, "q")

    def late(place: int, max_items: int) -> Task:
        yield stage.work("d002", 2.0)
        answer = yield offer(place, max_items=max_items)
        return answer, stage.env.now

    assert stage.play(one(offer(3, max_items=2)), excuses(1.0)) == [30, None]
    assert stage.env.now == 2.0  # 1 s, then 10 GFLOP at 10 GFLOP/s
    results = stage.play(excuses(0.5), late(1, max_items=3), late(2, max_items=3))
    # d002 works on one after the other: at 4 s and 6 s; both are there at 6 s, and the third is excused
    assert results == [None, (10, 8.0), (20, 8.0)]
    assert stage.play(excuses(0.5), excuses(0.5)) == [None, None]  # all of them: nothing is left to wait for


def test_an_impatient_queue_is_served_with_what_is_there() -> None:
    stage = Stage({})

    def at(seconds: float, place: int) -> Task:
        yield stage.work(["d000", "d001", "d002"][place], seconds)
        answer = yield offer(place, max_items=3, wait_s=1.0, flops=1e9)
        return answer, round(stage.env.now, 9)

    results = stage.play(at(0.5, 0), at(1.0, 1), at(2.0, 2))
    # the first comes at 0.5 and waits until 1.5; two take 0.2 s; the third waits from 2 to 3
    assert results == [(0, 1.7), (10, 1.7), (20, 3.1)]
    assert column(stage.rows.rows("offers"), "place") == [0, 1, 2]


def test_a_served_queue_is_not_served_again_when_its_patience_ends() -> None:
    stage = Stage({})

    def two_batches(place: int) -> Task:
        first = yield offer(place, wait_s=5.0, flops=1e9)
        yield stage.work(["d000", "d001"][place], 4.0 + place)
        second = yield offer(place, wait_s=5.0, flops=1e9)
        return first, second, round(stage.env.now, 9)

    # the second batch begins at 4.2 s: the first one's patience, to the 5th second, is not for it
    assert stage.play(two_batches(0), two_batches(1)) == [(0, 0, 5.4), (10, 10, 5.4)]


def test_the_patience_of_a_withdrawn_offer_is_not_the_next_ones() -> None:
    stage = Stage({})

    def protocol() -> Task:
        yield Together([one(offer(0, wait_s=2.0))], deadline_s=1.0)
        yield offer(1, wait_s=2.0, flops=0.0)
        return stage.env.now

    assert stage.player.play(protocol()) == 3.0


def test_a_withdrawn_offer_leaves_a_row_and_the_queue() -> None:
    stage = Stage({})

    def protocol() -> Task:
        missed = yield Together([one(offer(0))], deadline_s=1.0)
        answers = yield Together([one(offer(1)), one(offer(2))])
        return missed + answers

    assert stage.player.play(protocol()) == [MISSED, 10, 20]
    row = ("0.0", 0, SERVER, "q", 0.0, 1.0, "interrupted")
    assert stage.told("withdrawals", "task", "seq", "host", "queue", "asked_s", "end_s", "outcome") == [row]


def test_a_batch_that_nobody_waits_for_any_more_is_broken_off() -> None:
    """Nothing comes of it, each of its offers is withdrawn once, and the server is free at that instant."""
    stage, served = Stage({}), []

    def protocol() -> Task:
        offers = [replace(offer(place), serve=served.append) for place in (0, 1)]
        missed = yield Together([one(effect) for effect in offers], deadline_s=0.5)
        yield stage.work(SERVER, 1.0)
        return missed

    assert stage.player.play(protocol()) == [MISSED, MISSED]
    assert stage.told("computes", "what", "outcome", "end_s") == [
        ("train", "interrupted", 0.5),
        ("work", "done", 1.5),
    ]
    assert (served, stage.told("offers", "task")) == ([], [])
    assert stage.told("withdrawals", "task", "end_s") == [("0.0", 0.5), ("0.1", 0.5)]
    assert list(stage.player.under_way()) == []


def test_a_batch_goes_on_whole_for_who_still_waits() -> None:
    """It is one pass over all its items; who has left is in it, and is not answered."""
    stage, served = Stage({}), []

    def serve(items: list[int]) -> list[int]:
        served.extend(items)
        return items

    def limited() -> Task:
        return (yield Together([one(replace(offer(0), serve=serve))], deadline_s=0.5))

    assert stage.play(limited(), one(replace(offer(1), serve=serve))) == [[MISSED], 1]
    assert (served, stage.env.now) == ([0, 1], 2.0)
    assert stage.told("offers", "task", "end_s") == [("0.1", 2.0)]
    assert stage.told("withdrawals", "task", "end_s") == [("0.0/0.0", 0.5)]


def of_one_second(stage: Stage) -> dict[str, Task]:
    """Return a task for each kind of effect, all of which end after one second."""
    return {
        "work": one(stage.work("d000", 1.0)),
        "up": one(send("d001", SERVER, 1.0)),
        "down": one(send(SERVER, "d002", 0.5)),
        "multicast": one(send(SERVER, ("d000", "d001"), 0.5)),
        "offer": one(offer(0, max_items=1)),
        "chain": chain(stage),
    }


def chain(stage: Stage) -> Task:
    yield stage.work("d001", 1.0)
    yield Together([one(stage.work("d001", 0.0)), one(send("d001", SERVER, 0.0))])
    yield offer(1, queue="at once", max_items=1, flops=0.0)


@pytest.mark.parametrize("discipline", ["fifo", "sharing"])
@pytest.mark.parametrize("limit", ["deadline", "enough", "outer deadline"])
def test_what_ends_at_the_very_instant_of_a_limit_has_ended(limit: str, discipline: Any) -> None:
    """Whatever it is, and so has what it leads to at that instant."""
    stage = Stage({}, disciplines=dict.fromkeys(SPEEDS, discipline))
    tasks = list(of_one_second(stage).values())
    effect = {
        "deadline": Together(tasks, deadline_s=1.0),
        "enough": Together(tasks, enough=1),
        "outer deadline": Together([one(Together(tasks))], deadline_s=1.0),
    }[limit]
    results = stage.player.play(one(effect))
    assert MISSED not in (results[0] if limit == "outer deadline" else results)
    assert (stage.env.now, stage.told("withdrawals", "task")) == (1.0, [])


@pytest.mark.parametrize("host", SPEEDS)
def test_what_ends_at_the_very_instant_of_an_outage_has_ended_whatever_it_is(host: str) -> None:
    stage = Stage({host: [(1.0, inf)]})
    results = stage.play(*of_one_second(stage).values())
    assert not [result for result in results if isinstance(result, Failed)]
    assert stage.env.now == 1.0


def test_a_limit_comes_before_an_outage_at_the_same_instant() -> None:
    stage = Stage({"d000": [(1.0, inf)]})
    tasks = [one(stage.work("d000", 2.0)), one(send("d000", SERVER, 2.0))]
    assert stage.player.play(one(Together(tasks, deadline_s=1.0))) == [MISSED, MISSED]


def test_a_deadline_an_ulp_early_cuts_off_all_of_them() -> None:
    stage = Stage({})
    tasks = list(of_one_second(stage).values())
    results = stage.player.play(one(Together(tasks, deadline_s=nextafter(1.0, 0.0))))
    assert results == [MISSED] * len(tasks)


def test_enough_counts_what_ended_well() -> None:
    stage = Stage({"d000": [(1.0, inf)], "d001": [(7.0, inf)]})
    tasks = [one(stage.work("d000", 2.0)), one(stage.work("d001", 3.0)), one(stage.work("d002", 5.0))]
    assert stage.player.play(one(Together(tasks, enough=1))) == [Failed("d000 is down: off"), None, MISSED]
    assert stage.env.now == 3.0
    stage = Stage({"d000": [(1.0, inf)], "d001": [(7.0, inf)]})
    tasks = [one(stage.work("d000", 2.0)), one(stage.work("d001", 8.0)), one(stage.work("d002", 9.0))]
    down = [Failed("d000 is down: off"), Failed("d001 is down: off")]
    assert stage.player.play(one(Together(tasks, enough=2))) == [*down, None]
    assert stage.env.now == 9.0  # it can never be enough: all have ended


a_span = st.tuples(st.integers(1, 12), st.integers(1, 6)).map(lambda at: (at[0] / 2, (at[0] + at[1]) / 2))
spans = st.lists(a_span, max_size=3).map(
    lambda found: [
        span
        for place, span in enumerate(sorted(found))
        if all(span[0] >= earlier[1] for earlier in sorted(found)[:place])
    ]
)
an_effect = st.one_of(
    st.tuples(st.just("work"), st.sampled_from([*DEVICES, SERVER]), st.integers(0, 4)),
    st.tuples(st.just("up"), st.sampled_from(DEVICES), st.integers(0, 4)),
    st.tuples(st.just("down"), st.sampled_from([*DEVICES, "*"]), st.integers(0, 4)),
    st.tuples(st.just("offer"), st.just(SERVER), st.integers(0, 3)),
    st.tuples(st.just("wait"), st.sampled_from([*DEVICES, SERVER]), st.just(0)),
)


@settings(max_examples=150)
@given(
    outages=st.dictionaries(st.sampled_from([*DEVICES, SERVER]), spans, max_size=4),
    tasks=st.lists(st.lists(an_effect, min_size=1, max_size=5), min_size=1, max_size=5),
    deadline=st.one_of(st.none(), st.integers(1, 20)),
)
def test_whatever_goes_down_nothing_hangs_and_nothing_is_lost(
    outages: dict[str, Spans], tasks: list[list[tuple[str, str, int]]], deadline: int | None
) -> None:
    """Half seconds, so that much happens at one instant."""
    stage = Stage(outages)
    offered: list[int] = []
    reasons: set[str] = set()

    def effect(what: str, host: str, size: int) -> Any:
        if what == "work":
            return stage.work(host, size / 2)
        if what == "offer":
            return Offer(SERVER, "q", size, size, list, 5e9, 2, "train", wait_s=0.5)
        if what == "wait":
            return Present((host,), wait=True)
        offered.append(size * 500_000)
        return (
            send(host, SERVER, size / 2)
            if what == "up"
            else send(SERVER, host if host != "*" else tuple(DEVICES), size / 2)
        )

    def task(steps: list[tuple[str, str, int]]) -> Task:
        for step in steps:
            try:
                yield effect(*step)
            except HostDown as down:
                reasons.add(down.reason.partition(" is down: ")[2])

    limit = None if deadline is None else deadline / 2
    stage.player.play(one(Together([task(steps) for steps in tasks], deadline_s=limit)))
    assert len(stage.heard) == sum(
        what == "work" and outcome == "done" for what, outcome in stage.told("computes", "what", "outcome")
    )
    for host, start_s, end_s, outcome in stage.told("computes", "host", "start_s", "end_s", "outcome"):
        down_at = [span for span in outages.get(host, ()) if span[0] < end_s and start_s < span[1]]
        assert outcome != "done" or not down_at
    by_outcome = stage.told("transfers", "payload_bytes", "outcome")
    assert sum(offered) == sum(nbytes for nbytes, _ in by_outcome)
    assert stage.rows.delivered_bytes == sum(
        nbytes for nbytes, outcome in by_outcome if outcome == "delivered"
    )
    assert stage.network.stalled() == ()
    assert reasons <= {"off"}
    stage.env.run(stage.env.now + 20.0)  # a batch whose offers were all withdrawn is served to its end
    for host in SPEEDS:
        assert stage.player.play(one(Present((host,), wait=True))) == (host,)
        begun_s = stage.env.now
        stage.player.play(one(Together([one(stage.work(host, 0.125))])))
        assert stage.env.now in (begun_s, begun_s + 0.125)  # at once, unless it is down again: never busy


def test_the_same_outages_are_the_same_run() -> None:
    def digest() -> str:
        stage = Stage({"d000": [(1.0, 2.0)], SERVER: [(2.5, 3.0)]})
        tasks = [one(stage.work("d000", 3.0)), one(send("d001", SERVER, 4.0)), one(stage.work(SERVER, 2.0))]
        stage.play(*tasks)
        return stage.rows.digest()

    assert digest() == digest()


def test_a_note_of_who_missed_a_round_is_a_row() -> None:
    stage = Stage({})
    stage.player.play(one(Note("misses", {"round": 1, "device": "d000", "reason": "absent"})))
    assert stage.rows.rows("misses") == [
        {"task": "", "seq": 0, "at_s": 0.0, "round": 1, "device": "d000", "reason": "absent"}
    ]
