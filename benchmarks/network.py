"""Microseconds per event of the sharing engine, with many transfers at once. It checks no result.

With `--smoke` there are few.
"""

import gc
import random
import sys
import time
from collections.abc import Callable
from math import inf

import simpy

from slfac_sim.network import Hosts
from slfac_sim.network.engine import Engine, Flow, FluidShare, MaxMinShare, Routed, Share
from slfac_sim.network.kinds.ideal import Ideal

ON_ONE = (100, 1_000, 10_000, 100_000)
ON_MANY = (1_000, 10_000, 30_000)
CELLS = 10


def events_us(count: int, share: Share, flow: Callable[[random.Random], Flow], rounds: int) -> float:
    """Return the CPU time of one event with `count` flows on `share`, starts and finishes alike.

    Each flow that ends is followed by a new one, so that the number stays; the rest then drains.
    """
    env, rng = simpy.Environment(), random.Random(1)
    engine = Engine(env)
    flows = [flow(rng) for _ in range(count + rounds // 2)]
    new = iter(flows[count:])
    events = 0

    def ended(_: Flow) -> None:
        nonlocal events
        events += 1
        follower = next(new, None)
        if follower is not None:
            engine.start(share, follower, ended)

    gc.collect()
    before_s = time.process_time()
    for first in flows[:count]:
        engine.start(share, first, ended)
    env.run()
    assert events == len(flows)
    return (time.process_time() - before_s) / (2 * events) * 1e6


def one_link_us(count: int, capped: bool, rounds: int) -> float:
    """Return the CPU time of one event on one link, of flows with own rates and perhaps own caps."""

    def flow(rng: random.Random) -> Flow:
        cap_bps = rng.expovariate(count / 2) if capped else inf  # about half of them bind
        return Flow(rng.expovariate(1.0), rng.uniform(0.5, 2.0), cap_bps=cap_bps)

    return events_us(count, FluidShare(), flow, rounds)


def cells_us(count: int, rounds: int) -> float:
    """Return the CPU time of one event on 10 cells of 4 classes of rate behind one server's link."""
    capacities = {f"cell{i}": 1.0 for i in range(CELLS)} | {"server": 15.0}  # the cells alone would carry 21

    def flow(rng: random.Random) -> Flow:
        rate_bps = rng.choice((1.0, 2.0, 4.0, 8.0))
        path = (f"cell{rng.randrange(CELLS)}", "server")
        return Routed(rng.expovariate(1.0), 1.0, rate_bps, path=path, consumption=(1.0 / rate_bps, 1.0))

    return events_us(count, MaxMinShare(capacities), flow, rounds)


def transfers_us(count: int) -> float:
    """Return the CPU time of one whole transfer, with `count` of them started together."""
    env, names = simpy.Environment(), [f"d{i}" for i in range(count)]
    network = Ideal(latency=1e-3).open(env, Hosts(names, ("server",)), 0)
    gc.collect()
    before_s = time.process_time()
    transfers = [network.transfer(name, "server", 1000 + i) for i, name in enumerate(names)]
    env.run()
    assert all(transfer.processed for transfer in transfers)
    return (time.process_time() - before_s) / count * 1e6


def measure(smoke: bool = False) -> list[str]:
    """Return the lines of the report, one for each number of concurrent transfers."""
    on_one, on_many, rounds = ((10,), (20,), 40) if smoke else (ON_ONE, ON_MANY, 20_000)
    one = [
        f"engine, one link, {count:>6} concurrent: {one_link_us(count, False, rounds):5.1f} us per event, "
        f"{one_link_us(count, True, rounds):5.1f} with random caps"
        for count in on_one
    ]
    many = [
        f"engine, {CELLS} cells x 4 rates, {count:>6} concurrent: "
        f"{cells_us(count, rounds // 5):5.1f} us per event"
        for count in on_many
    ]
    whole = [
        f"network, {count:>6} transfers at once: {transfers_us(count):5.1f} us each from call to delivery"
        for count in on_one[:3]
    ]
    return one + many + whole


if __name__ == "__main__":
    print("\n".join(measure("--smoke" in sys.argv[1:])))
