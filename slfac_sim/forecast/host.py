"""How long a run will take on this host, from trial steps of its own model and codecs.

An estimate for people: nothing that is simulated sees it. It leaves out the figures.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from slfac_sim.codecs import Codec, Tensor
from slfac_sim.forecast.demands import evaluated, samples_a_round
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
START_S = 1.4  # Python with torch and all that a run imports, as measured
ENDING_S = 0.2  # a run's folder, evaluations summed up and summary


Seconds = NDArray[np.float64]
"""Seconds by the clock, and those of CPU of all threads."""


@dataclass(frozen=True)
class HostTime:
    """The time of a run on this host, if it has nothing else to do.

    `parts_s` are seconds by the clock by what they are for, one after the other; `cpu_s` are those of all
    threads together.
    """

    parts_s: Mapping[str, float]
    cpu_s: float

    @property
    def seconds(self) -> float:
        """All of it by the clock."""
        return sum(self.parts_s.values())


def host_time(world: World, built_s: float = 0.0) -> HostTime:
    """Return the time of a run of `world`, which took `built_s` to be built; Python is there already."""
    parts = {"start": np.full(2, built_s + ENDING_S), **_work(world)}
    parts_s = {name: float(by_clock_s) for name, (by_clock_s, _) in parts.items()}
    return HostTime(parts_s, float(sum(cpu_s for _, cpu_s in parts.values())))


def _work(world: World) -> dict[str, Seconds]:
    """Return the seconds of all that is done in a run, by what they are for."""
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
    passes, none = evaluated(world), np.zeros(2)
    there_s, back_s = _codec_s(world) if layout.smashed_shape else (none, none)
    tested = (count * trial.forward_s for trial, count in zip(trials, passes, strict=False))
    return {
        "devices": seconds[0],
        "server": sum(seconds[1:], none),
        "codecs": steps * (there_s + back_s) + passes[0] / batch * there_s,
        "evaluations": sum(tested, none),
        "simulator": np.full(2, steps * SIMULATED_S),
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

    def step_s(self, samples: int) -> Seconds:
        """Return the seconds of a training step on `samples`."""
        return self._extrapolated(self._step_s, samples)

    @property
    def forward_s(self) -> Seconds:
        """The seconds of one sample in an evaluation."""
        return self._extrapolated(self._forward_s, EVALUATION_CHUNK) / EVALUATION_CHUNK

    def _extrapolated(self, timed: Callable[[int], Seconds], samples: int) -> Seconds:
        """Return the seconds of `samples`, those of many on a line through those of few and fewer."""
        large, small = self._affordable, self._affordable // 3
        if samples <= large:
            return timed(samples)
        large_s, small_s = timed(large), timed(small)
        return large_s + np.maximum(large_s - small_s, 0.0) * (samples - large) / (large - small)

    def _forward_s(self, samples: int) -> Seconds:
        with on_trial(self._part, host=self._host) as (tried,), torch.inference_mode():
            tried.eval()
            inputs = torch.rand((samples, *self._shape), device=self._host)
            return _seconds(lambda: _wait(forward(tried, inputs)), self._host)

    def _step_s(self, samples: int) -> Seconds:
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


def _codec_s(world: World) -> tuple[Seconds, Seconds]:
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


def _seconds(work: Callable[[], Any], host: torch.device) -> Seconds:
    """Return what `work` takes once it is warm, or at the first time if that is long."""
    cold_s = _now(host)
    work()
    began_s = _now(host)
    if began_s[0] - cold_s[0] > _WARM_S:
        return began_s - cold_s
    work()
    middle_s = _now(host)
    work()
    return np.minimum(middle_s - began_s, _now(host) - middle_s)


def _now(host: torch.device) -> Seconds:
    """Return the time: on a CPU that of this thread, which stands still while others have the core."""
    by_clock_s = time.thread_time() if host.type == "cpu" else time.perf_counter()
    return np.array([by_clock_s, time.process_time()])


def _wait(output: torch.Tensor) -> float:
    """Return a number of `output`, which has to be there for that."""
    return float(output.detach().flatten()[0])
