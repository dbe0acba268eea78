"""The queue of a host: event for event what SimPy's `Resource` does, ties and interruptions included."""

from collections.abc import Callable, Generator
from typing import Any

import simpy
from hypothesis import given, settings
from hypothesis import strategies as st

from slfac_sim.simulation.hosts import Host

Work = Callable[[str, int], Generator[Any, Any, None]]
Log = list[tuple[float, str, str]]


def ours(env: simpy.Environment, log: Log) -> Work:
    hosts = {name: Host(env) for name in "ab"}

    def work(name: str, duration: int) -> Generator[Any, Any, None]:
        turn = hosts[name].ask(duration)
        try:
            yield turn
        except simpy.Interrupt:
            hosts[name].give_up(turn)
            log.append((env.now, name, f"interrupted, asked {turn.asked_s}, begun {turn.start_s}"))
            raise
        log.append((env.now, name, f"done, asked {turn.asked_s}, begun {turn.start_s}"))

    return work


def simpys(env: simpy.Environment, log: Log) -> Work:
    hosts = {name: simpy.Resource(env) for name in "ab"}

    def work(name: str, duration: int) -> Generator[Any, Any, None]:
        asked = begun = env.now
        try:
            with hosts[name].request() as turn:
                yield turn
                begun = env.now
                yield env.timeout(duration / 1.0)
        except simpy.Interrupt:
            log.append((env.now, name, f"interrupted, asked {asked}, begun {begun}"))
            raise
        log.append((env.now, name, f"done, asked {asked}, begun {begun}"))

    return work


def played(make: Callable[[simpy.Environment, Log], Work], tasks: list[Any], strikes: list[Any]) -> Log:
    """Run tasks of (host or pause, duration) steps, interrupt some at given times, and say what happened."""
    env = simpy.Environment(initial_time=0.0)
    log: Log = []
    work = make(env, log)

    def task(number: int, steps: list[tuple[str, int]]) -> Generator[Any, Any, None]:
        try:
            for what, duration in steps:
                if what == "pause":
                    yield env.timeout(duration)
                else:
                    yield from work(what, duration)
                log.append((env.now, f"task {number}", what))
        except simpy.Interrupt:
            log.append((env.now, f"task {number}", "struck"))

    processes = [env.process(task(number, steps)) for number, steps in enumerate(tasks)]

    def strike(at_s: int, number: int) -> Generator[Any, Any, None]:
        yield env.timeout(at_s)
        if processes[number % len(processes)].is_alive:
            processes[number % len(processes)].interrupt()

    for at_s, number in strikes:
        env.process(strike(at_s, number))
    env.run()
    return log


steps = st.tuples(st.sampled_from(["a", "b", "pause"]), st.integers(0, 3))
a_task = st.lists(steps, min_size=1, max_size=6)


@settings(max_examples=200)
@given(
    tasks=st.lists(a_task, min_size=1, max_size=5),
    strikes=st.lists(st.tuples(st.integers(0, 8), st.integers(0, 4)), max_size=4),
)
def test_the_order_of_events_is_that_of_simpys_resource(tasks: list[Any], strikes: list[Any]) -> None:
    """Whole seconds, so that most things happen at one instant, where only the order of events decides."""
    assert played(ours, tasks, strikes) == played(simpys, tasks, strikes)
