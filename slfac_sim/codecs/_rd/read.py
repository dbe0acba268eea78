"""The decoding half of `slfac_rd`: from the bytes of a body, or of its first layers, to the tensor."""

import math
import zlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from slfac_sim.codecs import BadBody, Receiver, Tensor
from slfac_sim.codecs._rd.basis import run_codes
from slfac_sim.codecs._rd.coder import MapCoder, Plan, plan
from slfac_sim.codecs._rd.domains import Axes, has_tables, is_legal
from slfac_sim.codecs._rd.models import Reading
from slfac_sim.codecs._rd.order import Slabs, order
from slfac_sim.codecs._rd.quantise import rebuild
from slfac_sim.codecs._rd.wire import KIND, VALUES_PER_BYTE, Form, layer_ends, read_layers, seed
from slfac_sim.codecs.kit.floats import Floats
from slfac_sim.codecs.kit.groups import unscaled
from slfac_sim.codecs.kit.maps import Shape, map_shape, tensor_of
from slfac_sim.codecs.kit.wire import Frame, Sections, unseal


@dataclass(frozen=True)
class RdReceiver(Receiver):
    """The decoding end of any stream."""

    def decode(self, body: bytes, partial: bool = False) -> Tensor:
        """Return the tensor of `body`, or with `partial` what its first layers tell. Raises `BadBody`.

        `partial` takes a whole body, or one that is cut at one of `boundaries`; channels of missing layers
        are at their levels. Headers and checksums are read before anything of the tensor's size is allocated.
        """
        frame = _unseal(body, partial)
        form = Form.from_bytes(frame.settings)
        if math.prod(frame.shape) > VALUES_PER_BYTE * (len(frame.content) + 1):
            raise BadBody(f"body: {len(frame.content)} bytes of content are too few for {list(frame.shape)}")
        checksum = seed(frame.shape, frame.settings)
        blocks = read_layers(Sections(frame.content), form.layers, checksum, partial)
        shape = map_shape(frame.shape)
        first = Sections(blocks[0])
        axes, rates = _read_tables(first, form, shape)
        live = order(rates)
        cut = plan((shape[0], len(live), *shape[2:]), form.layers)
        if len(cut.layer_ends) != form.layers:
            raise BadBody(f"body: {form.layers} layers for {len(live)} channels")
        symbols = [rest.take(len(rest.rest), "symbols") for rest in (first, *map(Sections, blocks[1:]))]
        coefficients = _read_maps(cut, form, (shape[0], len(rates), *shape[2:]), live, symbols)
        maps = axes.inverse(coefficients)
        if form.no_negatives:
            np.maximum(maps, 0, out=maps)
        tensor = tensor_of(maps, frame.shape)
        return unscaled(tensor, form.exponent) if form.exponent else tensor

    @staticmethod
    def boundaries(body: bytes) -> list[int]:
        """Return the lengths in bytes to which `body` may be cut for a `partial` decode, ascending."""
        return layer_ends(len(body), unseal(body, KIND))


def _unseal(body: bytes, partial: bool) -> Frame:
    try:
        return unseal(body, KIND)
    except BadBody:
        if not partial:
            raise
        return unseal(body + zlib.crc32(body).to_bytes(4, "little"), KIND)


def _read_tables(sections: Sections, form: Form, shape: Shape) -> tuple[Axes, NDArray[np.uint8]]:
    if not is_legal(form.domain, shape) or form.has_rates != has_tables(shape):
        raise BadBody(f"body: no encoder sends maps of {list(shape)} like this")
    mixed = form.domain.startswith("component")
    if mixed != (0 < form.components <= shape[1]):
        raise BadBody(f"body: {form.components} components of {shape[1]} channels")
    sent = form.components if mixed else shape[1]
    rates, away, codes = np.ones(sent, np.uint8), np.zeros(shape[1], np.int8), None
    if form.has_rates:
        rates = np.frombuffer(sections.take(sent, "widths"), np.uint8)
    if form.has_levels:
        away = np.frombuffer(sections.take(shape[1], "ranges"), np.int8)
    if mixed:
        size = int.from_bytes(sections.take(2, "codebook"), "little")
        codes = run_codes(Reading(sections.take(size, "codebook")), shape[1], sent, None)
    return Axes(form.domain, form.step, away, codes), rates


def _read_maps(
    cut: Plan, form: Form, shape: Shape, live: NDArray[np.intp], blocks: list[memoryview]
) -> Floats:
    maps = np.zeros(shape, np.float32)
    if not len(live):
        return maps
    coder, begin = MapCoder(cut), 0
    for end, block in zip(cut.layer_ends, blocks, strict=False):
        quantised = coder.run(Reading(block), end - begin, None)
        origin = Slabs(cut, begin, end, live, shape[1]).origin(quantised.place)
        maps.reshape(-1)[origin] = rebuild(
            quantised.magnitude, quantised.negative, form.first, form.shift, form.step
        )
        begin = end
    return maps
