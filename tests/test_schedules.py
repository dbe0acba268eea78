"""Schedules, clipping and the server's optimiser: torch's own as the oracle, every protocol by its rounds."""

import math
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from played import heard
from torch.optim import lr_scheduler
from worlds import scenario, world

from slfac_sim.foundation.plugins import find, kinds
from slfac_sim.learning.halves import DeviceHalf
from slfac_sim.learning.schedules import RateSchedule
from slfac_sim.learning.schedules.constant import Constant
from slfac_sim.learning.schedules.cosine import Cosine
from slfac_sim.learning.schedules.step import Step
from slfac_sim.learning.updates import Updates
from slfac_sim.runs.resume import prepare_resume, resume
from slfac_sim.runs.run import prepare, run
from slfac_sim.scenario.files import ScenarioError

NEEDED = {"step": {"every": 2}}
PROTOCOLS = kinds("slfac_sim.protocols")


def every_schedule(warmup: int) -> list[RateSchedule]:
    family = "slfac_sim.learning.schedules"
    return [find(family, kind)(warmup=warmup, **NEEDED.get(kind, {})) for kind in kinds(family)]


@given(st.integers(1, 40), st.integers(0, 12))
def test_rates_rise_by_equal_steps_and_never_again(rounds: int, warmup: int) -> None:
    for schedule in every_schedule(warmup):
        factors = [schedule.factor(number, rounds) for number in range(1, rounds + 1)]
        rise, rest = factors[:warmup], factors[warmup:]
        assert rise == [pytest.approx(number / (warmup + 1)) for number in range(1, len(rise) + 1)]
        assert rest[:1] == [1.0][: len(rest)]
        assert rest == sorted(rest, reverse=True)
        assert all(0.0 <= factor <= 1.0 for factor in factors)


def rates_of_torch(opened: Any, rounds: int) -> list[float]:
    rates = []
    for _ in range(rounds):
        rates.append(opened.optimizer.param_groups[0]["lr"])
        opened.optimizer.step()
        opened.step()
    return rates


@given(st.integers(1, 30), st.integers(1, 9), st.floats(0.01, 1.0))
def test_the_shapes_are_those_of_torch(rounds: int, every: int, part: float) -> None:
    def optimiser() -> torch.optim.Optimizer:
        return torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)

    pairs = [
        (Constant(), lr_scheduler.ConstantLR(optimiser(), factor=1.0)),
        (Step(every=every, by=part), lr_scheduler.StepLR(optimiser(), every, gamma=part)),
        (Cosine(floor=part), lr_scheduler.CosineAnnealingLR(optimiser(), rounds, eta_min=part)),
    ]
    for ours, theirs in pairs:
        factors = [ours.factor(number, rounds) for number in range(1, rounds + 1)]
        assert factors == pytest.approx(rates_of_torch(theirs, rounds), abs=1e-9)


