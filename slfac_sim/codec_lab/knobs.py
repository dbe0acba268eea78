"""The rate knobs of each codec: which settings move along its rate-distortion curve, and where they stand.

A codec is moved along the first of these settings that it has, somebody else's as well, and along a second
one that belongs to it; one without such a setting is a single point.
"""

import dataclasses
import itertools
from collections.abc import Mapping, Sequence
from typing import Any

from slfac_sim.codecs import Codec
from slfac_sim.foundation.plugins import adapter

_KNOBS: Mapping[str, Sequence[Any]] = {
    "target_bits_per_value": (0.25, 0.5, 1.0, 2.0, 3.0, 4.0, 6.0),
    "bits_per_value": (0.1, 0.25, 0.5, 1.0, 2.0, 4.0),
    "bits": (1, 2, 3, 4, 5, 6, 8, 10),
    "b_max": (2, 3, 4, 5, 6, 8, 10, 12),
    "rate": (0.01, 0.03, 0.1, 0.2, 0.4),
    "together": (2, 4, 8, 16),
    "centroids": (2, 4, 16, 64),
    "levels": (2, 4, 16, 64, 256),
}
_SECOND: Mapping[str, tuple[str, Sequence[Any]]] = {
    "b_max": ("theta", (0.8, 0.9, 0.95, 0.99, 0.999)),
    "bits_per_value": ("reduction", (2.0, 4.0, 8.0)),
    "centroids": ("length", (2, 4, 8, 16)),
}


def knobs_of(codec: Codec) -> list[str]:
    """Return the names of the settings that move `codec` along its curve, at most two."""
    names = _names(codec)
    first = next((name for name in _KNOBS if name in names), "")
    second = _SECOND.get(first, ("",))[0]
    return [name for name in (first, second) if name in names]


def sweep(codec: Codec) -> list[Codec]:
    """Return `codec` with its knobs at every place that its settings allow; itself among them."""
    knobs = knobs_of(codec)
    places = [_KNOBS[knobs[0]] if rank == 0 else _SECOND[knobs[0]][1] for rank in range(len(knobs))]
    found: list[Codec] = []
    for values in itertools.product(*places) if knobs else ():
        try:
            found.append(_with(codec, dict(zip(knobs, values, strict=True))))
        except ValueError:  # out of this codec's range, or at odds with another of its settings
            continue
    return found if codec in found else [*found, codec]


def _names(codec: Any) -> list[str]:
    return [field.name for field in dataclasses.fields(codec)] if dataclasses.is_dataclass(codec) else []


def _with(codec: Any, changes: Mapping[str, Any]) -> Codec:
    """Return `codec` with `changes`, checked as a scenario's settings are. Raises `ValueError`."""
    plain = {name: getattr(codec, name) for name in _names(codec)}
    if "b_max" in changes and "b_min" in plain:
        plain["b_min"] = min(plain["b_min"], changes["b_max"])
    cls: Any = type(codec)
    changed: Codec = adapter(cls).validate_python({**plain, **changes})
    return changed
