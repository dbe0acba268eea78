"""`explain`: say where the simulated time of a run went, who was waited for, what it takes at least."""

import argparse
import json
from collections.abc import Iterator, Sequence
from math import fsum, isfinite
from pathlib import Path
from typing import TYPE_CHECKING

from slfac_sim.analysis.format import fixed_percent, losses
from slfac_sim.cli.common import print_table, warn_of_altered
from slfac_sim.foundation.errors import BadInput

if TYPE_CHECKING:
    from slfac_sim.analysis.attribution import Slice
    from slfac_sim.analysis.explanation import Explanation

_LINKS = 12  # named in the table; --json has all
_DEVICES = 8  # that were handed over, likewise
_ROUNDS = 12  # shown in the table; --json has all
_COLUMNS = {
    "device compute": "device",
    "codec": "codec",
    "set-up": "set-up",
    "waiting for air": "air wait",
    "waiting for wires": "wire wait",
    "airtime": "airtime",
    "propagation": "prop.",
    "server queue": "queue",
    "server compute": "server",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the run, and what to say of it."""
    parser.add_argument("run", type=Path, metavar="RUN", help="the folder of a run, such as runs/latest")
    parser.add_argument("--steps", type=int, metavar="ROUND", help="list the steps of this round as well")
    parser.add_argument(
        "--replay",
        action="store_true",
        help="replay the run without its limits as well: what the bounds leave open, exactly",
    )
    parser.add_argument("--json", action="store_true", help="print everything as JSON")


def main(arguments: argparse.Namespace) -> int:
    """Print the tables."""
    from slfac_sim.ledger.folder import load
    from slfac_sim.runs.explain import explain

    run = load(arguments.run)
    warn_of_altered(run)
    explanation = explain(run, arguments.replay)
    steps = [step for step in explanation.end.steps if step.round == arguments.steps]
    if arguments.steps is not None and not steps:
        where = f"no step of that round is on the critical path of {run.folder}"
        raise BadInput(f"--steps {arguments.steps}: {where}")
    if arguments.json:
        print(json.dumps(explanation.facts, indent=2))
    else:
        _print(run.label, explanation, steps)
    return 0


def _print(label: str, explanation: "Explanation", steps: "Sequence[Slice]") -> None:
    from slfac_sim.analysis.explanation import waited_for

    title = f"{label}: where the simulated time went, in seconds"
    print_table(title, list(_parts(explanation)), "l" + "r" * (len(explanation.instants) + 2))
    if explanation.no_bounds:
        other = "other " if explanation.bounds_s else ""
        print(f"no {other}lower bounds: {explanation.no_bounds}")
    print("waiting for air: others had the air, or the other direction, or its rate was 0")
    print("airtime: the air was the transfer's own")
    if explanation.loads:
        print("waiting for wires: a wire bound the transfer's rate")
    if explanation.end.parts_s["set-up"]:
        print("set-up: a connection was set up, or a grant asked for")
    if explanation.lost or explanation.missed:
        told = losses(explanation.transfers, explanation.lost, explanation.missed)
        print(f"transfers: {told}")
    print(f"{explanation.bottleneck.sentence}\n")
    _print_slices("the critical path, by round", "round", explanation.end.rounds[:_ROUNDS])
    if len(explanation.end.rounds) > _ROUNDS:
        print(f"{len(explanation.end.rounds) - _ROUNDS} rounds more: --json has them")
    if steps:
        print()
        _print_slices(f"the critical path in round {steps[0].round}, by step", "step", steps)
    print(waited_for(explanation.end))
    if explanation.loads:
        print()
        print_table("which links limited transfers, of their time on the way", _limits(explanation), "lrrl")
        print()
        print_table("the links, that which limited most first", _loads(explanation), "lrrrrrr")
        print(
            "capacity: the greatest that a link has at any time; capacity used: of that, over the whole run"
        )
        if len(explanation.loads) > _LINKS:
            print(f"{len(explanation.loads) - _LINKS} links more: --json has them")
        if explanation.propagation:
            print(f"of propagation on the critical path: {explanation.propagation}")
    if explanation.handed_over:
        print()
        print_table("who was handed over, most first", _handed_over(explanation), "lrrrrrr")
        if len(explanation.handed_over) > _DEVICES:
            print(f"{len(explanation.handed_over) - _DEVICES} devices more: --json has them")
        print(_interruption_line(explanation))


def _limits(explanation: "Explanation") -> list[list[str]]:
    """Return for each kind of transfer the links that limited it."""
    from slfac_sim.analysis.links import limiting

    lines = [["transfers", "number", "on the way", "limited by"]]
    for one in explanation.limits:
        whole_s = max(one.way_s, sum(one.limited_s.values()))  # branches of a multicast have a time each
        told = limiting(one.limited_s, whole_s) or "-"
        lines.append([one.kind, f"{one.transfers:,}", f"{_seconds(one.way_s)} s", told])
    return lines


def _loads(explanation: "Explanation") -> list[list[str]]:
    """Return the lines of the table of links."""
    from slfac_sim.analysis.format import quantity

    lines = [["link", "capacity", "carried", "capacity used", "limited transfers", "latency", "on the path"]]
    for load in explanation.loads[:_LINKS]:
        capacity = quantity(load.capacity_bps, "bit/s") if isfinite(load.capacity_bps) else "air"
        carried = quantity(load.carried_bits / 8.0, "B")
        use = fixed_percent(load.utilisation, 1)
        latency = f"{1e3 * explanation.latency_s[load.link]:.3g} ms"
        on_path = f"{_seconds(explanation.propagation_s.get(load.link, 0.0))} s"
        lines.append([load.link, capacity, carried, use, f"{_seconds(load.limited_s)} s", latency, on_path])
    return lines


def _handed_over(explanation: "Explanation") -> list[list[str]]:
    """Return the lines of the table of handovers."""
    from slfac_sim.analysis.format import quantity

    lines = [["device", "handovers", "ping-pongs", "interrupted", "under way", "on the path", "carried"]]
    for one in explanation.handed_over[:_DEVICES]:
        counts = [f"{one.handovers:,}", f"{one.ping_pongs:,}"]
        times = [f"{_seconds(each)} s" for each in (one.interruption_s, one.under_way_s, one.on_path_s)]
        lines.append([one.device, *counts, *times, quantity(one.carried_bits / 8.0, "B")])
    return lines


def _interruption_line(explanation: "Explanation") -> str:
    """Say what all interruptions cost."""
    from slfac_sim.analysis.format import handovers

    rows = explanation.handed_over
    counts = (sum(one.handovers for one in rows), sum(one.ping_pongs for one in rows))
    interrupted, under_way, on_path = (
        fsum(getattr(one, name) for one in rows) for name in ("interruption_s", "under_way_s", "on_path_s")
    )
    told = handovers(*counts, len(rows), interrupted)
    some = f"for {_seconds(under_way)} s of these something was under way"
    return f"handovers: {told}; {some}, {_seconds(on_path)} s on the critical path"


def _parts(explanation: "Explanation") -> Iterator[list[str]]:
    """Yield the lines of the table: each part of the time, their sum, and what it takes at least."""
    instants = (name if name == "end" else f"to {name}" for name in explanation.instants)
    yield ["part", *instants, "share", "mean device's day"]
    for part in explanation.parts:
        times = [path.parts_s[part] for path in explanation.paths]
        portion = times[-1] / explanation.end.until_s if explanation.end.until_s else 0.0
        yield [part, *map(_seconds, times), fixed_percent(portion, 1), _seconds(explanation.day_s[part])]
    whole = [path.until_s for path in explanation.paths]
    yield ["sum", *map(_seconds, whole), "100 %", _seconds(sum(explanation.day_s.values()))]
    for name, row in explanation.bounds_s.items():
        yield [f"{name}: at least", *map(_seconds, row), "", ""]
    for name, replayed in explanation.replays_s.items():
        yield [f"{name}: replayed", *map(_seconds, replayed), "", ""]


def _print_slices(title: str, column: str, slices: "Sequence[Slice]") -> None:
    from slfac_sim.analysis.explanation import SELDOM

    there = {name for part in slices for name in part.parts_s if part.parts_s[name]}
    columns = {name: title for name, title in _COLUMNS.items() if name not in SELDOM or name in there}
    lines = [[column, "end", "took", *columns.values(), "waited for"]]
    for part in slices:
        number = part.round if column == "round" else part.step
        times = (part.to_s, part.to_s - part.from_s, *(part.parts_s[name] for name in columns))
        name = "after" if number is None else str(number)
        lines.append([name, *map(_seconds, times), part.straggler or ""])
    print_table(title, lines, "r" * (len(lines[0]) - 1) + "l")


def _seconds(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:,.1f}" if abs(value) >= 999.95 else f"{value:.3f}"
