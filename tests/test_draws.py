"""What modules draw is a function of seed, host, purpose and step: of no other job, and no other library."""

import copy
import itertools
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn
from worlds import TINY, live_run, scenario, with_servers, world

from slfac_sim.cli import main
from slfac_sim.foundation.errors import BadInput
from slfac_sim.foundation.plugins import find, kinds
from slfac_sim.hosts.names import device_names
from slfac_sim.learning.draws import Draws, drawn_for
from slfac_sim.learning.weights import initialise
from slfac_sim.learning.world import World
from slfac_sim.ledger.store import FileLedger
from slfac_sim.runs.opening import build
from slfac_sim.scenario.steering import steered
from slfac_sim.simulation.instant import InstantPlayer
from slfac_sim.simulation.replay import protocol_of
from slfac_sim.simulation.simulate import simulate

MODEL = "model={kind: foreign.drawing}"
ELSEWHERE = (
    "network={kind: ideal, up_rate: 2 Mbit/s, down_rate: 50 Mbit/s}",
    "devices.speed={kind: log_normal, median: 1 MFLOP/s, sigma: 2.0}",
    "seed.air=7",
)
PROTOCOLS = kinds("slfac_sim.protocols")


def settings_of(kind: str) -> tuple[str, str]:
    more = ", tail: head" if kind == "u_shaped" else ""
    return MODEL, f"protocol={{kind: {kind}, rounds: 2, steps: 2{more}}}"


def play(one: World) -> World:
    InstantPlayer().play(one.scenario.protocol.run(one))
    return one


def left(one: World) -> list[bytes]:
    """Return all that learning has left, tensor by tensor."""
    state = one.get_state()
    return [
        np.asarray(tensor).tobytes() for tensor in _tensors({"d": state["devices"], "s": state["server"]})
    ]


def _tensors(tree: Any) -> Any:
    if isinstance(tree, torch.Tensor):
        yield tree
    elif isinstance(tree, dict):
        for key in tree:
            yield from _tensors(tree[key])
    elif isinstance(tree, list | tuple):
        for one in tree:
            yield from _tensors(one)


@pytest.mark.matrix
@pytest.mark.parametrize("kind", PROTOCOLS)
def test_equal_runs_whatever_was_drawn_before(kind: str, tmp_path: Path) -> None:
    digests = []
    for seed in (1, 2):
        torch.manual_seed(seed)
        torch.rand(seed)
        before = torch.get_rng_state()
        digests.append(live_run(tmp_path / f"{seed}.sqlite", *settings_of(kind))[2])
        assert torch.equal(torch.get_rng_state(), before)
    assert digests[0] == digests[1]


QUIET = [kind for kind in PROTOCOLS if scenario(*settings_of(kind)).protocol.schedule.models != "mixed"]
FREE = [
    kind
    for kind in PROTOCOLS
    if steered(scenario(*settings_of(kind))) is None and find("slfac_sim.protocols", kind).servers == "one"
]


def test_whose_learning_no_clock_steers() -> None:
    assert {"parallel", "sequential", "clustered", "u_shaped"} <= set(FREE)


@pytest.mark.matrix
@pytest.mark.parametrize("kind", FREE)
def test_recorded_here_it_is_the_live_run_there(kind: str, tmp_path: Path) -> None:
    """Other devices are fast there: the order of jobs reaches no draw, statistic, momentum or codec."""
    live_run(tmp_path / "here.sqlite", *settings_of(kind))
    chosen, seconds, digest = live_run(tmp_path / "there.sqlite", *settings_of(kind), *ELSEWHERE)
    with FileLedger(tmp_path / "replayed.sqlite") as ledger:
        assert simulate(chosen, protocol_of(tmp_path / "here.sqlite", device_names(5)), ledger) == seconds
        assert ledger.digest() == digest


@pytest.mark.matrix
@pytest.mark.parametrize("kind", [*QUIET, "fedasync, concurrency: 1", "fedbuff, concurrency: 1, buffer: 3"])
def test_a_training_goes_on_with_the_draws_that_were_to_come(kind: str) -> None:
    """Those of modules, and those of a codec of models that rounds by chance."""
    one = world(*settings_of(kind), "codec.model={kind: uniform, rounding: stochastic}")
    kept: dict[int, Any] = {}
    one.when_kept = lambda number: kept.update({number: copy.deepcopy(one.get_state())})
    play(one)
    continued = build(one.scenario)
    continued.set_state(kept[1])
    assert left(play(continued)) == left(one)


def test_a_run_with_dropout_is_verified(tmp_path: Path) -> None:
    run = str(tmp_path / "run")
    assert main([str(TINY), *settings_of("parallel"), "--out", run, "--quiet"]) == 0
    torch.manual_seed(99)
    assert main(["verify", run, "--quiet"]) == 0


