"""slfac_sim: a wireless network simulated event by event, coupled with real split learning.

    import slfac_sim as sf

    run = sf.run("quick", "network.bandwidth=10 MHz", seed=3)
    run.figure("time_to_accuracy")

The names below are imported when they are first used: importing the package alone takes no time.
"""

import importlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # what `__getattr__` gives, for type checkers and editors
    from slfac_sim import analysis as analysis
    from slfac_sim.api import Callback as Callback
    from slfac_sim.api import Plan as Plan
    from slfac_sim.api import RunFailed as RunFailed
    from slfac_sim.api import Start as Start
    from slfac_sim.api import ask as ask
    from slfac_sim.api import check as check
    from slfac_sim.api import evaluate as evaluate
    from slfac_sim.api import load as load
    from slfac_sim.api import model as model
    from slfac_sim.api import replay as replay
    from slfac_sim.api import report as report
    from slfac_sim.api import resume as resume
    from slfac_sim.api import run as run
    from slfac_sim.api import schema as schema
    from slfac_sim.api import sweep as sweep
    from slfac_sim.foundation.errors import BadInput as BadInput
    from slfac_sim.scenario.schema import Scenario as Scenario

__version__ = "0.2.0"

# In a checkout the sub-packages network, analysis and scenarios lie beside this folder; an installed
# package has them inside. Appending the root makes `slfac_sim.network` one and the same name in both.
_root = Path(__file__).resolve().parent.parent
if (_root / "setup.cfg").is_file() and (_root / "network").is_dir():
    __path__.append(str(_root))

_API = (
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
)
_HOMES = {
    **dict.fromkeys(_API, "slfac_sim.api"),
    "BadInput": "slfac_sim.foundation.errors",
    "Scenario": "slfac_sim.scenario.schema",
}
_ROOMS = ("analysis", "codecs", "network", "protocols")  # sub-packages that are reached without an import

__all__ = ["__version__", *sorted(_HOMES), "analysis"]  # noqa: PLE0604


def __getattr__(name: str) -> Any:
    """Import a name of the Python API, or a sub-package, when it is first asked for (PEP 562)."""
    if name in _HOMES:
        value = getattr(importlib.import_module(_HOMES[name]), name)
    elif name in _ROOMS:
        value = importlib.import_module(f"slfac_sim.{name}")
    else:
        raise AttributeError(f"module 'slfac_sim' has no attribute '{name}'")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*__all__, *_ROOMS, *(name for name in globals() if name.startswith("__"))})
