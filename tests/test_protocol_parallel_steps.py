"""What the server of parallel split learning takes a step on: each arrival, or what a queue has."""

from pathlib import Path

import numpy as np
import pytest
from played import (
    PLAIN,
    assert_all_bodies_are_decoded,
    assert_learns_as,
    down_at,
    heard,
    in_words,
    large_batch,
    on_the_clock,
    one_of_each,
    six_of_one,
)
from worlds import column, scenario, world

from slfac_sim.foundation.errors import BadInput
from slfac_sim.learning.weights import state_vector


def of(server_step: str, rounds: int = 1, steps: int = 1, more: str = "") -> str:
    return f"protocol={{kind: parallel, rounds: {rounds}, steps: {steps}, server_step: {server_step}{more}}}"


def trained(overrides: str, *more: str) -> list[int]:
    """Return, in order, how many mini-batches each step of the server had."""
    learnt, rows = on_the_clock(overrides, *more)
    per_batch = 8 * learnt.layout.split.work.server_step_flops
    return [round(row["flops"] / per_batch) for row in rows.rows("computes") if row["what"] == "train"]


def test_arrival_trains_on_each_by_itself() -> None:
    seen = [in_words(effect) for effect in heard(world(of("arrival"), "devices.count=2"))]
    first = seen.index("server decode")
    assert seen[first : first + 6] == [
        "server decode", "server decode", "server train", "server train", "server encode", "server encode",
    ]  # fmt: skip
    assert trained(of("arrival", steps=3)) == [1] * 15


def test_batching_takes_what_has_come() -> None:
    """Two at a time, and the fifth alone, when it has waited; with an endless wait it would never end."""
    assert trained(of("batching", more=", max_items: 2, wait: 10 s")) == [2, 2, 1]
    assert trained(of("batching", more=", max_items: 5, wait: 10 s")) == [5]
    assert trained(of("batching", more=", max_items: 5, wait: 0")) == [1] * 5
    _, rows = on_the_clock(of("batching", more=", max_items: 2, wait: 10 s"))
    waits = sorted(row["end_s"] - row["asked_s"] for row in rows.rows("offers"))
    assert waits[-2] < 10.0 <= waits[-1]


def test_arrival_has_no_barrier_within_a_round() -> None:
    """A fast device is steps ahead of a slow one, which in cohorts it cannot be."""
    ahead = []
    for kind in ("cohort", "arrival"):
        _, rows = on_the_clock(of(kind, steps=4), "devices.speed.sigma=2.0")
        done = [row["step"] for row in rows.rows("steps")]
        ahead.append(max(step - 1 - min(_steps_done(rows.rows("steps"), n)) for n, step in enumerate(done)))
    assert ahead[0] <= 1 < ahead[1]


def _steps_done(rows: list[dict[str, object]], number: int) -> list[int]:
    """Return how many steps each device had done before row `number`."""
    before = [row["device"] for row in rows[:number]]
    return [before.count(f"d{place:03d}") for place in range(5)]


def test_steps_in_order_of_arrival_by_hand() -> None:
    """At once and in device order: as many steps of the server as devices; the halves are averaged."""
    overrides = (*PLAIN, of("arrival"), "devices.count=1")
    assert_learns_as(*overrides, batches_of=one_of_each)
    full = (*PLAIN, of("batching", more=", max_items: 5"))
    assert_learns_as(*full, batches_of=large_batch)


@pytest.mark.parametrize("kind", ["arrival", "batching"])
def test_one_device_learns_as_the_unsplit_model(kind: str) -> None:
    chosen = (of(kind, rounds=2, steps=3), "codec=raw", "learning.optimiser=adam")
    assert_learns_as(*chosen, "devices.count=1", batches_of=six_of_one)


@pytest.mark.parametrize("kind", ["arrival", "batching"])
def test_every_body_is_decoded(kind: str) -> None:
    kinds = {"smashed_up": 20, "labels": 20, "smashed_down": 20, "model_up": 10, "model_down": 2}
    assert_all_bodies_are_decoded(of(kind, rounds=2, steps=2), kinds=kinds)


@pytest.mark.parametrize("kind", ["arrival", "batching"])
def test_timing_steers_what_is_learnt_and_it_is_said(kind: str) -> None:
    found = [on_the_clock(of(kind, steps=3, more=", max_items: 2"), f"seed.air={n}")[0] for n in (0, 1)]
    one, other = (state_vector(learnt.server.half.model) for learnt in found)
    assert not np.array_equal(one, other)
    assert found[0].scenario.protocol.timing_steers_learning
    assert not scenario(of("cohort")).protocol.timing_steers_learning


@pytest.mark.parametrize("kind", ["arrival", "batching"])
def test_a_device_that_crashes_holds_nobody_up(kind: str, tmp_path: Path) -> None:
    """Three are enough for a step, so those that are left need not wait for each other."""
    more = ", max_items: 5, wait: 20 ms"
    _, rows = on_the_clock(of(kind, steps=3, more=more))
    step = next(row for row in rows.rows("steps") if row["device"] == "d003" and row["step"] == 1)
    trace = down_at(tmp_path / "trace.csv", "d003", step["at_s"] + 1e-4)
    _, rows = on_the_clock(of(kind, rounds=2, steps=3, more=more), trace)
    misses = [(row["round"], row["device"], row["reason"]) for row in rows.rows("misses")]
    assert misses == [(1, "d003", "d003 is down: crash"), (2, "d003", "absent")]
    assert column(rows.rows("rounds"), "devices") == [4, 4]


@pytest.mark.parametrize("kind", ["arrival", "batching"])
def test_a_deadline_leaves_nothing_in_the_queue(kind: str) -> None:
    more = ", max_items: 5, wait: 10 s, participation: {deadline: 60 ms}"
    _, rows = on_the_clock(of(kind, rounds=2, steps=3, more=more))
    assert {row["reason"] for row in rows.rows("misses")} == {"deadline"}
    assert column(rows.rows("rounds"), "round") == [1, 2]


def test_a_lone_sample_that_the_server_cannot_normalise_is_refused() -> None:
    """On 1 x 1 maps batch-norm needs a batch; the server has one where it serves the whole cohort at once."""
    deep = ("model=resnet18", "cut=block1", "learning.batch=1")
    world(of("cohort"), *deep)
    with pytest.raises(BadInput, match="batches of a single sample"):
        world(of("arrival"), *deep)
