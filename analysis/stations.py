"""Which of few colours each station of a map has; it draws nothing."""

from collections.abc import Sequence

import numpy as np

from slfac_sim.analysis.structure import Row

COLOURS = 10  # that can be told from each other


def station_numbers(stations: Sequence[Row]) -> dict[str, int]:
    """Return the number of each station's colour: of so many that some share one, those far apart do."""
    numbers: dict[str, int] = {}
    xy_m = np.array([[row["x_m"], row["y_m"]] for row in stations], np.float64).reshape(-1, 2)
    for place, station in enumerate(stations):
        away_m = np.full(COLOURS, np.inf)
        for other, number in enumerate(numbers.values()):
            away_m[number] = min(away_m[number], float(np.hypot(*(xy_m[place] - xy_m[other]))))
        numbers[station["name"]] = int(np.argmax(away_m))
    return numbers
