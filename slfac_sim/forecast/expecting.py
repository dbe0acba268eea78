"""A world that is told what to expect of its devices, which learning itself cannot know."""

from functools import cache

from slfac_sim.forecast.round_time import alone_s
from slfac_sim.learning.datasets import Dataset
from slfac_sim.learning.world import World
from slfac_sim.scenario.schema import Scenario
from slfac_sim.simulation.simulate import survey_of


def world_of(scenario: Scenario, data: Dataset, limited: bool = True) -> World:
    """Return the world of `scenario` over `data`, which is told how long its devices take alone.

    Unless `limited`, the memory of devices has no limit. Raises `BadInput`.
    """
    world = World(scenario, data, limited)
    known = cache(lambda: alone_s(world, survey_of(scenario)))
    world.expected_s = lambda device: known()[device]
    return world
