"""What a device learns from: images and labels of its mini-batches, augmented anew each time; no clock."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from slfac_sim.foundation.streams import stream
from slfac_sim.learning.augmentations import Augmentation, Image
from slfac_sim.learning.batches import Indices, Shard
from slfac_sim.learning.datasets import Dataset

Batch = tuple[torch.Tensor, NDArray[np.int64]]


class Fetch:
    """What the device of `shard` learns from, on `host`.

    With `augment` it counts how often each sample was learnt from: that, the device and the sample key what
    is drawn for it.
    """

    def __init__(
        self, data: Dataset, shard: Shard, augment: Sequence[Augmentation], host: torch.device
    ) -> None:
        self._data = data
        self._shard = shard
        self._augment = augment
        self._host = host
        self._times = np.zeros(len(shard.samples) if augment else 0, np.int64)

    def __call__(self, samples: Indices) -> Batch:
        """Return images [batch, channels, h, w] and labels [batch] of these `samples` of the shard."""
        images, labels = self._data.train_images[samples], self._data.train_labels[samples]
        if self._augment:
            images = np.stack([self._augmented(*pair) for pair in zip(samples, images, strict=True)])
        return torch.from_numpy(self._data.normalised(images)).to(self._host), labels

    def _augmented(self, sample: int, image: Image) -> Image:
        place = int(np.searchsorted(self._shard.samples, sample))
        shard, times = self._shard, int(self._times[place])
        self._times[place] += 1
        draws = stream(shard.seed, f"augment/{shard.device}/{sample}", times)
        for augmentation in self._augment:
            image = augmentation.apply(image, draws)
        return image

    def get_state(self) -> Mapping[str, Any] | None:
        """Return how often each sample was learnt from; nothing where that is not counted."""
        return {"times": self._times} if self._augment else None

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Go on after as many times."""
        if self._augment:
            self._times[:] = state["times"]
