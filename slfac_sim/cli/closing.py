"""How a run ends on standard output: its table or its summary as JSON, its figures, the exit status."""

import argparse
import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from slfac_sim.cli.common import add_level_argument, note, print_table, silent
from slfac_sim.foundation.errors import BadInput
from slfac_sim.foundation.program import program

if TYPE_CHECKING:
    from slfac_sim.progress.run import RunProgress

_FLOAT_BITS = 32.0
_UNTIMED = {None: "not reached", 0.0: "met before training"}


def add_closing_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what is drawn and printed of a run: what `close` needs."""
    parser.add_argument(
        "--draw", choices=("none", "main", "all"), help="which figures (default: main; with --quiet none)"
    )
    parser.add_argument(
        "--report", action="store_true", help="also write report.html into the folder, for a browser"
    )
    parser.add_argument("--quiet", action="store_true", help="no progress, no table, no figures")
    parser.add_argument("--json", action="store_true", help="print the summary as JSON, and no table")
    add_level_argument(parser)


def progress_of(arguments: argparse.Namespace) -> "RunProgress":
    """Return the progress of a run, which prints its folder as the first line as soon as it is there."""
    from slfac_sim.progress.run import RunProgress

    stream = sys.stderr if arguments.json else sys.stdout
    return RunProgress(silent(arguments), note, lambda folder: print(folder, file=stream, flush=True))


def close(folder: Path, summary: Mapping[str, Any], arguments: argparse.Namespace) -> int:
    """Print how the run in `folder` ended, then draw its figures, as asked; return the exit status."""
    with_table = not (arguments.json or arguments.quiet)
    drawn = arguments.draw or ("none" if arguments.quiet else "main")
    if arguments.json:
        print(json.dumps(summary, indent=2), flush=True)
    elif with_table:
        print_summary(summary, _no_codec(folder, summary))
        _print_advice(folder)
    if summary["status"] != "finished":
        print(f"{summary['status']}: {summary['reason']}", file=sys.stderr)
        _print_how_to_go_on(folder, summary)
    if drawn != "none":
        _draw(folder, drawn == "main", silent(arguments))
    if with_table:
        _print_figures(folder, drawn)
    if arguments.report:
        write_page(folder, arguments)
    return {"finished": 0, "interrupted": 130}.get(summary["status"], 1)


def write_page(folder: Path, arguments: argparse.Namespace) -> None:
    """Write the report of what lies in `folder`, and print where it is."""
    from slfac_sim.analysis.report.make import write_report

    page = write_report(folder)
    if not arguments.quiet:
        print(f"report: {page}", file=sys.stderr if arguments.json else sys.stdout)


def _print_how_to_go_on(folder: Path, summary: Mapping[str, Any]) -> None:
    from slfac_sim.ledger.folder import BEGUN

    if summary["status"] == "interrupted" and (folder / BEGUN).is_file():
        print(f"go on with it: {program('resume')} {folder}", file=sys.stderr)


def _print_advice(folder: Path) -> None:
    from slfac_sim.analysis.format import sentence
    from slfac_sim.analysis.unreached import advice
    from slfac_sim.ledger.folder import load

    text = advice(load(folder))
    if text:
        print(sentence(text))


def print_summary(summary: Mapping[str, Any], no_codec: float | None = None) -> None:
    """Print the closing table of a run; `no_codec` is its final accuracy without the codec, where known."""
    print_table(f"{summary['scenario']}: {summary['label']}", list(_rows(summary, no_codec)), "ll")


def _no_codec(folder: Path, summary: Mapping[str, Any]) -> float | None:
    """Return the final accuracy of the run in `folder` without its codec; None where it was not measured."""
    from slfac_sim.ledger.folder import Run

    finished = summary["status"] == "finished" and summary["accuracy"]["final"] is not None
    return Run(folder, summary).final_no_codec() if finished else None


def _draw(folder: Path, main_alone: bool, quiet: bool) -> None:
    """Draw the figures of the run in `folder`, which is complete without them."""
    from slfac_sim.analysis.draw import draw_run
    from slfac_sim.progress.run import RunProgress

    try:
        with RunProgress(quiet) as progress:
            draw_run(folder, main_alone, progress.figure)
    except KeyboardInterrupt:
        print(f"only figures are missing: {program('figure')} {folder}", file=sys.stderr)
        raise
    except OSError as error:
        raise BadInput(f"{error.filename}: cannot write the figures ({error.strerror})") from error


def _print_figures(folder: Path, drawn: str) -> None:
    """Print how to get the figures of the run in `folder` that were not drawn, and where the first is."""
    from slfac_sim.ledger.folder import DRAWN

    if drawn != "all":
        print(f"{'all ' if drawn == 'main' else ''}figures: {program('figure')} {folder}")
    if drawn != "none":
        print(f"figure: {folder / DRAWN / 'time_to_accuracy.png'}")


def _rows(summary: Mapping[str, Any], no_codec: float | None) -> Iterator[tuple[str, str]]:
    from slfac_sim.analysis.format import (
        count,
        fixed_percent,
        handovers,
        kind_name,
        losses,
        one_decimal,
        reached,
        target_words,
    )
    from slfac_sim.ledger.measured import times_in

    accuracy, sent, bits, host = (summary[key] for key in ("accuracy", "bytes", "bits_per_value", "host"))
    threads = count(host["threads"], "thread")
    if accuracy["final"] is not None:
        final, best = (fixed_percent(accuracy[name], 2) for name in ("final", "best"))
        yield "test accuracy, final (best)", f"{final} ({best})"
        if no_codec is not None and no_codec != accuracy["final"]:
            yield "without the codec, final", fixed_percent(no_codec, 2)
    yield from _best(summary)
    yield "simulated time", f"{one_decimal(summary['simulated_s'])} s in {count(summary['rounds'], 'round')}"
    if summary["stopped"]:
        yield "stopped", summary["stopped"]
    yield from _metrics(summary)
    for target, at_s in times_in(summary).items():
        yield f"time to {target_words(target)}", f"{reached(at_s)} s" if at_s else _UNTIMED[at_s]
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
    if summary["handovers"]["count"]:
        yield "handovers", handovers(*summary["handovers"].values())
    yield "transfers", losses(summary["transfers"], summary["lost"], summary["missed"])
    yield "host time", f"{host['wall_s']:,.0f} s wall, {host['cpu_s']:,.0f} s CPU, {threads}"
    if host["peak_rss_bytes"] is not None:
        yield "host memory, peak", f"{host['peak_rss_bytes'] / 1e9:.2f} GB"
    if "resumed" in summary:
        yield "resumed", count(summary["resumed"], "time")
    if "invariants" in summary:
        checks = sum(summary["invariants"]["checked"].values())
        yield "laws of simulation", f"{checks:,} checks, {summary['invariants']['violated']} violated"
    # a replay computes nothing that depends on threads
    yield "digest" if "replay_of" in summary else f"digest ({threads})", summary["digest"][:16]


def _best(summary: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield what the best model, by the validation part, reaches on it, and where it lies."""
    from slfac_sim.analysis.format import fixed_percent

    best = summary.get("weights", {}).get("best")
    if best is not None:
        accuracy = fixed_percent(best["validation_accuracy"], 2)
        yield "validation accuracy, best", f"{accuracy} after round {best['round']}: weights/best.safetensors"


def _metrics(summary: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the accuracy of devices, and each metric beside accuracy that is aimed at."""
    from slfac_sim.analysis.format import measured
    from slfac_sim.foundation.metrics import METRICS

    metrics = {name: ends for name, ends in summary["metrics"].items() if ends["final"] is not None}
    if "device_mean" in metrics:
        both = (measured(name, metrics[name]["final"]) for name in ("device_mean", "device_worst_tenth"))
        yield "devices, mean (worst tenth)", "{} ({})".format(*both)
    for name in (name for name in summary["time_to_metrics_s"] if name in metrics):
        both = (measured(name, metrics[name][end]) for end in ("final", "best"))
        yield f"{METRICS[name].title}, final (best)", "{} ({})".format(*both)
