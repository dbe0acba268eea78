"""Devices that are where a file says."""

from pathlib import Path

from slfac_sim.foundation.plugins import settings
from slfac_sim.network.change import Target
from slfac_sim.network.change._area import Moving
from slfac_sim.network.varying.motion import Motion
from slfac_sim.network.varying.traces.places import motion_of


@settings
class Positions(Moving):
    """Between its rows a device goes straight on at a constant speed.

    Before its first row and after its last one it stands still. The (middle) station is at 0, 0.
    """

    file: Path
    """A CSV with the head `time_s,device,x_m,y_m`. Time 0 is that of the first row."""

    def motion(self, target: Target, seed: int, radius_m: float) -> Motion:
        """Return the way of a device; nothing is drawn. Raises `BadInput`."""
        return motion_of(self.file, target.device, f"network.change.{target.change}.file")
