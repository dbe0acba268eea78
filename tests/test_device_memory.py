"""The memory of a device's half: counted by hand, linear in the batch, and refused with figures."""

import pytest
import torch
from torch import nn

from slfac_sim.foundation.errors import BadInput
from slfac_sim.learning.memory import Memory, memory_of, refuse_if_too_large
from slfac_sim.learning.optimisers.adam import Adam
from slfac_sim.learning.optimisers.sgd import Sgd

PART = nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(2))
LEARNT = 4 * 9 + 4 + 4 + 4
STATISTICS = 4 + 4
BATCH = 16


def test_the_parts_by_hand() -> None:
    found = memory_of(PART, (1, 8, 8), BATCH, Adam().open)
    assert found.weights == 4 * (LEARNT + STATISTICS) + 8  # and the count of batches, an integer
    assert found.gradients == 4 * LEARNT
    assert found.optimiser == 2 * found.gradients
    images, maps = 8 * 8, 4 * 8 * 8
    pooled = 4 * 4 * 4
    each = 4 * images + 4 * maps + 4 * maps + 8 * pooled  # input, before and after ReLU, places of maxima
    assert found.activations == pytest.approx(BATCH * each + 2 * 4 * 4, abs=0.51 * 4 * 4)  # batch statistics
    assert found.smashed == 2 * 4 * BATCH * pooled
    learning = found.weights + found.gradients + found.optimiser
    assert found.total == learning + found.activations + found.smashed


def test_an_output_that_the_backward_pass_needs_is_counted_once() -> None:
    part = nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.ReLU())  # ReLU keeps what it gives
    found = memory_of(part, (1, 8, 8), BATCH, Adam().open)
    assert found.activations == 4 * BATCH * 8 * 8  # the images alone
    assert found.smashed == 2 * 4 * BATCH * 4 * 8 * 8


def test_moments_are_the_optimisers_own() -> None:
    moments = [
        memory_of(PART, (1, 8, 8), BATCH, one.open).optimiser // (4 * LEARNT)
        for one in (Sgd(momentum=0.0), Sgd(momentum=0.9), Adam())
    ]
    assert moments == [0, 1, 2]


def test_torch_agrees_on_what_is_saved() -> None:
    """The same count with real tensors and a real backward pass."""
    saved: dict[int, int] = {}

    def keep(tensor: torch.Tensor) -> torch.Tensor:
        saved[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        output = PART.train()(torch.zeros(BATCH, 1, 8, 8))
    for one in (*PART.parameters(), *PART.buffers(), output):
        saved.pop(one.untyped_storage().data_ptr(), None)
    assert memory_of(PART, (1, 8, 8), BATCH, Adam().open).activations == sum(saved.values())


def test_it_grows_with_the_batch_and_tells_the_largest_that_fits() -> None:
    sizes = {batch: memory_of(PART, (1, 8, 8), batch, Adam().open) for batch in (8, 16, 32)}
    assert sizes[8].total < sizes[16].total < sizes[32].total
    assert {memory.fixed for memory in sizes.values()} == {sizes[8].fixed}
    assert sizes[32].largest_batch(sizes[16].total) == 16
    assert sizes[8].largest_batch(sizes[8].fixed) == 0
    assert sizes[8].largest_batch(0.0) == 0


class Counting(nn.Module):
    """Passes on what it is given, and notes how many samples that is."""

    def __init__(self, seen: list[int]) -> None:
        super().__init__()
        self.saw = seen.append

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        self.saw(len(images))
        return images


def test_the_memory_of_a_large_batch_takes_a_few_samples_to_know() -> None:
    seen: list[int] = []
    part = nn.Sequential(Counting(seen), *PART)
    one, two = (memory_of(part, (1, 8, 8), batch, Adam().open).activations for batch in (30_000, 60_000))
    assert max(seen) <= 4
    assert two == pytest.approx(2 * one, rel=1e-6)


def test_what_does_not_fit_is_refused_with_the_figures() -> None:
    memory = Memory(weights=1000, gradients=1000, optimiser=2000, activations=16_000, smashed=4_000, batch=10)
    refuse_if_too_large(memory, 24_000, "d003")
    with pytest.raises(BadInput) as caught:
        refuse_if_too_large(memory, 20_000, "d003", "so would the cut 'conv1'")
    assert str(caught.value) == (
        "devices.memory: d003 has 20 kB, and a batch of 10 needs 24 kB (weights 1 kB, gradients 1 kB,"
        " optimiser 2 kB, activations 16 kB, smashed data 4 kB); a batch of 8 would fit;"
        " so would the cut 'conv1'"
    )
    with pytest.raises(BadInput, match=r"no batch would fit$"):
        refuse_if_too_large(memory, 4_500, "d003")
