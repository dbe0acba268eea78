"""Accuracy at bytes: ResNet-18 trained through SL-FAC and through `slfac_rd`, in both directions.

One device and the server, no network and no clock: each batch is encoded, decoded, trained on, and its
gradient comes back the same way. The learning rate falls linearly to zero, so that the accuracy at the end is
not the swing of one step. Every run is one file of results, and is not run again while it is there:

    python benchmarks/rd_training.py run --data mnist fashion_mnist --cut stem --seeds 0 1 2 -o FOLDER
    python benchmarks/rd_training.py table -o FOLDER
    python benchmarks/rd_training.py --smoke

`--held-out` evaluates on the last 5,000 training images, which no run trains on: for choosing settings.
"""

import argparse
import json
import math
import statistics
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from slfac_sim.codecs import Codec, Receiver, Sender, Tensor
from slfac_sim.codecs.raw import Raw
from slfac_sim.codecs.slfac import SlFac
from slfac_sim.codecs.slfac_rd import SlFacRd
from slfac_sim.foundation import plugins
from slfac_sim.learning.datasets import Dataset
from slfac_sim.learning.halves import DeviceHalf, ServerHalf
from slfac_sim.learning.models.resnet18 import ResNet18

CUTS = {"stem": 1, "block1": 3}  # 64x14x14 and 64x7x7 with images of 28x28
BATCH = 64
HELD_OUT = 5000

Result = dict[str, Any]

CODECS: dict[str, tuple[Codec, Codec]] = {
    "raw": (Raw(), Raw()),
    "slfac": (SlFac(header_dtype="float32"), SlFac(header_dtype="float32")),
    "slfac-fp16": (SlFac(), SlFac()),
    "rd": (SlFacRd(), SlFacRd()),
}
CODECS |= {f"rd-step-{step:g}": (SlFacRd(step=step),) * 2 for step in (0.5, 1, 1.25, 2, 3, 4)}
CODECS["rd-steps-1-0.5"] = SlFacRd(step=1), SlFacRd(step=0.5)
CODECS |= {
    f"rd-error-{error:g}": (SlFacRd(target_error=error),) * 2 for error in (0.02, 0.05, 0.1, 0.15, 0.2)
}


def run(data: Dataset, cut: str, codecs: tuple[Codec, Codec], seed: int, args: argparse.Namespace) -> Result:
    """Train one model and return the bytes each way and the accuracies at the end."""
    torch.manual_seed(seed)
    order = np.random.default_rng(seed)
    modules = [module for _, module in ResNet18().blocks(1, data.classes)]
    device, server = nn.Sequential(*modules[: CUTS[cut]]), nn.Sequential(*modules[CUTS[cut] :])
    adams = [torch.optim.Adam(half.parameters(), args.rate) for half in (device, server)]
    falling = [torch.optim.lr_scheduler.LinearLR(adam, 1.0, 0.0, args.steps) for adam in adams]
    halves = DeviceHalf(device, adams[0]), ServerHalf(server, adams[1])
    ends = [
        (codec.sender(name), codec.receiver()) for codec, name in zip(codecs, ("up", "down"), strict=True)
    ]
    sent, values, queue = [0, 0], 0, np.empty(0, np.int64)
    for _ in range(args.steps):
        if len(queue) < BATCH:
            queue = order.permutation(len(data.train_images) - HELD_OUT)
        batch, queue = queue[:BATCH], queue[BATCH:]
        images, labels = data.train_batch(batch)
        smashed = halves[0].forward(torch.from_numpy(images), labels)
        arrived = _through(ends[0], smashed.tensor, sent, 0)
        gradient = halves[1].step([(arrived, labels)])[0].gradient
        halves[0].backward(smashed.pending, _through(ends[1], gradient, sent, 1))
        values += smashed.tensor.size
        for rate in falling:
            rate.step()
    accuracies = evaluate(data, (device, server), codecs[0], args)
    return {"values_each_way": values, "up": sent[0], "down": sent[1], **accuracies}


def _through(ends: tuple[Sender, Receiver], tensor: Tensor, sent: list[int], way: int) -> Tensor:
    body = ends[0].encode(tensor).body
    sent[way] += len(body)
    return ends[1].decode(body)


