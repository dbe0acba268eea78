"""From a scenario to what it describes: data, shards, halves and their work; no clock yet, no network."""

import copy
import difflib
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from torch import nn

from slfac_sim.datasets import Dataset, Report
from slfac_sim.foundation.errors import BadInput
from slfac_sim.foundation.plugins import kind_of
from slfac_sim.learning.batches import Indices, Shard
from slfac_sim.learning.evaluation import evaluate, in_messages
from slfac_sim.learning.halves import DeviceHalf, Labels, ServerHalf
from slfac_sim.learning.participants import Batch, Device, EdgeServer, Exchange
from slfac_sim.learning.weights import initialise, load_state_vector
from slfac_sim.learning.work import Work, count_work, smallest_normalised_map, smashed_shape
from slfac_sim.names import SERVER, device_names
from slfac_sim.scenario import Scenario

_EVALUATION_CHUNK = 512  # samples per forward pass, rounded to whole messages: a matter of speed


@dataclass(frozen=True)
class Split:
    """A model cut in two: both halves before training, their work, and what crosses the cut per sample."""

    device: nn.Module
    server: nn.Module
    work: Work
    smashed_shape: tuple[int, ...]

    @property
    def values_per_sample(self) -> int:
        """Numbers in the smashed data of one sample."""
        return int(np.prod(self.smashed_shape))


def split_model(scenario: Scenario, image_shape: tuple[int, ...], classes: int) -> Split:
    """Return the scenario's model with its initial weights, cut after the block that `cut` names.

    Raises `BadInput` for a cut that the model does not have, or that leaves one side without weights.
    """
    blocks = scenario.model.blocks(image_shape[0], classes)
    names = [name for name, _ in blocks]
    if scenario.cut not in names:
        near = difflib.get_close_matches(scenario.cut, names, n=1)
        hint = f"; did you mean '{near[0]}'?" if near else ""
        raise BadInput(f"cut: no block '{scenario.cut}' among {', '.join(names[:-1])}{hint}")
    initialise(blocks, scenario.seed.learning)
    place = names.index(scenario.cut) + 1
    device, server = (
        nn.Sequential(*(block for _, block in part)) for part in (blocks[:place], blocks[place:])
    )
    for side, half in (("device", device), ("server", server)):
        if not any(True for _ in half.parameters()):
            raise BadInput(f"cut: after '{scenario.cut}' the {side} would have nothing to learn")
    return Split(device, server, count_work(device, server, image_shape), smashed_shape(device, image_shape))


class World:
    """The participants of a scenario: 100 devices are 100 separate halves, shards and optimisers."""

    def __init__(self, scenario: Scenario, data: Dataset) -> None:
        self.scenario = scenario
        self.data = data
        self.split = split_model(scenario, data.image_shape, data.classes)
        self._host = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        names = device_names(scenario.devices.count)
        codec = scenario.codec
        _check_contract("codec.uplink", codec.uplink)
        _check_contract("codec.downlink", codec.downlink)
        exchange = Exchange(self.split.work, self.split.values_per_sample, codec.uplink, codec.downlink)
        shards = scenario.partition.split(data.train_labels, names, scenario.seed.learning)
        self.devices: Sequence[Device] = [
            self._device(place, name, shard, exchange)
            for place, (name, shard) in enumerate(zip(names, shards, strict=True))
        ]
        self._refuse_lone_values()
        server = self.split.server.to(self._host)
        half = ServerHalf(server, scenario.learning.optimiser.open(server.parameters()))
        self.server = EdgeServer(SERVER, half, names, exchange, self.split.smashed_shape)
        self._probe = copy.deepcopy(self.split.device).to(self._host)
        self._through = in_messages(codec.uplink, scenario.learning.batch)

    def _refuse_lone_values(self) -> None:
        """Refuse batches in which batch-norm would see one value of a channel: it cannot learn from that."""
        if not any(device.shard.has_lone_samples for device in self.devices):
            return
        alone = len(self.devices) == 1 or self.scenario.protocol.steps is None
        halves: list[tuple[nn.Module, tuple[int, ...]]] = [(self.split.device, self.data.image_shape)]
        halves += [(self.split.server, self.split.smashed_shape)] if alone else []
        if any(smallest_normalised_map(half, shape) == 1 for half, shape in halves):
            raise BadInput(
                "learning.batch: batches of a single sample cannot be normalised on 1 x 1 maps; "
                "take larger batches, larger shards or another cut"
            )

    def evaluate(self, model: bytes) -> dict[str, Any]:
        """Return the score on the full test set of the server's half with the device half in `model`.

        The uplink codec sees messages of the training batch's size, as a device sends them.
        """
        load_state_vector(self._probe, self.server.decode_model(model))
        return asdict(evaluate(self._probe, self.server.half.model, self._test_batches(), self._through))

    @property
    def device_steps(self) -> int:
        """How many mini-batches all devices together will go through."""
        return int(self.scenario.protocol.device_steps(self))

    def due(self, round_number: int, rounds: int) -> bool:
        """Return whether round `round_number` of `rounds` ends with an evaluation; the last always does."""
        return round_number == rounds or round_number % self.scenario.evaluation.every_rounds == 0

    def _device(self, place: int, name: str, samples: Indices, exchange: Exchange) -> Device:
        model = copy.deepcopy(self.split.device).to(self._host)
        half = DeviceHalf(model, self.scenario.learning.optimiser.open(model.parameters()))
        shard = Shard(name, samples, self.scenario.learning.batch, self.scenario.seed.learning)
        return Device(name, place, half, shard, self._train_batch, exchange)

    def _train_batch(self, samples: Indices) -> Batch:
        images, labels = self.data.train_batch(samples)
        return torch.from_numpy(images).to(self._host), labels

    def _test_batches(self) -> Iterator[tuple[torch.Tensor, Labels]]:
        message = self.scenario.learning.batch
        chunk = message * max(1, _EVALUATION_CHUNK // message)
        everything = np.arange(len(self.data.test_labels))
        for first in range(0, len(everything), chunk):
            images, labels = self.data.test_batch(everything[first : first + chunk])
            yield torch.from_numpy(images).to(self._host), labels


def build(scenario: Scenario, report: Report | None = None) -> World:
    """Return the world of `scenario`, its data loaded; `report` is told of what takes long.

    Raises `BadInput` for data that cannot be had, a cut that does not exist or a partition that fails.
    """
    return World(scenario, scenario.data.load(report))


def _check_contract(place: str, codec: object) -> None:
    """Refuse a codec, somebody else's perhaps, that lacks a part of the contract (`codecs.Codec`)."""
    needed = ("label", "encode_flops_per_value", "decode_flops_per_value", "sender", "receiver")
    missing = [name for name in needed if not hasattr(codec, name)]
    if missing:
        raise BadInput(f"{place}: {kind_of(codec)} has no {', '.join(missing)} (slfac_sim.codecs.Codec)")
