"""Protocols played for tests: their effects in words, what became of each body, what the model learnt."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn.functional import cross_entropy
from worlds import scenario

from slfac_sim.codecs import Codec, Payload, Receiver
from slfac_sim.codecs.raw import Raw
from slfac_sim.effects import Compute, Excuse, Note, Offer, Send, Together
from slfac_sim.learning.weights import state_vector
from slfac_sim.learning.world import World
from slfac_sim.ledger.store import MemoryLedger
from slfac_sim.runs.opening import build
from slfac_sim.scenario.schema import Codecs
from slfac_sim.simulation.instant import InstantPlayer
from slfac_sim.simulation.invariants import strictly
from slfac_sim.simulation.simulate import simulate

PLAIN = ("codec=raw", "learning.optimiser.momentum=0.0", "model.batch_norm=false")


def in_words(effect: Any) -> str:
    """Return what an effect asks for, without its FLOPs."""
    match effect:
        case Compute():
            return f"{effect.host} {effect.what}"
        case Send():
            return f"{effect.src} -> {effect.dst}: {'+'.join(effect.payloads)}"
        case Offer():
            return f"{effect.host} {effect.what} {effect.queue} {effect.place} of {effect.max_items}"
        case Excuse():
            return f"excuse {effect.queue}"
        case Note():
            return f"note {effect.table}"
        case Together():
            return f"together {len(effect.tasks)}"
    return type(effect).__name__


def heard(world: World) -> list[Any]:
    """Play the protocol of `world` at once and return its effects in order."""
    effects: list[Any] = []
    InstantPlayer(effects.append).play(world.scenario.protocol.run(world))
    return effects


def on_the_clock(*overrides: str) -> tuple[World, MemoryLedger]:
    """Play the tiny scenario on its clock, every invariant watched; return who learnt and the ledger."""
    chosen, rows, summary = scenario(*overrides), MemoryLedger(), {}
    world = build(chosen)
    with strictly(chosen, rows, chosen.protocol.run(world), summary) as (watched, task, book):
        simulate(watched, task, book)
    assert summary["invariants"]["violated"] == 0
    return world, rows


def down_at(path: Path, device: str, down_s: float, up_s: float | str = "") -> str:
    """Write a trace that has `device` down, and return the setting that reads it."""
    path.write_text(f"device,down_s,up_s,reason\n{device},{down_s!r},{up_s},crash\n", encoding="utf-8")
    return f"devices.availability={{kind: trace, file: '{path}'}}"


@dataclass(frozen=True, kw_only=True)
class SpyCodec(Codec):
    """Raw bytes, and every body that was decoded on record."""

    label: str = "spy"
    encode_flops_per_value: float = 1.0
    decode_flops_per_value: float = 1.0
    decoded: Counter[bytes] = field(default_factory=Counter)

    def sender(self, stream: str) -> Any:
        return Raw().sender(stream)

    def receiver(self) -> Any:
        inner, decoded = Raw().receiver(), self.decoded

        class Spy(Receiver):
            def decode(self, body: bytes) -> Any:
                decoded[body] += 1
                return inner.decode(body)

        return Spy()


def assert_all_bodies_are_decoded(*overrides: str, kinds: dict[str, int]) -> None:
    """So many bodies of each of `kinds` are sent, each on its own, and the other side decodes every one."""
    spies = SpyCodec(), SpyCodec()
    chosen = replace(scenario(*overrides), codec=Codecs(uplink=spies[0], downlink=spies[1]))
    sent: list[tuple[str, Payload]] = []
    for effect in heard(build(chosen)):
        if isinstance(effect, Send):
            sent += [(kind, body) for kind, body in effect.payloads.items()]  # type: ignore[misc]
    assert Counter(kind for kind, _ in sent) == kinds
    for way, spy in zip(("up", "down"), spies, strict=True):
        coded = Counter(one.body for kind, one in sent if kind in (f"smashed_{way}", f"middle_{way}"))
        assert coded <= spy.decoded


def whole_model(world: World) -> nn.Module:
    """Return the model as device 0 and the server hold it, in one piece."""
    near, far = world.devices[0].half.model, world.server.half.model
    if hasattr(near, "tail"):
        return nn.Sequential(*near.head, *far, *near.tail)
    return nn.Sequential(*near, *far)


def learn_whole(world: World, batches: Sequence[NDArray[np.int64]]) -> nn.Module:
    """Return the unsplit model of `world` after plain training on `batches`, one step each."""
    model = whole_model(world)
    optimiser = world.scenario.learning.optimiser.open(model.parameters())
    model.train()
    for batch in batches:
        images, labels = world.data.train_batch(batch)
        optimiser.zero_grad()
        cross_entropy(model(torch.from_numpy(images)), torch.from_numpy(labels)).backward()
        optimiser.step()
    return model


def assert_learns_as(*overrides: str, batches_of: Any) -> None:
    """The tiny world learns what the unsplit model learns from `batches_of(world)`, and it does learn."""
    reference = build(scenario(*overrides))
    before = state_vector(whole_model(reference)).copy()
    expected = state_vector(learn_whole(reference, batches_of(reference)))
    world = build(scenario(*overrides))
    heard(world)
    found = state_vector(whole_model(world))
    assert not np.allclose(found, before, atol=1e-3)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


def one_of_each(world: World) -> list[NDArray[np.int64]]:
    """The first mini-batch of every device, in device order."""
    return [device.next_batch() for device in world.devices]


def large_batch(world: World) -> list[NDArray[np.int64]]:
    """The first mini-batches of all devices as one."""
    return [np.concatenate(one_of_each(world))]


def six_of_one(world: World) -> list[NDArray[np.int64]]:
    """The first six mini-batches of the one device."""
    return [world.devices[0].next_batch() for _ in range(6)]
