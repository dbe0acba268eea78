"""What the actions of `codec` do: files in, files and tables out."""

import argparse
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from slfac_sim import codecs
from slfac_sim.analysis.text_tables import aligned
from slfac_sim.cli.capture import FACTS
from slfac_sim.cli.common import screen_width
from slfac_sim.codec_lab import chosen
from slfac_sim.codec_lab.inspecting import inspect as inspected
from slfac_sim.codec_lab.knobs import knobs_of, sweep
from slfac_sim.codec_lab.measuring import Measured, measure, relative_error
from slfac_sim.codec_lab.measuring import encode as encoded
from slfac_sim.codec_lab.tensor_files import folder, read_body, read_tensor, whole, write_tensor
from slfac_sim.codecs.kit.bodies import decode as decoded
from slfac_sim.foundation.errors import BadInput
from slfac_sim.foundation.plugins import kind_of


@contextmanager
def _naming(path: Path) -> Iterator[None]:
    """Name the file in what is wrong with the body in it."""
    try:
        yield
    except codecs.BadBody as error:
        raise codecs.BadBody(f"{path}: {error}") from error


def encode(arguments: argparse.Namespace) -> int:
    """Write the body of the tensor and print its size, its error and its parts."""
    codec, tensor = chosen.one(arguments.codec), read_tensor(arguments.tensor)
    payload = encoded(codec, tensor, str(arguments.tensor))
    error = relative_error(tensor, codec.receiver().decode(payload.body))
    with whole(arguments.out) as part:
        part.write_bytes(payload.body)
    bits = 8.0 * payload.nbytes / tensor.size
    print(f"{arguments.out}: {codec.label}: {payload.nbytes:,} bytes, {bits:.4g} bits a value, ", end="")
    print(f"relative squared error {error:.4g}")
    return 0


def decode(arguments: argparse.Namespace) -> int:
    """Write the tensor of the body and print its shape."""
    with _naming(arguments.body):
        tensor = decoded(read_body(arguments.body))
    stored = tensor if tensor.dtype.kind == "f" else tensor.astype(np.float32)  # .npy knows no bfloat16
    write_tensor(arguments.out, stored)
    print(f"{arguments.out}: {stored.dtype} {list(stored.shape)}")
    return 0


def inspect(arguments: argparse.Namespace) -> int:
    """Print the frame and the byte ledger of the body."""
    with _naming(arguments.body):
        found = inspected(read_body(arguments.body))
    facts: dict[str, Any] = {
        "codec": found.kind,
        "version": found.version,
        "shape": list(found.shape),
        "type": str(found.tensor.dtype),
        "settings": found.settings.hex(),
        "bytes": found.body_bytes,
        "values": found.tensor.size,
        "bits_per_value": found.bits_per_value,
    }
    if arguments.json:
        print(json.dumps({**facts, "parts": dict(found.parts)}, indent=2))
        return 0
    for name, value in facts.items():
        print(f"{name:<14}  {value:.4g}" if isinstance(value, float) else f"{name:<14}  {value}")
    print()
    lines = [
        [name, *_part(nbytes, found.body_bytes, found.tensor.size)] for name, nbytes in found.parts.items()
    ]
    total = ["total", *_part(found.body_bytes, found.body_bytes, found.tensor.size)]
    print(aligned([["part", "bytes", "share", "bits a value"], *lines, total], width=screen_width()))
    return 0


def _part(nbytes: int, of_bytes: int, values: int) -> list[str]:
    return [f"{nbytes:,}", f"{100 * nbytes / of_bytes:.1f} %", f"{8 * nbytes / values:.3f}"]


def compare(arguments: argparse.Namespace) -> int:
    """Print one line for each codec; draw rate against distortion if a folder was named."""
    tensor = read_tensor(arguments.tensor)
    listed = chosen.several(arguments.codecs or chosen.shipped())
    stream = str(arguments.tensor)
    found = [measure(codec, tensor, stream) for codec in listed]
    if all(one.refused for one in found):
        raise codecs.BadTensor(found[0].refused)
    if arguments.json:
        print(json.dumps([_facts(one) for one in found], indent=2))
    else:
        print(_table(found))
    if arguments.out is not None:
        _draw(listed, tensor, arguments)
    return 0


