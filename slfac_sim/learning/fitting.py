"""Whether the blocks of a model fit each other, the images and the classes, tried on two samples."""

import math
from typing import Any

import torch
from torch import nn
from torch.nn.parameter import is_lazy

from slfac_sim.foundation.errors import BadInput
from slfac_sim.learning.models import Chain
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
    lazy = next((name for name, block in blocks if any(map(is_lazy, block.parameters()))), None)
    if lazy is not None:
        raise BadInput(
            f"model: block '{lazy}' has lazy layers, whose weights have no shape before a first pass; give "
            "them their numbers of inputs"
        )


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
    if isinstance(blocks, Chain):
        _refuse_more_than_blocks(blocks, shape)


def _refuse_more_than_blocks(blocks: Chain, shape: tuple[int, ...]) -> None:
    """Raise `BadInput` unless the whole module gives what its blocks give one after the other."""
    images = torch.linspace(-1.0, 1.0, _SAMPLES * math.prod(shape)).reshape(_SAMPLES, *shape)
    with on_trial(blocks.whole, nn.Sequential(*(block for _, block in blocks))) as tried, torch.no_grad():
        whole, chain = (part.eval()(images) for part in tried)
    if whole.shape != chain.shape or not torch.allclose(whole, chain, rtol=1e-3, atol=1e-5):
        names = ", ".join(name for name, _ in blocks)
        raise BadInput(
            f"model: {type(blocks.whole).__name__} gives other logits than its blocks {names} one after the "
            "other; whatever forward() does besides must be in a block"
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
