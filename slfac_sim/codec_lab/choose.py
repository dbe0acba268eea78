"""Codecs chosen as in a scenario: settings ``codec=slfac codec.theta=0.9``, and axes over them."""

import json
from collections.abc import Sequence
from itertools import product
from pathlib import Path

from slfac_sim.codecs import Codec
from slfac_sim.foundation.beside import looking_in
from slfac_sim.foundation.errors import BadInput
from slfac_sim.foundation.plugins import kinds, settings
from slfac_sim.scenario.axes import axis_of
from slfac_sim.scenario.faults import settings_of
from slfac_sim.scenario.located import Located, Place
from slfac_sim.scenario.overrides import overridden
from slfac_sim.scenario.schema import CodecNode


@settings
class Chosen:
    """What one codec is read as: the same node as in a scenario."""

    codec: CodecNode
    """The codec that is tried."""


def shipped() -> list[str]:
    """Return the kinds of all shipped codecs."""
    return list(kinds("slfac_sim.codecs"))


def codec_of(overrides: Sequence[str]) -> Codec:
    """Return the codec that `overrides` such as ``codec=slfac`` make. Raises `BadInput` with all faults."""
    if not overrides:
        raise BadInput("no codec is given; expected codec=KIND, such as codec=slfac codec.theta=0.9")
    top = Place(0, 0, 0, "command line")
    with looking_in(Path()):
        applied = overridden(Located({}, top, top), overrides, Chosen)
        codec: Codec = settings_of(applied.tree, Chosen, applied.faults).codec
    return codec


def codecs_of(overrides: Sequence[str], axes: Sequence[str] = ()) -> list[Codec]:
    """Return a codec for each combination of the values of `axes`, all with the `overrides`.

    An axis is written as for `sweep`, ``codec.theta=0.8,0.9``; nothing at all stands for every shipped codec.
    Raises `BadInput`.
    """
    if not axes and not overrides:
        return [codec_of([f"codec={kind}"]) for kind in shipped()]
    listed = [
        [f"{path}={json.dumps(value.plain(), ensure_ascii=False)}" for value in values.children()]
        for path, values in map(axis_of, axes)
    ]
    return [codec_of([*overrides, *values]) for values in product(*listed)]
