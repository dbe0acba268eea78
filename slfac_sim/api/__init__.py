"""The Python API: what a command does, as a function that returns what it found.

A scenario is given by a shipped name, a file, what a file would hold as a mapping, or as the `Scenario` that
`load` returns; overrides as on the command line (``"network.bandwidth=5 MHz"``) or as a mapping of paths to
values (``{"network.bandwidth": 5e6}``). Input that cannot be used raises `BadInput`. torch's settings are
those of the whole process: two runs at once in it are refused, and afterwards all is as it was found.
"""

from slfac_sim.api._common import RunFailed
from slfac_sim.api.reports import report
from slfac_sim.api.runs import check, evaluate, load, model, replay, resume, run, schema
from slfac_sim.api.studies import ask, sweep
from slfac_sim.runs.callbacks import Callback, Start
from slfac_sim.runs.planned import Plan

__all__ = [
    "Callback",
    "Plan",
    "RunFailed",
    "Start",
    "ask",
    "check",
    "evaluate",
    "load",
    "model",
    "replay",
    "report",
    "resume",
    "run",
    "schema",
    "sweep",
]
