"""Who can ever be reached from where: by how near devices come to stations. No clock here."""

from collections.abc import Mapping, Sequence

import numpy as np

from slfac_sim.foundation.arrays import Bools, Floats
from slfac_sim.foundation.errors import BadInput
from slfac_sim.network.radio.cells import Radio
from slfac_sim.network.radio.penetration import outside
from slfac_sim.network.radio.placement import Ground, distances_m, linked, sites_m
from slfac_sim.network.varying.motion import Motion


def refuse_out_of_reach(
    radio: Radio, devices: Sequence[str], start: Ground, motions: Mapping[str, Motion]
) -> None:
    """Raise `BadInput` for one of `motions` that comes near no station, and for a station near nobody."""
    away_m = _nearest_m(radio, devices, start, motions)
    reached = _within_reach(radio, away_m)
    moving = np.array([device in motions for device in devices])
    for place in np.flatnonzero(~reached.any(axis=0) & moving).tolist():
        station = int(np.argmin(away_m[:, place]))
        raise BadInput(
            f"network.change: {devices[place]} never comes within reach of a station "
            f"({away_m[station, place] / 1e3:.6g} km from {radio.stations[station].name} at the nearest); "
            "move it or the station, or write outage: allow"
        )
    for station in np.flatnonzero(~reached.any(axis=1)).tolist():
        place = int(np.argmin(away_m[station]))
        raise BadInput(
            f"network.station_positions: nobody ever comes within reach of {radio.stations[station].name} "
            f"({away_m[station, place] / 1e3:.6g} km from {devices[place]} at the nearest); "
            "move it, or write outage: allow"
        )


def _nearest_m(radio: Radio, devices: Sequence[str], start: Ground, motions: Mapping[str, Motion]) -> Floats:
    """Return how near devices ever come to stations [stations, devices]; who does not move stands."""
    away_m = distances_m(sites_m(radio.stations), start.xy_m)
    for place, device in enumerate(devices):
        if device in motions:
            away_m[:, place] = [motions[device].nearest_m(at.x_m, at.y_m) for at in radio.stations]
    return away_m


def _within_reach(radio: Radio, away_m: Floats) -> Bools:
    """Return who has coverage from where [stations, devices], in line of sight and without a shadow."""
    devices = away_m.shape[1]
    plain = np.zeros(away_m.shape)
    reached = np.empty(away_m.shape, bool)
    for station in range(len(away_m)):
        serving = np.full(devices, station)
        link = np.ones(away_m.shape, bool), outside(devices), plain, plain[0]
        ground = linked(np.zeros((devices, 2)), away_m, *link, radio.budget, serving)
        reached[station] = radio.covered(ground)
    return reached
