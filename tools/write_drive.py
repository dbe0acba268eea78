"""Write scenarios/drive.csv: where 20 vehicles are on the streets of a made-up town for five minutes.

Streets are 100 m apart. A vehicle drives at a speed of its own between 30 and 50 km/h, goes straight on at
half of the crossings and else turns, and waits at a third of them for a traffic light.

    python tools/write_drive.py
"""

from collections.abc import Iterator
from pathlib import Path

from slfac_sim.foundation.streams import stream

FILE = Path(__file__).parent.parent / "scenarios" / "drive.csv"
VEHICLES, LASTS_S = 20, 300.0
BLOCK_M = 100.0
STREETS_X_M = [-250.0 + BLOCK_M * number for number in range(6)]
STREETS_Y_M = [-200.0 + BLOCK_M * number for number in range(6)]
SPEED_MPS, WAIT_S, WAITS = (30 / 3.6, 50 / 3.6), (5.0, 30.0), 1 / 3

WAYS = ((1, 0), (-1, 0), (0, 1), (0, -1))

Pair = tuple[int, int]


def drive(number: int) -> Iterator[tuple[float, float, float]]:
    """Yield (time, x, y) of a vehicle wherever it goes on otherwise, from somewhere in a street on."""
    rng = stream(0, "drive", number)
    speed_mps, t_s = rng.uniform(*SPEED_MPS), 0.0
    to: Pair = int(rng.integers(len(STREETS_X_M))), int(rng.integers(len(STREETS_Y_M)))
    ways = [way for way in WAYS if _is_street(to, (-way[0], -way[1]))]
    way, left_m = ways[int(rng.integers(len(ways)))], BLOCK_M * rng.uniform(0.2, 0.8)
    x_m, y_m = STREETS_X_M[to[0]] - way[0] * left_m, STREETS_Y_M[to[1]] - way[1] * left_m
    while t_s < LASTS_S:
        yield t_s, x_m, y_m
        t_s, x_m, y_m = t_s + left_m / speed_mps, STREETS_X_M[to[0]], STREETS_Y_M[to[1]]
        if rng.random() < WAITS:
            yield t_s, x_m, y_m
            t_s += rng.uniform(*WAIT_S)
        ahead = [one for one in WAYS if _is_street(to, one) and one != (-way[0], -way[1])]
        goes_straight_on = way in ahead and rng.random() < 0.5
        way = way if goes_straight_on else ahead[int(rng.integers(len(ahead)))]
        to, left_m = (to[0] + way[0], to[1] + way[1]), BLOCK_M


def _is_street(at: Pair, way: Pair) -> bool:
    return 0 <= at[0] + way[0] < len(STREETS_X_M) and 0 <= at[1] + way[1] < len(STREETS_Y_M)


def text() -> str:
    """Return the file, in the order of time."""
    rows = [(t_s, f"d{number:03}", x_m, y_m) for number in range(VEHICLES) for t_s, x_m, y_m in drive(number)]
    lines = [f"{t_s:.2f},{device},{x_m:.4g},{y_m:.4g}" for t_s, device, x_m, y_m in sorted(rows)]
    return "\n".join(["time_s,device,x_m,y_m", *lines, ""])


if __name__ == "__main__":
    FILE.write_text(text(), encoding="utf-8")
