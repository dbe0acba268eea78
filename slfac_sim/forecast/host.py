"""How long a run will take on this host, from trial steps of its own model and codecs that are timed here.

An estimate for people: nothing that is simulated sees it. It leaves out the start and the figures.
"""

import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from slfac_sim.codecs import Codec, Tensor
from slfac_sim.codecs.kit.pairs import follow
from slfac_sim.forecast.demands import (
    crossing_values,
    evaluated,
    flops_of,
    is_whole,
    learners,
    samples_a_round,
)
from slfac_sim.learning.evaluation import in_messages
from slfac_sim.learning.kernels import forward
from slfac_sim.learning.layouts._ground import EVALUATION_CHUNK
from slfac_sim.learning.trial import on_trial

if TYPE_CHECKING:
    from slfac_sim.learning.world import World

_TRIAL_FLOPS, _AT_LEAST = 3e8, 24  # of a trial step: some 10 ms; with fewer samples weights are most of it
_MOST_FLOPS, _FEWEST = 1e10, 6  # but a third of a second is enough, and a line needs two numbers of samples
_WARM_S = 0.2  # what takes longer is not much slower for being the first
SIMULATED_S = 4e-4  # a mini-batch and its transfers on clock and in ledger, as measured; so for a replay

Shape = tuple[int, ...]


def host_seconds(world: "World") -> Mapping[str, float]:
    """Return the seconds of a run on this host, if it has nothing else to do, by what they are for."""
    parts, flops = learners(world), flops_of(world)
    each = [max(flops.devices.values()), max(flops.server.values())]
    trials = [
        _Trial(world, part, shape, work or sum(each))
        for (part, shape, _), work in zip(parts, each, strict=False)
    ]
    batch, asked = world.scenario.learning.batch, sum(count > 0 for count in samples_a_round(world).values())
    steps = world.device_steps * asked / len(world.devices)
    cohort = asked if _together(world) else 1
    sizes = [batch * (1 if parts[0][2] > 1 else asked), batch * cohort]
    counts = [steps if parts[0][2] > 1 else steps / asked, steps / cohort]
    seconds = [count * trial.step_s(size) for trial, size, count in zip(trials, sizes, counts, strict=False)]
    passes = evaluated(world)
    there_s, back_s = (0.0, 0.0) if is_whole(world) else _codec_s(world)
    return {
        "devices": seconds[0],
        "server": sum(seconds[1:]),
        "codecs": steps * (there_s + back_s) + passes[0] / batch * there_s,
        "evaluations": sum(count * trial.forward_s for trial, count in zip(trials, passes, strict=False)),
        "simulator": steps * SIMULATED_S,
    }


def _together(world: "World") -> bool:
    """Return whether the server takes a step on the mini-batches of all devices."""
    schedule = world.scenario.protocol.schedule
    return schedule is not None and schedule.server_step == "cohort" and schedule.at_once != 1


class _Trial:
    """Times `part` in training and in evaluation, on as many samples of `shape` as take little time."""

    def __init__(self, world: "World", part: nn.Module, shape: Shape, flops: float) -> None:
        self._part, self._shape = part, shape
        self._host = next(part.parameters()).device
        self._inner = shape != world.data.image_shape  # its input needs a gradient
        self._optimiser = world.scenario.learning.optimiser
        at_least = min(_AT_LEAST, max(_FEWEST, int(_MOST_FLOPS / flops)))
        self._affordable = max(at_least, int(_TRIAL_FLOPS / flops))

    def step_s(self, samples: int) -> float:
        """Return the seconds of a training step on `samples`."""
        return self._extrapolated(self._step_s, samples)

    @property
    def forward_s(self) -> float:
        """The seconds of one sample in an evaluation."""
        return self._extrapolated(self._forward_s, EVALUATION_CHUNK) / EVALUATION_CHUNK

    def _extrapolated(self, timed: Callable[[int], float], samples: int) -> float:
        """Return the seconds of `samples`, those of many on a line through those of few and fewer."""
        large, small = self._affordable, self._affordable // 3
        if samples <= large:
            return timed(samples)
        large_s, small_s = timed(large), timed(small)
        return large_s + max(large_s - small_s, 0.0) * (samples - large) / (large - small)

    def _forward_s(self, samples: int) -> float:
        with on_trial(self._part, host=self._host) as (tried,), torch.inference_mode():
            tried.eval()
            inputs = torch.rand((samples, *self._shape), device=self._host)
            return _seconds(lambda: _wait(forward(tried, inputs)), self._host)

    def _step_s(self, samples: int) -> float:
        with on_trial(self._part, host=self._host) as (tried,):
            optimiser = self._optimiser.open(tried.parameters())
            inputs = torch.rand((samples, *self._shape), device=self._host).requires_grad_(self._inner)

            def step() -> None:
                optimiser.zero_grad(set_to_none=True)
                output = forward(tried, inputs)
                output.sum().backward()
                optimiser.step()
                _wait(output)

            return _seconds(step, self._host)


def _codec_s(world: "World") -> tuple[float, float]:
    """Return the seconds of encoding and decoding one mini-batch on its way up, and its gradients down.

    The smashed data stand in for the gradients, and for what crosses a second cut.
    """
    device: Any = world.devices[0]
    smashed = device.forward(device.shard.epoch(0)[0])
    codecs, tensor = device.exchange, smashed.tensor
    up = in_messages(codecs.uplink, len(tensor))
    asked = codecs.uplink.sender("trial").encode(tensor).body
    share = crossing_values(device) * world.scenario.learning.batch / tensor.size
    host = torch.device("cpu")
    return (
        share * _seconds(lambda: up(tensor), host),
        share * _seconds(lambda: _back(codecs.downlink, tensor, asked), host),
    )


def _back(codec: Codec, tensor: Tensor, asked: bytes) -> Tensor:
    """Return `tensor` as it comes through `codec` in answer to the body `asked`."""
    sender, receiver = codec.sender("trial"), codec.receiver()
    for end in (sender, receiver):
        follow(end, asked)
    return receiver.decode(sender.encode(tensor).body)


def _seconds(work: Callable[[], Any], host: torch.device) -> float:
    """Return what `work` takes once it is warm, or at the first time if that is long.

    On a CPU by the clock of this thread, which stands still while others have the core.
    """
    clock = time.thread_time if host.type == "cpu" else time.perf_counter
    cold_s = clock()
    work()
    began_s = clock()
    if began_s - cold_s > _WARM_S:
        return began_s - cold_s
    work()
    middle_s = clock()
    work()
    return min(middle_s - began_s, clock() - middle_s)


def _wait(output: torch.Tensor) -> float:
    """Return a number of `output`, which has to be there for that."""
    return float(output.detach().flatten()[0])
