"""`sweep`: run a study, every training once and every point as a replay, and leave a study folder."""

import argparse
import json
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from slfac_sim.cli._common import about, note
from slfac_sim.foundation.errors import BadInput

if TYPE_CHECKING:
    from slfac_sim.cli._sweep_progress import SweepProgress
    from slfac_sim.studies.engines import Engine
    from slfac_sim.studies.folder import StudyFolder
    from slfac_sim.studies.jobs import Train
    from slfac_sim.studies.plan import Plan
    from slfac_sim.studies.sweep import Failure

SOME_FAILED = 4
_SHOWN = 10  # failures told; all are in the folder


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what is asked, where it is kept, and how it is done."""
    parser.add_argument(
        "study", metavar="FILE", help="a study or scenario file, or the name of a shipped one"
    )
    parser.add_argument(
        "overrides", nargs="*", metavar="KEY=VALUE", help="change the base: network.radius=200"
    )
    asked = parser.add_argument_group("what is asked")
    asked.add_argument(
        "--axis", action="append", default=[], metavar="KEY=V,V,...", help='network.bandwidth="1,2,5 MHz"'
    )
    asked.add_argument("--seeds", metavar="N", help="so many seeds from 0, or a list: 3,5,7")
    asked.add_argument(
        "--air-seeds", metavar="K", help="replay each training over K further draws of the air"
    )
    asked.add_argument("--targets", metavar="A,A,...", help="accuracies whose times are asked for: 0.8,0.85")
    asked.add_argument(
        "--threads", metavar="N", help="host threads of each training (default: 2, or 1 on one core)"
    )
    kept = parser.add_argument_group("where it is kept")
    kept.add_argument(
        "--out", type=Path, metavar="DIR", help="the study's folder (default: runs/studies/NAME)"
    )
    kept.add_argument("--cache", type=Path, metavar="DIR", help="the trainings' (default: runs/trainings)")
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
    done.add_argument("--quiet", action="store_true", help="no progress and no closing lines")
    done.add_argument("--json", action="store_true", help="print the study's summary as JSON, nothing else")


def main(arguments: argparse.Namespace) -> int:
    """Run the study; the first line printed is its folder. Return 4 when some points failed."""
    from slfac_sim.cli._sweep_progress import SweepProgress
    from slfac_sim.studies.files import is_study
    from slfac_sim.studies.folder import StudyFolder
    from slfac_sim.studies.trainings import clear_remains

    _check(arguments)
    whole = _read(arguments)
    if not whole.study.axes and not is_study(arguments.study):
        note(f"{arguments.study} is a scenario: read as the base of a study without axes (--axis adds one)")
    for sentence in whole.notes:
        note(sentence)
    part = _part(whole, arguments.shard)

    folder = StudyFolder(arguments.out or Path("runs") / "studies" / whole.study.name)
    with SweepProgress(arguments.quiet) as progress, folder.in_use(whole) as aside:
        print(folder.path, file=sys.stderr if arguments.json else sys.stdout, flush=True)
        if aside:
            progress.say(
                f"{aside} points of an earlier form of the study set aside, in {folder.path / 'set_aside'}"
            )
        clear_remains(arguments.cache)
        failures = _sweep(part, folder, arguments, progress)
    _tell(failures)
    if folder.complete(whole.points):
        progress.say("writing tables and figures")
        _finish(folder.path, arguments)
    elif not arguments.quiet:
        print(
            f"shard {arguments.shard} is done; the last one to end writes tables and figures", file=sys.stderr
        )
    return SOME_FAILED if failures else 0


def _check(arguments: argparse.Namespace) -> None:
    """Refuse what no study needs, and fill in where trainings are kept."""
    from slfac_sim.studies.trainings import DEFAULT

    if arguments.workers is not None and arguments.workers < 1:
        raise BadInput(f"--workers {arguments.workers}: must be at least 1")
    if arguments.retries < 0:
        raise BadInput(f"--retries {arguments.retries}: must be at least 0")
    if arguments.address is not None and arguments.engine != "ray":
        raise BadInput("--address: is that of a Ray cluster; add --engine ray")
    if arguments.address is not None and arguments.workers is not None:
        raise BadInput("--workers: an existing cluster has its own; leave it out beside --address")
    if arguments.memory is not None and arguments.engine == "ray":
        raise BadInput("--memory: is a budget of this machine; leave it out beside --engine ray")
    arguments.cache = arguments.cache or DEFAULT


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


def _sweep(
    part: "Plan", folder: "StudyFolder", arguments: argparse.Namespace, progress: "SweepProgress"
) -> "list[Failure]":
    from slfac_sim.studies.sweep import missing_trainings, sweep, unfinished

    points = unfinished(part, folder)
    if not points:
        progress.say(f"all {len(part.points)} points are there already")
        return []
    jobs = missing_trainings(part, points, arguments.cache)
    if arguments.engine == "ray":
        begun = _on_ray(part, jobs, arguments, progress)
    else:
        begun = _local(jobs, len(points), arguments, progress)
    with begun as engine:
        progress.workers = engine.workers
        return sweep(part, folder, arguments.cache, engine, progress, arguments.retries)


def _on_ray(
    part: "Plan", jobs: "Sequence[Train]", arguments: argparse.Namespace, progress: "SweepProgress"
) -> "Engine":
    """Return the engine on a cluster; every worker takes one processor of it for each host thread."""
    from slfac_sim.studies.engines.on_ray import OnRay
    from slfac_sim.studies.plan import foreign_packages
    from slfac_sim.studies.sweep import forecast

    address = arguments.address
    progress.say("starting Ray on this machine" if address is None else f"joining the Ray cluster {address}")
    engine = OnRay(arguments.cache, address, arguments.workers, foreign_packages(part))
    try:
        forecast(jobs, engine)
    except BaseException:
        engine.__exit__(None, None, None)
        raise
    progress.say(f"{engine.workers} processors; Ray tells how many jobs run at once")
    return engine


def _local(
    jobs: "Sequence[Train]", points: int, arguments: argparse.Namespace, progress: "SweepProgress"
) -> "Engine":
    """Return the engine of this machine, with as many workers as cores and memory allow."""
    from slfac_sim.studies.engines.local import Local
    from slfac_sim.studies.expecting import seconds_of, workers_for
    from slfac_sim.studies.memory import budget_bytes, workers_within
    from slfac_sim.studies.sweep import forecast

    threads = max((job.threads for job in jobs), default=1)
    most = workers_for(len(jobs), points, threads, arguments.workers)
    if not jobs:
        progress.say(f"{most} workers; every training is on record in {arguments.cache}")
        return Local(arguments.cache, most)
    budget = budget_bytes(arguments.memory)
    with Local(arguments.cache, 1) as first:
        demands = forecast(jobs, first)
    each_bytes = max((one.memory_bytes for one in demands), default=0)
    workers = workers_within(budget, each_bytes, most)
    progress.say(f"{workers} workers: {_budget_words(workers, most, each_bytes, budget)}")
    progress.say(f"about {about(seconds_of(demands, points, workers))} on this host")
    return Local(arguments.cache, workers)


def _budget_words(workers: int, most: int, each_bytes: float, budget: float | None) -> str:
    each = f"a training takes about {each_bytes / 1e9:.2f} GB"
    if budget is None:
        return f"{each}, and this system does not tell its memory"
    within = f"{each} of a budget of {budget / 1e9:.1f} GB"
    if workers * each_bytes > budget:
        return f"{within}, which is too little for one; trying nevertheless"
    return f"{within}, which allows no more" if workers < most else within


def _tell(failures: "Sequence[Failure]") -> None:
    for failure in failures[:_SHOWN]:
        cost = f" ({failure.points} points)" if failure.points > 1 else ""
        print(f"failed: {failure.what}{cost}: {failure.reason}", file=sys.stderr)
    if len(failures) > _SHOWN:
        print(f"failed: {len(failures) - _SHOWN} more", file=sys.stderr)


def _finish(folder: Path, arguments: argparse.Namespace) -> None:
    """Write tables, figures and report, and print the closing lines."""
    from slfac_sim.analysis.studies.report import finish_study

    lines = finish_study(folder)
    if arguments.json:
        print(json.dumps(json.loads((folder / "summary.json").read_text(encoding="utf-8")), indent=2))
    elif not arguments.quiet:
        print("\n".join(lines))
