"""The blocks of a scenario's model before training: drawn from the seed, read from a file, frozen."""

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import nn

from slfac_sim.foundation.errors import BadInput, did_you_mean
from slfac_sim.foundation.files import read_bytes
from slfac_sim.learning.frozen import Block, frozen
from slfac_sim.learning.weights import initial_blocks
from slfac_sim.scenario.schema import Scenario, Weights

MOST_BYTES = 8 * 2**30
_KEY = "learning.weights"
_PICKLED = (".pt", ".pth", ".bin", ".ckpt")

Tensors = Mapping[str, torch.Tensor]


def blocks_of(scenario: Scenario, shape: tuple[int, ...], classes: int) -> list[Block]:
    """Return the blocks of the model of `scenario` for images of `shape` [channels, h, w], before training.

    Raises `BadInput` as `initial_blocks` does, for a file that does not fit, and for unknown blocks.
    """
    blocks = initial_blocks(scenario.model, shape, classes, scenario.seed.learning)
    if scenario.learning.weights is not None:
        _take(blocks, scenario.learning.weights)
    return frozen(blocks, scenario.learning.freeze)


def _take(blocks: list[Block], weights: Weights) -> None:
    """Give the blocks that `weights` are for those in its file, called `block.parameter`."""
    known = [name for name, _ in blocks]
    wanted = known if weights.blocks is None else list(weights.blocks)
    unknown = next((name for name in wanted if name not in known), None)
    if unknown is not None:
        hint = did_you_mean(unknown, known)
        raise BadInput(f"{_KEY}.blocks: no block '{unknown}' among {', '.join(known)}{hint}")
    tensors = _read(weights.file)
    if weights.blocks is None:
        _refuse_others(tensors, blocks, weights.file)
    for name, block in blocks:
        if name in wanted:
            _load(name, block, tensors, weights.file)


def _read(file: Path) -> Tensors:
    from safetensors import SafetensorError
    from safetensors.torch import load

    try:
        return load(read_bytes(file, MOST_BYTES))
    except OSError as error:
        raise BadInput(f"{_KEY}.file: '{file}' cannot be read ({error.strerror})") from error
    except (SafetensorError, ValueError, KeyError) as error:
        own = "; convert it with safetensors.torch.save_file" if file.suffix in _PICKLED else ""
        raise BadInput(f"{_KEY}.file: '{file}' cannot be read (no safetensors file: {error}){own}") from error


def _refuse_others(tensors: Tensors, blocks: list[Block], file: Path) -> None:
    known = {f"{name}.{key}" for name, block in blocks for key in block.state_dict()}
    other = next((name for name in tensors if name not in known), None)
    if other is not None:
        hint = did_you_mean(other, sorted(known))
        raise BadInput(
            f"{_KEY}.file: '{file}' has '{other}', which the model has not{hint}; "
            f"{_KEY}.blocks names the blocks that it is for"
        )


def _load(name: str, block: nn.Module, tensors: Tensors, file: Path) -> None:
    """Give the `block` called `name` all of its weights; counters (integers) may be absent from the file."""
    with torch.no_grad():
        for key, there in block.state_dict(keep_vars=True).items():
            found = tensors.get(f"{name}.{key}")
            if found is None and not there.is_floating_point():
                continue
            if found is None:
                raise BadInput(
                    f"{_KEY}.file: '{file}' has no '{name}.{key}'; {_KEY}.blocks names the blocks it is for"
                )
            if found.shape != there.shape:
                shapes = f"{list(found.shape)} in '{file}' and {list(there.shape)} in the model"
                raise BadInput(
                    f"{_KEY}.file: '{name}.{key}' is {shapes}; {_KEY}.blocks: [...] takes those of other"
                    " blocks alone"
                )
            if not torch.isfinite(found).all():
                raise BadInput(f"{_KEY}.file: '{name}.{key}' in '{file}' has values that are not finite")
            there.copy_(found)
