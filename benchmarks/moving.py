"""CPU time of devices on their ways: who serves them in an hour, and each step while they send.

It checks no result. With `--smoke` it is short.
"""

import sys
import time

import simpy

from slfac_sim.network import Hosts
from slfac_sim.network.change.random_waypoint import RandomWaypoint
from slfac_sim.network.kinds._cellular import Cellular
from slfac_sim.network.kinds.cell import Cell
from slfac_sim.network.kinds.multi_cell import MultiCell

DEVICES = Hosts(tuple(f"d{i:03}" for i in range(20)), ("server",))
STEP_M, SPEED = 2.5, 20.0


def handovers(low: float, high: float, seconds: float) -> str:
    """Return a line on who serves the devices over so many seconds, and how often that changes."""
    walk = RandomWaypoint(speed=(low, high))
    before_s = time.process_time()
    found = MultiCell(change={"walk": walk}).air(DEVICES, 1).handovers(seconds)
    cpu_s, count = time.process_time() - before_s, len(DEVICES.devices)
    return (
        f"20 devices at {low:g} to {high:g} m/s, 7 stations, {seconds:g} s: {cpu_s:.2f} s of CPU time, "
        f"{len(found)} handovers, {sum(one.is_ping_pong for one in found)} back within a second, one in "
        f"{count * seconds / max(1, len(found)):.1f} s of a device"
    )


def step_ms(settings: Cellular, seconds: float) -> float:
    """Return the CPU time of one step of one device that uploads, with all of them under way."""
    env = simpy.Environment()
    network = settings.open(env, DEVICES, 1)
    for device in DEVICES.devices:
        network.transfer(device, "server", 10**10)
    before_s = time.process_time()
    env.run(seconds)
    steps = len(DEVICES.devices) * seconds * SPEED / STEP_M
    return (time.process_time() - before_s) / steps * 1e3


def measure(smoke: bool = False) -> list[str]:
    """Return the lines of the report."""
    seconds, walk = 1.0 if smoke else 10.0, {"walk": RandomWaypoint(speed=(SPEED, SPEED))}
    airs = {
        "cell": Cell(change=walk),
        "multi_cell, interference none": MultiCell(change=walk, interference="none"),
        "multi_cell": MultiCell(change=walk),
    }
    steps = [
        f"20 uploads at {SPEED:g} m/s, {name}: {step_ms(air, seconds):.2f} ms a step"
        for name, air in airs.items()
    ]
    hour_s = 60.0 if smoke else 3600.0
    return [handovers(1.0, 1.5, hour_s), handovers(15.0, 20.0, hour_s), *steps]


if __name__ == "__main__":
    print("\n".join(measure("--smoke" in sys.argv[1:])))
