"""Mean and standard deviation of images, channel by channel, exactly and in little memory: by histograms."""

import numpy as np
from numpy.typing import NDArray

from slfac_sim.learning.datasets._sound import DataError, sound_levels

_PAIRS_AT_A_TIME = 1 << 17  # bincount works on 8-byte integers: the whole of MNIST at once would be 188 MB
_IMAGES_AT_A_TIME = 256  # a channel of colour images is copied to be counted


def mean_and_std(images: NDArray[np.uint8]) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Return mean and standard deviation of each channel of `images` as fractions of 255.

    Images are [n, channels, h, w]; any other shape is of one channel. Raises `DataError` for anything but
    levels from 0 to 255, and when all pixels of a channel are equal, since that cannot be normalised.
    """
    levels = sound_levels(images, "images")
    if levels.ndim != 4 or levels.shape[1] == 1:
        moments = [_moments(_histogram(levels.reshape(-1)), "")]
    else:
        counts = _of_channels(levels)
        moments = [_moments(one, f" in channel {channel}") for channel, one in enumerate(counts)]
    return tuple(mean for mean, _ in moments), tuple(std for _, std in moments)


def _moments(counts: NDArray[np.int64], where: str) -> tuple[float, float]:
    """Return mean and deviation of pixels of which so many have each level."""
    levels, pixels = np.arange(256) / 255.0, int(counts.sum())
    mean = float(counts @ levels) / pixels
    variance = float(counts @ (levels - mean) ** 2) / pixels
    if np.count_nonzero(counts) < 2:
        raise DataError(f"all pixels of the training images are equal{where}")
    return mean, variance**0.5


def _of_channels(images: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Return how many pixels of each channel have each value: [channels, 256]."""
    counts = np.zeros((images.shape[1], 256), dtype=np.int64)
    for first in range(0, len(images), _IMAGES_AT_A_TIME):
        some = images[first : first + _IMAGES_AT_A_TIME]
        for channel in range(images.shape[1]):
            counts[channel] += _histogram(np.ascontiguousarray(some[:, channel]).reshape(-1))
    return counts


def _histogram(pixels: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Return how many of `pixels` have each value, counted in pairs, which takes half the time."""
    even = pixels.size - pixels.size % 2
    pairs = pixels[:even].view(np.uint16)
    counts = np.zeros(1 << 16, dtype=np.int64)
    for start in range(0, pairs.size, _PAIRS_AT_A_TIME):
        counts += np.bincount(pairs[start : start + _PAIRS_AT_A_TIME], minlength=1 << 16)
    table = counts.reshape(256, 256)
    return table.sum(0) + table.sum(1) + np.bincount(pixels[even:], minlength=256)  # type: ignore[no-any-return]
