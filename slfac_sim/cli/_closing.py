"""The closing table and lines of a run, on standard output."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from slfac_sim.analysis.format import count, kind_name, one_decimal, percent, reached
from slfac_sim.cli._common import print_table
from slfac_sim.ledger.folder import DRAWN

_FLOAT_BITS = 32.0


def print_summary(summary: Mapping[str, Any]) -> None:
    """Print what came of a run."""
    print_table(f"{summary['scenario']}: {summary['label']}", list(_rows(summary)), "ll")


def print_figures(folder: Path, drawn: str) -> None:
    """Print how to get the figures of the run in `folder` that were not drawn, and where the first is."""
    if drawn != "all":
        print(f"{'all ' if drawn == 'main' else ''}figures: python -m slfac_sim.analysis {folder}")
    if drawn != "none":
        print(f"figure: {folder / DRAWN / 'time_to_accuracy.png'}")


def _rows(summary: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    accuracy, sent, bits, host = (summary[key] for key in ("accuracy", "bytes", "bits_per_value", "host"))
    threads = count(host["threads"], "thread")
    if accuracy["final"] is not None:
        yield (
            "test accuracy, final (best)",
            f"{100 * accuracy['final']:.2f} % ({100 * accuracy['best']:.2f} %)",
        )
    yield "simulated time", f"{one_decimal(summary['simulated_s'])} s in {summary['rounds']} rounds"
    for target, at_s in summary["time_to_accuracy_s"].items():
        yield f"time to {percent(float(target))}", f"{reached(at_s)} s" if at_s else reached(at_s)
    for kind, nbytes in sent.items():
        if nbytes or kind == "total":
            yield f"bytes, {kind_name(kind)}", f"{nbytes:,}"
    if bits["up"] is not None and bits["down"] is not None:
        yield "bits per value, up / down", f"{bits['up']:.2f} / {bits['down']:.2f}"
    models = bits["model_up"], bits["model_down"]
    if None not in models and min(models) < _FLOAT_BITS:  # as they are, they take a little more
        yield "bits per value of models, up / down", f"{models[0]:.2f} / {models[1]:.2f}"
    if summary["positions_redrawn"]:
        yield "positions redrawn", f"{summary['positions_redrawn']}, for want of coverage"
    yield "transfers", f"{summary['transfers']:,}"
    yield "host time", f"{host['wall_s']:,.0f} s wall, {host['cpu_s']:,.0f} s CPU, {threads}"
    if host["peak_rss_bytes"] is not None:
        yield "host memory, peak", f"{host['peak_rss_bytes'] / 1e9:.2f} GB"
    if "resumed" in summary:
        yield "resumed", f"{summary['resumed']} time{'s' if summary['resumed'] != 1 else ''}"
    if "invariants" in summary:
        checks = sum(summary["invariants"]["checked"].values())
        yield "laws of simulation", f"{checks:,} checks, {summary['invariants']['violated']} violated"
    # a replay computes nothing that depends on threads
    yield "digest" if "replay_of" in summary else f"digest ({threads})", summary["digest"][:16]