@torch.no_grad()
def evaluate(
    data: Dataset, model: tuple[nn.Module, nn.Module], codec: Codec, args: argparse.Namespace
) -> Result:
    """Return the accuracies with the codec at the cut and without."""
    device, server = (half.eval() for half in model)
    if args.held_out:
        indices, fetch = (
            np.arange(len(data.train_images) - HELD_OUT, len(data.train_images)),
            data.train_batch,
        )
    else:
        indices, fetch = np.arange(len(data.test_images)), data.test_batch
    right, sender, receiver = [0, 0], codec.sender("evaluation"), codec.receiver()
    indices = indices[: args.images]
    for begin in range(0, len(indices), 100):
        images, labels = fetch(indices[begin : begin + 100])
        plain = device(torch.from_numpy(images))
        coded = receiver.decode(sender.encode(plain.numpy(), training=False).body)
        for place, tensor in enumerate((torch.from_numpy(coded), plain)):
            right[place] += int((server(tensor).argmax(1).numpy() == labels).sum())
    return {"with_codec": right[0] / len(indices), "without": right[1] / len(indices)}


def run_all(args: argparse.Namespace) -> None:
    """Run what has no file of results yet."""
    torch.set_num_threads(1)
    args.output.mkdir(parents=True, exist_ok=True)
    part = "heldout" if args.held_out else "test"
    for seed in args.seeds:
        for name in args.data:
            data = plugins.find("slfac_sim.learning.datasets", name)().load()
            for codec in args.codecs:
                file = args.output / f"{name}-{args.cut}-{part}-{args.steps}-{codec}-{seed}.json"
                if file.exists():
                    continue
                begin_s = time.process_time()
                result = run(data, args.cut, CODECS[codec], seed, args)
                result |= {"data": name, "cut": args.cut, "part": part, "steps": args.steps, "codec": codec}
                result |= {"seed": seed, "labels": [each.label for each in CODECS[codec]]}
                result |= {"cpu_s": time.process_time() - begin_s, "images": args.images}
                file.write_text(json.dumps(result, indent=1))
                print(line([result]), flush=True)


def bits(result: Result, way: str) -> float:
    """Return the bits a value that went one way (`up` or `down`)."""
    return float(result[way] * 8 / result["values_each_way"])


def line(results: list[Result], literal: list[Result] | None = None) -> str:
    """Return one line for the seeds of one codec; `literal` are those of SL-FAC."""
    first = results[0]
    accuracies = [result["with_codec"] * 100 for result in results]
    with_codec, without = (
        statistics.mean(accuracies),
        statistics.mean(each["without"] * 100 for each in results),
    )
    spread = statistics.stdev(accuracies) if len(results) > 1 else math.nan
    up, down = (statistics.mean(bits(result, way) for result in results) for way in ("up", "down"))
    text = (
        f"{first['data']:<13} {first['cut']:<6} {first['part']:<7} {first['codec']:<14} n={len(results)}  "
        f"{with_codec:5.2f} % (sd {spread:4.2f}; without codec {without:5.2f})  "
        f"up {up:.3f} + down {down:.3f} bits/value  {64 / (up + down):6.1f} times below fp32"
    )
    if literal:
        theirs = statistics.mean(bits(each, "up") + bits(each, "down") for each in literal)
        text += f", {theirs / (up + down):5.2f} below literal SL-FAC"
    return text


def table(folder: Path) -> list[str]:
    """Return one line for every codec of every data set, cut and part in `folder`."""
    groups: dict[tuple[Any, ...], dict[str, list[Result]]] = defaultdict(lambda: defaultdict(list))
    for file in sorted(folder.glob("*.json")):
        result = json.loads(file.read_text())
        groups[tuple(result[key] for key in ("data", "cut", "part", "steps"))][result["codec"]].append(result)
    return [line(results, codecs.get("slfac")) for codecs in groups.values() for results in codecs.values()]


def main() -> None:
    """Read the command line and run, or print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("action", choices=("run", "table"), nargs="?", default="run")
    parser.add_argument("--smoke", action="store_true", help="one step and 100 images, to see that it runs")
    parser.add_argument("-o", "--output", type=Path, default=Path("rd_training"))
    parser.add_argument("--data", nargs="+", default=["mnist"])
    parser.add_argument("--cut", choices=CUTS, default="stem")
    parser.add_argument("--codecs", nargs="+", choices=CODECS, default=["slfac", "rd"])
    parser.add_argument("--seeds", nargs="+", type=int, default=[0])
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--images", type=int, default=10000, help="of the evaluated part, the first so many")
    parser.add_argument("--rate", type=float, default=1e-3)
    parser.add_argument("--held-out", action="store_true")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        if args.smoke:
            args.steps, args.images, args.output = 1, 100, Path(folder)
        if args.action == "run":
            run_all(args)
        print("\n".join(table(args.output)))


if __name__ == "__main__":
    main()
