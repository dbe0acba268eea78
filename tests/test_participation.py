"""Who takes part in a round and who misses it, on the simulated clock: each miss is a row with its reason."""

from collections import Counter
from collections.abc import Sequence
from math import inf
from pathlib import Path
from typing import Any

import pytest
import simpy
from fakes import participants, payload
from hypothesis import given, settings
from hypothesis import strategies as st
from worlds import column, live_run, table

from slfac_sim.effects import Send, Task
from slfac_sim.hosts.availability import Outage
from slfac_sim.hosts.names import SERVER, device_names
from slfac_sim.ledger.store import MemoryLedger
from slfac_sim.network import Hosts
from slfac_sim.network.kinds.ideal import Ideal
from slfac_sim.protocols import Participation
from slfac_sim.protocols.parallel import Parallel
from slfac_sim.protocols.selections.fastest import Fastest
from slfac_sim.protocols.selections.random import Random
from slfac_sim.simulation.simulated import SimulatedPlayer, Stalled

DEVICES = device_names(3)
SPEEDS = {"d000": 1e9, "d001": 2e9, "d002": 4e9, SERVER: 10e9}
Spans = Sequence[tuple[float, float]]


class Played:
    """A protocol that was played on an ideal network, 1 MB/s each way, with the outages of `down`."""

    def __init__(
        self, plan: Parallel, down: dict[str, Spans] | None = None, reason: str = "off", **cast: Any
    ) -> None:
        self.cast = participants(**cast)
        self.cast.may_be_absent = bool(down)
        self.rows, self.now_s = play(plan.run(self.cast), down or {}, reason)  # type: ignore[arg-type]

    def told(self, name: str, *columns: str) -> list[tuple[Any, ...]]:
        return self.rows.tuples(name, columns)


def play(protocol: Task, down: dict[str, Spans], reason: str = "off") -> tuple[MemoryLedger, float]:
    env = simpy.Environment(initial_time=0.0)
    network = Ideal(up_rate=8e6, down_rate=8e6, latency=0.01).open(env, Hosts(DEVICES, (SERVER,)), 0)
    rows = MemoryLedger()
    plans = {host: iter([Outage(*span, reason) for span in spans]) for host, spans in down.items()}
    SimulatedPlayer(env, network, SPEEDS, rows, availability=plans).play(protocol)
    return rows, env.now


def test_random_devices_take_part_and_nobody_else_works() -> None:
    plan = Parallel(rounds=3, steps=1, participation=Participation(select=Random(count=2)))
    played = Played(plan)
    assert played.told("rounds", "devices") == [(2,)] * 3
    assert played.told("misses", "device") == []
    for number in (1, 2, 3):
        chosen = plan.participation.select.choose(DEVICES, number, 0, lambda device: 1.0)
        rows = played.told("steps", "round", "device")
        assert sorted(device for at, device in rows if at == number) == chosen


def test_the_fastest_take_part() -> None:
    played = Played(Parallel(rounds=2, steps=1, participation=Participation(select=Fastest(count=2))))
    assert {device for (device,) in played.told("steps", "device")} == {"d000", "d001"}  # as the fakes say


def test_at_the_deadline_transfers_cease_and_the_next_have_the_air_to_themselves() -> None:
    """Three share 1 MB/s up: 1, 1 and 4 MB. After 3 s two are through; the third is cut at 3.5 s.

    It had sent 1 MB in 3 s and half a MB alone. Then 1 MB each of two take 2 s, and not 3.
    """
    late = Participation(deadline=3.5)

    def one(device: str, megabytes: int) -> Task:
        yield Send(device, SERVER, {"smashed_up": payload(1_000_000 * megabytes)})
        return device

    def protocol() -> Task:
        cast = participants().devices
        first = yield from late.gather(1, cast, [one("d000", 1), one("d001", 1), one("d002", 4)])
        second = yield from late.gather(2, cast[:2], [one("d000", 1), one("d001", 1)])
        return first, second

    rows, now_s = play(protocol(), {})
    ends = [
        end_s for outcome, end_s in rows.tuples("transfers", ("outcome", "end_s")) if outcome == "delivered"
    ]
    assert ends == pytest.approx([3.01, 3.01, 5.51, 5.51], abs=1e-9)
    assert now_s == pytest.approx(5.51)
    assert rows.tuples("misses", ("at_s", "round", "device", "reason")) == [(3.5, 1, "d002", "deadline")]
    cut = [
        row for row in rows.tuples("transfers", ("outcome", "end_s", "airtime_s")) if row[0] != "delivered"
    ]
    assert cut == [("cancelled", 3.5, pytest.approx(1.5))]


