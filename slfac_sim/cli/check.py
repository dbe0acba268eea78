"""`check`: say what a scenario or a study would run, without training."""

import argparse
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from slfac_sim.cli.common import add_scenario_arguments, note, print_table, read_scenario
from slfac_sim.foundation.errors import BadInput

if TYPE_CHECKING:
    from slfac_sim.forecast.cuts import Cut
    from slfac_sim.runs.planned import Plan
    from slfac_sim.scenario.schema import Scenario


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the scenario and the form of the answer."""
    add_scenario_arguments(parser)
    parser.add_argument(
        "--figures",
        type=Path,
        metavar="DIR",
        help="draw the map, the links' rates and who holds what into this folder",
    )
    parser.add_argument(
        "--cuts", action="store_true", help="tell of every cut of the model what a round would take with it"
    )
    parser.add_argument(
        "--threads", metavar="N", help="of a study: host threads of each training, as `sweep --threads`"
    )
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")


def main(arguments: argparse.Namespace) -> int:
    """Print the forecast."""
    from slfac_sim.runs.starting import import_torch
    from slfac_sim.studies.files import is_study

    os.environ.setdefault("OMP_WAIT_POLICY", "passive")  # threads that wait busily would double its CPU time
    if is_study(arguments.scenario):
        import_torch()
        _check_study(arguments)
        return 0
    if arguments.threads is not None:
        raise BadInput(f"--threads: is for studies, and {arguments.scenario} is a scenario")
    scenario = read_scenario(arguments)
    import_torch()
    _check_cuts(scenario, arguments) if arguments.cuts else _check_run(scenario, arguments)
    return 0


def _check_run(scenario: "Scenario", arguments: argparse.Namespace) -> None:
    """Print the forecast of a run, and draw its air and who holds what."""
    from slfac_sim.cli.pages import pages_of
    from slfac_sim.runs.planned import planned

    plan = planned(scenario)
    _print_plan(plan, arguments)
    if not arguments.json:
        _print_pages(pages_of(scenario))
    if arguments.figures is not None:
        for path in _draw(plan, arguments.figures):
            _print_figure(path, arguments)


def _print_plan(plan: "Plan", arguments: argparse.Namespace) -> None:
    if arguments.json:
        print(json.dumps(plan.facts, indent=2))
        return
    print_table(plan.title, plan.lines, "ll")
    for remark in plan.remarks:
        print(f"note: {remark}")


def _print_pages(pages: Sequence[str]) -> None:
    from slfac_sim.foundation.program import program

    print(f"read on: `{program('docs')} PAGE`, of {', '.join(pages)}")


def _draw(plan: "Plan", folder: Path) -> list[Path]:
    """Draw what can be seen before a run; return the pictures."""
    try:
        return [path for path in plan.draw(folder) if path.suffix == ".png"]
    except OSError as error:
        raise BadInput(f"--figures {folder}: cannot be written ({error.strerror})") from error


def _check_cuts(scenario: "Scenario", arguments: argparse.Namespace) -> None:
    """Print every cut of the model, and draw them."""
    from slfac_sim.forecast.cuts import best_of, cuts_of, mixture_of
    from slfac_sim.forecast.report import CUT_COLUMNS, cut_facts, cut_notes, cut_row
    from slfac_sim.foundation.plugins import kind_of
    from slfac_sim.runs.starting import set_threads
    from slfac_sim.simulation.simulate import check_air

    set_threads(None)
    check_air(scenario)
    cuts = cuts_of(scenario, scenario.data.open())
    best = best_of(cuts)
    mixed = mixture_of(scenario, cuts) if scenario.protocol.cuts_may_differ else None
    if arguments.json:
        print(json.dumps(cut_facts(cuts, best, mixed), indent=2))
    else:
        title = f"{scenario.name}: cuts of {kind_of(scenario.model)}, by predicted round"
        print_table(title, [CUT_COLUMNS, *map(cut_row, cuts)], "llrrrrrl")
        for remark in cut_notes(cuts, best, mixed):
            print(f"note: {remark}")
        print(f"best: cut after {best.block}, a round of about {best.round_s:,.3g} s")
    if arguments.figures is not None:
        _print_figure(_draw_cuts(cuts, best, arguments.figures), arguments)


def _draw_cuts(cuts: "list[Cut]", best: "Cut", folder: Path) -> Path:
    from slfac_sim.analysis.cuts_figure import Bar, draw
    from slfac_sim.analysis.style import house_style, save

    bars = [Bar(cut.block, cut.parts_s, cut is best, bool(cut.refused)) for cut in cuts]
    try:
        with house_style():
            return save(draw(bars), folder, "cuts")[0]
    except OSError as error:
        raise BadInput(f"--figures {folder}: cannot be written ({error.strerror})") from error


def _print_figure(path: Path, arguments: argparse.Namespace) -> None:
    print(f"figure: {path}", file=sys.stderr if arguments.json else sys.stdout)


def _check_study(arguments: argparse.Namespace) -> None:
    """Print what the study would run. Raises `BadInput` for what only a scenario has."""
    given = {"--cuts": arguments.cuts, "--figures": arguments.figures, "--seed": arguments.seed is not None}
    for option in (option for option, is_given in given.items() if is_given):
        raise BadInput(f"{option}: is for scenarios, and {arguments.scenario} is a study")
    from slfac_sim.cli.pages import pages_of
    from slfac_sim.scenario.pages import STUDIES
    from slfac_sim.studies.files import Changes, read_study
    from slfac_sim.studies.forecast import planned
    from slfac_sim.studies.plan import plan

    whole = plan(
        read_study(arguments.scenario, Changes(overrides=arguments.overrides, threads=arguments.threads))
    )
    for sentence in whole.notes:
        note(sentence)
    _print_plan(planned(whole), arguments)
    if not arguments.json:
        _print_pages([STUDIES, *pages_of(whole.base)])
