"""Microseconds per event of the sharing engine, with many transfers at once. It checks no result."""

import gc
import random
import time

import simpy

from slfac_sim.network.engine import Engine, Flow, FluidShare, Share
from slfac_sim.network.kinds.ideal import Ideal

COUNTS = (100, 1_000, 10_000)


def events_us(count: int, rounds: int = 20_000) -> float:
    """Return the CPU time of one event with `count` flows on one medium, starts and finishes alike.

    Each flow that ends is followed by a new one, so that the number stays; the rest then drains.
    """
    env, rng, share = simpy.Environment(), random.Random(1), FluidShare()
    engine = Engine(env)
    events = 0

    def start(share: Share) -> None:
        nonlocal events
        events += 1
        engine.start(share, Flow(rng.expovariate(1.0), rng.uniform(0.5, 2.0)), ended)

    def ended(_: Flow) -> None:
        nonlocal events
        events += 1
        if events < rounds + 2 * count:
            start(share)

    gc.collect()
    before_s = time.process_time()
    for _ in range(count):
        start(share)
    env.run()
    return (time.process_time() - before_s) / events * 1e6


def transfers_us(count: int) -> float:
    """Return the CPU time of one whole transfer, with `count` of them started together."""
    env, names = simpy.Environment(), [f"d{i}" for i in range(count)]
    network = Ideal(latency=1e-3).open(env, names, "server", 0)
    gc.collect()
    before_s = time.process_time()
    transfers = [network.transfer(name, "server", 1000 + i) for i, name in enumerate(names)]
    env.run()
    assert all(transfer.processed for transfer in transfers)
    return (time.process_time() - before_s) / count * 1e6


def measure() -> list[str]:
    """Return the lines of the report, one for each number of concurrent transfers."""
    return [
        f"engine, {count:>6} concurrent: {events_us(count):5.1f} us per event, "
        f"{transfers_us(count):5.1f} us per transfer from call to delivery"
        for count in COUNTS
    ]


if __name__ == "__main__":
    print("\n".join(measure()))
