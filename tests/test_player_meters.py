"""What the player tells of energy, batteries that run out, slow hosts, and processors that share."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import simpy
from fakes import payload
from hypothesis import given, settings
from hypothesis import strategies as st

from slfac_sim.effects import MISSED, Compute, Failed, HostDown, Offer, Present, Send, Task, Together
from slfac_sim.hosts.availability import Outage
from slfac_sim.hosts.names import SERVER
from slfac_sim.ledger.store import MemoryLedger
from slfac_sim.network import Delivery, Hosts
from slfac_sim.network.kinds.ideal import Ideal
from slfac_sim.simulation.hosts import Host, SharedHost
from slfac_sim.simulation.simulated import SimulatedPlayer

SPEEDS = {"d000": 1e9, "d001": 1e9, SERVER: 1e9}


class Books:
    """Writes down what it is told; `full` are the seconds of work and airtime that a battery lasts."""

    def __init__(self, **full: float) -> None:
        self.left = full
        self.limited = full
        self.heard: list[tuple[Any, ...]] = []

    def computed(self, host: str, what: str, busy_s: float) -> None:
        self.heard.append(("computed", host, what, round(busy_s, 9)))
        self._spend(host, busy_s)

    def sent(self, delivery: Delivery, receivers: tuple[str, ...]) -> None:
        self.heard.append(("sent", delivery.src, receivers, round(delivery.airtime_s, 9)))
        for host in (delivery.src, *receivers):
            self._spend(host, delivery.airtime_s)

    def down(self, host: str, at_s: float) -> None:
        self.heard.append(("down", host, at_s))

    def up(self, host: str, at_s: float) -> None:
        self.heard.append(("up", host, at_s))

    def empty(self, host: str, at_s: float) -> bool:
        return self.left.get(host, 1.0) <= 0.0

    def spent_together_j(self, at_s: float) -> tuple[float, float]:
        return float(len(self.heard)), at_s

    def _spend(self, host: str, seconds: float) -> None:
        if host in self.left:
            self.left[host] -= seconds


@dataclass
class Player:
    """A player, its clock and its ledger."""

    player: SimulatedPlayer
    env: simpy.Environment
    ledger: MemoryLedger

    def play(self, task: Task) -> Any:
        return self.player.play(task)


def player(books: Books | None = None, **more: Any) -> Player:
    env, ledger = simpy.Environment(initial_time=0.0), MemoryLedger()
    network = Ideal(up_rate=8e6, down_rate=8e6, latency=0.0).open(env, Hosts(["d000", "d001"], (SERVER,)), 0)
    return Player(SimulatedPlayer(env, network, SPEEDS, ledger, energy=books, **more), env, ledger)


def one(effect: Any) -> Task:
    return (yield effect)


def work(host: str, seconds: float, what: str = "work") -> Compute:
    return Compute(host, seconds * SPEEDS[host], lambda: what, what)


def send(src: str, dst: str | tuple[str, ...], megabytes: float) -> Send:
    return Send(src, dst, {"smashed_up": payload(int(megabytes * 1e6))})


def test_energy_is_told_of_all_that_was_begun_and_of_who_comes_and_goes() -> None:
    books = Books()
    plans = {"d000": iter([Outage(2.0, 3.0, "off")]), "d001": iter([Outage(5.0, 6.0, "off")])}
    tasks = [
        one(work("d000", 5.0)),
        one(work("d000", 5.0, "waits")),
        one(send(SERVER, ("d000", "d001"), 4.0)),
        one(send("d001", SERVER, 9.0)),
        one(work("d001", 1.0)),
        one(work(SERVER, 7.0)),
    ]
    player(books, availability=plans).play(one(Together(tasks)))
    assert books.heard == [
        ("computed", "d001", "work", 1.0),
        ("down", "d000", 2.0),
        ("computed", "d000", "work", 2.0),  # what waited had not begun
        ("up", "d000", 3.0),
        ("sent", SERVER, ("d001",), 4.0),
        ("down", "d001", 5.0),
        ("sent", "d001", (SERVER,), 5.0),
        ("up", "d001", 6.0),
        ("computed", SERVER, "work", 7.0),
    ]


def test_a_deadline_is_told_with_what_was_done_until_then() -> None:
    books = Books()
    tasks = [one(work("d000", 5.0)), one(work("d000", 5.0)), one(send("d001", SERVER, 4.0))]
    assert player(books).play(one(Together(tasks, deadline_s=1.5))) == [MISSED] * 3
    assert books.heard == [("computed", "d000", "work", 1.5), ("sent", "d001", (SERVER,), 1.5)]


def test_a_host_whose_battery_is_empty_is_down_for_ever() -> None:
    books = Books(d000=3.0)
    plays = player(books, availability={"d000": iter([Outage(1.0, 2.0, "off"), Outage(50.0, 60.0, "off")])})

    def lives() -> Task:
        done = []
        try:
            while True:
                try:
                    yield work("d000", 0.75)
                    done.append("ok")
                except HostDown as down:
                    done.append(down.reason)
                    yield work(SERVER, 1.5)
                    if "battery" in down.reason:
                        return done
        finally:
            done.append("over")

    # 0.75 s done, 0.25 s cut off, and from 2.5 s on three times 0.75 s: the last one uses the battery up
    off = "d000 is down: off"
    assert plays.play(lives()) == ["ok", off, "ok", "ok", "ok", "d000 is down: battery empty", "over"]
    rows = plays.ledger.tuples("outages", ("host", "down_s", "up_s", "reason"))
    assert rows == [("d000", 1.0, 2.0, "off"), ("d000", 4.75, None, "battery empty")]
    assert [heard for heard in books.heard if heard[0] in ("down", "up")] == [
        ("down", "d000", 1.0), ("up", "d000", 2.0), ("down", "d000", 4.75),
    ]  # fmt: skip


def test_a_battery_that_a_cut_off_work_used_up_keeps_the_host_down() -> None:
    books = Books(d000=0.5)
    plays = player(books, availability={"d000": iter([Outage(1.0, 2.0, "off"), Outage(3.0, 4.0, "off")])})
    other = one(work("d001", 9.0))
    assert plays.play(one(Together([one(work("d000", 5.0)), other]))) == [Failed("d000 is down: off"), "work"]
    rows = plays.ledger.tuples("outages", ("host", "down_s", "up_s", "reason"))
    assert rows == [("d000", 1.0, 1.0, "off"), ("d000", 1.0, None, "battery empty")]
    assert [heard[0] for heard in books.heard] == ["down", "computed", "computed"]


def test_both_ends_of_a_transfer_may_die_of_it_and_all_else_of_theirs_fails() -> None:
    books = Books(d000=1.0, server=0.1)
    tasks = [
        one(send("d000", SERVER, 1.0)),
        one(work("d000", 5.0)),
        one(work(SERVER, 5.0)),
        one(send(SERVER, "d001", 9.0)),
    ]
    results = player(books).play(one(Together(tasks)))
    assert results[0] == (SERVER,)  # it had all of it
    assert results[1] == Failed("d000 is down: battery empty")
    assert results[2:] == [Failed("server is down: battery empty")] * 2


def test_what_ends_at_the_very_instant_at_which_a_battery_is_used_up_has_ended() -> None:
    """All three end after one second, and the work alone has used the battery up."""
    books = Books(d000=0.5)
    tasks = [one(work("d000", 1.0)), one(send("d000", SERVER, 1.0)), one(send(SERVER, "d000", 1.0))]
    assert player(books).play(one(Together(tasks))) == ["work", (SERVER,), ("d000",)]


def test_an_effect_whose_two_ends_die_at_one_instant_fails_once() -> None:
    books = Books(d000=1.0, server=1.0)

    def second() -> Task:
        try:
            yield send("d000", SERVER, 5.0)
        except HostDown as down:
            return down.reason, (yield work("d001", 3.0))

    results = player(books).play(one(Together([one(send("d000", SERVER, 1.0)), second()])))
    assert results[1] == ("d000 is down: battery empty", "work")


def test_nobody_waits_on_for_a_host_that_died_meanwhile() -> None:
    """It goes down for a while; what is cut off first waits for it, what is cut off next has used it up."""
    books = Books(d000=0.9)
    plays = player(books, availability={"d000": iter([Outage(0.5, 2.0, "off")])})

    def waits() -> Task:
        try:
            yield work("d000", 5.0)
        except HostDown:
            return (yield Present(("d000",), wait=True)), plays.env.now

    results = plays.play(one(Together([waits(), one(send("d000", SERVER, 5.0))])))
    assert results == [((), 0.5), Failed("d000 is down: off")]


def test_an_offer_may_fail_and_be_withdrawn_at_one_instant() -> None:
    books = Books(server=1.0)
    waits = one(Offer(SERVER, "q", 0, None, list, 1.0, 2, "train"))
    tasks = [waits, one(work(SERVER, 1.0))]
    assert player(books).play(one(Together(tasks, deadline_s=1.0))) == [MISSED, "work"]


def test_a_battery_may_be_found_empty_when_its_host_comes_up() -> None:
    class Idle(Books):
        def empty(self, host: str, at_s: float) -> bool:
            return host == "d000" and at_s >= 2.0

    plan = iter([Outage(1.0, 2.0, "off"), Outage(7.0, 8.0, "off")])
    plays = player(Idle(d000=9.0), availability={"d000": plan})
    assert plays.play(one(Together([one(Present(("d000",))), one(work("d001", 9.0))]))) == [("d000",), "work"]
    rows = plays.ledger.tuples("outages", ("host", "down_s", "up_s", "reason"))
    assert rows == [("d000", 1.0, 2.0, "off"), ("d000", 2.0, None, "battery empty")]


def test_a_factor_is_asked_when_a_compute_begins() -> None:
    asked: list[tuple[float, int, float]] = []

    def slow(now_s: float, number: int, nominal_s: float) -> float:
        asked.append((now_s, number, nominal_s))
        return 1.0 + number

    plays = player(slowdown={"d000": slow})
    tasks = [one(work("d000", seconds)) for seconds in (1.0, 2.0, 3.0)]
    plays.play(one(Together([*tasks, one(work("d001", 1.0))])))
    assert asked == [(0.0, 0, 1.0), (1.0, 1, 2.0), (5.0, 2, 3.0)]
    rows = plays.ledger.tuples("computes", ("host", "start_s", "end_s"))
    assert sorted(rows) == [
        ("d000", 0.0, 1.0), ("d000", 1.0, 5.0), ("d000", 5.0, 14.0), ("d001", 0.0, 1.0),
    ]  # fmt: skip


def ends(make: Callable[[simpy.Environment], Any], jobs: list[tuple[float, float]]) -> list[float]:
    """Return when each job of (arrival, seconds alone) ends on a host."""
    env = simpy.Environment(initial_time=0.0)
    host, ended = make(env), [0.0] * len(jobs)

    def job(place: int, at_s: float, seconds: float) -> Any:
        yield env.timeout(at_s)
        turn = host.ask(seconds)
        yield turn
        assert (turn.asked_s, turn.start_s) == (at_s, at_s)
        assert turn.worked_s == pytest.approx(seconds)
        ended[place] = env.now

    for place, (at_s, seconds) in enumerate(jobs):
        env.process(job(place, at_s, seconds))
    env.run()
    assert not host.turns
    return ended


def shared(env: simpy.Environment) -> SharedHost:
    return SharedHost(env)


def test_a_shared_processor_by_hand() -> None:
    assert ends(shared, [(0.0, 1.0), (0.0, 3.0)]) == [2.0, 4.0]
    assert ends(shared, [(0.0, 4.0), (2.0, 1.0)]) == [5.0, 4.0]  # 2 s alone, 2 s at half speed, 1 s alone
    assert ends(shared, [(0.0, 1.0), (0.0, 1.0), (0.0, 1.0)]) == [3.0, 3.0, 3.0]
    assert ends(shared, [(0.0, 1.0), (5.0, 2.0), (9.0, 0.0)]) == [1.0, 7.0, 9.0]
    assert ends(shared, [(0.0, 2.0), (1.0, 0.0)]) == [2.0, 1.0]


def in_steps(jobs: list[tuple[float, float]]) -> list[float]:
    """Return the ends under processor sharing, from one arrival or end to the next, without virtual time."""
    left = {place: seconds for place, (_, seconds) in enumerate(jobs)}
    now_s, ended = 0.0, [0.0] * len(jobs)
    while left:
        active = [place for place in left if jobs[place][0] <= now_s]
        comes_s = min((jobs[place][0] for place in left if jobs[place][0] > now_s), default=np.inf)
        first_s = (
            now_s + min((left[place] for place in active), default=np.inf) * len(active) if active else np.inf
        )
        until_s = min(comes_s, first_s)
        for place in active:
            left[place] -= (until_s - now_s) / len(active)
        now_s = until_s
        for place in [place for place in active if left[place] <= 1e-12]:
            ended[place] = now_s
            del left[place]
    return ended


@settings(max_examples=100)
@given(st.lists(st.tuples(st.floats(0.0, 9.0), st.floats(0.001, 5.0)), min_size=1, max_size=12))
def test_virtual_time_gives_the_ends_that_small_steps_give(jobs: list[tuple[float, float]]) -> None:
    assert ends(shared, jobs) == pytest.approx(in_steps(jobs), abs=1e-6)


def test_what_is_given_up_speeds_the_others_up_and_busy_time_counts_once() -> None:
    books = Books()
    plays = player(books, disciplines={SERVER: "sharing"})

    def limited() -> Task:
        return (yield Together([one(work(SERVER, 3.0, "cut"))], deadline_s=2.0))

    def long() -> Task:
        yield work(SERVER, 3.0, "long")
        return plays.env.now

    # half speed for 2 s, then 2 s alone
    assert plays.play(one(Together([limited(), long(), one(work("d000", 1.0))]))) == [[MISSED], 4.0, "work"]
    assert books.heard == [
        ("computed", "d000", "work", 1.0),
        ("computed", SERVER, "cut", 1.0),
        ("computed", SERVER, "long", 3.0),
    ]
    rows = plays.ledger.tuples("computes", ("what", "start_s", "end_s", "outcome"))
    assert rows[1:] == [("cut", 0.0, 2.0, "interrupted"), ("long", 0.0, 4.0, "done")]


def test_a_shared_host_that_goes_down_is_idle_when_it_comes_up() -> None:
    plans = {SERVER: iter([Outage(1.0, 2.0, "restart")])}
    plays = player(disciplines={SERVER: "sharing"}, availability=plans)

    def again() -> Task:
        yield work("d000", 2.5)
        yield work(SERVER, 1.0)
        return plays.env.now

    down = Failed("server is down: restart")
    assert plays.play(one(Together([one(work(SERVER, 3.0)), one(work(SERVER, 9.0)), again()]))) == [
        down,
        down,
        3.5,
    ]


def test_a_shared_host_asks_its_factor_at_once() -> None:
    plays = player(disciplines={SERVER: "sharing"}, slowdown={SERVER: lambda now_s, number, nominal_s: 2.0})
    plays.play(one(work(SERVER, 1.0)))
    assert plays.env.now == 2.0


def test_a_shared_processor_with_poisson_arrivals_has_the_mean_sojourn_of_m_m_1_ps() -> None:
    """E[T] = 1 / (mu - lambda) (Kleinrock, volume 2, section 4.4), here 1 / (1 - 0.5) = 2 s; so has M/M/1
    FIFO, but the longest tenth of the jobs fares otherwise: E[T | x] = x / (1 - rho) under sharing."""
    rng = np.random.default_rng(0)
    arrivals = np.cumsum(rng.exponential(2.0, 4000))
    sizes = rng.exponential(1.0, 4000)
    jobs = list(zip(arrivals.tolist(), sizes.tolist(), strict=True))
    sojourn = np.array(ends(shared, jobs)) - arrivals
    assert sojourn.mean() == pytest.approx(2.0, rel=0.1)
    long = sizes > np.quantile(sizes, 0.9)
    assert (sojourn[long] / sizes[long]).mean() == pytest.approx(2.0, rel=0.1)
    short = sizes < np.quantile(sizes, 0.1)
    assert (sojourn[short].sum() / sizes[short].sum()) == pytest.approx(2.0, rel=0.25)


def test_giving_up_what_is_over_changes_nothing() -> None:
    env = simpy.Environment(initial_time=0.0)
    for host in (SharedHost(env), Host(env)):
        turn = host.ask(1.0)
        env.run(env.now + 1.5)
        if isinstance(host, SharedHost):
            host.give_up(turn)
        assert not host.turns
        assert turn.worked_s == 1.0
