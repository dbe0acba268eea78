"""A deadline, a crash or an outage inside an effect of any kind, of every protocol: the laws hold.

The matrix is generated: the ledger of an undisturbed run tells when effects of each kind are under way, and
the run is done again with a fault in the midst of one, or at its very end.
"""

from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path

import pytest
from worlds import column, scenario

from slfac_sim.build import build
from slfac_sim.foundation.plugins import kinds
from slfac_sim.invariants import strictly
from slfac_sim.ledger import Rows
from slfac_sim.names import SERVER
from slfac_sim.players.simulated import Stalled
from slfac_sim.simulation import Simulation

ROUNDS = 2
SMALL = (
    "data={kind: synthetic, train_samples: 60, test_samples: 8, size: 6, classes: 3}",
    "model={kind: small_cnn, width: 2}",
    "learning.batch=4",
    "devices={count: 4, speed: {kind: log_normal, median: 0.02 GFLOP/s, sigma: 0.5}}",
    "server.speed=0.05 GFLOP/s",
    "codec={uplink: uniform, downlink: raw}",
)
PROTOCOLS = [
    *kinds("slfac_sim.protocols"),
    "parallel, server_step: batching, max_items: 3, wait: 10 ms",
    "parallel, server_step: arrival",
    "pipelined, depth: 3",
    "epsl, phi: 1.0",
]
EFFECTS = ("device computes", "server computes", "uplink", "downlink", "multicast", "waits", "served")


@dataclass(frozen=True)
class Moment:
    """An effect that was under way from `start_s` to `end_s`, in the first group that a limit is set to."""

    start_s: float
    end_s: float
    group_s: float | None


def settings_of(kind: str) -> tuple[str, ...]:
    return (*SMALL, f"protocol={{kind: {kind}, rounds: {ROUNDS}, steps: 2}}")


@cache
def has_limits(kind: str) -> bool:
    """Return whether devices of the protocol can be given a deadline."""
    protocol = scenario(*settings_of(kind)).protocol
    return "participation" in {field.name for field in fields(protocol)}


def played(*overrides: str) -> Rows:
    """Play a scenario, its laws watched; nothing is under way when it has ended or cannot go on."""
    chosen, rows, summary = scenario(*overrides), Rows(), {}
    with strictly(chosen, rows, chosen.protocol.run(build(chosen)), summary) as (watched, task, book):
        simulation = Simulation(watched, book)
        simulation.play(task)
        assert list(simulation.under_way()) == []
    return rows


@cache
def moments(kind: str) -> dict[str, list[Moment]]:
    """Return when effects are under way in an undisturbed run, by what they are."""
    unlimited = ("protocol.participation.deadline=1e6",) if has_limits(kind) else ()
    rows = played(*settings_of(kind), *unlimited)
    groups = [
        (f"{task}/{seq}." if task else f"{seq}.", at_s)
        for task, seq, at_s in rows.tuples("limits", ("task", "seq", "asked_s"))
    ]
    found: dict[str, list[Moment]] = {name: [] for name in EFFECTS}

    def note(name: str, task: str, start_s: float, end_s: float) -> None:
        group_s = next((at_s for prefix, at_s in groups[:1] if task.startswith(prefix)), None)
        if end_s > start_s:
            found[name].append(Moment(start_s, end_s, group_s))

    for task, host, start_s, end_s in rows.tuples("computes", ("task", "host", "start_s", "end_s")):
        if not task.startswith("queue "):
            note("server computes" if host == SERVER else "device computes", task, start_s, end_s)
    for task, dst, start_s, end_s in rows.tuples("transfers", ("task", "dst", "start_s", "end_s")):
        note({SERVER: "uplink", "*": "multicast"}.get(dst, "downlink"), task, start_s, end_s)
    served = {
        (task.removeprefix("queue "), end_s): start_s
        for task, start_s, end_s in rows.tuples("computes", ("task", "start_s", "end_s"))
    }
    for task, queue, asked_s, end_s in rows.tuples("offers", ("task", "queue", "asked_s", "end_s")):
        note("waits", task, asked_s, served[queue, end_s])
        note("served", task, served[queue, end_s], end_s)
    return found


def chosen(kind: str, effect: str, limited: bool) -> list[float]:
    """Return times in the midst of such an effect and at its very end; none if the protocol has none."""
    there = [moment for moment in moments(kind)[effect] if moment.group_s is not None or not limited]
    if not there:
        return []
    middle = there[len(there) // 2]
    times = [(middle.start_s + middle.end_s) / 2.0, middle.end_s]
    return [at_s - (middle.group_s or 0.0) for at_s in times] if limited else times


def trace(path: Path, host: str, down_s: float, up_s: float | None) -> str:
    path.write_text(
        f"device,down_s,up_s,reason\n{host},{down_s!r},{'' if up_s is None else repr(up_s)},crash\n"
    )
    owner = "server" if host == SERVER else "devices"
    return f"{owner}.availability={{kind: trace, file: '{path}'}}"


Fault = Callable[[Path, float], str]
FAULTS: dict[str, Fault] = {
    "deadline": lambda path, at_s: f"protocol.participation.deadline={at_s!r}",
    "device crashes": lambda path, at_s: trace(path, "d001", at_s, None),
    "device away": lambda path, at_s: trace(path, "d001", at_s, at_s + 0.01),
    "server crashes": lambda path, at_s: trace(path, SERVER, at_s, None),
    "server away": lambda path, at_s: trace(path, SERVER, at_s, at_s + 0.01),
}


def assert_whole(kind: str, rows: Rows) -> None:
    """Every round is there, everybody is accounted for, and no batch was served for nobody."""
    assert column(rows.rows("rounds"), "round") == list(range(1, ROUNDS + 1))
    if has_limits(kind):
        missed = Counter(column(rows.rows("misses"), "round"))
        assert [row["devices"] + missed[row["round"]] for row in rows.rows("rounds")] == [4] * ROUNDS
    answered = set(rows.tuples("offers", ("queue", "end_s")))
    for task, end_s, outcome in rows.tuples("computes", ("task", "end_s", "outcome")):
        if task.startswith("queue "):
            assert ((task.removeprefix("queue "), end_s) in answered) == (outcome == "done")


LIMITED = [kind for kind in PROTOCOLS if has_limits(kind)]
CASES = [(kind, fault) for kind in PROTOCOLS for fault in FAULTS if fault != "deadline" or kind in LIMITED]


@pytest.mark.matrix
@pytest.mark.parametrize(("kind", "fault"), CASES)
def test_a_fault_inside_any_effect_keeps_the_laws(kind: str, fault: str, tmp_path: Path) -> None:
    """A server that is down for good ends the run, whose rows until then keep them too."""
    for effect in EFFECTS:
        for at_s in chosen(kind, effect, limited=fault == "deadline"):
            disturbed = (*settings_of(kind), FAULTS[fault](tmp_path / "plan.csv", at_s))
            if fault == "server crashes":
                with suppress(Stalled):
                    played(*disturbed)
            else:
                assert_whole(kind, played(*disturbed))


@pytest.mark.matrix
@pytest.mark.parametrize("discipline", ["fifo", "sharing"])
@pytest.mark.parametrize("kind", [kind for kind in LIMITED if kind != "sequential"])  # has turns, no race
def test_enough_keeps_the_laws(kind: str, discipline: str) -> None:
    for enough in (1, 2, 3):
        race = (f"protocol.participation.enough={enough}", f"server.discipline={discipline}")
        assert_whole(kind, played(*settings_of(kind), *race))