@pytest.mark.parametrize("kind", ["parallel", "u_shaped", "fedavg", "splitfed_v1", "pipelined"])
def test_another_device_changes_nobodys_draws(kind: str) -> None:
    """The first pass of the fourth, of 5 devices and of 6, over the same samples."""
    firsts = []
    for count in (5, 6):
        one = world(*settings_of(kind), f"devices.count={count}")
        device = one.devices[3]
        learner = getattr(device, "trainee", device)
        firsts.append(_first(learner, np.arange(4)))
    np.testing.assert_array_equal(*firsts)


def _first(learner: Any, samples: Any) -> Any:
    made = learner.forward(samples)
    return made.tensor if hasattr(made, "tensor") else np.float64(made.loss)


@given(
    hosts=st.permutations(["d000", "d001", "server"]),
    counts=st.lists(st.integers(1, 4), min_size=3, max_size=3),
    seed=st.integers(0, 3),
)
def test_a_draw_is_a_function_of_what_it_is_for(hosts: list[str], counts: list[int], seed: int) -> None:
    """Whatever was drawn for other hosts, and for other purposes, in between."""
    all_draws = {host: Draws(seed, host) for host in hosts}
    found = {}
    for host, count in zip(hosts, counts, strict=True):
        for step, purpose in itertools.product(range(count), ("forward", "backward")):
            with all_draws[host].of(purpose):
                found[host, purpose, step] = torch.rand(3)
    for (host, purpose, step), drawn in found.items():
        with drawn_for(seed, f"{host}/{purpose}", step):
            assert torch.equal(torch.rand(3), drawn)
    assert len({tuple(drawn.tolist()) for drawn in found.values()}) == len(found)


LAYERS = {
    "conv1d": lambda: nn.Conv1d(3, 4, 3),
    "conv2d": lambda: nn.Conv2d(3, 4, 3),
    "linear": lambda: nn.Linear(3, 4),
    "embedding": lambda: nn.Embedding(5, 3),
    "attention": lambda: nn.MultiheadAttention(4, 2),
    "gru": lambda: nn.GRU(3, 4),
    "prelu": nn.PReLU,
    "instance norm": lambda: nn.InstanceNorm2d(3, affine=True),
    "layer norm": lambda: nn.LayerNorm(3),
    "batch norm": lambda: nn.BatchNorm2d(3),
    "encoder": lambda: nn.TransformerEncoderLayer(4, 2, 8),
}


@pytest.mark.parametrize("name", LAYERS)
def test_whatever_resets_its_parameters_is_drawn_from_the_seed(name: str) -> None:
    states = []
    for before, seed in ((1, 5), (2, 5), (3, 6)):
        torch.manual_seed(before)
        layer = LAYERS[name]()
        state = torch.get_rng_state()
        initialise([("block", nn.Sequential(layer))], seed)
        assert torch.equal(torch.get_rng_state(), state)
        states.append([value.clone() for value in layer.state_dict().values()])
    assert all(map(torch.equal, states[0], states[1]))
    if "norm" not in name and name != "prelu":
        assert not all(map(torch.equal, states[0], states[2]))


def test_a_module_that_cannot_be_reset_is_refused_with_what_to_add() -> None:
    class Scale(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.scale = nn.Parameter(torch.rand(3))

    with pytest.raises(BadInput, match=r"^model: tail\.1 is a Scale, .* add a method reset_parameters\(\)"):
        initialise([("tail", nn.Sequential(nn.ReLU(), Scale()))], 0)


def test_a_model_whose_randomness_cannot_be_keyed_is_refused() -> None:
    with pytest.raises(BadInput, match=r"^model: conv1 draws at random, and not from torch's generator"):
        world("model={kind: foreign.unkeyed}")


@pytest.mark.matrix
@pytest.mark.parametrize("kind", PROTOCOLS)
def test_a_forecast_draws_alike_and_leaves_no_trace(kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    told = []
    for seed in (1, 2):
        torch.manual_seed(seed)
        before = torch.get_rng_state()
        assert main(["check", str(TINY), *with_servers(settings_of(kind)), "--json"]) == 0
        told.append(json.loads(capsys.readouterr().out)["compressed"])
        assert torch.equal(torch.get_rng_state(), before)
    assert told[0] == told[1]


def test_evaluations_draw_alike_and_with_or_without_a_second_pass() -> None:
    one = world(*settings_of("parallel"))
    body = one.layout.initial().body
    first, second, exact = one.evaluate(body), one.evaluate(body), one.evaluate(body, last=True)
    assert first["accuracy"] == second["accuracy"] == exact["accuracy"]
    assert first["loss"] == second["loss"] == exact["loss"]
