"""Devices that are where a file says."""

import re
from pathlib import Path
from typing import Literal

from slfac_sim.foundation.errors import BadInput
from slfac_sim.foundation.plugins import settings
from slfac_sim.foundation.units import Coordinate
from slfac_sim.network.change import Target
from slfac_sim.network.change._area import Moving
from slfac_sim.network.varying.motion import Motion
from slfac_sim.network.varying.traces.places import Format, tracks_in


@settings
class Positions(Moving):
    """Between its rows a device goes straight on at a constant speed.

    Before its first row and after its last one it stands still: so does one whose vehicle is yet to come, or
    has left.
    """

    file: Path
    """A CSV with the head `time_s,device,x_m,y_m`, or floating car data of SUMO (`--fcd-output`). Time 0 is
    that of the first row.
    """
    format: Format = "auto"
    """The format of the file; `auto` recognises it by its beginning."""
    origin: tuple[Coordinate, Coordinate] = (0.0, 0.0)
    """Where [0, 0] of the network, which is a cell's station, lies in the coordinates of the file."""
    vehicles: Literal["in_order", "by_name"] = "in_order"
    """Which vehicle of SUMO is which device: the one that appears first is the first device, and so on, or
    each is the device of its name.
    """

    def motion(self, target: Target, seed: int, radius_m: float) -> Motion:
        """Return the way of a device; nothing is drawn. Raises `BadInput`."""
        place = f"network.change.{target.change}"
        tracks = tracks_in(self.file, self.format, f"{place}.file")
        who, known = target.device, list(tracks.rows)
        if tracks.are_vehicles and self.vehicles == "in_order":
            number = self._number(who, place)
            if number >= len(known):
                raise BadInput(f"{place}.file: '{self.file}' has {len(known)} vehicles, too few for {who}")
            who = known[number]
        elif who not in tracks.rows:
            named = ", ".join(known) if len(known) <= 3 else f"{known[0]}, {known[1]}, ..., {known[-1]}"
            raise BadInput(f"{place}.file: '{self.file}' has no rows of {who} (it has {named})")
        return tracks.motion(who, self.origin)

    def _number(self, device: str, place: str) -> int:
        """Return the place of `device` among `devices`, or by its own name where they are all."""
        if self.devices != "all":
            return self.devices.index(device)
        digits = re.search(r"\d+$", device)
        if digits is None:
            raise BadInput(f"{place}.devices: which vehicle is {device}? expected a list, in their order")
        return int(digits[0])
