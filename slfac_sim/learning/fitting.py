"""Whether the blocks of a model fit each other, the images and the classes, tried on two samples."""

from typing import Any

import torch
from torch import nn

from slfac_sim.foundation.errors import BadInput
from slfac_sim.learning.trial import on_trial

_SAMPLES = 2  # batch-norm in training mode refuses a single value per channel
_MISFIT = (RuntimeError, ValueError, TypeError, IndexError)  # what torch's layers raise for a wrong input


def refuse_other_blocks(blocks: Any) -> None:
    """Raise `BadInput` unless `blocks`, as a model gave them, are modules, each with its own name."""
    if not (isinstance(blocks, list | tuple) and blocks and all(map(_is_block, blocks))):
        raise BadInput(
            f"model: blocks() gave {_in_words(blocks)}; expected a list of (name, nn.Module) pairs"
        )
    names = [name for name, _ in blocks]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise BadInput(f"model: two blocks are named '{twice}' of {', '.join(names)}")


def refuse_misfits(blocks: list[tuple[str, nn.Module]], shape: tuple[int, ...], classes: int) -> None:
    """Raise `BadInput` for a block that cannot take the output of the one before it, and for other logits.

    The first takes images of `shape` [channels, h, w], the last gives [batch, classes].
    """
    passed, source = torch.zeros((_SAMPLES, *shape)), "the images"
    for name, block in blocks:
        passed, source = _answer(name, block, passed, source), f"the output of '{name}'"
    if passed.shape != (_SAMPLES, classes):
        raise BadInput(
            f"model: {source}, the last block, is {list(passed.shape)} for {_SAMPLES} samples; expected "
            f"{[_SAMPLES, classes]}, a logit for each of the {classes} classes of the data"
        )


def _answer(name: str, block: nn.Module, passed: torch.Tensor, source: str) -> torch.Tensor:
    with on_trial(block) as (tried,), torch.no_grad():
        try:
            answer: Any = tried(passed.clone())
        except _MISFIT as error:
            reason = str(error).partition("\n")[0]
            raise BadInput(
                f"model: block '{name}' cannot take {source}, {list(passed.shape)} for {_SAMPLES} samples: "
                f"{reason}"
            ) from error
    if not isinstance(answer, torch.Tensor):
        raise BadInput(f"model: block '{name}' gives a {type(answer).__name__}; expected one tensor")
    return answer


def _is_block(value: Any) -> bool:
    return (
        isinstance(value, list | tuple)
        and len(value) == 2
        and isinstance(value[0], str)
        and isinstance(value[1], nn.Module)
    )


def _in_words(blocks: Any) -> str:
    odd = [value for value in blocks if not _is_block(value)] if isinstance(blocks, list | tuple) else []
    if odd:
        return f"a {type(blocks).__name__} with a {type(odd[0]).__name__} in it"
    return f"an empty {type(blocks).__name__}" if blocks in ([], ()) else f"a {type(blocks).__name__}"
