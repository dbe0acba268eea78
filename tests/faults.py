"""Small runs of every protocol, and when an undisturbed one has effects under way: where to put faults."""

from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path

from worlds import scenario

from slfac_sim.foundation.plugins import kinds
from slfac_sim.hosts.names import SERVER
from slfac_sim.ledger.store import MemoryLedger
from slfac_sim.runs.opening import build
from slfac_sim.simulation.invariants import strictly
from slfac_sim.simulation.simulate import Simulation

ROUNDS = 2
SMALL = (
    "data={kind: synthetic, train_samples: 60, test_samples: 8, size: 6, classes: 3}",
    "model={kind: small_cnn, width: 2}",
    "learning.batch=4",
    "devices={count: 3, speed: {kind: log_normal, median: 0.02 GFLOP/s, sigma: 0.5}}",
    "server.speed=0.05 GFLOP/s",
    "learning.optimiser=adam",
    "codec={uplink: {kind: aq_sgd}, downlink: {kind: uniform}}",
)
PROTOCOLS = [
    *kinds("slfac_sim.protocols"),
    "parallel, server_step: batching, max_items: 3, wait: 10 ms",
    "parallel, server_step: arrival",
    "pipelined, depth: 3",
    "epsl, phi: 1.0",
    "fedasync, concurrency: 1, mu: 0.1",
    "fedbuff, concurrency: 1, buffer: 2",
    "fedbuff, concurrency: 2",
]
EFFECTS = ("device computes", "server computes", "uplink", "downlink", "multicast", "waits", "served")


@dataclass(frozen=True)
class Moment:
    """An effect that was under way from `start_s` to `end_s`, in the first group that a limit is set to."""

    start_s: float
    end_s: float
    group_s: float | None


def settings_of(kind: str, rounds: int = ROUNDS) -> tuple[str, ...]:
    return (*SMALL, f"protocol={{kind: {kind}, rounds: {rounds}, steps: 2}}")


@cache
def has_limits(kind: str) -> bool:
    """Return whether devices of the protocol can be given a deadline."""
    protocol = scenario(*settings_of(kind)).protocol
    return "participation" in {field.name for field in fields(protocol)}


def played(*overrides: str) -> MemoryLedger:
    """Play a scenario, its laws watched; nothing is under way when it has ended or cannot go on."""
    chosen, rows, summary = scenario(*overrides), MemoryLedger(), {}
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


def within(kind: str, effect: str, limited: bool) -> float | None:
    """Return a time in the midst of such an effect, from a limit's beginning on if `limited`; None: none."""
    there = [moment for moment in moments(kind)[effect] if moment.group_s is not None or not limited]
    if not there:
        return None
    middle = there[len(there) // 2]
    at_s = (middle.start_s + middle.end_s) / 2.0
    return at_s - (middle.group_s or 0.0) if limited else at_s


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
