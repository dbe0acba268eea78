"""Initial weights from named streams, and the state of a half as one vector that can be sent.

A half's *state* is its parameters and its floating-point buffers (batch-norm means and variances), in
the order of its `state_dict`; integer buffers (batch-norm's counter of batches) stay at home.
"""

import copy
import math
from collections.abc import Iterable, Sequence

import numpy as np
import torch
from torch import nn

from slfac_sim.codecs import Tensor
from slfac_sim.foundation.errors import BadInput
from slfac_sim.foundation.streams import stream
from slfac_sim.learning.draws import drawn_for
from slfac_sim.learning.fitting import refuse_misfits, refuse_other_blocks
from slfac_sim.learning.frozen import fixed_tensors
from slfac_sim.learning.models import Model

Block = tuple[str, nn.Module]
_RESETS = ("reset_parameters", "_reset_parameters")  # the latter is torch's own name in some of its layers


def initial_blocks(model: Model, shape: tuple[int, ...], classes: int, seed: int) -> list[Block]:
    """Return the blocks of `model` for images of `shape` [channels, h, w], with their initial weights.

    Whatever their constructors draw follows `seed` too. Raises `BadInput` for blocks that do not fit each
    other or `classes`, for weights that cannot be drawn, and for a block whose output is not the same when
    it draws the same.
    """
    with drawn_for(seed, "weights"):
        blocks = model.blocks(shape[0], classes)
    refuse_other_blocks(blocks)
    refuse_misfits(blocks, shape, classes)
    initialise(blocks, seed)
    _refuse_unkeyed(blocks, shape, seed)
    return blocks


def initialise(blocks: list[Block], seed: int) -> None:
    """Draw the weights of every block in place, each layer's from a stream named after it.

    Convolutions: normal with variance 2 / fan_out (He et al., 2015, arXiv:1502.01852, eq. 14; fan_out is of
    one group), linear layers: uniform within 1/sqrt(fan_in), biases of both: uniform within 1/sqrt(fan_in).
    Every other layer with weights of its own draws them itself, by its `reset_parameters`. The draws depend
    on neither the cut nor the order of the blocks. Raises `BadInput` for a layer with weights that has no
    such method.
    """
    for block_name, block in blocks:
        for layer_name, layer in block.named_modules():
            name = f"{block_name}.{layer_name}" if layer_name else block_name
            if isinstance(layer, nn.Conv2d | nn.Linear):
                _draw_layer(layer, f"weights/{block_name}/{layer_name}", seed)
            elif next(layer.parameters(recurse=False), None) is not None:
                with drawn_for(seed, f"weights/{block_name}/{layer_name}"):
                    _reset(layer, name)


def _reset(layer: nn.Module, name: str) -> None:
    reset = next((getattr(layer, verb) for verb in _RESETS if callable(getattr(layer, verb, None))), None)
    if reset is None:
        raise BadInput(
            f"model: {name} is a {type(layer).__name__}, which has weights of its own and does not say how "
            "they begin; add a method reset_parameters() that draws them by torch"
        )
    reset()


def _refuse_unkeyed(blocks: list[Block], shape: tuple[int, ...], seed: int) -> None:
    """Raise `BadInput` for a block that answers one input in two ways although torch draws the same.

    A model of torch's layers and of those here needs no trial: they draw from torch.
    """
    layers = (layer for _, block in blocks for layer in block.modules())
    if all(type(layer).__module__.startswith(("torch.nn.", "slfac_sim.")) for layer in layers):
        return
    with drawn_for(seed, "trial"), torch.no_grad():
        passed = torch.rand((2, *shape))
    for name, block in blocks:
        answers = []
        for _ in range(2):
            with drawn_for(seed, "trial"), torch.no_grad():
                answers.append(copy.deepcopy(block).train()(passed.clone()))
        if answers[0].numpy().tobytes() != answers[1].numpy().tobytes():
            raise BadInput(
                f"model: {name} draws at random, and not from torch's generator, which is keyed by the seed; "
                "equal runs would differ"
            )
        passed = answers[0]


