"""Split learning in turns: the order of its effects, its equivalences, and turns that fail."""

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
    on_the_clock,
    one_of_each,
    six_of_one,
    whole_model,
)
from worlds import column, world

from slfac_sim.effects import Compute, Send
from slfac_sim.protocols import Participation
from slfac_sim.protocols.sequential import Sequential
from slfac_sim.simulation.instant import InstantPlayer
from slfac_sim.simulation.simulated import Stalled

TURNS = "protocol={kind: sequential, rounds: 2, steps: 2}"
ONE_STEP = "protocol={kind: sequential, rounds: 1, steps: 1}"

EXCHANGE = [
    "{0} forward", "{0} encode", "{0} -> server: smashed_up+labels", "server decode",
    "server train cohort 1.{0}.1 {1} of 1", "server encode", "server -> {0}: smashed_down",
    "{0} decode", "{0} backward", "note steps",
]  # fmt: skip


def test_a_round_of_two_effect_by_effect() -> None:
    """Nothing overlaps; the first half comes from the seed, the second device takes what the first learnt."""
    cast, seen = participants(steps=(1, 1)), []
    plan = Sequential(rounds=1, steps=1)
    InstantPlayer(lambda effect: seen.append(in_words(effect))).play(plan.run(cast))  # type: ignore[arg-type]
    turns = [[line.format(f"d00{n}", n) for line in EXCHANGE] for n in (0, 1)]
    assert seen == [
        "note evals",
        "together 1", *turns[0], "d000 encode_model", "d000 -> server: model_up", "server decode_model",
        "together 1", "server encode_model", "server -> d001: model_down", "d001 decode_model",
        *turns[1], "d001 encode_model", "d001 -> server: model_up", "server decode_model",
        "note evals", "note rounds",
        "server encode_model", "server -> ('d000', 'd001'): model_down", "together 2",
        "d000 decode_model", "d001 decode_model",
    ]  # fmt: skip


def test_two_transfers_of_the_half_in_every_turn_but_the_first() -> None:
    sent = [effect for effect in heard(world(TURNS)) if isinstance(effect, Send)]
    kinds = [kind for effect in sent for kind in effect.payloads if kind.startswith("model")]
    assert (kinds.count("model_up"), kinds.count("model_down")) == (10, 9 + 1)
    handed = [effect.payloads.get("model_up") or effect.payloads.get("model_down") for effect in sent]
    bodies = [one.sha256 for one in handed if one is not None]
    assert bodies[::2] == bodies[1::2]  # what one device sends up the next is sent, byte for byte


def test_every_body_is_decoded() -> None:
    kinds = {"smashed_up": 20, "labels": 20, "smashed_down": 20, "model_up": 10, "model_down": 10}
    assert_all_bodies_are_decoded(TURNS, kinds=kinds)


def test_one_device_learns_what_the_unsplit_model_learns() -> None:
    """With momentum and batch-norm: there is nothing to average."""
    one = ("devices.count=1", "codec=raw", "protocol={kind: sequential, rounds: 2, steps: 3}")
    assert_learns_as(*one, batches_of=six_of_one)


def test_devices_with_one_step_each_are_as_many_sgd_steps() -> None:
    """With batch-norm: statistics are handed on with the half."""
    assert_learns_as(ONE_STEP, *PLAIN[:2], batches_of=one_of_each)


def test_an_order_that_is_drawn() -> None:
    def orders(seed: int) -> list[list[str]]:
        fixed = world(
            "protocol={kind: sequential, rounds: 3, steps: 1, order: random}", f"seed.learning={seed}"
        )
        computes = [one for one in heard(fixed) if isinstance(one, Compute) and one.what == "forward"]
        hosts = [one.host for one in computes]
        return [hosts[first : first + 5] for first in (0, 5, 10)]

    drawn = orders(0)
    assert all(sorted(order) == [f"d00{n}" for n in range(5)] for order in drawn)
    assert len({tuple(order) for order in drawn}) > 1
    assert drawn == orders(0) != orders(1)


def test_in_the_end_all_devices_hold_the_same_half() -> None:
    one = world(TURNS)
    heard(one)
    states = [device.model_state() for device in one.devices]
    assert all(np.array_equal(states[0], state) for state in states[1:])