def test_a_round_with_a_deadline_worked_by_hand() -> None:
    """The round of docs/design.md, cut 30 ms after the slowest has begun to send its half (4.57 s)."""
    limit = Participation(deadline=4.6)
    played = Played(Parallel(rounds=2, steps=1, participation=limit))
    assert played.told("misses", "round", "device", "reason") == [
        (1, "d000", "deadline"),
        (2, "d000", "deadline"),
    ]
    first_s, second_s = (at_s for (at_s,) in played.told("rounds", "at_s"))
    assert first_s == pytest.approx(4.6, abs=1e-6)
    assert second_s == pytest.approx(2 * 4.6 + 0.11, abs=1e-6)  # after the average has gone down to all
    assert played.told("rounds", "devices") == [(2,), (2,)]
    assert [line for line in played.cast.server.heard if "averages" in line] == [
        "server averages 2 halves"
    ] * 2
    cut = [row for row in played.told("transfers", "src", "outcome", "airtime_s") if row[1] == "cancelled"]
    assert cut == [("d000", "cancelled", pytest.approx(0.03))] * 2
    taken = played.cast.server.heard.count("d000 takes the average")
    assert taken == 2  # whoever missed a round begins the next with everybody's average


def test_enough_of_more_that_were_asked() -> None:
    """The round ends with the second device; the third is in the midst of its backward pass."""
    plan = Parallel(rounds=1, steps=1, participation=Participation(enough=2))
    played = Played(plan)
    assert played.told("misses", "at_s", "device", "reason") == [(pytest.approx(4.18), "d000", "enough")]
    assert played.told("rounds", "devices") == [(2,)]
    assert ("d000", "backward", "interrupted") in played.told("computes", "host", "what", "outcome")


def test_a_device_that_crashes_in_mid_batch_keeps_nobody_waiting() -> None:
    """d000 is down from 0.5 s (its forward) on: the cohorts go on with two, and so do the rounds."""
    played = Played(Parallel(rounds=2, steps=2), {"d000": [(0.5, inf)]}, "crash")
    assert played.told("misses", "round", "device", "reason") == [
        (1, "d000", "d000 is down: crash"),
        (2, "d000", "absent"),
    ]
    trained = [line for line in played.cast.server.heard if "trains" in line]
    assert trained == ["server trains on d001 d002"] * 4
    assert played.told("outages", "host", "down_s", "up_s") == [("d000", 0.5, None)]


def test_what_the_server_has_learnt_from_a_device_that_is_lost_later_stays() -> None:
    """d000 goes down at 4 s, in its first backward pass; the server has learnt from its first mini-batch."""
    played = Played(Parallel(rounds=1, steps=2), {"d000": [(4.0, 4.5)]})
    trained = [line for line in played.cast.server.heard if "trains" in line]
    assert trained == ["server trains on d000 d001 d002", "server trains on d001 d002"]
    assert played.told("rounds", "devices", "samples") == [(2, 4)]
    assert "d000 backward by gradient of 500000 bytes" not in played.cast.server.heard


def test_all_are_away_until_one_comes_back() -> None:
    away = {"d000": [(0.0, 7.0)], "d001": [(0.0, 5.0)], "d002": [(0.0, inf)]}
    played = Played(Parallel(rounds=1, steps=1), away)
    assert played.told("misses", "at_s", "device", "reason") == [
        (5.0, "d000", "absent"),
        (5.0, "d002", "absent"),
    ]
    assert played.told("rounds", "devices") == [(1,)]


def test_when_nobody_is_left_the_run_says_so() -> None:
    gone = {name: [(1.0, inf)] for name in DEVICES}
    with pytest.raises(Stalled, match="round 2 cannot begin: no device is left"):
        Played(Parallel(rounds=2, steps=1), gone)


def test_a_restart_of_the_server_costs_a_round_and_nothing_more() -> None:
    """It goes down at 1.9 s, in the step of the cohort, and is back at 3 s."""
    played = Played(Parallel(rounds=2, steps=1), {SERVER: [(1.9, 3.0)]}, "restart")
    assert played.told("misses", "at_s", "round", "device", "reason") == [
        (1.9, 1, device, "server is down: restart") for device in DEVICES
    ]
    assert played.told("rounds", "round", "devices") == [(1, 0), (2, 3)]
    assert [number for number, _ in played.cast.kept] == [1, 2]


def test_a_server_that_restarts_while_it_averages_does_so_again() -> None:
    once = Played(Parallel(rounds=1, steps=1), model_bytes=100_000)
    (ends_s,) = (end_s for what, end_s in once.told("computes", "what", "end_s") if what == "average")
    later = Played(Parallel(rounds=1, steps=1), {SERVER: [(ends_s - 1e-10, 9.0)]}, "restart")
    assert later.told("rounds", "devices") == [(3,)]
    averages = [row for row in later.told("computes", "what", "outcome") if row[0] == "average"]
    assert averages == [("average", "down"), ("average", "done")]
    assert later.now_s == pytest.approx(9.0 + 0.11, abs=1e-6)


