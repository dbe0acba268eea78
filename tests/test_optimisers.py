"""Optimisers: their first steps against the formulas, fresh moments, and no torch at import."""

import subprocess
import sys

import pytest
import torch

from slfac_sim.learning.optimisers.adam import Adam
from slfac_sim.learning.optimisers.sgd import Sgd


def weights() -> torch.nn.Parameter:
    parameter = torch.nn.Parameter(torch.tensor([1.0, -2.0, 0.5]))
    parameter.grad = torch.tensor([0.1, -0.4, 2.0])
    return parameter


def after(settings: Adam | Sgd, steps: int) -> torch.Tensor:
    parameter = weights()
    optimiser = settings.open([parameter])
    for _ in range(steps):
        optimiser.step()
    return parameter.detach()


def test_the_first_step_of_adam_is_the_learning_rate_against_the_sign() -> None:
    expected = torch.tensor([1.0 - 0.01, -2.0 + 0.01, 0.5 - 0.01])
    torch.testing.assert_close(after(Adam(learning_rate=0.01), 1), expected)


def test_sgd_steps_along_the_gradient_and_momentum_sums_it() -> None:
    start, grad = weights().detach(), torch.tensor([0.1, -0.4, 2.0])
    torch.testing.assert_close(after(Sgd(learning_rate=0.1), 2), start - 0.1 * 2 * grad)
    torch.testing.assert_close(after(Sgd(learning_rate=0.1, momentum=0.5), 2), start - 0.1 * (1 + 1.5) * grad)
    nesterov = after(Sgd(learning_rate=0.1, momentum=0.5, nesterov=True), 1)
    torch.testing.assert_close(nesterov, start - 0.1 * 1.5 * grad)
    decayed = after(Sgd(learning_rate=0.1, weight_decay=0.5), 1)
    torch.testing.assert_close(decayed, start - 0.1 * (grad + 0.5 * start))


@pytest.mark.parametrize("settings", [Adam(), Sgd(momentum=0.9)], ids=["adam", "sgd"])
def test_the_fused_form_agrees_with_the_plain_one(settings: Adam | Sgd) -> None:
    torch.manual_seed(0)
    grads = torch.randn(20, 100)
    parameters = [torch.nn.Parameter(torch.ones(100)) for _ in range(2)]
    fused = settings.open([parameters[0]])
    plain = settings.open([parameters[1]])
    plain.param_groups[0].update(fused=False, foreach=False)
    for grad in grads:
        for parameter, optimiser in zip(parameters, (fused, plain), strict=True):
            parameter.grad = grad.clone()
            optimiser.step()
    torch.testing.assert_close(*[p.detach() for p in parameters], rtol=1e-5, atol=1e-6)


def test_nesterov_without_momentum_is_refused() -> None:
    with pytest.raises(ValueError, match="nesterov needs a momentum above 0"):
        Sgd(nesterov=True)


def test_importing_the_family_imports_no_torch() -> None:
    code = (
        "import sys, slfac_sim.learning.optimisers.adam, slfac_sim.learning.optimisers.sgd;"
        "import slfac_sim.hosts.speeds.profiles;"
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
