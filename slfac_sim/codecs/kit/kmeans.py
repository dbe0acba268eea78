"""k-means of many short vectors, without draws: same vectors, same centroids. It knows no codec."""

import numpy as np
from numpy.typing import NDArray

from slfac_sim.codecs.kit.floats import Floats
from slfac_sim.codecs.kit.products import AVX2_ROWS, product

Labels = NDArray[np.int64]

_FITTED = 2**11  # vectors that the centroids are found on; all are assigned in the end
_BLOCK = 2**14


def kmeans(points: Floats, count: int, iterations: int) -> Floats:
    """Return `count` centroids ([count, length]) of `points` ([n, length], magnitudes about 1).

    Lloyd's iteration on an evenly spaced part of the points, from those at even ranks of their norms. In the
    end each centroid is the mean of all points that are nearest to it, or where it was if there are none.
    """
    some = points[:: max(1, len(points) // _FITTED)]
    norms = np.einsum("nl,nl->n", some, some)
    ranks = ((np.arange(count) + 0.5) * len(some) / count).astype(int)
    centroids = some[np.argsort(norms, kind="stable")[ranks]].copy()
    for _ in range(iterations):
        label = nearest(some, centroids)
        moved, counts = _means(some, label, centroids)
        _fill_empty(moved, counts, some, label)
        if np.array_equal(moved, centroids):
            break
        centroids = moved
    return _means(points, nearest(points, centroids), centroids)[0]


def nearest(points: Floats, centroids: Floats) -> Labels:
    """Return the index of the centroid nearest to each of the points; the first one of equals."""
    half_norms = np.einsum("cl,cl->c", centroids, centroids) / 2
    label = np.empty(len(points), np.int64)
    for begin in range(0, len(points), _BLOCK):
        closeness = product(points[begin : begin + _BLOCK], centroids.T, AVX2_ROWS)
        closeness -= half_norms
        label[begin : begin + _BLOCK] = closeness.argmax(axis=1)
    return label


def _means(points: Floats, label: Labels, centroids: Floats) -> tuple[Floats, Labels]:
    counts = np.bincount(label, minlength=len(centroids))
    means = centroids.copy()
    for place in range(points.shape[1]):
        sums = np.bincount(label, weights=points[:, place], minlength=len(centroids))
        means[counts > 0, place] = sums[counts > 0] / counts[counts > 0]
    return means, counts


def _fill_empty(centroids: Floats, counts: Labels, points: Floats, label: Labels) -> None:
    """Move centroids without points to the points that are farthest from theirs."""
    empty = np.flatnonzero(counts == 0)
    if empty.size:
        off = points - centroids[label]
        farthest = np.argsort(-np.einsum("nl,nl->n", off, off), kind="stable")[: empty.size]
        centroids[empty[: farthest.size]] = points[farthest]
