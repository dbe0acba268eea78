"""Devices that do not take part hold little: no half until it is used, no gradients between mini-batches."""

from typing import Any

import numpy as np
from worlds import world

from slfac_sim.learning.world import World
from slfac_sim.simulation.instant import InstantPlayer

FEW = "protocol={kind: parallel, rounds: 2, steps: 1, participation: {select: {kind: random, count: 1}}}"


def with_halves(one: World) -> list[str]:
    return [device.name for device in one.devices if "half" in vars(device)]


def test_a_half_that_was_never_used_comes_into_being_with_the_model_last_loaded() -> None:
    one = world()
    first, second, third = one.devices[:3]
    first.backward((smashed := first.forward(first.next_batch())).pending, np.ones_like(smashed.tensor))
    learnt = first.model_payload()
    assert second.model_payload().body != learnt.body
    third.load_model(second.model_payload().body)
    third.load_model(learnt.body)
    assert third.model_values == learnt.values
    assert with_halves(one) == ["d000", "d001"]
    assert third.model_payload().body == learnt.body
    assert with_halves(one) == ["d000", "d001", "d002"]


def test_a_model_that_waits_for_its_half_is_kept_in_checkpoints() -> None:
    one, other = world(), world("seed.learning=1")
    body = other.devices[0].model_payload().body
    one.devices[4].load_model(body)
    fresh = world()
    fresh.set_state(one.get_state())
    assert fresh.devices[4].model_payload().body == body


def test_the_last_model_of_all_makes_no_halves() -> None:
    """It is handed out to all 5, of which two at most have learnt."""
    one = world(FEW)
    model = one.devices[0].model_payload()
    InstantPlayer().play(one.scenario.protocol.run(one))
    assert len(with_halves(one)) <= 3
    bodies = {device.model_payload().body for device in one.devices}
    assert len(bodies) == 1
    assert model.body not in bodies


def test_no_gradients_are_held_between_mini_batches() -> None:
    for protocol in ("parallel", "pipelined"):
        one = world(f"protocol.kind={protocol}")
        device: Any = one.devices[0]
        smashed = device.forward(device.next_batch())
        device.backward(smashed.pending, np.ones_like(smashed.tensor))
        assert all(weight.grad is None for weight in device.half.model.parameters())
