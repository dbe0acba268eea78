"""What a run will take of this host's memory and disk, roughly. Nothing that is simulated sees it."""

import numpy as np
import torch
from torch import nn

from slfac_sim.forecast.demands import samples_a_round
from slfac_sim.learning.draws import drawn_for
from slfac_sim.learning.frozen import host_of
from slfac_sim.learning.kernels import forward
from slfac_sim.learning.world import World

# As seen on Linux: Python with torch and matplotlib loaded, and a backward pass, which holds gradients and
# scratch memory beside what the forward pass kept.
_INTERPRETER_BYTES = 350e6
_BACKWARD = 3.0

# A run folder as seen with 180 to 8,000 mini-batches: without them, and for each.
_FOLDER_BYTES, _ROWS_BYTES = 130e3, 950.0


def disk_of(world: World) -> int:
    """Return the bytes that a run leaves on disk, roughly; figures and trained weights come on top."""
    return int(_FOLDER_BYTES + _ROWS_BYTES * world.device_steps)


def weights_of(world: World) -> int:
    """Return the bytes of a trained model on disk."""
    return sum(4 * parameters(part.module) for part in world.layout.learners)


def memory_of(world: World) -> int:
    """Return the bytes that a run takes at its peak, roughly.

    These are data, weights with gradients and two moments, and what waits for gradients of the devices that
    take part in a round.
    """
    scenario = world.scenario
    images = world.data.train_images.nbytes + world.data.test_images.nbytes
    parts = world.layout.learners
    weights = sum(part.count * parameters(part.module) for part in parts)
    cohort = scenario.learning.batch * sum(count > 0 for count in samples_a_round(world).values())
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
