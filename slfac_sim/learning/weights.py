"""Initial weights from named streams, and the state of a half as one vector that can be sent.

A half's *state* is its parameters and its floating-point buffers (batch-norm means and variances), in
the order of its `state_dict`; integer buffers (batch-norm's counter of batches) stay at home.
"""

import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import nn

from slfac_sim.codecs import Tensor
from slfac_sim.foundation.errors import BadInput
from slfac_sim.foundation.streams import stream

# Layers whose weights start at constants.
_CONSTANT = (nn.BatchNorm1d, nn.BatchNorm2d, nn.GroupNorm, nn.LayerNorm)


def initialise(blocks: list[tuple[str, nn.Module]], seed: int) -> None:
    """Draw the weights of every block in place, each from a stream named after its parameter.

    Convolutions: normal with variance 2 / fan_out (He et al., 2015, arXiv:1502.01852, eq. 14), linear
    layers: uniform within 1/sqrt(fan_in), biases of both: uniform within 1/sqrt(fan_in). Batch-norm
    starts at scale 1 and offset 0. The draws depend on neither the cut nor the order of the blocks.
    Raises `BadInput` for a layer of another type that has weights: torch would draw them unseeded.
    """
    for block_name, block in blocks:
        for layer_name, layer in block.named_modules():
            if isinstance(layer, nn.Conv2d | nn.Linear):
                _draw_layer(layer, f"weights/{block_name}/{layer_name}", seed)
            elif not isinstance(layer, _CONSTANT) and next(layer.parameters(recurse=False), None) is not None:
                found = f"{block_name}.{layer_name} is a {type(layer).__name__}"
                known = "Conv2d, Linear and the normalisation layers"
                raise BadInput(
                    f"model: {found}, whose initial weights come from no named stream; known are {known}"
                )


def _draw_layer(layer: nn.Conv2d | nn.Linear, purpose: str, seed: int) -> None:
    weight = layer.weight
    fan_in = weight[0].numel()
    draws = stream(seed, purpose)
    if isinstance(layer, nn.Conv2d):
        fan_out = weight.shape[0] * weight[0, 0].numel()
        values = draws.standard_normal(weight.shape, np.float32) * math.sqrt(2.0 / fan_out)
    else:
        values = draws.uniform(-1.0, 1.0, weight.shape) / math.sqrt(fan_in)
    with torch.no_grad():
        weight.copy_(torch.from_numpy(np.asarray(values, np.float32)))
        if layer.bias is not None:
            bias = draws.uniform(-1.0, 1.0, layer.bias.shape) / math.sqrt(fan_in)
            layer.bias.copy_(torch.from_numpy(np.asarray(bias, np.float32)))


def _sent(module: nn.Module) -> list[torch.Tensor]:
    return [value for value in module.state_dict().values() if value.is_floating_point()]


def state_vector(module: nn.Module) -> Tensor:
    """Return the state of `module` as one float32 vector [values]."""
    parts = _sent(module)
    return torch.cat([part.reshape(-1) for part in parts]).cpu().numpy() if parts else np.empty(0, np.float32)


def state_size(module: nn.Module) -> int:
    """Return how many values the state of `module` has."""
    return sum(part.numel() for part in _sent(module))


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
