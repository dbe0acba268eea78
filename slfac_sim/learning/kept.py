"""A trained model as a file: safetensors, whose tensors are called `block.parameter`; no clock, no run.

Such a file is what `learning.weights` begins with. Nothing in it is executed.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from slfac_sim.foundation.errors import BadInput
from slfac_sim.foundation.files import read_bytes, whole
from slfac_sim.learning.frozen import Frozen

MOST_BYTES = 8 * 2**30

Tensors = Mapping[str, torch.Tensor]


@dataclass(frozen=True)
class Kept:
    """The `tensors` of a model by their names, and what the file says `about` it."""

    tensors: Tensors
    about: Mapping[str, str]

    @property
    def sha256(self) -> str:
        """The SHA-256 (hex) of names, shapes and values."""
        total = hashlib.sha256()
        for name, tensor in sorted(self.tensors.items()):
            total.update(f"{name} {tensor.dtype} {list(tensor.shape)}\n".encode())
            total.update(tensor.contiguous().reshape(-1).view(torch.uint8).numpy().data)
        return total.hexdigest()

    def write(self, path: Path) -> None:
        """Write it to `path`, whole or not at all. Raises `OSError`."""
        from safetensors.torch import save

        with whole(path) as part:
            part.write_bytes(save(dict(self.tensors), dict(self.about)))

    @classmethod
    def read(cls, path: Path) -> "Kept":
        """Return what is in the file `path`. Raises `BadInput` for what is no such file, or damaged."""
        from safetensors import SafetensorError, safe_open
        from safetensors.torch import load

        try:
            tensors = load(read_bytes(path, MOST_BYTES))
            with safe_open(path, framework="pt") as opened:
                return cls(tensors, opened.metadata() or {})
        except FileNotFoundError as error:
            raise BadInput(f"{path}: no such file") from error
        except OSError as error:
            raise BadInput(f"{path}: cannot be read ({error.strerror or error})") from error
        except (SafetensorError, ValueError, KeyError) as error:
            raise BadInput(f"{path}: damaged, or no safetensors file ({error})") from error


@dataclass(frozen=True)
class Model:
    """The `tensors` of a whole model by their names, and `figures` about it: its round, its accuracy."""

    tensors: Tensors
    figures: Mapping[str, float | None]


def tensors_of(names: Sequence[str], blocks: Sequence[nn.Module]) -> Tensors:
    """Return copies of all that `blocks` hold, be they frozen or not, called `block.parameter`."""
    return {
        f"{name}.{key}": value.detach().cpu().clone().contiguous()
        for name, block in zip(names, blocks, strict=True)
        for key, value in (block.block if isinstance(block, Frozen) else block).state_dict().items()
        if value.is_floating_point()
    }
