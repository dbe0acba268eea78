"""Who can ever be reached from where: by how near devices come to stations. No clock here."""

from collections.abc import Mapping, Sequence

import numpy as np

from slfac_sim.foundation.arrays import Bools, Floats
from slfac_sim.network.radio.cells import Radio
from slfac_sim.network.radio.penetration import outside
from slfac_sim.network.radio.placement import Ground, distances_m, linked, sites_m
from slfac_sim.network.varying.motion import Motion


def nearest_m(radio: Radio, devices: Sequence[str], start: Ground, motions: Mapping[str, Motion]) -> Floats:
    """Return how near devices ever come to stations [stations, devices]; who does not move stands."""
    away_m = distances_m(sites_m(radio.stations), start.xy_m)
    for place, device in enumerate(devices):
        if device in motions:
            away_m[:, place] = [motions[device].nearest_m(at.x_m, at.y_m) for at in radio.stations]
    return away_m


def within_reach(radio: Radio, away_m: Floats) -> Bools:
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
