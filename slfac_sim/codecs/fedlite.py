"""FedLite, product quantisation: samples are cut into short sub-vectors, each sent as a centroid's label.

The codebook is found anew for every message by k-means, and travels with it. The device knows what its
message lost, and can add a part of that to the gradient which comes back.

>>> tensor = np.array([[1, 2, 1, 2, 5, 6], [1, 2, 5, 6, 5, 6]], np.float32)
>>> body = FedLite(length=2, centroids=2).sender("up").encode(tensor).body
>>> len(body), FedLite().receiver().decode(body)
(36, array([[1., 2., 1., 2., 5., 6.],
       [1., 2., 5., 6., 5., 6.]], dtype=float32))
"""

import itertools
import struct
from typing import Annotated, ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from slfac_sim.codecs import Backward, BadBody, Codec, Payload, Sender, State, Tensor
from slfac_sim.codecs.kit.entropy import ENTROPIES, Entropy, decode_symbols, encode_symbols, entropy_bits
from slfac_sim.codecs.kit.floats import LARGEST, Floats, read_floats, rounded, rows_of, write_floats
from slfac_sim.codecs.kit.memory import Awaited
from slfac_sim.codecs.kit.packing import Symbols
from slfac_sim.codecs.kit.products import AVX2_ROWS, product
from slfac_sim.codecs.kit.stateless import StatelessReceiver, largest_magnitude
from slfac_sim.codecs.kit.wire import Frame, Sections, framed, unseal
from slfac_sim.foundation.plugins import settings
from slfac_sim.foundation.units import NotNegative

KIND = "fedlite"
_SETTINGS = struct.Struct("<HHHB")  # values of a sub-vector, groups, centroids, entropy stage
_FITTED = 2**11  # vectors that the centroids are found on; all are assigned in the end
_BLOCK = 2**14

Labels = NDArray[np.int64]


@settings
class FedLite(Codec):
    """Sub-vectors of a sample are sent as labels of centroids, with the codebooks that have these.

    The last sub-vector of a sample is filled up with zeros.
    """

    references: ClassVar[tuple[str, ...]] = ("wang2022fedlite",)
    length: Annotated[int, Field(ge=1, le=1024)] = 8
    """Values of a sub-vector, which share one label: more take fewer bytes and lose more."""
    groups: Annotated[int, Field(ge=1, le=256)] = 1
    """Codebooks of a message, R of the paper, each for neighbouring sub-vectors of all samples: more fit
    better, and each costs centroids x length values in float16.
    """
    centroids: Annotated[int, Field(ge=2, le=1024)] = 16
    """Centroids of a codebook, L of the paper: a label has ceil(log2 L) bits before the entropy stage, and
    encoding takes longer the more there are.
    """
    iterations: Annotated[int, Field(ge=1, le=100)] = 10
    """Most rounds of k-means for a codebook; it ends early when no centroid moves."""
    correction: NotNegative = 0.0
    """Lambda of the gradient correction: the device learns from g + lambda (z - z~) / batch in place of g, z~
    being what arrived of z, so (lambda/2) times the mean of |z - z~|^2 over the batch is added to the loss.
    """
    entropy: Entropy = "none"
    """How labels become bytes: packed in their width (`none`), by Zstandard (`zstd`), or by their frequencies
    (`ans`). It changes bytes, no value; a coder that does not pay is left out.
    """

    @property
    def encode_flops_per_value(self) -> float:
        """Equivalent FLOPs to encode one value: distances to all centroids."""
        return 660.0 + 34.0 * self.centroids

    @property
    def decode_flops_per_value(self) -> float:
        """Equivalent FLOPs to decode one value: a look-up for each sub-vector."""
        return 30.0 + 600.0 / self.length

    @property
    def backward(self) -> Backward:
        """With `correction` its term is added to the gradient."""
        return "added_term" if self.correction else "straight_through"

    @property
    def label(self) -> str:
        """The codec's name for people."""
        unusual = [f"{self.groups} groups"] if self.groups > 1 else []
        unusual += [f"lambda {self.correction:g}"] if self.correction else []
        unusual += [self.entropy] if self.entropy != "none" else []
        return ", ".join([f"FedLite, {self.centroids} centroids of {self.length} values", *unusual])

    def sender(self, stream: str) -> "_Sender":
        """Return the sending end of `stream`, whose name appears in errors only."""
        return _Sender(self, stream)

    def receiver(self) -> StatelessReceiver:
        """Return the receiving end; it needs nothing but the bytes."""
        return StatelessReceiver(decode)


