"""`codec`: codecs tried on tensors in files: encode, decode, compare, inspect, spectra.

What needs numpy or pydantic is imported by the actions, so that `--help` answers at once.
"""

import argparse
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from slfac_sim.cli.common import screen_width
from slfac_sim.foundation.errors import BadInput

if TYPE_CHECKING:
    from slfac_sim.codec_lab.measure import Measured

_CHOICE = "a codec and settings of it: codec=slfac codec.theta=0.9"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the actions and their arguments."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    encode = actions.add_parser("encode", help="make a body of a .npy tensor")
    encode.add_argument("tensor", type=Path, metavar="TENSOR.npy")
    encode.add_argument("overrides", nargs="*", metavar="KEY=VALUE", help=_CHOICE)
    encode.add_argument("-o", "--out", type=Path, required=True, metavar="X.slf")
    decode = actions.add_parser("decode", help="make a .npy tensor of a body")
    decode.add_argument("body", type=Path, metavar="X.slf")
    decode.add_argument("-o", "--out", type=Path, required=True, metavar="Y.npy")
    inspect = actions.add_parser("inspect", help="print the header of a body, and its bytes by purpose")
    inspect.add_argument("body", type=Path, metavar="X.slf")
    inspect.add_argument("--json", action="store_true", help="print the same as JSON")
    _add_compare(actions.add_parser("compare", help="set codecs side by side on one tensor"))
    spectra = actions.add_parser("spectra", help="draw spectra of captured tensors, and where AFD cuts")
    spectra.add_argument("folder", type=Path, metavar="DIR", help="a folder that `capture` wrote")
    spectra.add_argument("--theta", type=float, default=0.9, metavar="T", help="default: 0.9")
    spectra.add_argument("-o", "--out", type=Path, required=True, metavar="DIR", help="write figures here")


def _add_compare(compare: argparse.ArgumentParser) -> None:
    compare.add_argument("tensor", type=Path, metavar="TENSOR.npy")
    compare.add_argument(
        "overrides", nargs="*", metavar="KEY=VALUE", help=f"{_CHOICE} (default: every codec)"
    )
    compare.add_argument(
        "--axis",
        action="append",
        default=[],
        metavar="KEY=V,V,...",
        help="codec=raw,slfac or codec.theta=0.8,0.9; of several, every combination",
    )
    compare.add_argument("-o", "--out", type=Path, metavar="DIR", help="draw rate against distortion here")
    compare.add_argument("--json", action="store_true", help="print the table as JSON")


def main(arguments: argparse.Namespace) -> int:
    """Do the action that is asked for."""
    actions = {
        "encode": _encode,
        "decode": _decode,
        "inspect": _inspect,
        "compare": _compare,
        "spectra": _spectra,
    }
    actions[arguments.action](arguments)
    return 0


def _encode(arguments: argparse.Namespace) -> None:
    """Write the body of the tensor; print its size and its error."""
    from slfac_sim.codec_lab.choose import codec_of
    from slfac_sim.codec_lab.files import read_tensor, write_body
    from slfac_sim.codec_lab.measure import encode, relative_error

    codec, tensor = codec_of(arguments.overrides), read_tensor(arguments.tensor)
    payload = encode(codec, tensor, str(arguments.tensor))
    error = relative_error(tensor, codec.receiver().decode(payload.body))
    write_body(arguments.out, payload.body)
    sizes = f"{payload.nbytes:,} bytes, {8.0 * payload.nbytes / tensor.size:.4g} bits a value"
    print(f"{arguments.out}: {codec.label}: {sizes}, relative squared error {error:.4g}")


def _decode(arguments: argparse.Namespace) -> None:
    """Write the tensor of the body; print its shape."""
    from slfac_sim.codec_lab.files import read_body, write_tensor
    from slfac_sim.codecs.kit.bodies import decode

    with _naming(arguments.body):
        tensor = decode(read_body(arguments.body))
    stored = tensor if tensor.dtype.kind == "f" else tensor.astype("float32")  # .npy knows no bfloat16
    write_tensor(arguments.out, stored)
    print(f"{arguments.out}: {stored.dtype} {list(stored.shape)}")


