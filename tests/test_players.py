"""The players: queues, barriers, interruptions, stalls; and a replay that is exact."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import simpy
from fakes import participants, payload
from worlds import column, scenario, table

from slfac_sim.effects import MISSED, Compute, Failed, Note, Offer, Send, Task, Together, TransferLost
from slfac_sim.hosts.names import SERVER, device_names
from slfac_sim.ledger.store import FileLedger
from slfac_sim.network import Delivery, Hosts, Lost
from slfac_sim.network.kinds.ideal import Ideal
from slfac_sim.protocols.parallel import Parallel
from slfac_sim.simulation.instant import InstantPlayer
from slfac_sim.simulation.replay import protocol_of
from slfac_sim.simulation.simulate import simulate
from slfac_sim.simulation.simulated import SimulatedPlayer, Stalled

DEVICES = device_names(3)
SPEEDS = {"d000": 1e9, "d001": 2e9, "d002": 4e9, SERVER: 10e9}


class Stage:
    """A simulated player on an ideal network, 8 Mbit/s each way, shared, 10 ms; with its ledger."""

    def __init__(self, path: Path, **network: Any) -> None:
        settings = {"up_rate": 8e6, "down_rate": 8e6, "latency": 0.01, **network}
        self.env = simpy.Environment()
        self.network = Ideal(**settings).open(self.env, Hosts(DEVICES, (SERVER,)), 0)
        self.path = path / "ledger.sqlite"
        self.ledger = FileLedger(self.path)
        self.player = SimulatedPlayer(self.env, self.network, SPEEDS, self.ledger)

    def play(self, task: Task) -> Any:
        return self.player.play(task)

    def table(self, name: str) -> list[dict[str, Any]]:
        self.ledger.commit()
        return table(self.path, name)


@pytest.fixture
def stage(tmp_path: Path) -> Any:
    stage = Stage(tmp_path)
    yield stage
    stage.ledger.close()


def work(host: str, seconds: float, job: Callable[[], Any] = lambda: None, what: str = "work") -> Compute:
    return Compute(host, seconds * SPEEDS[host], job, what)


def one(effect: Any) -> Task:
    return (yield effect)


def test_a_host_does_one_thing_at_a_time_first_asked_first_served(stage: Stage) -> None:
    done: list[str] = []

    def ask(name: str) -> Task:
        yield work(SERVER, 2.0, lambda: done.append(f"{name} at {stage.env.now:g}"), name)

    stage.play(one(Together([ask("a"), ask("b"), ask("c")])))
    assert done == ["a at 2", "b at 4", "c at 6"]  # a job runs when its compute ends
    rows = stage.table("computes")
    assert [(row["asked_s"], row["start_s"], row["end_s"]) for row in rows] == [
        (0, 0, 2),
        (0, 2, 4),
        (0, 4, 6),
    ]


def test_results_of_together_come_in_the_order_of_the_tasks(stage: Stage) -> None:
    tasks = [one(work("d000", 3.0, lambda: "slow")), one(work("d001", 1.0, lambda: "quick"))]
    assert stage.play(one(Together(tasks))) == ["slow", "quick"]
    assert stage.play(one(Together([]))) == []


def test_a_deadline_interrupts_compute_and_its_job_never_runs(stage: Stage) -> None:
    ran: list[str] = []
    tasks = [
        one(work("d000", 1.0, lambda: ran.append("in time"))),
        one(work("d001", 5.0, lambda: ran.append("late"))),
    ]
    assert stage.play(one(Together(tasks, deadline_s=2.0))) == [None, MISSED]
    limit = {"asked_s": 0.0, "tasks": 2, "deadline_s": 2.0, "enough": None}
    assert stage.table("limits") == [{"task": "", "seq": 0, **limit}]
    assert ran == ["in time"]
    assert stage.env.now == 2.0
    late = stage.table("computes")[-1]
    assert (late["outcome"], late["end_s"]) == ("interrupted", 2.0)
    assert stage.play(one(work("d001", 1.0, lambda: "free again"))) == "free again"
    assert stage.env.now == 3.0


def test_a_deadline_interrupts_a_transfer_and_frees_the_air(stage: Stage) -> None:
    def protocol() -> Task:
        late = one(Send("d000", SERVER, {"smashed_up": payload(10_000_000)}))
        first = yield Together([late], deadline_s=1.0)
        reached = yield Send("d001", SERVER, {"smashed_up": payload(1_000_000)})
        return first, reached

    results, reached = stage.play(protocol())
    assert (results, reached) == ([MISSED], (SERVER,))
    assert stage.env.now == pytest.approx(1.0 + 1.0 + 0.01, abs=1e-12)  # the whole air, at once
    rows = stage.table("transfers")
    assert column(rows, "outcome") == ["cancelled", "delivered"]
    assert rows[0]["airtime_s"] == pytest.approx(1.0)
    assert stage.ledger.delivered_bytes == 1_000_000


def test_a_transfer_that_arrives_at_the_very_deadline_is_in_time(tmp_path: Path) -> None:
    stage = Stage(tmp_path, latency=0.25)
    with stage.ledger:
        late = one(Send("d000", SERVER, {"smashed_up": payload(1_000_000)}))
        assert stage.play(one(Together([late], deadline_s=1.25))) == [(SERVER,)]
        row = stage.table("transfers")[0]
    assert (row["outcome"], row["end_s"]) == ("delivered", 1.25)


def test_an_error_in_a_served_batch_is_not_taken_for_a_stall(stage: Stage) -> None:
    def broken(items: list[Any]) -> list[Any]:
        raise RuntimeError("out of memory")

    with pytest.raises(RuntimeError, match="out of memory"):
        stage.play(one(Offer(SERVER, "q", 0, None, broken, 1.0, 1, "train")))


def test_enough_results_close_the_rest(stage: Stage) -> None:
    def child(host: str, seconds: float) -> Task:
        inner = yield Together([one(work(host, seconds, lambda: host))])
        return inner[0]

    tasks = [child("d000", 3.0), child("d001", 1.0), child("d002", 2.0)]
    assert stage.play(one(Together(tasks, enough=2))) == [MISSED, "d001", "d002"]
    assert stage.env.now == 2.0


class LossyNetwork:
    """Gives up every transfer after one second."""

    def __init__(self, env: simpy.Environment) -> None:
        self.env = env

    def transfer(self, src: str, dst: str, nbytes: int) -> simpy.Event:
        event = self.env.event()
        delivery = Delivery(src, dst, 1, nbytes, nbytes, 0, 0, 1, 1, 0.5, 8.0, 0.0, 0.0, 3, delivered=False)
        timer = self.env.timeout(1.0)
        timer.callbacks.append(lambda _: event.fail(Lost(delivery, "out of range")))
        return event

    def stalled(self) -> list[Any]:
        return []


def test_a_lost_transfer_is_raised_into_the_protocol_and_is_a_row(tmp_path: Path) -> None:
    env = simpy.Environment()

    def catches() -> Task:
        try:
            yield Send("d000", SERVER, {"labels": payload(5)})
        except TransferLost as lost:
            return f"caught: {lost.reason}"

    with FileLedger(tmp_path / "ledger.sqlite") as ledger:
        player = SimulatedPlayer(env, LossyNetwork(env), SPEEDS, ledger)  # type: ignore[arg-type]
        plain = one(Send("d001", SERVER, {"labels": payload(7)}))
        assert player.play(one(Together([catches(), plain]))) == [
            "caught: d000 -> server: out of range",
            Failed("d001 -> server: out of range"),
        ]
    rows = table(tmp_path / "ledger.sqlite", "transfers")
    assert [(row["outcome"], row["tries"]) for row in rows] == [("lost", 3), ("lost", 3)]


def test_offers_are_served_together_in_the_order_of_their_places(stage: Stage) -> None:
    served: list[list[str]] = []

    def offer(host: str, place: int) -> Task:
        yield work(host, 3.0 - place)  # who is offered last has the first place
        answer = yield Offer(SERVER, "q", place, f"item {place}", serve, 1e9, 3, "train")
        return answer, stage.env.now

    def serve(items: list[str]) -> list[str]:
        served.append(items)
        return [item.upper() for item in items]

    tasks = [offer("d000", 2), offer("d001", 0), offer("d002", 1)]
    results = stage.play(one(Together(tasks)))
    assert served == [["item 0", "item 1", "item 2"]]
    assert results == [("ITEM 2", 3.3), ("ITEM 0", 3.3), ("ITEM 1", 3.3)]  # 3 s, then 3 GFLOP at 10 GFLOP/s
    assert column(stage.table("offers"), "place") == [0, 1, 2]


def test_a_stalled_run_names_what_it_waits_for(stage: Stage) -> None:
    task = one(Offer(SERVER, "cohort 1.1", 0, None, list, 1.0, 2, "train"))
    with pytest.raises(Stalled) as caught:
        stage.play(task)
    assert str(caught.value) == (
        "nothing can happen after 0 s, but the protocol is unfinished; "
        "stalled: queue cohort 1.1 of server (1 of 2 offers)"
    )


def test_a_stalled_transfer_is_named(tmp_path: Path) -> None:
    """A device out of coverage in a scenario that allows it: its first transfer never ends."""
    chosen = scenario("network.positions=[[20,0],[0,20],[9000,0],[30,0],[0,30]]", "network.outage=allow")
    cast = participants(steps=(1, 1, 1))
    with FileLedger(tmp_path / "ledger.sqlite") as ledger, pytest.raises(Stalled) as caught:
        simulate(chosen, Parallel(rounds=1, steps=1).run(cast), ledger)  # type: ignore[arg-type]
    assert "stalled: d002 -> server (500000 bytes since " in str(caught.value)
    assert "(2 of 3 offers)" in str(caught.value)


def test_an_error_in_a_job_is_not_swallowed(stage: Stage) -> None:
    def broken() -> None:
        raise ZeroDivisionError("in a job")

    with pytest.raises(ZeroDivisionError, match="in a job"):
        stage.play(one(Together([one(work("d000", 1.0, broken))])))


def test_the_instant_player_waits_for_whole_cohorts() -> None:
    with pytest.raises(RuntimeError, match="offers that never come"):
        InstantPlayer().play(one(Offer(SERVER, "q", 0, None, list, 1.0, 2, "train")))


def test_notes_are_stamped_with_the_clock_and_the_bytes(stage: Stage) -> None:
    def protocol() -> Task:
        yield Send("d000", SERVER, {"smashed_up": payload(1000), "labels": payload(8)})
        yield Note("evals", {"round": 0, "accuracy": 0.5, "loss": 1.0, "accuracy_no_codec": 0.6})

    stage.play(protocol())
    row = stage.table("evals")[0]
    assert row["at_s"] == pytest.approx(1008 * 8 / 8e6 + 0.01)
    assert row["payload_bytes"] == 1008


def test_replay_refuses_a_run_that_was_interrupted(tmp_path: Path, stage: Stage) -> None:
    stage.play(one(Together([one(work("d000", 5.0))], deadline_s=1.0)))
    stage.ledger.commit()
    with pytest.raises(ValueError, match="compute 0 was interrupted: timing steered this run"):
        protocol_of(stage.path, DEVICES)