def _draw_layer(layer: nn.Conv2d | nn.Linear, purpose: str, seed: int) -> None:
    weight = layer.weight
    fan_in = weight[0].numel()
    draws = stream(seed, purpose)
    if isinstance(layer, nn.Conv2d):
        fan_out = weight.shape[0] * weight[0, 0].numel() // layer.groups
        values = draws.standard_normal(weight.shape, np.float32) * math.sqrt(2.0 / fan_out)
    else:
        values = draws.uniform(-1.0, 1.0, weight.shape) / math.sqrt(fan_in)
    with torch.no_grad():
        weight.copy_(torch.from_numpy(np.asarray(values, np.float32)))
        if layer.bias is not None:
            bias = draws.uniform(-1.0, 1.0, layer.bias.shape) / math.sqrt(fan_in)
            layer.bias.copy_(torch.from_numpy(np.asarray(bias, np.float32)))


_KEPT_BACK = "_slfac_kept_back"


def keep_back(module: nn.Module, keys: Iterable[str]) -> None:
    """Have what is at `keys` of the `state_dict` of `module`, and of its copies, be no part of its state."""
    vars(module)[_KEPT_BACK] = frozenset(keys)


def kept_back(module: nn.Module) -> frozenset[str]:
    """Return the keys that `keep_back` was given."""
    keys: frozenset[str] = vars(module).get(_KEPT_BACK, frozenset())
    return keys


def _sent(module: nn.Module) -> list[torch.Tensor]:
    home = kept_back(module)
    state = module.state_dict().items()
    return [value for key, value in state if value.is_floating_point() and key not in home]


def state_vector(module: nn.Module) -> Tensor:
    """Return the state of `module` as one float32 vector [values]."""
    parts = _sent(module)
    return torch.cat([part.reshape(-1) for part in parts]).cpu().numpy() if parts else np.empty(0, np.float32)


def state_size(module: nn.Module) -> int:
    """Return how many values the state of `module` has."""
    return sum(part.numel() for part in _sent(module))


def fixed_vector(module: nn.Module) -> Tensor:
    """Return what is frozen in `module`, which is no part of its state, as one float32 vector [values]."""
    parts = [tensor.detach() for tensor in fixed_tensors(module) if tensor.is_floating_point()]
    return torch.cat([part.reshape(-1) for part in parts]).cpu().numpy() if parts else np.empty(0, np.float32)


def statistics_in(module: nn.Module) -> Tensor:
    """Return [values] 1 where the state of `module` has what no gradient changes (batch-norm), else 0."""
    weights = {weight.data_ptr() for weight in module.parameters()}
    parts = [np.full(part.numel(), part.data_ptr() not in weights, np.float32) for part in _sent(module)]
    return np.concatenate(parts) if parts else np.empty(0, np.float32)


def load_state_vector(module: nn.Module, vector: Tensor) -> None:
    """Set the state of `module` from `vector` [values]; raises `ValueError` when the length is another."""
    parts = _sent(module)
    expected = sum(part.numel() for part in parts)
    if vector.size != expected:
        raise ValueError(f"a state of {expected} values cannot take {vector.size}")
    source = torch.from_numpy(np.array(vector, np.float32))
    with torch.no_grad():
        for part, piece in zip(parts, source.split([part.numel() for part in parts]), strict=True):
            part.copy_(piece.view_as(part))


def load_sound(module: nn.Module, vector: Tensor) -> None:
    """Set the state of `module` from `vector`; a variance that a codec has brought below 0 becomes 0."""
    load_state_vector(module, vector)
    for layer in module.modules():
        variance = getattr(layer, "running_var", None)
        if isinstance(variance, torch.Tensor):
            variance.clamp_(min=0.0)


def weighted_mean(vectors: Sequence[Tensor], weights: Sequence[float]) -> Tensor:
    """Return the mean of `vectors` [values] weighted by `weights` (samples used), summed in float64."""
    total = sum(weights)
    mean = np.zeros(vectors[0].shape, np.float64)
    for vector, weight in zip(vectors, weights, strict=True):
        mean += vector.astype(np.float64) * (weight / total)
    return mean.astype(np.float32)
