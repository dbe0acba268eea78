"""Which channels of a message are sent, in which order, and where their values lie; it knows no bytes."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from slfac_sim.codecs import BadBody
from slfac_sim.codecs._rd.coder import Plan

_RATE_PARTS = 4  # codes of a rate to an octave


def order(rates: NDArray[np.uint8]) -> NDArray[np.intp]:
    """Return the channels that are sent, by their codes of `rates_of`, the most important first."""
    order = np.argsort(-rates.astype(np.int64), kind="stable")
    return order[rates[order] > 0]


def rates_of(where: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Return one code per channel: 0 if all is zero, else less for rarer values, 255 for all of them."""
    batch, channels = where.shape[:2]
    rows = where.reshape(batch, channels, -1)
    counts = np.count_nonzero(rows, axis=2).sum(axis=0)
    share = counts * channels / rows.size
    codes = np.rint(255 + _RATE_PARTS * np.log2(np.maximum(share, 2.0**-60)))
    return np.where(counts > 0, np.maximum(codes, 1), 0).astype(np.uint8)


@dataclass(frozen=True)
class Slabs:
    """The slabs from `begin` to `end`, and where their places lie in [batch, `channels`, h, w]."""

    cut: Plan
    begin: int
    end: int
    live: NDArray[np.intp]
    channels: int

    def origin(self, place: NDArray[np.intp]) -> NDArray[np.intp]:
        """Return the flat places, in the tensor's maps, of flat places in these slabs.

        Raises `BadBody` for a place in a channel that only fills up the last slab.
        """
        size = self.cut.height * self.cut.width
        wide = (self.end - self.begin) * self.cut.slab_channels
        row = place // size
        sample = row // wide
        rank = row - sample * wide + self.begin * self.cut.slab_channels
        if rank.max(initial=0) >= len(self.live):
            raise BadBody(f"body: values of more than its {len(self.live)} channels")
        channel = self.live[rank]
        origin: NDArray[np.intp] = place + (sample * self.channels + channel - row) * size
        return origin


def in_slabs(cut: Plan, where: NDArray[np.bool_], live: NDArray[np.intp]) -> NDArray[np.bool_]:
    """Return the channels `live` of `where` as [batch, slabs, quads, 4, h, w], filled up with zeros."""
    batch, _, height, width = where.shape
    laid = np.zeros((batch, cut.slabs * cut.slab_channels, height, width), np.bool_)
    laid[:, : len(live)] = where[:, live]
    return laid.reshape(batch, cut.slabs, cut.quads, -1, height, width)
