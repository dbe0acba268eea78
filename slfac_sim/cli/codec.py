"""`codec`: codecs tried on tensors in files: encode, decode, compare, inspect, spectra."""

import argparse
import importlib
from pathlib import Path
from typing import Any

_CHOICE = "a kind, and settings of it: slfac theta=0.9"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the actions and their arguments."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    encode = actions.add_parser("encode", help="make a body of a .npy tensor")
    encode.add_argument("tensor", type=Path, metavar="TENSOR.npy")
    encode.add_argument("--codec", nargs="+", required=True, metavar="WORD", help=_CHOICE)
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
        "--codecs", nargs="+", metavar="WORD", help="kinds, each with its settings; default: every codec"
    )
    compare.add_argument("-o", "--out", type=Path, metavar="DIR", help="draw rate against distortion here")
    compare.add_argument("--json", action="store_true", help="print the table as JSON")


def main(arguments: argparse.Namespace) -> int:
    """Do what is asked for; each action has a function of its name in `_codec_actions`."""
    actions: Any = importlib.import_module("slfac_sim.cli._codec_actions")
    return int(getattr(actions, arguments.action)(arguments))
