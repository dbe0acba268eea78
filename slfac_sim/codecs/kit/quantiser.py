"""What a codec inherits whose values share a header group by group: frame, scaling, groups and entropy stage.

A message is the form of its groups, what each of them sends (`ranges`), and symbols. `qsgd` is short to read;
its groups send a norm each:

>>> from slfac_sim.codecs.qsgd import Qsgd
>>> codec = Qsgd(bits=4, norm="max", scope="channel")
>>> rows = np.array([[1, 2], [8, 4]], np.float32)
>>> figures = codec.figures(rows, np.dtype(np.float16), None)
>>> symbols, settings = codec.quantise(rows, figures.astype(np.float32), None)
>>> symbols, list(settings), codec.dequantise(symbols, figures.astype(np.float32), settings).round(2)
(array([[11, 14],
       [14, 11]], dtype=uint8), [4, 1], array([[1.14, 2.  ],
       [8.  , 4.57]], dtype=float32))
"""

from abc import abstractmethod

import numpy as np
from numpy.typing import NDArray

from slfac_sim.codecs import Payload, Tensor
from slfac_sim.codecs.kit.entropy import Coded, Entropy, decode_symbols, encode_symbols, entropy_bits
from slfac_sim.codecs.kit.floats import Floats, Mask, Octets
from slfac_sim.codecs.kit.groups import (
    Form,
    HeaderType,
    Scope,
    arrange,
    figures_of,
    rows_of,
    scaled,
    sends,
    tensor_of,
    unscaled,
)
from slfac_sim.codecs.kit.packing import Symbols
from slfac_sim.codecs.kit.stateless import Draws, Stateless
from slfac_sim.codecs.kit.wire import Frame, Sections, framed, unseal
from slfac_sim.foundation.plugins import kind_of

Figures = NDArray[np.floating]
Written = tuple[bytes, list[tuple[str, Octets]], dict[str, float]]  # settings, blocks of the body, notes


class Grouped(Coded, Stateless):
    """A codec whose groups share a header: it has the settings below, and gives `write` and `read`.

    `write` is handed the message as rows, one for each group, scaled by a power of two so that figures of a
    group fit into float16 whatever the units of the tensor; `read` gives these rows again.
    """

    @property
    @abstractmethod
    def scope(self) -> Scope:
        """What shares the figures of a header: the `tensor`, a `channel` over the batch, or a sample's
        channel (`plane`). Smaller groups have levels that fit them better, and more headers.
        """

    @property
    @abstractmethod
    def header_dtype(self) -> HeaderType:
        """Type of each figure in the header: float16 takes half the bytes of float32, which counts where
        groups are small.
        """

    @abstractmethod
    def write(self, rows: Floats, form: Form, draws: Draws) -> Written:
        """Return what the body of `rows` ([groups, values of a group]) holds beside its frame and form.

        `rows` may be changed. Without `draws` nothing is chosen at random.
        """

    @abstractmethod
    def read(self, sections: Sections, form: Form, frame: Frame, settings: bytes) -> Floats:
        """Return the rows of `write`. Raises `BadBody`."""

    def named(self, *words: str) -> str:
        """Return a label of `words`, and of what is not usual: an entropy stage, another type of header."""
        label = super().named(*words)
        return label if self.header_dtype == "float16" else f"{label}, {self.header_dtype} headers"

    def encode(self, tensor: Tensor, stream: str, draws: Draws = None) -> Payload:
        """Return the payload of `tensor`; without `draws`, of nearest levels. Raises `BadTensor`."""
        values, exponent = scaled(tensor, stream)
        form = Form(self.scope, self.header_dtype, self.entropy, exponent)
        settings, blocks, notes = self.write(rows_of(values, self.scope), form, draws)
        return framed(kind_of(self), tensor.shape, form.to_bytes() + settings, blocks, notes)

    def decode(self, body: bytes) -> Tensor:
        """Return the tensor of `body`. Raises `BadBody`."""
        frame = unseal(body, kind_of(self))
        form, settings = Form.from_bytes(frame.settings)
        sections = Sections(frame.content)
        rows = self.read(sections, form, frame, settings)
        sections.end(0)
        return tensor_of(unscaled(rows, form.exponent), frame.shape, form.scope)


