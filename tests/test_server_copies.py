"""Copies of the server's half: they know nothing of each other, in memory or in a file, and are averaged."""

import copy
import shutil
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from slfac_sim.foundation.errors import BadInput
from slfac_sim.hosts.names import SERVER
from slfac_sim.learning.draws import Draws
from slfac_sim.learning.halves import ServerHalf
from slfac_sim.learning.optimisers.adam import Adam
from slfac_sim.learning.optimisers.sgd import Sgd
from slfac_sim.learning.server_copies import ServerCopies
from slfac_sim.learning.weights import state_vector

OPTIMISERS = [Sgd(learning_rate=0.1), Sgd(learning_rate=0.1, momentum=0.9), Adam(learning_rate=0.01)]
DEVICES = ["a", "b", "c"]


def half_of(optimiser: Any) -> ServerHalf:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(5, 7, bias=False), nn.BatchNorm1d(7), nn.ReLU(), nn.Linear(7, 3))
    return ServerHalf(model, optimiser.open(model.parameters()))


def batches(count: int) -> list[Any]:
    rng = np.random.default_rng(0)
    return [(rng.standard_normal((4, 5)).astype(np.float32), rng.integers(0, 3, 4)) for _ in range(count)]


def in_turns(half: ServerHalf, **more: Any) -> list[float]:
    """Three rounds: the copies take two steps each, one after the other, and are averaged 1 to 2 to 3."""
    losses = []
    for number in range(3):
        with ServerCopies(half, Draws(0, SERVER), **more) as copies:
            copies.begin(DEVICES)
            for arrived in batches(6)[number::2]:
                losses += [copies.train(device, arrived).loss for device in DEVICES]
            copies.average(DEVICES, [1, 2, 3])
    return losses


def apart(half: ServerHalf) -> list[float]:
    """The same with three halves that really are three."""
    losses = []
    for number in range(3):
        three = [copy.deepcopy(half) for _ in DEVICES]
        for arrived in batches(6)[number::2]:
            losses += [one.step([arrived])[0].loss for one in three]
        with torch.no_grad():
            _mean_into(half, three)
    return losses


def _mean_into(half: ServerHalf, three: list[ServerHalf]) -> None:
    def mean(values: list[torch.Tensor]) -> torch.Tensor:
        return sum(value * share / 6 for value, share in zip(values, (1, 2, 3), strict=True))  # type: ignore[return-value]

    states = [one.model.state_dict() for one in three]
    moments = [one.optimiser.state_dict()["state"] for one in three]
    half.model.load_state_dict({name: mean([state[name] for state in states]) for name in states[0]})
    settings = half.optimiser.state_dict()
    settings["state"] = {
        place: {name: mean([one[place][name] for one in moments]) for name in moments[0][place]}
        for place in moments[0]
        if all(one is not None for one in moments[0][place].values())
    }
    half.optimiser.load_state_dict(settings)


@pytest.mark.parametrize("optimiser", OPTIMISERS, ids=["sgd", "momentum", "adam"])
def test_copies_that_take_turns_are_halves_apart(optimiser: Any) -> None:
    one, other = half_of(optimiser), half_of(optimiser)
    np.testing.assert_allclose(in_turns(one), apart(other), rtol=1e-4)
    np.testing.assert_allclose(state_vector(one.model), state_vector(other.model), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("optimiser", OPTIMISERS, ids=["sgd", "momentum", "adam"])
def test_in_a_file_they_learn_the_same(optimiser: Any) -> None:
    one, other = half_of(optimiser), half_of(optimiser)
    assert in_turns(one) == in_turns(other, most_bytes=0)
    assert np.array_equal(state_vector(one.model), state_vector(other.model))


def test_who_is_left_out_of_the_average_leaves_no_trace() -> None:
    with_c, without = half_of(OPTIMISERS[2]), half_of(OPTIMISERS[2])
    for half, devices in ((with_c, "abc"), (without, "ab")):
        with ServerCopies(half, Draws(0, SERVER)) as copies:
            copies.begin(list(devices))
            for device in devices:
                copies.train(device, batches(1)[0])
            copies.average(["a", "b"], [4, 4])
    assert np.array_equal(state_vector(with_c.model), state_vector(without.model))


def test_without_anybody_the_half_is_what_it_was() -> None:
    half = half_of(OPTIMISERS[2])
    before = state_vector(half.model)
    with ServerCopies(half, Draws(0, SERVER)) as copies:
        copies.begin(DEVICES)
        copies.train("b", batches(1)[0])
        assert not np.array_equal(state_vector(half.model), before)
        copies.average([], [])
    assert np.array_equal(state_vector(half.model), before)
    assert not half.optimiser.state


def test_a_disk_that_is_too_small_is_said_before_it_is_full(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=10))
    with pytest.raises(BadInput, match=r"copies of the server's half take .* GB .* TMPDIR"):
        in_turns(half_of(OPTIMISERS[0]), most_bytes=0)