@pytest.mark.matrix
@pytest.mark.parametrize("kind", PROTOCOLS)
def test_every_protocol_learns_at_the_rate_of_its_round(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """As many steps at each rate as a round has, of devices and server; asynchronous ones by what ended."""
    seen: Counter[float] = Counter()
    step = Updates.step

    def counted(self: Updates, *given: Any) -> None:
        seen[self.rate] += 1
        step(self, *given)

    monkeypatch.setattr(Updates, "step", counted)
    halving = ("learning.schedule={kind: step, every: 1, by: 0.5}", "protocol.rounds=3")
    learning = world(f"protocol.kind={kind}", *halving)
    heard(learning)
    assert sorted(seen, reverse=True) == [1.0, 0.5, 0.25]
    schedule = learning.scenario.protocol.schedule
    if schedule is not None and not schedule.order_matters:
        assert len(set(seen.values())) == 1


def test_a_clipped_gradient_moves_weights_by_the_rate_times_the_norm() -> None:
    model = torch.nn.Sequential(torch.nn.Linear(6, 3), torch.nn.Linear(3, 2))
    before = torch.nn.utils.parameters_to_vector(model.parameters()).detach().clone()
    half = DeviceHalf(model, torch.optim.SGD(model.parameters(), lr=0.5), Updates(clip_norm=0.01))
    smashed = half.forward(torch.ones(4, 6), torch.zeros(4, dtype=torch.int64).numpy())
    half.backward(smashed.pending, torch.full((4, 2), 3.0).numpy())
    moved = torch.nn.utils.parameters_to_vector(model.parameters()).detach() - before
    assert float(moved.norm()) == pytest.approx(0.5 * 0.01, rel=1e-3)


def test_a_norm_that_nothing_reaches_changes_nothing(tmp_path: Path) -> None:
    def digest(name: str, *overrides: str) -> str:
        return str(run(prepare(scenario(*overrides), tmp_path / name, threads=1))["digest"])

    plain = digest("plain")
    assert digest("far", "learning.clip_norm=1e9") == plain
    assert digest("near", "learning.clip_norm=0.01") != plain
    assert digest("constant", "learning.schedule=constant") == plain
    assert (
        digest("same", "learning.server_optimiser={kind: sgd, learning_rate: 0.05, momentum: 0.9}") == plain
    )


@pytest.mark.parametrize(
    ("kind", "on_devices"), [("parallel", True), ("u_shaped", True), ("centralised", False)]
)
def test_the_server_has_an_optimiser_of_its_own(kind: str, on_devices: bool) -> None:
    learning = world(f"protocol.kind={kind}", "learning.server_optimiser={kind: adamw, learning_rate: 0.5}")
    server = learning.server.half if on_devices else learning.server.trainee.learner
    assert [group["lr"] for group in server.optimiser.param_groups] == [0.5]
    assert isinstance(server.optimiser, torch.optim.AdamW)
    device = learning.devices[0]
    half = device.half if on_devices else device.trainee.learner
    assert isinstance(half.optimiser, torch.optim.SGD)


ALL = (
    "learning.optimiser=adamw",
    "learning.server_optimiser={kind: sgd, learning_rate: 0.02, momentum: 0.9}",
    "learning.schedule={kind: cosine, warmup: 1, floor: 0.1}",
    "learning.clip_norm=0.5",
    "protocol.rounds=4",
)


@pytest.mark.matrix
@pytest.mark.parametrize(
    "overrides",
    [
        ("protocol.kind=parallel",),
        ("protocol.kind=splitfed_v1",),
        ("protocol.kind=u_shaped",),
        ("protocol.kind=fedavg",),
        ("protocol.kind=asynchronous", "devices.count=1"),
        ("protocol={kind: fedbuff, concurrency: 1, buffer: 2}",),
    ],
    ids=str,
)
def test_equal_runs_and_a_resumed_one(overrides: tuple[str, ...], tmp_path: Path) -> None:
    chosen = (*overrides, *ALL)
    digests = [run(prepare(scenario(*chosen), tmp_path / name, threads=1))["digest"] for name in "ab"]
    assert digests[0] == digests[1]

    def die(table: str, row: Any) -> None:
        if table == "rounds" and row["round"] == 3:
            raise KeyboardInterrupt

    summary = run(prepare(scenario(*chosen), tmp_path / "cut", threads=1), die, checkpoint_every=1)
    assert summary["status"] == "interrupted"
    resumable = prepare_resume(tmp_path / "cut")
    assert resumable.rounds >= 2
    assert resume(resumable)["digest"] == digests[0]


def test_a_protocol_that_tells_no_rounds_has_no_schedule(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "silent_rounds").mkdir()
    (tmp_path / "silent_rounds" / "it.py").write_text(
        "from slfac_sim.foundation.plugins import settings\n"
        "from slfac_sim.protocols import LearningProtocol\n"
        "@settings\nclass Silent(LearningProtocol):\n    rounds: int = 2\n"
        "    def run(self, participants): yield\n"
    )
    with pytest.raises(ScenarioError) as caught:
        scenario("protocol={kind: silent_rounds.it}", "learning.schedule=cosine")
    assert "tells_rounds" in str(caught.value)


def test_a_cosine_never_ends_below_its_floor() -> None:
    assert math.isclose(Cosine(floor=0.25).factor(1000, 1000), 0.25, abs_tol=1e-5)
