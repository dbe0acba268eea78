"""The sharing engine: who has how much of a medium, and when each transfer is through. It knows no radio.

Shares are arithmetic on given times: `FluidShare` for one medium, `MaxMinShare` for several links,
`NaiveGraph` as their reference, and `joined.JoinedShare` for media and the wires behind them.
`Engine` puts them on a SimPy clock; `plan` chooses the shares of a case known in advance.
"""

from slfac_sim.network.engine.choose import Demand, Plan, plan
from slfac_sim.network.engine.flow import Entry, Flow, Routed, Share
from slfac_sim.network.engine.fluid import FluidShare
from slfac_sim.network.engine.max_min import MaxMinShare
from slfac_sim.network.engine.naive import NaiveGraph
from slfac_sim.network.engine.profiles import Profile
from slfac_sim.network.engine.simpy_engine import Call, Engine, delay_until

__all__ = [
    "Call",
    "Demand",
    "Engine",
    "Entry",
    "Flow",
    "FluidShare",
    "MaxMinShare",
    "NaiveGraph",
    "Plan",
    "Profile",
    "Routed",
    "Share",
    "delay_until",
    "plan",
]