class _Sender(Sender):
    """Knows what its messages lost until these are answered, where that is asked for."""

    def __init__(self, codec: FedLite, stream: str) -> None:
        self._codec = codec
        self._stream = stream
        self._lost = Awaited()

    def encode(
        self, tensor: Tensor, sample_ids: NDArray[np.int64] | None = None, training: bool = True
    ) -> Payload:
        largest_magnitude(tensor, self._stream)
        payload = encode(self._codec, tensor)
        if training and self._codec.correction:
            self._lost.put(payload.body, tensor - decode(payload.body))
        return payload

    def correct(self, asked: bytes, gradient: Tensor) -> Tensor:
        """Return g + lambda (z - z~) / batch if `asked` is waited for, otherwise `gradient`."""
        lost = self._lost.take(asked)
        if lost is None or lost.shape != gradient.shape:
            return gradient
        share = np.float32(self._codec.correction / rows_of(gradient.shape)[0])
        with np.errstate(over="ignore"):
            return np.clip(gradient + share * lost, -LARGEST, LARGEST)

    def get_state(self) -> State:
        return {"lost": self._lost.get_state()}

    def set_state(self, state: State) -> None:
        self._lost.set_state(state["lost"])


def encode(codec: FedLite, tensor: Tensor) -> Payload:
    """Return the payload of `tensor`, which is finite."""
    samples, values = rows_of(tensor.shape)
    length = min(codec.length, values)
    pieces = -(-values // length)
    groups = min(codec.groups, pieces)
    rows = np.zeros((samples, pieces * length), np.float32)
    rows[:, :values] = np.ascontiguousarray(tensor).reshape(samples, values)
    vectors = rows.reshape(samples, pieces, length)
    scale = np.float32(max(float(np.abs(rows).max()), 1e-37))
    books, labels = [], np.empty((samples, pieces), np.uint16)
    for mine in _groups(pieces, groups):
        points = vectors[:, mine].reshape(-1, length) / scale
        book = kmeans(points, codec.centroids, codec.iterations) * scale
        books.append(rounded(book.reshape(1, -1)).reshape(book.shape))
        labels[:, mine] = nearest(points, books[-1] / scale).reshape(samples, -1)
    codebook = np.concatenate([book.reshape(1, -1) for book in books])
    bits = (codec.centroids - 1).bit_length()
    symbols: Symbols = labels.reshape(-1).astype(np.uint8) if bits <= 8 else labels.reshape(-1)
    settings = _SETTINGS.pack(length, groups, codec.centroids, ENTROPIES.index(codec.entropy))
    blocks = [
        ("codebook", write_floats(codebook, "float16")),
        ("symbols", encode_symbols(symbols, bits, codec.entropy)),
    ]
    return framed(KIND, tensor.shape, settings, blocks, {"entropy_bound_bytes": entropy_bits(symbols) / 8})


def decode(body: bytes) -> Tensor:
    """Return the tensor of `body`. Raises `BadBody`."""
    frame = unseal(body, KIND)
    length, groups, centroids, stage = _read_settings(frame)
    samples, values = rows_of(frame.shape)
    pieces = -(-values // length)
    if length > values or groups > pieces:
        raise BadBody(f"body: {groups} groups of sub-vectors of {length} values, of {values} in all")
    sections = Sections(frame.content)
    books = read_floats(sections, groups, centroids * length, "float16", "codebook")
    books = books.reshape(groups, centroids, length)
    labels = decode_symbols(sections, samples * pieces, (centroids - 1).bit_length(), stage)
    sections.end(0)
    if labels.max() >= centroids:
        raise BadBody(f"body: a label is not below {centroids}")
    labels = labels.reshape(samples, pieces)
    vectors = np.empty((samples, pieces, length), np.float32)
    for book, mine in zip(books, _groups(pieces, groups), strict=True):
        vectors[:, mine] = book[labels[:, mine]]
    return np.ascontiguousarray(vectors.reshape(samples, -1)[:, :values]).reshape(frame.shape)


def _read_settings(frame: Frame) -> tuple[int, int, int, Entropy]:
    length, groups, centroids, stage = frame.unpacked(_SETTINGS)
    if not 1 <= length <= 1024 or groups < 1 or centroids < 2 or stage >= len(ENTROPIES):
        raise frame.foreign_settings()
    return length, groups, centroids, ENTROPIES[stage]


def _groups(pieces: int, groups: int) -> list[slice]:
    """Return the sub-vectors of each group: neighbours, as evenly as they go."""
    ends = [pieces * group // groups for group in range(groups + 1)]
    return [slice(begin, end) for begin, end in itertools.pairwise(ends)]


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