def _draw(listed: Sequence[codecs.Codec], tensor: codecs.Tensor, arguments: argparse.Namespace) -> None:
    """Draw rate against distortion, a curve for each of `listed`, and print the files."""
    from slfac_sim.codec_lab.pictures import Curve, draw

    out, stream = folder(arguments.out), str(arguments.tensor)
    names = [kind_of(codec) for codec in listed]
    curves = [
        Curve(
            name if names.count(name) == 1 else codec.label,
            ", ".join(knobs_of(codec)),
            [measure(one, tensor, stream, timed=False) for one in sweep(codec)],
        )
        for name, codec in zip(names, listed, strict=True)
    ]
    title = f"{arguments.tensor.name}, {' x '.join(map(str, tensor.shape))}"
    for path in draw(curves, title, out):
        print(path)


def _facts(one: Measured) -> dict[str, Any]:
    figures = {
        "bits_per_value": one.bits_per_value,
        "relative_squared_error": one.error,
        "encode_s": one.encode_s,
        "decode_s": one.decode_s,
    }
    finite = {name: value if math.isfinite(value) else None for name, value in figures.items()}
    what = {"codec": one.kind, "label": one.label, "bytes": one.body_bytes, **finite}
    return {**what, "parts": dict(one.parts or {}), "notes": dict(one.notes or {}), "refused": one.refused}


def _table(found: Sequence[Measured]) -> str:
    head = ["codec", "parts", "bits a value", "error", "encode ms", "decode ms"]
    lines = [_line(one) for one in found]
    refusals = [f"{one.label}: {one.refused}" for one in found if one.refused]
    return "\n".join([aligned([head, *lines], 2, screen_width()), *refusals])


def _line(one: Measured) -> list[str]:
    if one.refused:
        return [one.label, "refused, see below", "-", "-", "-", "-"]
    times = [f"{1e3 * one.encode_s:.2f}", f"{1e3 * one.decode_s:.2f}"]
    return [
        one.label,
        _parts(one.parts or {}, one.body_bytes),
        f"{one.bits_per_value:.3f}",
        f"{one.error:.3g}",
        *times,
    ]


def _parts(parts: Mapping[str, int], of_bytes: int) -> str:
    """Return the largest three parts with their shares."""
    largest = sorted(parts.items(), key=lambda part: -part[1])[:3]
    return ", ".join(f"{name} {100 * nbytes / of_bytes:.0f} %" for name, nbytes in largest if nbytes)


def spectra(arguments: argparse.Namespace) -> int:
    """Draw the spectra of a capture and print the files."""
    from slfac_sim.codec_lab.capturing_facts import described
    from slfac_sim.codec_lab.spectra import draw, spectrum_of

    if not 0.0 < arguments.theta <= 1.0:
        raise BadInput(f"--theta {arguments.theta:g}: must be above 0 and at most 1")
    facts = _capture_facts(arguments.folder)
    found = [
        spectrum_of(read_tensor(arguments.folder / file), step, direction, arguments.theta)
        for file, step, direction in described(facts)
    ]
    if not found:
        raise BadInput(f"{arguments.folder / FACTS}: no tensors in it")
    for path in draw(
        found, f"{facts.get('scenario', '')}, cut after {facts.get('cut', '')}", folder(arguments.out)
    ):
        print(path)
    return 0


def _capture_facts(place: Path) -> dict[str, Any]:
    path = place / FACTS
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise BadInput(
            f"{path}: cannot be read ({error.strerror}); expected a folder of `capture`"
        ) from error
    except ValueError as error:
        raise BadInput(f"{path}: not JSON ({error})") from error
    if not isinstance(facts, dict):
        raise BadInput(f"{path}: found {type(facts).__name__}, expected an object")
    return facts
