"""The kernels of a host against plain convolutions: the same mathematics, whatever the shapes."""

import copy

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from slfac_sim.learning.halves import DeviceHalf, ServerHalf
from slfac_sim.learning.kernels import forward
from slfac_sim.learning.models.resnet18 import ResNet18
from slfac_sim.learning.work import count_work

SIDES = st.tuples(st.integers(1, 7), st.integers(1, 7))
SMALL = st.tuples(st.integers(1, 3), st.integers(1, 3))


def pass_of(model: nn.Module, inputs: torch.Tensor, chosen: bool) -> list[torch.Tensor]:
    """Output, gradient of the input, and gradients of the weights, for a loss that sees every value."""
    model.zero_grad()
    leaf = inputs.clone().requires_grad_()
    output = forward(model, leaf) if chosen else model(leaf)
    (output * torch.arange(1.0, output.numel() + 1).view_as(output)).sum().backward()
    grads = [parameter.grad for parameter in model.parameters()]
    assert leaf.grad is not None
    return [output.detach(), leaf.grad, *(grad.clone() for grad in grads if grad is not None)]


@settings(max_examples=50)
@given(SIDES, SMALL, SMALL, SMALL, SMALL, st.integers(1, 3), st.booleans(), st.booleans())
def test_a_convolution_is_the_same_whatever_its_kernel(
    size: tuple[int, int], kernel: tuple[int, int], stride: tuple[int, int], padding: tuple[int, int],
    dilation: tuple[int, int], batch: int, bias: bool, grouped: bool,
) -> None:  # fmt: skip
    spans = [d * (k - 1) + 1 for d, k in zip(dilation, kernel, strict=True)]
    if any(side + 2 * pad < span for side, pad, span in zip(size, padding, spans, strict=True)):
        return
    torch.manual_seed(0)
    groups = 2 if grouped else 1
    model = nn.Conv2d(2, 4, kernel, stride, padding, dilation, groups, bias).double()
    inputs = torch.randn(batch, 2, *size, dtype=torch.float64)
    plain, chosen = (pass_of(model, inputs, way) for way in (False, True))
    for one, other in zip(plain, chosen, strict=True):
        torch.testing.assert_close(other, one, rtol=1e-12, atol=1e-11)


@pytest.mark.parametrize("padding", ["same", "valid"])
def test_paddings_by_name_and_single_images_are_left_to_torch(padding: str) -> None:
    model = nn.Conv2d(2, 3, 3, padding=padding).double()
    for shape in ((1, 2, 3, 3), (2, 3, 3)):
        inputs = torch.randn(*shape, dtype=torch.float64)
        for one, other in zip(*(pass_of(model, inputs, way) for way in (False, True)), strict=True):
            torch.testing.assert_close(other, one, rtol=1e-12, atol=1e-12)


def halves_of_resnet18() -> tuple[nn.Module, nn.Module]:
    torch.manual_seed(0)
    blocks = [block for _, block in ResNet18().blocks(1, 10)]
    return nn.Sequential(*blocks[:3]), nn.Sequential(*blocks[3:])


def test_resnet18_has_the_same_gradients_in_float64() -> None:
    for half, shape in zip(halves_of_resnet18(), ((4, 1, 28, 28), (4, 64, 7, 7)), strict=True):
        inputs = torch.randn(*shape, dtype=torch.float64)
        states = []
        for way in (False, True):
            model = copy.deepcopy(half).double()
            states.append(pass_of(model, inputs, way))
        for one, other in zip(*states, strict=True):
            assert float((one - other).norm() / one.norm()) < 1e-12


def test_what_crosses_the_cut_is_contiguous_both_ways() -> None:
    near, far = halves_of_resnet18()
    device, server = (
        half(model, torch.optim.SGD(model.parameters(), 0.1))
        for half, model in ((DeviceHalf, near), (ServerHalf, far))
    )
    smashed = device.forward(torch.randn(2, 1, 28, 28), np.zeros(2, np.int64))
    (feedback,) = server.step([(smashed.tensor, smashed.labels)])
    for tensor in (smashed.tensor, feedback.gradient):
        assert tensor.shape == (2, 64, 7, 7)
        assert tensor.flags.c_contiguous


def test_work_is_counted_on_the_mathematics() -> None:
    """The kernels of a host leave taps on padding out; what is charged for does not know of them."""
    near, far = halves_of_resnet18()
    counts = []
    for way in (False, True):
        with FlopCounterMode(display=False) as counter:
            pass_of(far, torch.randn(2, 64, 7, 7), way)
        counts.append(counter.get_total_flops())
    assert counts[1] < 0.7 * counts[0]  # counting by the kernels would be seen
    assert 2 * count_work(near, far, (1, 28, 28)).server_step_flops == counts[0]
