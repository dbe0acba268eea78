"""How long a run will take on this host, and how much memory, from trial steps of its own model and codecs.

An estimate for people: nothing that is simulated sees it. It leaves out the start and the figures.
"""

import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from torch import nn

from slfac_sim.codecs import Codec, Tensor
from slfac_sim.forecast.demands import evaluated, samples_a_round
from slfac_sim.learning.draws import drawn_for
from slfac_sim.learning.evaluation import in_messages
from slfac_sim.learning.frozen import host_of
from slfac_sim.learning.ground import EVALUATION_CHUNK
from slfac_sim.learning.kernels import forward
from slfac_sim.learning.layouts import Part
from slfac_sim.learning.trial import on_trial
from slfac_sim.learning.world import World

_TRIAL_FLOPS, _AT_LEAST = 3e8, 24  # of a trial step: some 10 ms; with fewer samples weights are most of it
_MOST_FLOPS, _FEWEST = 1e10, 6  # but a third of a second is enough, and a line needs two numbers of samples
_WARM_S = 0.2  # what takes longer is not much slower for being the first
SIMULATED_S = 4e-4  # a mini-batch and its transfers on clock and in ledger, as measured; so for a replay

# As seen on Linux: Python with torch and matplotlib loaded, and a backward pass, which holds gradients and
# scratch memory beside what the forward pass kept.
_INTERPRETER_BYTES = 350e6
_BACKWARD = 3.0


def host_seconds(world: World) -> Mapping[str, float]:
    """Return the seconds of a run on this host, if it has nothing else to do, by what they are for."""
    layout, flops = world.layout, world.layout.flops()
    each = [max(flops.devices.values()), max(flops.server.values())]
    trials = [
        _Trial(world, part, work or sum(each)) for part, work in zip(layout.learners, each, strict=False)
    ]
    batch, asked = world.scenario.learning.batch, sum(count > 0 for count in samples_a_round(world).values())
    steps = world.device_steps * asked / len(world.devices)
    cohort = asked if _together(world) else 1
    alone = layout.learners[0].count == 1  # one device, or the server with all samples
    sizes = [batch * (asked if alone else 1), batch * cohort]
    counts = [steps / asked if alone else steps, steps / cohort]
    seconds = [count * trial.step_s(size) for trial, size, count in zip(trials, sizes, counts, strict=False)]
    passes = evaluated(world)
    there_s, back_s = _codec_s(world) if layout.smashed_shape else (0.0, 0.0)
    return {
        "devices": seconds[0],
        "server": sum(seconds[1:]),
        "codecs": steps * (there_s + back_s) + passes[0] / batch * there_s,
        "evaluations": sum(count * trial.forward_s for trial, count in zip(trials, passes, strict=False)),
        "simulator": steps * SIMULATED_S,
    }


def _together(world: World) -> bool:
    """Return whether the server takes a step on the mini-batches of all devices."""
    schedule = world.scenario.protocol.schedule
    return schedule is not None and schedule.server_step == "cohort" and schedule.at_once != 1


class _Trial:
    """Times `part` in training and in evaluation, on as many samples as take little time."""

    def __init__(self, world: World, part: Part, flops: float) -> None:
        self._part, self._shape = part.module, part.shape
        self._host = host_of(part.module)
        self._inner = part.shape != world.data.image_shape  # its input needs a gradient
        self._optimiser = world.scenario.learning.optimiser_of(part.on_server)
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
            optimiser = self._optimiser.open([*tried.parameters(), nn.Parameter(torch.empty(0))])
            inputs = torch.rand((samples, *self._shape), device=self._host).requires_grad_(self._inner)

            def step() -> None:
                optimiser.zero_grad(set_to_none=True)
                output = forward(tried, inputs)
                if output.requires_grad:
                    output.sum().backward()
                optimiser.step()
                _wait(output)

            return _seconds(step, self._host)


def _codec_s(world: World) -> tuple[float, float]:
    """Return the seconds of encoding and decoding one mini-batch on its way up, and its gradients down.

    The smashed data stand in for the gradients, and for what crosses a second cut.
    """
    device: Any = world.devices[0]
    smashed = device.forward(device.shard.epoch(0)[0])
    codecs, tensor = device.exchange, smashed.tensor
    up = in_messages(codecs.uplink, len(tensor))
    asked = codecs.uplink.sender("trial").encode(tensor).body
    values = sum(crossing.values_per_sample for crossing in device.crossings)
    share = values * world.scenario.learning.batch / tensor.size
    host = torch.device("cpu")
    return (
        share * _seconds(lambda: up(tensor), host),
        share * _seconds(lambda: _back(codecs.downlink, tensor, asked), host),
    )


def _back(codec: Codec, tensor: Tensor, asked: bytes) -> Tensor:
    """Return `tensor` as it comes through `codec` in answer to the body `asked`."""
    sender, receiver = codec.sender("trial"), codec.receiver()
    for end in (sender, receiver):
        end.follow(asked)
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


def memory_of(world: World) -> int:
    """Return the bytes that a run takes at its peak, roughly.

    These are data, weights with gradients and two moments, and what waits for gradients.
    """
    scenario = world.scenario
    images = world.data.train_images.nbytes + world.data.test_images.nbytes
    parts = world.layout.learners
    weights = sum(part.count * parameters(part.module) for part in parts)
    cohort = scenario.devices.count * scenario.learning.batch
    kept = sum(_kept_bytes(part.module, part.shape) for part in parts)
    return int(_INTERPRETER_BYTES + images + 16 * weights + _BACKWARD * cohort * kept)


def _kept_bytes(half: nn.Module, shape: tuple[int, ...]) -> float:
    """Return the bytes per sample that `half` keeps for its backward pass, by torch's saved-tensor hooks."""
    kept: dict[int, int] = {}

    def keep(tensor: torch.Tensor) -> torch.Tensor:
        kept[tensor.untyped_storage()._cdata] = tensor.numel() * tensor.element_size()
        return tensor

    weights = 4 * parameters(half)
    sample = torch.from_numpy(np.zeros((2, *shape), np.float32)).to(host_of(half))
    with drawn_for(0, "forecast"), torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        forward(half.train(), sample)
    waiting: float = max(sum(kept.values()) - weights, 0) / 2
    return waiting


def parameters(part: nn.Module) -> int:
    """Return how many parameters `part` has."""
    return sum(parameter.numel() for parameter in part.parameters())
