"""slfac_sim: a wireless network simulated event by event, coupled with real split learning."""

from pathlib import Path

__version__ = "0.1.0"

# In a checkout the sub-packages network, analysis and scenarios lie beside this folder; an installed
# package has them inside. Appending the root makes `slfac_sim.network` one and the same name in both.
_root = Path(__file__).resolve().parent.parent
if (_root / "setup.cfg").is_file() and (_root / "network").is_dir():
    __path__.append(str(_root))
