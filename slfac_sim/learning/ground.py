"""What all participants of a scenario stand on: data, shards, and the processor of this host."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import nn

from slfac_sim.hosts.names import device_names
from slfac_sim.learning.batches import Indices, Shard
from slfac_sim.learning.datasets import Dataset
from slfac_sim.learning.dealing import deal
from slfac_sim.learning.fetching import Fetch
from slfac_sim.learning.halves import Half, Labels
from slfac_sim.learning.own_shares import owners
from slfac_sim.learning.updates import Updates
from slfac_sim.scenario.schema import Scenario

EVALUATION_CHUNK = 512  # samples per forward pass, rounded to whole messages: a matter of speed


class Ground:
    """The data set of `scenario`, dealt out to its devices, on CUDA when there is one.

    Whether the memory of devices is `limited` is for who makes them to heed.
    """

    def __init__(self, scenario: Scenario, data: Dataset, limited: bool = True) -> None:
        self.scenario = scenario
        self.limited = limited
        self._validates = False
        self._owners: dict[bool, Indices] = {}  # of the test set, and of the validation part
        self.updates = Updates(
            scenario.learning.clip_norm, norms_are_frozen=scenario.learning.batch_norm == "frozen"
        )
        self.host = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.names = device_names(scenario.devices.count)
        self.data, dealt = deal(scenario.partition, data, self.names, scenario.seed.learning)
        batch, seed = scenario.learning.batch, scenario.seed.learning
        pairs = zip(self.names, dealt, strict=True)
        self.shards = [Shard(name, samples, batch, seed) for name, samples in pairs]

    def half(
        self, kind: Callable[[nn.Module, Any, Updates], Half], part: nn.Module, server: bool = False
    ) -> Any:
        """Return what learns `part`, of this `kind`, on the `server` or on a device.

        torch has no optimiser of nothing: that of a part that is frozen has one weight of no values.
        """
        optimiser = self.scenario.learning.optimiser_of(server).open(
            list(part.parameters()) or [nn.Parameter(torch.empty(0))]
        )
        return kind(part, optimiser, self.updates)

    def fetch_of(self, shard: Shard) -> Fetch:
        """Return what gives the device of `shard` images and labels of its samples."""
        return Fetch(self.data, shard, self.scenario.data.augment, self.host)

    def test_batches(self) -> Iterator[tuple[torch.Tensor, Labels]]:
        """Yield images and labels of the whole test set, in whole messages of the training batch's size."""
        message = self.scenario.learning.batch
        chunk = message * max(1, EVALUATION_CHUNK // message)
        everything = np.arange(len(self.data.test_labels))
        for first in range(0, len(everything), chunk):
            images, labels = self.data.test_batch(everything[first : first + chunk])
            yield torch.from_numpy(images).to(self.host), labels

    @contextmanager
    def on_validation(self) -> Iterator[None]:
        """Have the validation part in the place of the test set."""
        data, self.data, self._validates = self.data, self._validated, True
        try:
            yield
        finally:
            self.data, self._validates = data, False

    @cached_property
    def _validated(self) -> Dataset:
        data = self.data
        assert data.validation_images is not None
        assert data.validation_labels is not None
        return replace(data, test_images=data.validation_images, test_labels=data.validation_labels)

    @property
    def test_owners(self) -> Indices:
        """The place of the device whose own each test sample is; see `own_shares.owners`."""
        if self._validates not in self._owners:
            shares = [shard.samples for shard in self.shards]
            dealt = self.data.train_labels, shares, self.data.test_labels
            self._owners[self._validates] = owners(*dealt, self.scenario.seed.learning)
        return self._owners[self._validates]
