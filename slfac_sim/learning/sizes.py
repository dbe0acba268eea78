"""The bytes of one mini-batch and of a model, as one device sends them; nothing is sent, there is no clock.

Compressed sizes come from one real mini-batch at the initial weights: they are a first guess.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from slfac_sim.codecs import Codec, Payload, Tensor
from slfac_sim.learning.draws import drawn_for
from slfac_sim.learning.frozen import host_of
from slfac_sim.learning.halves import Smashed
from slfac_sim.learning.model_exchange import exact
from slfac_sim.learning.work import Work
from slfac_sim.scenario.schema import Scenario
from slfac_sim.scenario.steering import exchanges_models

FLOAT = 4  # bytes
_MOST_FLOPS, _FEWEST = 1e11, 4  # of the mini-batch that is tried: a second or so, and some samples at least

Counts = dict[str, int]


@dataclass(frozen=True, kw_only=True)
class Sizes:
    """Bytes of one mini-batch of one device, headers of the bodies included, and of its model each way.

    `edge_up` and `edge_down` are those of an edge's whole model. What is never sent has 0 bytes.
    """

    smashed_up: int = 0
    smashed_down: int = 0
    labels: int = 0
    middle_up: int = 0
    middle_down: int = 0
    model: int = 0
    model_down: int = 0
    edge_up: int = 0
    edge_down: int = 0

    @property
    def up(self) -> int:
        """All bytes up of one mini-batch."""
        return self.smashed_up + self.labels + self.middle_up

    @property
    def down(self) -> int:
        """All bytes down of one mini-batch."""
        return self.smashed_down + self.middle_down


def plain_sizes(device: Any, batch: int, models: bool) -> Sizes:
    """Return the sizes of `device` without a codec and without headers; `models`: whether these travel.

    Nothing is computed for them.
    """
    crossed = [FLOAT * batch * crossing.values_per_sample for crossing in device.crossings]
    answers = [
        FLOAT * batch * crossing.values_per_sample * crossing.answered for crossing in device.crossings
    ]
    labels = batch * device.crossings[0].label_bytes if len(crossed) == 1 else 0
    outer, inner = (*crossed, 0, 0)[:2]
    back, back_up = (*answers, 0, 0)[:2]
    model = FLOAT * device.model_values * models
    return Sizes(
        smashed_up=outer, smashed_down=back, labels=labels,
        middle_up=back_up, middle_down=inner, model=model, model_down=model,
    )  # fmt: skip


def tried_sizes(
    device: Any, server: Any, common: Payload, beyond: Sequence[nn.Module], work: Work, scenario: Scenario
) -> tuple[Sizes, Sizes]:
    """Return the sizes of `device` without a codec and with the scenario's, from one real mini-batch.

    `beyond` is what follows the smashed data, part by part; nothing where the model is not cut. `common` is
    what `server` would hand out.
    """
    plain, compressed = _minibatch(device, beyond, work, scenario) if beyond else ({}, {})
    if exchanges_models(scenario) and device.model_values:
        (down,) = server.encode_model(common, [device.model_values]).values()
        raw = exact(server.state_of(common)[: device.model_values]).nbytes
        plain |= {"model": raw, "model_down": raw}
        compressed |= {"model": device.model_payload().nbytes, "model_down": down.nbytes}
    return Sizes(**plain), Sizes(**compressed)


def _minibatch(
    device: Any, beyond: Sequence[nn.Module], work: Work, scenario: Scenario
) -> tuple[Counts, Counts]:
    """Return the bytes of a mini-batch of `device` by kind, without a codec and with its codecs."""
    flops = work.device_forward_flops + work.server_step_flops
    samples = device.shard.epoch(0)[0][: max(_FEWEST, int(_MOST_FLOPS / flops))]
    smashed = device.forward(samples)
    there = device.encode(smashed)
    with drawn_for(scenario.seed.learning, "forecast"):
        middle, gradients = _judged(beyond, smashed)
    sent, raw = {"smashed_up": there.nbytes}, {"smashed_up": FLOAT * smashed.tensor.size}
    if device.exchange.answered:
        sent["smashed_down"] = _answer(device.exchange.downlink, gradients[0], there.body)
        raw["smashed_down"] = raw["smashed_up"]
    if middle is None:
        labels = {"labels": device.encode_labels(smashed).nbytes}
        sent, raw = sent | labels, raw | labels
    else:
        between = device.inner.downlink.sender("forecast").encode(middle)
        sent["middle_down"], raw["middle_down"] = between.nbytes, FLOAT * middle.size
        if device.inner.answered:
            sent["middle_up"] = _answer(device.inner.uplink, gradients[1], between.body)
            raw["middle_up"] = raw["middle_down"]
    scale = scenario.learning.batch / len(smashed.labels)
    full, packed = ({kind: round(nbytes * scale) for kind, nbytes in some.items()} for some in (raw, sent))
    return full, packed


def _judged(beyond: Sequence[nn.Module], smashed: Smashed) -> tuple[Tensor | None, list[Tensor]]:
    """Return what crosses the second cut, if there is one, and the gradients at the cuts, outermost first."""
    host = host_of(beyond[0])
    leaves = [torch.from_numpy(smashed.tensor).to(host).requires_grad_()]
    first, *others = (part.to(host).train() for part in beyond)
    output = first(leaves[0])
    middle = output.detach().cpu().numpy() if others else None
    for part in others:
        output.retain_grad()
        leaves.append(output)
        output = part(output)
    nn.functional.cross_entropy(output.cpu(), torch.from_numpy(smashed.labels)).backward()
    return middle, [leaf.grad.cpu().numpy() for leaf in leaves if leaf.grad is not None]


def _answer(codec: Codec, gradient: Tensor, asked: bytes) -> int:
    """Return the bytes of `gradient` in answer to the body `asked`."""
    sender = codec.sender("forecast")
    sender.follow(asked)
    return sender.encode(gradient).nbytes
