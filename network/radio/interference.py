"""What cells do to each other, as mean powers over the band; activities are how many senders a cell has.

On average, that is: the part of the time that it sends, where one device or the station sends at a time.

Arrays over links are [stations, devices]; `serving` [devices] names each device's station. It knows no
time: who is on the air when is for the caller to say. A sum over stations goes element by element.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from slfac_sim.foundation.arrays import Floats

Stations = NDArray[np.intp]


_SETTLED = 1e-6


def downlink_w(serving: Stations, received_w: Floats, activity: Floats) -> Floats:
    """Return what each device receives from the stations that do not serve it, sum of a_j P_j G_ij.

    `received_w` is the power that arrives when a station sends, `activity` [stations] how often it does.
    """
    heard_w = np.zeros(len(serving))
    for station, (arriving_w, part) in enumerate(zip(received_w, activity, strict=True)):
        heard_w += np.where(serving == station, 0.0, part * arriving_w)
    return heard_w


def uplink_w(serving: Stations, power_w: Floats, gain: Floats, activity: Floats) -> Floats:
    """Return what each station [stations] receives from devices of other cells.

    In each cell so many devices send at a time as its `activity` says, each with its `power_w` [devices],
    and all of the cell's devices equally often: so it is the mean over them, times the activity.
    """
    members = np.bincount(serving, minlength=len(activity))
    airtime = activity[serving] / members[serving]
    return np.array(
        [
            np.where(serving == station, 0.0, airtime * power_w * to_station).sum()
            for station, to_station in enumerate(gain)
        ]
    )


def loads(offered_bps: Floats, capacity_bps: Callable[[Floats], Floats]) -> Floats:
    """Return the activities a [stations] at which a = min(1, offered / capacity(a)), the least ones.

    `capacity_bps` takes the activities and returns what each cell can carry, never more when another
    cell is more active. Such an iteration is monotone from 0 (standard interference functions: Yates
    1995); it ends when no activity moves by 1e-6 or more. A cell that can carry nothing is always active.
    """
    activity = np.zeros(len(offered_bps))
    while True:
        carried_bps = capacity_bps(activity)
        with np.errstate(divide="ignore", invalid="ignore"):
            wanted = np.where(offered_bps > 0.0, np.minimum(1.0, offered_bps / carried_bps), 0.0)
        settled = bool(np.all(np.abs(wanted - activity) < _SETTLED))
        activity = wanted
        if settled:
            return activity
