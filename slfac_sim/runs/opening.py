"""From a scenario to its world: data are loaded, an open cut is chosen, and who learns is built."""

from slfac_sim.forecast.cuts import in_words, with_best_cut
from slfac_sim.forecast.round_time import alone_s
from slfac_sim.learning.datasets import Report
from slfac_sim.learning.world import World
from slfac_sim.network import Survey
from slfac_sim.scenario.schema import Scenario
from slfac_sim.scenario.steering import cut_is_open
from slfac_sim.simulation.simulate import check_air


def build(scenario: Scenario, report: Report | None = None) -> World:
    """Return the world of `scenario`, its data loaded; `report` is told of what takes long.

    The world's own scenario names the blocks that `cut: auto` or `per_device` has chosen. Raises `BadInput`
    for data that cannot be had, a cut that does not exist or a partition that fails.
    """
    data = scenario.data.open(report)
    if cut_is_open(scenario):
        scenario = with_best_cut(scenario, data)
        if report is not None:
            report(f"cut: after {in_words(scenario.cut)}")
    return World(scenario, data, alone_s)


def ready(scenario: Scenario, report: Report | None = None) -> tuple[World, Survey]:
    """Return the world of `scenario` and its air: everything that a user could have got wrong is tried.

    `check` and `run` refuse the same scenarios, because both ask here. Raises `BadInput`.
    """
    world = build(scenario, report)
    return world, check_air(world.scenario)
