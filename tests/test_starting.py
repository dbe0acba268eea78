"""The start of a command: what is imported, how many threads torch gets, and errors in place of luck."""

import copy
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import nn
from worlds import scenario, world

from slfac_sim.foundation.errors import BadInput
from slfac_sim.foundation.host import threads_for
from slfac_sim.learning.optimisers.adam import Adam
from slfac_sim.learning.optimisers.sgd import Sgd
from slfac_sim.learning.trial import on_trial
from slfac_sim.runs.run import prepare
from slfac_sim.studies.forecast import workers_for

ROOT = Path(__file__).parent.parent

CHECK = """
import sys
from slfac_sim.cli import main
main(["check", "tests/tiny.yaml", "--json"])
print(sorted({"torch._dynamo", "torch._inductor", "sympy"} & set(sys.modules)), file=sys.stderr)
"""


def test_check_does_without_torchs_compiler() -> None:
    done = subprocess.run([sys.executable, "-c", CHECK], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stderr == "[]\n"


def test_a_run_raises_errors_for_what_depends_on_luck(tmp_path: Path) -> None:
    torch.set_deterministic_debug_mode("default")
    prepare(scenario(), tmp_path / "run", threads=1)
    assert torch.are_deterministic_algorithms_enabled()
    assert not torch.is_deterministic_algorithms_warn_only_enabled()
    with pytest.raises(RuntimeError, match="deterministic"):
        torch.zeros(3).put_(torch.tensor([0]), torch.ones(1))


@pytest.mark.parametrize(
    ("told", "cores", "threads"),
    [
        (None, 8, 2),
        (None, 2, 2),
        (None, 1, 1),
        ("3", 8, 3),
        ("0", 8, 2),
        ("-1", 8, 2),
        ("4,2", 8, 2),
        ("", 1, 1),
    ],
)
def test_the_usual_threads(
    told: str | None, cores: int, threads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(range(cores)), raising=False)
    if told is None:
        monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    else:
        monkeypatch.setenv("OMP_NUM_THREADS", told)
    assert threads_for(None) == threads
    assert threads_for(5) == 5


def test_too_many_threads_are_refused_by_the_name_of_who_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "999")
    with pytest.raises(BadInput, match="OMP_NUM_THREADS 999: must be at least 1 and at most 256"):
        threads_for(None)
    with pytest.raises(BadInput, match="--threads 0: must be at least 1"):
        threads_for(0)


def test_workers_share_the_cores_while_there_is_something_to_train(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(range(8)), raising=False)
    assert workers_for(trainings=20, points=100, threads=2) == 4
    assert workers_for(trainings=20, points=100, threads=16) == 1
    assert workers_for(trainings=0, points=100, threads=2) == 8
    assert workers_for(trainings=1, points=3, threads=2) == 3
    assert workers_for(trainings=20, points=100, threads=2, wanted=7) == 7


@pytest.mark.parametrize(
    ("ours", "torchs"),
    [
        (Adam(weight_decay=0.1), lambda weights: torch.optim.Adam(weights, weight_decay=0.1, fused=True)),
        (Sgd(momentum=0.9), lambda weights: torch.optim.SGD(weights, lr=0.01, momentum=0.9, fused=True)),
    ],
)
def test_optimisers_are_torchs_own(ours, torchs) -> None:  # type: ignore[no-untyped-def]
    pairs = [nn.Parameter(torch.arange(8.0)) for _ in range(2)]
    optimisers = [ours.open([pairs[0]]), torchs([pairs[1]])]
    for step in range(3):
        if step == 2:  # and a state goes from the one to the other
            optimisers[0].load_state_dict(copy.deepcopy(optimisers[1].state_dict()))
        for weights, optimiser in zip(pairs, optimisers, strict=True):
            (weights**2).sum().backward()
            optimiser.step()
            optimiser.zero_grad(set_to_none=True)
            assert weights.grad is None
    assert torch.equal(*pairs)
    assert isinstance(optimisers[0], type(optimisers[1]))


def test_a_trial_leaves_the_part_and_torchs_draws_alone() -> None:
    part = world().layout.split.device
    before, state = [one.clone() for one in part.state_dict().values()], torch.get_rng_state()
    with on_trial(part) as (tried,):
        tried(torch.rand((4, 1, 12, 12))).sum().backward()
    assert all(torch.equal(*pair) for pair in zip(before, part.state_dict().values(), strict=True))
    assert all(one.grad is None for one in part.parameters())
    assert torch.equal(state, torch.get_rng_state())
