"""The tables of docs/codecs.md: every codec on real activations and gradients. It checks no result.

It captures what a device sends and is sent in step `STEP` of two trainings on Fashion-MNIST (`CAPTURES`):
ResNet-18 cut after its stem, 64 x 14 x 14, and the small network of `fashion_20_devices`, 32 x 7 x 7. One
table has every codec on the first pair. *Default* is the first message at default settings. *Bits at 1 %* are
the bits a value at which the codec, moved along its rate knobs, has a relative squared error of 0.01:
interpolated in the log of the error. The other sets SL-FAC beside uniform quantisers at SL-FAC's own bits.
`python benchmarks/codecs_table.py --write docs/codecs.md` puts them there; `--from DIR` takes captures that
`--keep DIR` kept. About six minutes on two cores; `--smoke` has little of it on small tensors.
"""

import argparse
import itertools
import math
import re
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from _measuring import spelled

from slfac_sim.cli import main as slfac_sim
from slfac_sim.codec_lab.choose import codec_of, shipped
from slfac_sim.codec_lab.measure import Measured, front, measure
from slfac_sim.codec_lab.rate_distortion import sweep
from slfac_sim.codecs import Codec, Tensor

STEP, TARGET = 50, 0.01
CAPTURES = {
    "stem": "100_devices data=fashion_mnist cut=stem devices.count=2 learning.batch=64 protocol.steps=null",
    "small": "fashion_20_devices devices.count=4",
}
SMOKE_STEP, SMOKE = 1, {"stem": "fashion_20_devices data=synthetic data.size=12 devices.count=2"}
VARIANTS = """
uniform scope=tensor / uniform scope=channel / uniform entropy=ans / uniform scope=tensor entropy=ans /
slfac scope=channel / slfac header_dtype=float32 / slfac_rd domain=space / slfac_rd domain=frequency
"""
HEAD = (
    "codec",
    "bits, up", "error, up", "bits at 1 %, up",
    "bits, down", "error, down", "bits at 1 %, down",
    "encode MB/s", "decode MB/s",
)  # fmt: skip
UNIFORM = {scope: f"uniform scope={scope}" for scope in ("plane", "channel", "tensor")}
EQUAL_HEAD = (
    "tensor", "SL-FAC", "bits", "error", *(f"uniform, {scope}" for scope in UNIFORM),
    "SL-FAC at 1 %", *(f"uniform, {scope}, at 1 %" for scope in UNIFORM),
)  # fmt: skip


def tensors_of(folder: Path) -> dict[str, Tensor]:
    """Return the last activation and the last gradient in `folder`, by direction."""
    return {way: np.load(sorted(folder.glob(f"*_{way}.npy"))[-1]) for way in ("up", "down")}


def codecs_of(kinds: Sequence[str]) -> list[Codec]:
    """Return every codec of `kinds` with its defaults, and the variants, each once."""
    variants = [text.split() for text in VARIANTS.split("/") if text.split()]
    words = [[kind] for kind in kinds] + [one for one in variants if one[0] in kinds]
    found: list[Codec] = []
    for codec in map(codec_of, map(spelled, words)):
        if codec not in found:
            found.append(codec)
    return sorted(found, key=lambda codec: codec.label.lower())


def bits_at(points: Sequence[Measured], error: float) -> float:
    """Return the bits a value at which the best of `points` come to `error`; NaN if they lie on one side."""
    best = [point for point in front(points) if point.error > 0.0]
    for worse, better in itertools.pairwise(best):
        if better.error <= error <= worse.error:
            way = math.log(error / worse.error) / math.log(better.error / worse.error)
            return worse.bits_per_value + (better.bits_per_value - worse.bits_per_value) * way
    return math.nan


def error_at(points: Sequence[Measured], bits: float) -> float:
    """Return the error to which the best of `points` come with `bits` a value; the inverse of `bits_at`."""
    best = [point for point in front(points) if point.error > 0.0]
    for worse, better in itertools.pairwise(best):
        if worse.bits_per_value <= bits <= better.bits_per_value:
            way = (bits - worse.bits_per_value) / (better.bits_per_value - worse.bits_per_value)
            return worse.error * (better.error / worse.error) ** way
    return math.nan


