"""The sharing engine: who has how much of a medium, and when each transfer is through. It knows no radio.

`FluidShare` and `NaiveShare` are arithmetic on given times; `Engine` puts them on a SimPy clock.
"""

from slfac_sim.network.engine.clockwork import Engine
from slfac_sim.network.engine.flow import Flow, Share
from slfac_sim.network.engine.fluid import FluidShare
from slfac_sim.network.engine.naive import NaiveShare

__all__ = ["Engine", "Flow", "FluidShare", "NaiveShare", "Share"]