class GroupQuantiser(Grouped):
    """A quantiser whose groups each send figures, and one symbol for every value.

    It gives `figures`, `quantise`, `symbol_bits` and `dequantise`. All else is for groups of one figure above
    zero each, or of zeros, and for symbols that are coded as they are; other quantisers replace it.
    """

    @abstractmethod
    def figures(self, rows: Floats, dtype: np.dtype[np.floating], draws: Draws) -> Figures:
        """Return what each group sends, [groups] or [groups, figures] of `dtype`.

        `rows` ([groups, values of a group]) are the message's own; they may be changed. With `draws` values
        must be right in the mean.
        """

    @abstractmethod
    def quantise(self, rows: Floats, figures: Floats, draws: Draws) -> tuple[Symbols, bytes]:
        """Return the symbols of `rows`, in their shape, and the settings that decoding needs.

        `rows`, which may be overwritten, and `figures`, as the header has them, are of the groups that send
        symbols. Without `draws` nothing is chosen at random.
        """

    @abstractmethod
    def symbol_bits(self, settings: bytes) -> int:
        """Return the bits of a symbol (1 to 16); 0 for settings that no encoder writes."""

    @abstractmethod
    def dequantise(self, symbols: Symbols, figures: Floats, settings: bytes) -> Floats:
        """Return the rows of `symbols` ([groups, values of a group])."""

    def sends(self, figures: Floats, size: int) -> Mask:
        """Return which groups of `size` values send symbols ([groups]): those whose figure is above zero.

        Others do too if they are so large that no header alone may ask for them.
        """
        return sends(figures, size)

    def level(self, figures: Floats) -> Floats:
        """Return the value in all places of a group without symbols ([groups])."""
        return np.zeros(len(figures), np.float32)

    def header(self, figures: Figures) -> list[tuple[str, Octets]]:
        """Return the blocks of the header."""
        return [("ranges", figures.reshape(-1).view(np.uint8))]

    def read_header(self, sections: Sections, form: Form, groups: int) -> Floats:
        """Return the figures of `header`. Raises `BadBody`."""
        return figures_of(sections, form, groups)

    def notes(self, settings: bytes) -> dict[str, float]:
        """Return what is noted of a message beside the entropy bound."""
        return {}

    def write(self, rows: Floats, form: Form, draws: Draws) -> Written:
        """Return the figures and the symbols."""
        figures = self.figures(rows, form.dtype, draws)
        wide = figures.astype(np.float32)
        sent = self.sends(wide, rows.shape[1])
        symbols, settings = self.quantise(rows if sent.all() else rows[sent], wide[sent], draws)
        symbols = symbols.reshape(-1)
        notes = {"entropy_bound_bytes": entropy_bits(symbols) / 8} | self.notes(settings)
        blocks = [("symbols", self.coded(symbols, self.symbol_bits(settings), form.entropy))]
        return settings, self.header(figures) + blocks, notes

    def read(self, sections: Sections, form: Form, frame: Frame, settings: bytes) -> Floats:
        """Return the rows of `write`. Raises `BadBody`."""
        bits = self.symbol_bits(settings)
        if not bits:
            raise frame.foreign_settings()
        groups, size = arrange(frame.shape, form.scope)
        figures = self.read_header(sections, form, groups)
        sent = self.sends(figures, size)
        symbols = self.read_coded(sections, int(sent.sum()) * size, bits, form.entropy).reshape(-1, size)
        if sent.all():
            return self.dequantise(symbols, figures, settings)
        rows = np.repeat(self.level(figures)[:, None], size, axis=1)
        rows[sent] = self.dequantise(symbols, figures[sent], settings)
        return rows

    def coded(self, symbols: Symbols, bits: int, entropy: Entropy) -> Octets:
        """Return `symbols` ([count]) as bytes."""
        return encode_symbols(symbols, bits, entropy)

    def read_coded(self, sections: Sections, count: int, bits: int, entropy: Entropy) -> Symbols:
        """Return the `count` symbols of `coded`. Raises `BadBody`."""
        return decode_symbols(sections, count, bits, entropy)