def _inspect(arguments: argparse.Namespace) -> None:
    """Print the frame of the body, and its bytes by purpose."""
    from slfac_sim.analysis.format import fixed_percent
    from slfac_sim.analysis.text_tables import aligned
    from slfac_sim.codec_lab.files import read_body
    from slfac_sim.codec_lab.measure import inspect

    with _naming(arguments.body):
        body = inspect(read_body(arguments.body))
    if arguments.json:
        print(json.dumps({**body.facts, "parts": dict(body.parts)}, indent=2))
        return
    for name, value in body.facts.items():
        print(f"{name:<14}  {value:.4g}" if isinstance(value, float) else f"{name:<14}  {value}")
    print()
    lines = [["part", "bytes", "share", "bits a value"]]
    for name, nbytes in [*body.parts.items(), ("total", body.body_bytes)]:
        bits = 8 * nbytes / body.tensor.size
        lines.append([name, f"{nbytes:,}", fixed_percent(nbytes / body.body_bytes, 1), f"{bits:.3f}"])
    print(aligned(lines, width=screen_width()))


@contextmanager
def _naming(path: Path) -> Iterator[None]:
    """Name the file in what is wrong with the body in it."""
    from slfac_sim.codecs import BadBody

    try:
        yield
    except BadBody as error:
        raise BadBody(f"{path}: {error}") from error


def _compare(arguments: argparse.Namespace) -> None:
    """Print one line for each codec; draw rate against distortion if a folder was named."""
    from slfac_sim.codec_lab.choose import codecs_of
    from slfac_sim.codec_lab.files import make_folder, read_tensor
    from slfac_sim.codec_lab.measure import measure
    from slfac_sim.codecs import BadTensor

    tensor, stream = read_tensor(arguments.tensor), str(arguments.tensor)
    codecs = codecs_of(arguments.overrides, arguments.axis)
    compared = [measure(codec, tensor, stream) for codec in codecs]
    if all(measured.refused for measured in compared):
        raise BadTensor(compared[0].refused)
    if arguments.json:
        print(json.dumps([measured.facts for measured in compared], indent=2))
    else:
        _print_compared(compared)
    if arguments.out is not None:
        from slfac_sim.codec_lab.rate_distortion import curves_of, draw

        title = f"{arguments.tensor.name}, {' x '.join(map(str, tensor.shape))}"
        folder = make_folder(arguments.out)
        print(*draw(curves_of(codecs, tensor, stream), title, folder), sep="\n")


def _print_compared(compared: "Sequence[Measured]") -> None:
    from slfac_sim.analysis.text_tables import aligned

    head = ["codec", "parts", "bits a value", "error", "encode ms", "decode ms"]
    print(aligned([head, *map(_line, compared)], 2, screen_width()))
    for measured in compared:
        if measured.refused:
            print(f"{measured.label}: {measured.refused}")


def _line(measured: "Measured") -> list[str]:
    if measured.refused:
        return [measured.label, "refused, see below", "-", "-", "-", "-"]
    return [
        measured.label,
        _largest_parts(measured.parts or {}, measured.body_bytes),
        f"{measured.bits_per_value:.3f}",
        f"{measured.error:.3g}",
        f"{1e3 * measured.encode_s:.2f}",
        f"{1e3 * measured.decode_s:.2f}",
    ]


def _largest_parts(parts: Mapping[str, int], of_bytes: int) -> str:
    from slfac_sim.analysis.format import fixed_percent

    largest = sorted(parts.items(), key=lambda part: -part[1])[:3]
    return ", ".join(f"{name} {fixed_percent(nbytes / of_bytes)}" for name, nbytes in largest if nbytes)


def _spectra(arguments: argparse.Namespace) -> None:
    """Draw the spectra of a capture and print the files."""
    from slfac_sim.codec_lab.files import make_folder, read_capture, read_tensor
    from slfac_sim.codec_lab.spectra import draw, spectrum_of

    theta = arguments.theta
    if not 0.0 < theta <= 1.0:
        raise BadInput(f"--theta {theta:g}: must be above 0 and at most 1")
    title, captured = read_capture(arguments.folder)
    spectra = [spectrum_of(read_tensor(file), step, direction, theta) for file, step, direction in captured]
    print(*draw(spectra, title, make_folder(arguments.out)), sep="\n")