@st.composite
def outages(draw: st.DrawFn) -> dict[str, list[tuple[float, float]]]:
    """Return a few outages of devices and server, all of which end."""
    plans = {}
    for host in draw(st.sets(st.sampled_from([*DEVICES, SERVER]))):
        edges = sorted(draw(st.lists(st.floats(0.0, 20.0), min_size=2, max_size=6, unique=True)))
        plans[host] = list(zip(edges[::2], edges[1::2], strict=False))
    return plans


@settings(max_examples=150)
@given(
    down=outages(),
    rounds=st.integers(1, 3),
    steps=st.integers(1, 3),
    way=st.sampled_from(["multicast", "unicast"]),
    limit=st.none() | st.floats(0.1, 12.0),
    enough=st.none() | st.integers(1, 3),
)
def test_with_any_outages_a_run_ends_and_everybody_is_accounted_for(
    down: dict[str, Spans], rounds: int, steps: int, way: Any, limit: float | None, enough: int | None
) -> None:
    plan = Parallel(
        rounds=rounds,
        steps=steps,
        model_broadcast=way,
        participation=Participation(deadline=limit, enough=enough),
    )
    played = Played(plan, down)
    assert [number for (number,) in played.told("rounds", "round")] == list(range(1, rounds + 1))
    missed = Counter(number for (number,) in played.told("misses", "round"))
    for number, devices in played.told("rounds", "round", "devices"):
        assert devices + missed[number] == len(DEVICES)
    assert len(set(played.told("misses", "round", "device"))) == missed.total()
    reasons = {reason for (reason,) in played.told("misses", "reason")}
    theirs = {f"{host} {what}" for host in down for what in ("is down: off", "missed a multicast")}
    assert reasons <= {"absent", "deadline", "enough"} | theirs


OUTAGES = {
    "crash": "devices.availability={kind: crash, mean_between: 1 s, restart: 200 ms}",
    "churn": "devices.availability={kind: on_off, mean_on: 500 ms, mean_off: 200 ms}",
    "battery": "devices.battery=2.8 J",
    "restarts": "server.availability={kind: crash, mean_between: 400 ms, restart: 50 ms}",
}


@pytest.mark.parametrize("cause", OUTAGES)
def test_real_training_goes_on_with_whoever_is_there(tmp_path: Path, cause: str) -> None:
    path = tmp_path / "ledger.sqlite"
    live_run(path, OUTAGES[cause], "protocol.rounds=4")
    rounds, misses = table(path, "rounds"), table(path, "misses")
    missed = Counter(column(misses, "round"))
    assert [row["devices"] + missed[row["round"]] for row in rounds] == [5] * 4
    assert misses
    assert len(table(path, "evals")) == 5
    expected = {"crash": "crash", "churn": "off", "battery": "battery empty", "restarts": "server is down"}
    reasons = {row["reason"] for row in misses if row["reason"] != "absent"}
    assert any(expected[cause] in reason for reason in reasons)


@pytest.mark.parametrize(
    ("protocol", "missed"),
    [("parallel", 2), ("epsl, phi: 1.0", 1), ("fedavg", 2)],
    ids=["parallel", "epsl", "fedavg"],
)
def test_who_was_down_during_a_part_of_a_multicast_misses_the_round(
    tmp_path: Path, protocol: str, missed: int
) -> None:
    """The outage begins while the bytes are on their way; the device is up again without them, or never."""
    ledger, overrides = tmp_path / "ledger.sqlite", (f"protocol={{kind: {protocol}, rounds: 2, steps: 1}}",)
    live_run(tmp_path / "calm.sqlite", *overrides)
    sent = next(row for row in table(tmp_path / "calm.sqlite", "transfers") if row["dst"] == "*")
    down_s, up_s = (sent["start_s"] + part * (sent["end_s"] - sent["start_s"]) for part in (0.3, 0.7))
    for until_s, reason in ((str(up_s), "missed a multicast"), ("", "is down: off")):
        plan = tmp_path / "plan.csv"
        plan.write_text(f"device,down_s,up_s\nd001,{down_s},{until_s}\n", encoding="utf-8")
        live_run(ledger, *overrides, f"devices.availability={{kind: trace, file: {plan}}}")
        first = table(ledger, "misses")[0]
        assert (first["round"], first["device"], first["reason"]) == (missed, "d001", f"d001 {reason}")
        assert column(table(ledger, "rounds"), "devices")[missed - 1] == 4
        ledger.unlink()
