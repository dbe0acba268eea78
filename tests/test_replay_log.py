"""The replay log: with it a record holds every effect, so that the same clock plays exactly the same."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import simpy
from fakes import payload
from worlds import table

from slfac_sim.effects import Compute, Excuse, Failure, HostDown, Note, Offer, Present, Send, Task, Together
from slfac_sim.hosts.availability import Outage
from slfac_sim.ledger.store import FileLedger
from slfac_sim.ledger.tables import TABLES
from slfac_sim.network import Hosts
from slfac_sim.network.kinds.ideal import Ideal
from slfac_sim.simulation.observer import observed_by
from slfac_sim.simulation.replay import Started, follow, script_of, script_until
from slfac_sim.simulation.replay_log import Ended, ReplayLog
from slfac_sim.simulation.simulated import SimulatedPlayer

HOSTS = ("d000", "d001", "d002")
SPEEDS = {**dict.fromkeys(HOSTS, 1e9), "server": 1e9}
OUTAGES = {
    "d001": [Outage(1.5, 2.5, "crash"), Outage(9.0, 9.5, "crash")],
    "server": [Outage(20.0, 21.0, "off")],
}


def work(host: str, seconds: float) -> Compute:
    return Compute(host, 1e9 * seconds, lambda: None, "work")


def offer(place: int, wait_s: float | None = None, queue: str = "q") -> Offer:
    return Offer("server", queue, place, place, lambda items: items, 1e8, 3, "train", wait_s)


def persistent(host: str) -> Task:
    try:
        yield work(host, 1.0)
        yield work(host, 1.0)
    except HostDown:
        yield Excuse("server", "q")
        yield Present((host,), wait=True)
        yield work(host, 0.5)
        return
    yield offer(int(host[-1]))


def failing(host: str) -> Task:
    yield work(host, 0.1)
    raise Failure("had enough")


def idle() -> Task:
    yield from ()


def whole() -> Task:
    """Everything that can come of effects, at least once."""
    yield Together([persistent(host) for host in HOSTS])
    yield Note("misses", {"round": 1, "device": "d001", "reason": "crash"})
    yield Send("server", HOSTS[:2], {"model_down": payload(1000)})
    yield Send("server", HOSTS, {"model_down": payload(500_000)})
    yield Together([one(offer(0, 0.25, "late")), idle(), one(offer(1, 0.25, "late"))])
    yield Together([failing("d000"), one(work("d002", 0.3))], enough=1)
    yield Together([one(work("d000", 9.0)), one(offer(0, queue="never")), idle()], deadline_s=16.0)
    yield Together([])
    try:
        yield work("server", 1.0)
    except HostDown:
        yield Present(("server",), wait=True)
    yield Note("rounds", {"round": 1, "devices": 3, "samples": 1, "loss": 0.5})
    yield work("d000", 1.0)


def one(effect: Any) -> Task:
    return (yield effect)


def play(path: Path, task: Task) -> float:
    env = simpy.Environment()
    network = Ideal(up_rate=8e6, down_rate=8e6).open(env, Hosts(HOSTS, ("server",)), 0)
    with FileLedger(path) as ledger:
        plans = {host: iter(outages) for host, outages in OUTAGES.items()}
        listened = observed_by(ReplayLog(HOSTS, ledger.append), task)
        SimulatedPlayer(env, network, SPEEDS, ledger, availability=plans).play(listened)
    return float(env.now)


def tables(path: Path) -> dict[str, list[Any]]:
    sums = ("parts", "codec_notes")  # of recorded bodies nothing is known but their length
    return {name: table(path, name) for name in TABLES if name not in sums}


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("asides") / "ledger.sqlite"
    play(path, whole())
    return path


def test_it_holds_what_no_other_table_does(recorded: Path) -> None:
    found = [row["what"] for row in table(recorded, "asides")]
    assert {name: found.count(name) for name in sorted(set(found))} == {
        "compute": 2,
        "excuse": 1,
        "failed": 2,
        "idle": 2,
        "offer": 3,
        "present": 2,
        "send": 1,
    }


def test_on_its_own_clock_a_record_plays_as_it_was(recorded: Path, tmp_path: Path) -> None:
    """Every row, those of what was cut short, failed or withdrawn included."""
    script = script_until(recorded, HOSTS, last=99)
    again = tmp_path / "again.sqlite"
    assert play(again, follow(script)) == pytest.approx(
        max(row["end_s"] for row in table(recorded, "computes"))
    )
    assert tables(again) == tables(recorded)


def test_it_can_be_played_up_to_an_effect_of_the_root(recorded: Path, tmp_path: Path) -> None:
    (last,) = (row["seq"] for row in table(recorded, "rounds"))
    again = tmp_path / "again.sqlite"
    play(again, follow(script_until(recorded, HOSTS, last)))
    there, found = tables(recorded), tables(again)
    assert len(found["computes"]) == len(there["computes"]) - 1
    assert {**found, "computes": 0} == {**there, "computes": 0}


def test_the_script_tells_how_tasks_were_started_and_how_they_ended(recorded: Path) -> None:
    tasks = script_until(recorded, HOSTS, last=99).tasks
    started = [step for step in tasks[""] if isinstance(step, Started)]
    assert [(len(step.tasks), step.deadline_s, step.enough) for step in started] == [
        (3, None, None),
        (3, None, None),
        (2, None, 1),
        (3, 16.0, None),
        (0, None, None),
    ]
    assert tasks[started[2].tasks[0]][-1] == Ended("had enough")
    assert tasks[started[1].tasks[1]] == []


def test_another_clock_is_refused_such_a_record(recorded: Path) -> None:
    with pytest.raises(ValueError, match="was "):
        script_of(recorded, HOSTS)


def test_a_multicast_to_some_is_known_on_every_clock(tmp_path: Path) -> None:
    """A record that no timing steered may choose its devices, and can be replayed."""

    def to_some() -> Task:
        yield Send("server", HOSTS[1:], {"model_down": payload(10)})
        yield Send("server", HOSTS, {"model_down": payload(10)})

    play(tmp_path / "x.sqlite", to_some())
    steps = script_of(tmp_path / "x.sqlite", HOSTS).tasks[""]
    assert [step.dst for step in steps] == [HOSTS[1:], HOSTS]  # type: ignore[union-attr]


def test_a_listener_changes_nothing() -> None:
    """What is returned, raised and sent goes through, and a task that is closed is closed within."""
    heard: list[Callable[[], None] | str] = []

    def task() -> Task:
        try:
            got = yield Present(("a",))
            try:
                yield Excuse("a", got)
            except Failure as failure:
                heard.append(failure.reason)
            yield Present(("b",))
        finally:
            heard.append("closed")

    told: list[Any] = []
    listened = observed_by(ReplayLog((), lambda table, row: told.append(row[:3])), task())
    assert listened.send(None) == Present(("a",))
    assert listened.send("q") == Excuse("a", "q")
    assert listened.throw(HostDown("off")) == Present(("b",))
    listened.close()
    assert heard == ["off", "closed"]
    assert told == [("", 0, "present"), ("", 1, "excuse"), ("", 2, "present")]