def test_a_device_that_is_down_is_skipped(tmp_path: Path) -> None:
    _, rows = on_the_clock(TURNS, down_at(tmp_path / "trace.csv", "d001", 0.0))
    missed = [(row["round"], row["device"], row["reason"]) for row in rows.rows("misses")]
    assert missed == [(1, "d001", "absent"), (2, "d001", "absent")]
    assert column(rows.rows("rounds"), "devices") == [4, 4]


def test_a_crash_in_a_turn_loses_that_half_and_the_one_before_goes_on(tmp_path: Path) -> None:
    """What d002 has taught the server stays: the loss is its half, and d003 is sent what d001 handed in."""
    _, undisturbed = on_the_clock(TURNS)
    steps = [row for row in undisturbed.rows("steps") if row["device"] == "d002"]
    after = next(row for row in undisturbed.rows("computes") if row["start_s"] >= steps[0]["at_s"])
    assert after["host"] == "d002"
    crash_s = 0.5 * (after["start_s"] + after["end_s"])
    _, rows = on_the_clock(TURNS, down_at(tmp_path / "trace.csv", "d002", crash_s, 2 * crash_s))
    (miss,) = [row for row in rows.rows("misses") if row["round"] == 1]
    assert miss["device"] == "d002"
    assert "crash" in miss["reason"]
    taught = [row for row in rows.rows("steps") if row["round"] == 1]
    assert [row["device"] for row in taught].count("d002") == 1
    handed = {
        row["transfer"]: row["sha256"] for row in rows.rows("payloads") if row["kind"].startswith("model")
    }
    ends = [
        (row["src"], row["dst"], handed[row["id"]]) for row in rows.rows("transfers") if row["id"] in handed
    ]
    up = next(sha for src, _, sha in ends if src == "d001")
    assert next(sha for _, dst, sha in ends if dst == "d003") == up
    assert column(rows.rows("rounds"), "samples")[0] == 4 * 2 * 8


def test_a_server_that_is_down_costs_one_turn_only(tmp_path: Path) -> None:
    """The turn that it cuts off is lost; the next one begins when the server is up again."""
    _, undisturbed = on_the_clock(TURNS)
    step = next(row for row in undisturbed.rows("steps") if row["device"] == "d002")
    down_s, up_s = step["at_s"] + 1e-6, step["at_s"] + 5.0
    trace = down_at(tmp_path / "trace.csv", "server", down_s, up_s).replace("devices.", "server.")
    _, rows = on_the_clock(TURNS, trace)
    assert column(rows.rows("misses"), "device") == ["d002"]
    assert column(rows.rows("rounds"), "devices") == [4, 5]
    resumed = [row["at_s"] for row in rows.rows("steps") if row["device"] == "d003"]
    assert resumed[0] > up_s
    with pytest.raises(Stalled, match="round 1 cannot go on: the server is down for good"):
        on_the_clock(
            TURNS, down_at(tmp_path / "for_ever.csv", "server", down_s).replace("devices.", "server.")
        )


def test_a_turn_that_takes_too_long_is_cut_short() -> None:
    _, rows = on_the_clock(TURNS)
    turns = {row["device"]: row["at_s"] for row in rows.rows("steps") if row["round"] == 1}
    begins = [0.0, *turns.values()]
    slowest = max(turns, key=lambda name: turns[name] - begins[list(turns).index(name)])
    longest_s = turns[slowest] - begins[list(turns).index(slowest)]
    cut = (
        f"protocol={{kind: sequential, rounds: 1, steps: 2, participation: {{deadline: {0.9 * longest_s}}}}}"
    )
    _, rows = on_the_clock(cut)
    assert {(row["device"], row["reason"]) for row in rows.rows("misses")} >= {(slowest, "deadline")}
    assert Sequential(participation=Participation(deadline=1.0)).timing_steers_learning
    assert not Sequential().timing_steers_learning


def test_enough_of_one_device_means_nothing() -> None:
    with pytest.raises(ValueError, match=r"participation.enough"):
        Sequential(participation=Participation(enough=3))


def test_a_local_epoch_uses_every_sample_once() -> None:
    one = world("protocol={kind: sequential, rounds: 1}", "partition={kind: dirichlet, alpha: 0.5}")
    notes = [effect.row for effect in heard(one) if getattr(effect, "table", "") == "rounds"]
    assert notes[0]["samples"] == len(one.data.train_labels)
    steps = sum(getattr(effect, "table", "") == "steps" for effect in heard(world(TURNS)))
    assert steps == world(TURNS).device_steps == 20
    assert whole_model(one) is not None
