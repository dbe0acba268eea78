"""Rates that a file says: of a wire, of a medium, or of each device."""

from slfac_sim.foundation.plugins import settings
from slfac_sim.network.change import Effect, Target, Targeted
from slfac_sim.network.varying.traces.reading import effect_of, has_losses
from slfac_sim.network.varying.traces.settings import TraceFile


@settings
class Trace(TraceFile, Targeted):
    """A rate in the file is what a transfer alone has of its access, or the capacity of a wire.

    A column `factor` in place of the rates multiplies those that the network has itself. For 802.11 the rate
    is that of the PHY.
    """

    @property
    def loses_packets(self) -> bool:
        """Whether the file has a column `loss`."""
        return has_losses(self)

    def effect(self, target: Target, seed: int) -> Effect:
        """Return what the file says of the target; nothing is drawn. Raises `BadInput`."""
        return effect_of(self, target.device, target.uplink, f"network.change.{target.change}.file")
