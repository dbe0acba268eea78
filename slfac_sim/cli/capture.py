"""`capture`: real smashed activations and gradients of named training steps, as .npy files."""

import argparse
from pathlib import Path

from slfac_sim.cli.common import add_level_argument, add_scenario_arguments, read_scenario, say
from slfac_sim.foundation.errors import BadInput


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the scenario, the steps and the place."""
    add_scenario_arguments(parser)
    parser.add_argument("--steps", required=True, metavar="N,N", help="steps of the device, from 1: 5,50")
    parser.add_argument("--device", default="d000", metavar="NAME", help="whose tensors (default: d000)")
    parser.add_argument("-o", "--out", type=Path, required=True, metavar="DIR", help="write them here")
    parser.add_argument(
        "--threads", type=int, metavar="N", help="host threads of torch (default: 2, or 1 on one core)"
    )
    add_level_argument(parser)


def main(arguments: argparse.Namespace) -> int:
    """Train as far as the last step, and print the files."""
    steps = steps_of(arguments.steps)
    scenario = read_scenario(arguments)
    from slfac_sim.codec_lab.capture import capture, facts_of
    from slfac_sim.codec_lab.files import make_folder, write_facts, write_tensor
    from slfac_sim.runs.starting import set_threads

    set_threads(arguments.threads)
    captured = capture(scenario, steps, arguments.device, say)
    folder = make_folder(arguments.out)
    for tensor in captured:
        write_tensor(folder / tensor.name, tensor.tensor)
        print(folder / tensor.name)
    print(write_facts(folder, facts_of(scenario, captured)))
    return 0


def steps_of(text: str) -> list[int]:
    """Return the steps in `text`, ascending. Raises `BadInput`."""
    words = text.split(",")
    if not all(word.strip().isascii() and word.strip().isdecimal() and int(word) > 0 for word in words):
        raise BadInput(f"--steps {text}: expected whole numbers from 1, such as 5,50")
    return sorted({int(word) for word in words})