def equal_bits(captured: dict[str, dict[str, Tensor]]) -> list[str]:
    """Return the second table in Markdown: SL-FAC's error, and that of uniform with as many bits."""
    lines = _head(EQUAL_HEAD, texts=2)
    for name, tensors in captured.items():
        for way, tensor in tensors.items():
            curves = [_curve(codec_of(spelled(words.split())), tensor) for words in UNIFORM.values()]
            for scope in ("plane", "channel"):
                codec = codec_of(spelled(["slfac", f"scope={scope}"]))
                one = measure(codec, tensor, way, timed=False)
                cells = [f"{name}, {way}", scope, _number(one.bits_per_value), f"{one.error:.2g}"]
                cells += [f"{error_at(curve, one.bits_per_value):.2g}" for curve in curves]
                cells += [_number(bits_at(curve, TARGET)) for curve in (_curve(codec, tensor), *curves)]
                lines.append(_line(cells))
    return lines


def _curve(codec: Codec, tensor: Tensor) -> list[Measured]:
    return [measure(moved, tensor, "curve", timed=False) for moved in sweep(codec)]


def row(codec: Codec, tensors: dict[str, Tensor]) -> list[str]:
    """Return the cells of one line."""
    cells, timed = [codec.label], []
    for way, tensor in tensors.items():
        one = measure(codec, tensor, way)
        at_target = bits_at(_curve(codec, tensor), TARGET)
        cells += [_number(one.bits_per_value), _error(one), _number(at_target)]
        timed.append(one)
    return [*cells, f"{timed[0].encode_mb_per_s:.0f}", f"{timed[0].decode_mb_per_s:.0f}"]


def _number(value: float) -> str:
    return f"{value:.2f}" if math.isfinite(value) else "-"


def _error(one: Measured) -> str:
    return "refused" if one.refused else f"{one.error:.2g}"


def table(tensors: dict[str, Tensor], kinds: Sequence[str]) -> list[str]:
    """Return the table in Markdown; a line of standard error tells of each codec as it is done."""
    lines = _head(HEAD)
    for codec in codecs_of(kinds):
        lines.append(_line(row(codec, tensors)))
        print(lines[-1], file=sys.stderr, flush=True)
    return lines


def _head(names: Sequence[str], texts: int = 1) -> list[str]:
    return [_line(names), "|---" * texts + "|---:" * (len(names) - texts) + "|"]


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def write(name: str, lines: Sequence[str], path: Path) -> None:
    """Put `lines` between the marks of the table `name` in `path`."""
    begin, end = f"<!-- {name} begins -->", f"<!-- {name} ends -->"
    text = path.read_text(encoding="utf-8")
    inside = "\n".join([begin, "", *lines, "", end])
    path.write_text(re.sub(f"{begin}.*{end}", lambda _: inside, text, flags=re.DOTALL), encoding="utf-8")


def captured_in(
    folder: Path, there: bool, captures: dict[str, str], step: int
) -> dict[str, dict[str, Tensor]]:
    """Return the tensors of all `captures` below `folder`, which are made now unless they are `there`."""
    for name, words in captures.items():
        made = [*words.split(), "--steps", str(step), "-o", str(folder / name)]
        if not there and slfac_sim(["capture", *made]) != 0:
            raise SystemExit(2)
    return {name: tensors_of(folder / name) for name in captures}


def main() -> None:
    """Capture, measure, print or write."""
    parser = argparse.ArgumentParser(description="the tables of docs/codecs.md")
    parser.add_argument("--from", dest="folder", type=Path, metavar="DIR", help="captures that were kept")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="keep the captures here")
    parser.add_argument("--write", type=Path, metavar="FILE", help="put the tables there, between marks")
    parser.add_argument("--smoke", action="store_true", help="little of it, on small tensors")
    parser.add_argument("kinds", nargs="*", default=shipped(), metavar="KIND", help="default: all")
    arguments = parser.parse_args()
    what, kinds = (CAPTURES, STEP), arguments.kinds
    if arguments.smoke:
        what, kinds = (SMOKE, SMOKE_STEP), ["raw"]
    with tempfile.TemporaryDirectory() as made:
        place = arguments.folder or arguments.keep or Path(made)
        captured = captured_in(place, arguments.folder is not None, *what)
    tables = {"equal_bits": equal_bits(captured), "codecs_table": table(captured["stem"], kinds)}
    for name, lines in tables.items():
        if arguments.write is None:
            print("\n".join([*lines, ""]))
        else:
            write(name, lines, arguments.write)


if __name__ == "__main__":
    main()
