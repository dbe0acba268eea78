"""`explain`: say where the simulated time of a run went, who was waited for, what it takes at least."""

import argparse
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from slfac_sim.analysis.format import percent
from slfac_sim.cli.common import print_table, warn_of_altered
from slfac_sim.foundation.errors import BadInput

if TYPE_CHECKING:
    from slfac_sim.analysis.attribution import Attribution, Slice
    from slfac_sim.ledger.folder import Run

_STRAGGLERS = 5  # named in the table; --json has all
_NO_LIMIT = 1e30  # bit/s or FLOP/s, beyond what a scenario may say
_ROUNDS = 12  # shown in the table; --json has all
_COLUMNS = {
    "device compute": "device",
    "codec": "codec",
    "waiting for air": "air wait",
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

    run = load(arguments.run)
    warn_of_altered(run)
    account = _account(run, arguments.replay)
    if arguments.steps is not None and not any(one.round == arguments.steps for one in account.end.steps):
        raise BadInput(
            f"--steps {arguments.steps}: no step of that round is on the critical path of {run.folder}"
        )
    if arguments.json:
        print(json.dumps(_as_json(account), indent=2))
    else:
        _print(run, account, arguments.steps)
    return 0


@dataclass
class _Account:
    """What is said of a run: one `Attribution` and one set of bounds for each of `instants`, the end last."""

    instants: dict[str, float]
    paths: "list[Attribution]"
    day_s: dict[str, float]
    bounds_s: dict[str, list[float]]
    no_bounds: str
    replays_s: dict[str, list[float | None]] = field(default_factory=dict)

    @property
    def end(self) -> "Attribution":
        return self.paths[-1]


def _account(run: "Run", replayed: bool) -> _Account:
    from slfac_sim.analysis.attribution import attribute_each, device_days, mean_day
    from slfac_sim.analysis.rows import rows_of

    tables = rows_of(run)
    reached = {percent(target): at_s for target, at_s in run.time_to_accuracy_s.items() if at_s}
    paths = attribute_each(tables, [*reached.values(), None])
    instants = {**reached, "end": paths[-1].until_s}
    bounds_s, no_bounds = _bounds(run, tables, list(reached.values()))
    account = _Account(instants, paths, mean_day(device_days(tables)), bounds_s, no_bounds)
    if replayed:
        account.replays_s = _replays(run, reached)
    return account


def _bounds(
    run: "Run", tables: Mapping[str, Any], instants_s: Sequence[float]
) -> tuple[dict[str, list[float]], str]:
    """Return the bounds at each instant and at the end, and the reason why there are none, or not all."""
    from slfac_sim.analysis.bounds import bounds, crowding
    from slfac_sim.analysis.rows import OFFERED, rows_if_there, rows_of

    try:
        whole = {**tables, **rows_if_there(run, OFFERED), **rows_of(run, ("limits",))}
        found = [bounds(whole, until_s) for until_s in [*instants_s, None]]
    except (BadInput, ValueError) as reason:
        return {}, str(reason)
    return {name: [one[name] for one in found] for name in found[-1]}, crowding(whole)


def _replays(run: "Run", reached: Mapping[str, float]) -> dict[str, list[float | None]]:
    """Return what replays without a limit take to the same evaluations, and to the end. Raises `BadInput`."""
    from slfac_sim.hosts.speeds.fixed import Fixed
    from slfac_sim.ledger.store import MemoryLedger
    from slfac_sim.network.kinds.ideal import Ideal
    from slfac_sim.runs.replay import Record, replayed_scenario, retime
    from slfac_sim.simulation.simulate import survey_of

    record = Record.load(run.folder)
    recorded = replayed_scenario(record, [])
    no_limit = Ideal(up_rate=_NO_LIMIT, down_rate=_NO_LIMIT, latency=survey_of(recorded).latency_s)
    without = {
        "infinite bandwidth": replace(recorded, network=no_limit),
        "zero compute": replace(
            recorded,
            devices=replace(recorded.devices, speed=Fixed(speed=_NO_LIMIT), codec_speed=_NO_LIMIT),
            server=replace(recorded.server, speed=_NO_LIMIT, codec_speed=_NO_LIMIT),
        ),
    }
    numbers = {
        at_s: number for number, at_s in zip(*map(run.table("evals").get, ("round", "at_s")), strict=True)
    }
    found: dict[str, list[float | None]] = {}
    for name, scenario in without.items():
        rows = MemoryLedger()
        end_s = retime(record, scenario, rows)
        at_s = {row["round"]: row["at_s"] for row in rows.rows("evals")}
        found[name] = [*(at_s[numbers[instant_s]] for instant_s in reached.values()), end_s]
    return found


def _as_json(account: _Account) -> dict[str, Any]:
    def sliced(one: "Slice") -> dict[str, Any]:
        return {name: getattr(one, name) for name in one.__dataclass_fields__}

    return {
        "until_s": account.instants,
        "critical_path_s": {
            name: path.parts_s for name, path in zip(account.instants, account.paths, strict=True)
        },
        "mean_device_day_s": account.day_s,
        "bounds_s": {
            name: dict(zip(account.instants, row, strict=True)) for name, row in account.bounds_s.items()
        },
        "replays_s": {
            name: dict(zip(account.instants, row, strict=True)) for name, row in account.replays_s.items()
        },
        "no_bounds": account.no_bounds,
        "barriers": len(account.end.barriers),
        "straggler": account.end.straggler,
        "rounds": [sliced(one) for one in account.end.rounds],
        "steps": [sliced(one) for one in account.end.steps],
    }


def _print(run: "Run", account: _Account, steps_of: int | None) -> None:
    from slfac_sim.analysis.bottleneck import bottleneck

    title = f"{run.label}: where the simulated time went, in seconds"
    print_table(title, list(_parts(account)), "l" + "r" * (len(account.instants) + 2))
    if account.no_bounds:
        other = "other " if account.bounds_s else ""
        print(f"no {other}lower bounds: {account.no_bounds}")
    print(f"{bottleneck(account.end).sentence}\n")
    _print_slices("the critical path, by round", "round", account.end.rounds[:_ROUNDS])
    if len(account.end.rounds) > _ROUNDS:
        print(f"{len(account.end.rounds) - _ROUNDS} rounds more: --json has them")
    if steps_of is not None:
        steps = [one for one in account.end.steps if one.round == steps_of]
        print()
        _print_slices(f"the critical path in round {steps_of}, by step", "step", steps)
    print(_straggler_line(account.end))


def _parts(account: _Account) -> Iterator[list[str]]:
    """Yield the lines of the table: each part of the time, their sum, and what it takes at least."""
    from slfac_sim.analysis.attribution import PARTS

    instants = (name if name == "end" else f"to {name}" for name in account.instants)
    yield ["part", *instants, "share", "mean device's day"]
    for part in PARTS:
        times = [path.parts_s[part] for path in account.paths]
        portion = times[-1] / account.end.until_s if account.end.until_s else 0.0
        yield [part, *map(_seconds, times), f"{100 * portion:.1f} %", _seconds(account.day_s[part])]
    whole = [path.until_s for path in account.paths]
    yield ["sum", *map(_seconds, whole), "100 %", _seconds(sum(account.day_s.values()))]
    for name, row in account.bounds_s.items():
        yield [f"{name}: at least", *map(_seconds, row), "", ""]
    for name, replayed in account.replays_s.items():
        yield [f"{name}: replayed", *map(_seconds, replayed), "", ""]


def _print_slices(title: str, what: str, slices: "Sequence[Slice]") -> None:
    lines = [[what, "end", "took", *_COLUMNS.values(), "waited for"]]
    for one in slices:
        number = one.round if what == "round" else one.step
        times = (one.to_s, one.to_s - one.from_s, *(one.parts_s[part] for part in _COLUMNS))
        name = "after" if number is None else str(number)
        lines.append([name, *map(_seconds, times), one.straggler or ""])
    print_table(title, lines, "r" * (len(lines[0]) - 1) + "l")


def _straggler_line(path: "Attribution") -> str:
    if not path.straggler:
        return "nobody was waited for"
    named = [f"{device} ({times})" for device, times in list(path.straggler.items())[:_STRAGGLERS]]
    more = len(path.straggler) - len(named)
    return f"last at the {len(path.barriers)} barriers of the path: {', '.join(named)}" + (
        f" and {more} more" if more > 0 else ""
    )


def _seconds(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:,.1f}" if abs(value) >= 999.95 else f"{value:.3f}"
