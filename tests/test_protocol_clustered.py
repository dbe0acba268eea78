"""Clustered parallel split learning: between `parallel` and `sequential`, which are its extremes."""

from pathlib import Path

import numpy as np
import pytest
from fakes import participants
from played import (
    PLAIN,
    assert_all_bodies_are_decoded,
    assert_learns_as,
    down_at,
    heard,
    in_words,
    large_batch,
    on_the_clock,
    six_of_one,
    whole_model,
)
from worlds import column, world

from slfac_sim.effects import Send
from slfac_sim.learning.weights import state_vector
from slfac_sim.protocols.clustered import Clustered
from slfac_sim.simulation.instant import InstantPlayer

PAIRS = "protocol={kind: clustered, cluster: 2, rounds: 2, steps: 2}"


def test_a_round_of_two_clusters_effect_by_effect() -> None:
    """Three devices in clusters of two: the last cluster has one, and begins with the first one's average."""
    cast, seen = participants(), []
    plan = Clustered(rounds=1, steps=1, cluster=2)
    InstantPlayer(lambda effect: seen.append(in_words(effect))).play(plan.run(cast))  # type: ignore[arg-type]
    assert cast.server.heard == [
        "d000 forward", "d001 forward", "server trains on d000 d001",
        "d000 backward by gradient of 500000 bytes", "d001 backward by gradient of 500000 bytes",
        "server averages 2 halves", "d002 takes the average",
        "d002 forward", "server trains on d002", "d002 backward by gradient of 500000 bytes",
        "server averages 1 halves",
        "d000 takes the average", "d001 takes the average", "d002 takes the average",
    ]  # fmt: skip
    first = seen.index("server average")
    assert seen[:2] == ["note evals", "together 2"]
    assert seen[first + 1 : first + 5] == [
        "server encode_model",
        "server -> ('d002',): model_down",
        "together 1",
        "d002 decode_model",
    ]
    assert [line for line in seen if "train" in line] == [
        "server train cohort 1.d000.1 0 of 2",
        "server train cohort 1.d000.1 1 of 2",
        "server train cohort 1.d002.1 2 of 1",
    ]


def test_every_body_is_decoded() -> None:
    kinds = {"smashed_up": 20, "labels": 20, "smashed_down": 20, "model_up": 10, "model_down": 3 + 2 + 1}
    assert_all_bodies_are_decoded(PAIRS, kinds=kinds)


def test_one_device_learns_what_the_unsplit_model_learns() -> None:
    one = ("devices.count=1", "codec=raw", "protocol={kind: clustered, rounds: 2, steps: 3}")
    assert_learns_as(*one, batches_of=six_of_one)


def test_one_step_of_one_cluster_is_one_step_on_the_large_batch() -> None:
    whole = "protocol={kind: clustered, cluster: 5, rounds: 1, steps: 1}"
    assert_learns_as(whole, *PLAIN, batches_of=large_batch)


def test_one_step_of_every_cluster_is_a_step_on_each_large_batch() -> None:
    def batches(reference):  # type: ignore[no-untyped-def]
        each = [device.next_batch() for device in reference.devices]
        return [np.concatenate(part) for part in (each[:2], each[2:4], each[4:])]

    pairs = "protocol={kind: clustered, cluster: 2, rounds: 1, steps: 1}"
    assert_learns_as(pairs, *PLAIN, batches_of=batches)


def sent(*overrides: str) -> list[tuple[str, tuple[str, ...]]]:
    effects = heard(world(*overrides))
    return [
        (f"{one.src} {one.dst}", tuple(body.sha256 for body in one.payloads.values()))
        for one in effects
        if isinstance(one, Send)
    ]


def test_one_cluster_of_all_sends_byte_for_byte_what_parallel_sends() -> None:
    whole = "protocol={kind: clustered, cluster: 9, rounds: 2, steps: 2}"
    assert sent(whole) == sent("protocol={kind: parallel, rounds: 2, steps: 2}")


def test_clusters_of_one_learn_what_turns_learn() -> None:
    """Bit for bit: the mean of one half is that half."""
    states = []
    for kind in ("clustered, cluster: 1", "sequential"):
        one = world(f"protocol={{kind: {kind}, order: random, rounds: 2, steps: 2}}")
        heard(one)
        states.append(state_vector(whole_model(one)))
    assert np.array_equal(*states)


def test_a_crash_in_a_cluster_is_felt_in_that_cluster_only(tmp_path: Path) -> None:
    """The cohorts of d003 go on without it, and those of later clusters are complete."""
    _, undisturbed = on_the_clock(PAIRS)
    step = next(row for row in undisturbed.rows("steps") if row["device"] == "d003")
    _, rows = on_the_clock(PAIRS, down_at(tmp_path / "trace.csv", "d003", step["at_s"] + 1e-6))
    missed = [(row["round"], row["device"], row["reason"]) for row in rows.rows("misses")]
    assert [(number, device) for number, device, _ in missed] == [(1, "d003"), (2, "d003")]
    assert "crash" in missed[0][2]
    assert missed[1][2] == "absent"
    assert column(rows.rows("rounds"), "devices") == [4, 4]
    cohorts: dict[str, int] = {}
    for row in rows.rows("offers"):
        cohorts[row["queue"]] = cohorts.get(row["queue"], 0) + 1
    assert cohorts["cohort 1.d002.1"] == 2
    assert cohorts["cohort 1.d002.2"] == 1
    assert cohorts["cohort 1.d004.1"] == cohorts["cohort 1.d004.2"] == 1


def test_a_cluster_that_is_lost_hands_on_what_it_was_given(tmp_path: Path) -> None:
    alone = "protocol={kind: clustered, cluster: 1, rounds: 1, steps: 2}"
    _, undisturbed = on_the_clock(alone)
    step = next(row for row in undisturbed.rows("steps") if row["device"] == "d001")
    _, rows = on_the_clock(alone, down_at(tmp_path / "trace.csv", "d001", step["at_s"] + 1e-6))
    bodies = [row["sha256"] for row in rows.rows("payloads") if row["kind"] == "model_down"]
    assert len(bodies) == 5  # one for each cluster but the first, and the last average to all
    assert bodies[0] == bodies[1]


@pytest.mark.parametrize(("kind", "seed"), [("sequential", 3), ("clustered, cluster: 2", 5), ("u_shaped", 3)])
def test_devices_and_a_server_that_come_and_go_stop_nobody(kind: str, seed: int) -> None:
    """All rounds come to an end under every invariant, and all that a round lacks is a row of `misses`."""
    churn = (
        "devices.availability={kind: on_off, mean_on: 300 ms, mean_off: 100 ms}",
        "server.availability={kind: on_off, mean_on: 200 ms, mean_off: 20 ms}",
    )
    settings = f"protocol={{kind: {kind}, rounds: 4, steps: 2}}"
    _, rows = on_the_clock(settings, f"seed={seed}", *churn)
    done, missed = column(rows.rows("rounds"), "devices"), column(rows.rows("misses"), "round")
    assert [count + missed.count(number) for number, count in enumerate(done, start=1)] == [5] * 4
    assert 0 < len(missed) < 20
