"""What is learnt, in a few lines for people: data, model, and who holds which part of it."""

import sys
from collections.abc import Iterator, Sequence
from typing import Any

import torch

from slfac_sim.foundation.descriptions import first_sentence
from slfac_sim.foundation.plugins import kind_of
from slfac_sim.learning.models import Chain
from slfac_sim.learning.world import World


def learnt_in(world: World) -> list[dict[str, str | None]]:
    """Return ``what`` and ``value`` of each fact, in the order to be shown."""
    data = world.data
    with torch.random.fork_rng(devices=[]), torch.device("meta"):
        blocks = world.scenario.model.blocks(data.image_shape[0], data.classes)
    facts = {
        "samples": _samples(data),
        "a sample": f"{_shape(data.image_shape)}, {data.classes} classes",
        "the model": _model(world, blocks),
        **dict(_held(world, [name for name, _ in blocks])),
    }
    return [{"what": what, "value": value} for what, value in facts.items()]


def _samples(data: Any) -> str:
    held_out = data.validation_labels
    between = "" if held_out is None else f", {len(held_out):,} held out"
    return f"{len(data.train_labels):,} to learn from{between}, {len(data.test_labels):,} to test"


def _model(world: World, blocks: Sequence[Any]) -> str:
    """Return its kind, or the name and sentence of the module that somebody gave."""
    if not isinstance(blocks, Chain):
        return kind_of(world.scenario.model)
    cls = type(blocks.whole)
    own = cls.__doc__ or sys.modules[cls.__module__].__doc__ or ""
    text = "" if cls.__module__.startswith("torch.") else first_sentence(own)
    return f"{cls.__name__}{f': {text}' if text else ''}"


def _held(world: World, names: Sequence[str]) -> Iterator[tuple[str, str]]:
    layout, cut = world.layout, world.scenario.cut
    sides = {"on a device": False, "on the server": True}
    last = names.index(cut) + 1 if isinstance(cut, str) and cut in names else 0
    for side, on_server in sides.items():
        held = sum(
            parameter.numel()
            for part in layout.learners
            if part.on_server == on_server
            for parameter in part.module.parameters()
        )
        blocks = ", ".join(names[last:] if on_server else names[:last]) if last else ""
        if held:
            yield side, f"{f'{blocks}: ' if blocks else ''}{held:,} parameters"
    if layout.smashed_shape:
        yield "crosses the cut, a sample", _shape(layout.smashed_shape)


def _shape(shape: Sequence[int]) -> str:
    return " x ".join(map(str, shape))
