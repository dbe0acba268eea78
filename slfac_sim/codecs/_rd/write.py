"""The bytes of a quantised message of `slfac_rd`: tables, symbols, layers; it knows no choice of them."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from slfac_sim.codecs import Payload
from slfac_sim.codecs._rd.basis import run_codes
from slfac_sim.codecs._rd.coder import MapCoder, Plan, Values, plan
from slfac_sim.codecs._rd.domains import Axes, has_tables
from slfac_sim.codecs._rd.models import Writing
from slfac_sim.codecs._rd.order import Slabs, in_slabs, order, rates_of
from slfac_sim.codecs._rd.quantise import Levels, values
from slfac_sim.codecs._rd.wire import KIND, VALUES_PER_BYTE, Form, Octets, layer_head, seed
from slfac_sim.codecs.kit.floats import Floats
from slfac_sim.codecs.kit.maps import map_shape
from slfac_sim.codecs.kit.wire import framed

Blocks = list[tuple[str, Octets]]


@dataclass(frozen=True)
class Attempt:
    """A tensor of `shape`, times 2^`exponent`, as coefficients, and quantised in the step of `axes`."""

    shape: tuple[int, ...]
    exponent: int
    no_negatives: bool
    axes: Axes
    coefficients: Floats
    quantised: Levels
    dead_zone: float


def seal(attempt: Attempt, layers: int) -> Payload:
    """Return the payload of `attempt`, in at most `layers` layers."""
    axes, shape = attempt.axes, map_shape(attempt.shape)
    channels = attempt.coefficients.shape[1]
    tabled = has_tables(shape)
    rates = rates_of(attempt.quantised.where) if tabled else np.ones(channels, np.uint8)
    live = order(rates)
    cut = plan((shape[0], len(live), *shape[2:]), layers)
    form = Form(
        domain=axes.domain,
        has_levels=bool(axes.levels.any()),
        has_rates=tabled,
        no_negatives=attempt.no_negatives,
        layers=len(cut.layer_ends),
        exponent=attempt.exponent,
        step=axes.step,
        first=attempt.quantised.first,
        shift=attempt.quantised.shift,
        components=channels if axes.codes is not None else 0,
    )
    tables: Blocks = [("widths", rates)] if form.has_rates else []
    tables += [("ranges", axes.levels.view(np.uint8))] if form.has_levels else []
    tables += _codebook(axes)
    notes = {
        "not_zero_fraction": float(np.count_nonzero(attempt.quantised.where) / math.prod(attempt.shape)),
        "components": float(form.components),
        "in_frequency": float(axes.in_frequency),
    }
    return _framed(attempt.shape, form, tables, _layer_blocks(cut, attempt, live), notes)


def _codebook(axes: Axes) -> Blocks:
    if axes.codes is None:
        return []
    link = Writing()
    channels, components = axes.codes.shape
    run_codes(link, channels, components, axes.codes)
    block = link.block()
    return [("codebook", np.array([len(block)], "<u2").view(np.uint8)), ("codebook", block)]


def _framed(
    shape: tuple[int, ...], form: Form, tables: Blocks, blocks: list[Octets], notes: dict[str, float]
) -> Payload:
    content = sum(len(block) for _, block in tables) + sum(map(len, blocks))
    missing = math.prod(shape) // VALUES_PER_BYTE - content
    blocks[0] = np.concatenate([blocks[0], np.zeros(max(0, missing), np.uint8)])
    settings = form.to_bytes()
    checksum = seed(shape, settings)
    parts: Blocks = []
    for layer, block in enumerate(blocks):
        head = tables if layer == 0 else []
        whole = np.concatenate([*(table for _, table in head), block])
        length, closing, checksum = layer_head(whole, checksum)
        parts += [("frame", length), *head, ("symbols", block), ("frame", closing)]
    return framed(KIND, shape, settings, parts, notes)


def _layer_blocks(cut: Plan, attempt: Attempt, live: NDArray[np.intp]) -> list[Octets]:
    if not len(live):
        return [np.empty(0, np.uint8)]
    where = in_slabs(cut, attempt.quantised.where, live)
    flat, step = attempt.coefficients.reshape(-1), attempt.axes.step
    coder, blocks, begin = MapCoder(cut), [], 0
    for end in cut.layer_ends:
        link = Writing()
        layer = Slabs(cut, begin, end, live, attempt.coefficients.shape[1])

        def at(place: NDArray[np.intp], layer: Slabs = layer) -> Values:
            return values(flat[layer.origin(place)], step, attempt.dead_zone)

        coder.run(link, end - begin, (where[:, begin:end], at))
        blocks.append(link.block())
        begin = end
    return blocks
