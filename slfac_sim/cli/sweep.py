"""`sweep`: run a study, every training once and every point as a replay, and leave a study folder."""

import argparse
import json
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from slfac_sim.cli.closing import write_page
from slfac_sim.cli.common import add_level_argument, add_tracker_arguments, note, silent
from slfac_sim.foundation.errors import BadInput

if TYPE_CHECKING:
    from slfac_sim.studies.plan import Plan
    from slfac_sim.studies.sweep import Failure

SOME_FAILED = 4
_SHOWN = 10  # failures that are printed; all are in the folder


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what is asked, where it is kept, and how it is done."""
    parser.add_argument(
        "study", metavar="FILE", help="a study or scenario file, or the name of a shipped one"
    )
    parser.add_argument(
        "overrides", nargs="*", metavar="KEY=VALUE", help="change the base: network.radius=200"
    )
    question = parser.add_argument_group("what is asked")
    question.add_argument(
        "--axis", action="append", default=[], metavar="KEY=V,V,...", help='network.bandwidth="1,2,5 MHz"'
    )
    question.add_argument("--seeds", metavar="N", help="so many seeds from 0, or a list: 3,5,7")
    question.add_argument(
        "--air-seeds", metavar="K", help="replay each training over K further draws of the air"
    )
    question.add_argument(
        "--targets", metavar="T,T,...", help="whose times are asked for: 0.8,0.85,balanced_accuracy=0.7"
    )
    question.add_argument(
        "--threads", metavar="N", help="host threads of each training (default: 2, or 1 on one core)"
    )
    kept = parser.add_argument_group("where it is kept")
    kept.add_argument(
        "--out", type=Path, metavar="DIR", help="the study's folder (default: runs/studies/NAME)"
    )
    kept.add_argument("--cache", type=Path, metavar="DIR", help="the trainings' (default: runs/trainings)")
    kept.add_argument(
        "--weights",
        action="store_true",
        help="keep the trained models; trainings on record without one are redone",
    )
    done = parser.add_argument_group("how it is done")
    done.add_argument("--engine", choices=("local", "ray"), default="local", help="where (default: local)")
    done.add_argument(
        "--address", metavar="ADDR", help="of an existing Ray cluster: auto, or ray://HOST:10001"
    )
    done.add_argument(
        "--workers", type=int, metavar="N", help="processes at once (default: cores over threads)"
    )
    done.add_argument("--memory", metavar="SIZE", help='budget for all workers, such as "8 GB"')
    done.add_argument("--shard", metavar="I/N", help="do part I of N only, for an array of jobs")
    done.add_argument("--retries", type=int, default=1, metavar="N", help="after a crash (default: 1)")
    done.add_argument(
        "--report", action="store_true", help="also write report.html into the folder, for a browser"
    )
    done.add_argument("--quiet", action="store_true", help="no progress and no closing lines")
    done.add_argument("--json", action="store_true", help="print the study's summary as JSON, nothing else")
    add_tracker_arguments(parser)
    add_level_argument(parser)


def main(arguments: argparse.Namespace) -> int:
    """Run the study; the first line printed is its folder. Return 4 when some points failed."""
    from slfac_sim.progress.sweep import SweepProgress
    from slfac_sim.runs.callbacks import trackers_of
    from slfac_sim.scenario.own_plugins import places_beside
    from slfac_sim.studies.execution import Execution, conduct
    from slfac_sim.studies.files import is_study
    from slfac_sim.studies.trainings import DEFAULT

    execution = Execution(
        cache=arguments.cache or DEFAULT,
        engine=arguments.engine,
        address=arguments.address,
        workers=arguments.workers,
        memory=arguments.memory,
        retries=arguments.retries,
        weights=arguments.weights,
        trackers=trackers_of(arguments.log, arguments.callback, places_beside(arguments.study)),
    )
    whole = _read(arguments)
    if not whole.study.axes and not is_study(arguments.study):
        note(f"{arguments.study} is a scenario: read as the base of a study without axes (--axis adds one)")
    for sentence in whole.notes:
        note(sentence)
    part = _part(whole, arguments.shard)

    stream = sys.stderr if arguments.json else sys.stdout
    shown = SweepProgress(silent(arguments), note, lambda folder: print(folder, file=stream, flush=True))
    with shown as progress:
        swept = conduct(whole, execution, progress, arguments.out, part)
    _print_failures(swept.failures)
    if swept.closing is not None:
        _print_closing(swept.folder, swept.closing, arguments)
        if arguments.report:
            write_page(swept.folder, arguments)
    elif not arguments.quiet:
        left = "the last one to end writes tables and figures"
        print(f"shard {arguments.shard} is done; {left}", file=sys.stderr)
    return SOME_FAILED if swept.failures else 0


def _read(arguments: argparse.Namespace) -> "Plan":
    from slfac_sim.studies.files import Changes, read_study
    from slfac_sim.studies.plan import plan

    changes = Changes(
        overrides=arguments.overrides,
        axes=arguments.axis,
        seeds=arguments.seeds,
        air_seeds=arguments.air_seeds,
        targets=arguments.targets,
        threads=arguments.threads,
    )
    return plan(read_study(arguments.study, changes))


def _part(whole: "Plan", text: str | None) -> "Plan":
    from slfac_sim.studies.plan import shard

    if text is None:
        return whole
    match = re.fullmatch(r"([0-9]+)/([0-9]+)", text)
    number, count = (int(match[1]), int(match[2])) if match else (0, 0)
    if not 1 <= number <= count:
        raise BadInput(f"--shard {text}: expected I/N with I from 1 to N, such as 2/8")
    return shard(whole, number, count)


def _print_failures(failures: "Sequence[Failure]") -> None:
    for failure in failures[:_SHOWN]:
        cost = f" ({failure.points} points)" if failure.points > 1 else ""
        print(f"failed: {failure.what}{cost}: {failure.reason}", file=sys.stderr)
    if len(failures) > _SHOWN:
        print(f"failed: {len(failures) - _SHOWN} more", file=sys.stderr)


def _print_closing(folder: Path, lines: "Sequence[str]", arguments: argparse.Namespace) -> None:
    if arguments.json:
        print(json.dumps(json.loads((folder / "summary.json").read_text(encoding="utf-8")), indent=2))
    elif not arguments.quiet:
        print("\n".join(lines))
