"""`check` of a study: its trainings and points, and what they will take of this host; nothing is trained."""

import argparse
import json
from typing import TYPE_CHECKING

from slfac_sim.analysis.format import count
from slfac_sim.cli._common import about, note, print_table
from slfac_sim.foundation.errors import BadInput

if TYPE_CHECKING:
    from slfac_sim.studies.plan import Plan


def tell_study(arguments: argparse.Namespace) -> None:
    """Print what the study would run. Raises `BadInput` for what only a scenario has."""
    given = {"--cuts": arguments.cuts, "--figures": arguments.figures, "--seed": arguments.seed is not None}
    for option in (option for option, is_given in given.items() if is_given):
        raise BadInput(f"{option}: is for scenarios, and {arguments.scenario} is a study")
    from slfac_sim.studies.engines.here import Here
    from slfac_sim.studies.expecting import seconds_of, workers_for
    from slfac_sim.studies.files import Changes, read_study
    from slfac_sim.studies.plan import plan
    from slfac_sim.studies.sweep import forecast, missing_trainings
    from slfac_sim.studies.trainings import DEFAULT

    whole = plan(read_study(arguments.scenario, Changes(overrides=arguments.overrides)))
    for sentence in whole.notes:
        note(sentence)
    jobs = missing_trainings(whole, whole.points, DEFAULT)
    demands = forecast(jobs, Here())
    workers = workers_for(len(jobs), len(whole.points), whole.study.threads)
    found = {
        "points": len(whole.points),
        "trainings": len(whole.trainings),
        "trainings_on_record": len(whole.trainings) - len(jobs),
        "workers": workers,
        "threads": whole.study.threads,
        "host_s": seconds_of(demands, len(whole.points), workers),
        "memory_bytes": max((one.memory_bytes for one in demands), default=0),
    }
    if arguments.json:
        print(json.dumps(found, indent=2))
    else:
        _print(whole, found)


def _print(whole: "Plan", found: dict[str, float]) -> None:
    lines = [(path, f"{len(values)} values") for path, values in whole.study.axes.items()]
    trainings = f"{found['trainings']:,}, of which {found['trainings_on_record']:,} are on record"
    side = f"{found['workers']} at once, each training with {count(int(found['threads']), 'thread')}"
    lines += [
        ("points", f"{found['points']:,}, each a replay"),
        ("trainings", trainings),
        ("on this host", side),
        ("time on this host", f"about {about(found['host_s'])}"),
        ("memory of a training", f"about {found['memory_bytes'] / 1e9:.2f} GB at the peak"),
    ]
    print_table(f"{whole.study.name}: what will run", lines, "ll")
