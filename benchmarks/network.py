"""Microseconds per event of the sharing engine, with many transfers at once. It checks no result.

With `--smoke` there are few.
"""

import gc
import random
import sys
import tempfile
import time
from collections.abc import Callable
from math import inf
from pathlib import Path

import simpy

from slfac_sim.network import Hosts
from slfac_sim.network.change.background import Background
from slfac_sim.network.engine import Call, Engine, Flow, FluidShare, MaxMinShare, Routed, Share
from slfac_sim.network.engine.joined import JoinedShare
from slfac_sim.network.fluid_settings import FluidSettings
from slfac_sim.network.kinds.cell import Cell
from slfac_sim.network.kinds.ideal import Ideal
from slfac_sim.network.kinds.topology import Topology
from slfac_sim.network.kinds.trace import Trace
from slfac_sim.network.media.ofdma import Ofdma
from slfac_sim.network.radio.fading.block import Block
from slfac_sim.network.topology.settings import Access, WiredLink

ON_ONE = (100, 1_000, 10_000, 100_000)
ON_MANY = (1_000, 10_000, 30_000)
OWN_CAPS = (1_000, 10_000, 100_000)
CELLS = 10
SIMGRID_US = {"one link": 89, "one link, random caps": 865, "10 cells": 123, "10 cells, random caps": 630}
"""SimGrid 3.32 (C++) at 1,000 concurrent, on another machine, on which one link took this engine 10 us."""


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


def own_caps_us(count: int, rounds: int) -> float:
    """Return the same where every flow has a radio rate, a weight and a cap like nobody else's."""
    capacities = {f"cell{i}": 1.0 for i in range(CELLS)} | {"server": 15.0}

    def flow(rng: random.Random) -> Flow:
        rate_bps, path = rng.uniform(1.0, 8.0), (f"cell{rng.randrange(CELLS)}", "server")
        use, cap_bps = (1.0 / rate_bps, 1.0), rng.expovariate(count / 40.0)  # about half of them bind
        return Routed(rng.expovariate(1.0), 1.0, rate_bps, cap_bps, path=path, consumption=use)

    return events_us(count, MaxMinShare(capacities), flow, rounds)


def joined_us(count: int, rounds: int) -> float:
    """Return the CPU time of one event in 10 cells of equal airtime behind one backhaul that binds."""
    share = JoinedShare(lambda _: FluidShare(), {"backhaul": 36.0})  # the cells alone would carry 45

    def flow(rng: random.Random) -> Flow:
        path = (f"cell{rng.randrange(CELLS)}", "backhaul")
        return Routed(rng.expovariate(1.0), rng.uniform(1.0, 8.0), path=path, consumption=(1.0, 1.0))

    return events_us(count, share, flow, rounds)


def ofdma_us(count: int, rounds: int) -> float:
    """Return the CPU time of one event with `count` uploads at once, each in its part of a cell's band."""
    env, names = simpy.Environment(), [f"d{i}" for i in range(count)]
    network = Cell(medium=Ofdma()).open(env, Hosts(names, ("server",)), 0)
    rng, left, events = random.Random(1), rounds, 0

    def send(device: str) -> None:
        network.transfer(device, "server", rng.randrange(1_000, 2_000)).callbacks.append(arrived)

    def arrived(event: simpy.Event) -> None:
        nonlocal left, events
        events += 1
        if left > 0:
            left -= 1
            send(event.value.src)

    gc.collect()
    before_s = time.process_time()
    for name in names:
        send(name)
    env.run()
    return (time.process_time() - before_s) / (2 * events) * 1e6


def blocks_us(count: int, blocks: int) -> float:
    """Return the CPU time of one upload in one block of fading, with `count` of them in a cell."""
    coherence_s = 0.14e-3
    env, names = simpy.Environment(), [f"d{i}" for i in range(count)]
    network = Cell(fading=Block(coherence=coherence_s)).open(env, Hosts(names, ("server",)), 0)
    transfers = [network.transfer(name, "server", 100_000_000) for name in names]
    env.run(coherence_s / 2)
    gc.collect()
    before_s = time.process_time()
    env.run((blocks + 0.5) * coherence_s)
    assert not any(transfer.triggered for transfer in transfers)
    return (time.process_time() - before_s) / (blocks * count) * 1e6


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


def day_of_trace(folder: str, seconds: int) -> Trace:
    """Return a trace whose rate is another in every second."""
    file = Path(folder, "day.csv")
    rows = "".join(f"{t},{1_000_000 + t % 7}\n" for t in range(seconds))
    file.write_text(f"time_s,rate_bps\n{rows}", encoding="utf-8")
    return Trace(file=file)


def seldom_us(settings: FluidSettings, seconds: int, uploads: int) -> float:
    """Return the CPU time of one of a few uploads in so many seconds."""
    env = simpy.Environment()
    network = settings.open(env, Hosts(("d0",), ("server",)), 0)
    gc.collect()
    before_s = time.process_time()
    for i in range(uploads):
        env.run((i + 0.3) * seconds / uploads)
        network.transfer("d0", "server", 1000)
    env.run(seconds)
    return (time.process_time() - before_s) / uploads * 1e6


def changes_us(settings: FluidSettings, seconds: int, count: int) -> float:
    """Return the CPU time of one change, in every second, of the rate of one of `count` uploads."""
    env, names = simpy.Environment(), [f"d{i}" for i in range(count)]
    network = settings.open(env, Hosts(names, ("server",)), 0)
    transfers = [network.transfer(name, "server", 10**12) for name in names]
    gc.collect()
    before_s = time.process_time()
    env.run(seconds - 0.5)
    assert not any(transfer.triggered for transfer in transfers)
    return (time.process_time() - before_s) / (count * (seconds - 1)) * 1e6


def traces(smoke: bool) -> list[str]:
    """Return the lines of networks that change with time."""
    seconds, uploads, count = (100, 10, 3) if smoke else (86_400, 2_000, 100)
    fixed = seldom_us(Ideal(up_rate=1e6, sharing="none"), seconds, uploads)
    with tempfile.TemporaryDirectory() as folder:
        before_s, day = time.process_time(), day_of_trace(folder, seconds)
        day.survey(Hosts(("d0",), ("server",)), 0)
        read_s = time.process_time() - before_s
        return [
            f"trace of {seconds} rows: {read_s:.2f} s to write and read; {uploads} uploads in all: "
            f"{seldom_us(day, seconds, uploads):5.1f} us each, {fixed:5.1f} at a fixed rate",
            f"trace, {count} uploads under way: "
            f"{changes_us(day, seconds // 86 + 1, count):5.1f} us per upload and change",
        ]


RATE_BPS, FLOWS_PER_S = 1e9, 1000
WIRE = "core ap->server"


def crowded(on: str) -> FluidSettings:
    """Return a medium, or a wire behind one that is faster, with background traffic that takes half of it."""
    size = RATE_BPS / 2 / FLOWS_PER_S / 8
    change = {"others": Background(rate=RATE_BPS / 2, on=on, size=size, sizes="exponential")}
    if on == "up":
        return Ideal(up_rate=RATE_BPS, change=change)
    access = {"ap": Access(network=Ideal(up_rate=10 * RATE_BPS), devices=1)}
    links = {"core": WiredLink(between=("ap", "server"), capacity=RATE_BPS, latency=0.0)}
    return Topology(access=access, links=links, change=change)


def background_us(on: str, seconds: float, awaited: bool) -> float:
    """Return the CPU time of a flow of background traffic, beside an upload or not."""
    env = simpy.Environment()
    network = crowded(on).open(env, Hosts(("d0",), ("server",)), 0)
    if awaited:
        network.transfer("d0", "server", 10**15)
    gc.collect()
    before_s = time.process_time()
    env.run(seconds)
    network.transfer("d0", "server", 0)
    return (time.process_time() - before_s) / (FLOWS_PER_S * seconds) * 1e6


def bare_flow_us(on: str, seconds: float) -> float:
    """Return what the same flows cost the engine alone, a start and an end each, beside one that goes on."""
    env, bursts = simpy.Environment(), crowded(on).change["others"].bursts("others", on, 0)
    share: Share = FluidShare() if on == "up" else JoinedShare(lambda _: FluidShare(), {WIRE: RATE_BPS})
    lane = ("",) if on == "up" else ("", WIRE)
    engine = Engine(env)

    def start(bits: float, lane: tuple[str, ...]) -> None:
        engine.start(share, Routed(bits, RATE_BPS, path=lane, consumption=(1.0, 1.0)), lambda _: None)

    def begin(bits: float) -> None:
        start(bits, lane)
        burst = next(bursts)
        Call(env, burst.at_s, lambda _: begin(burst.bits))

    gc.collect()
    before_s = time.process_time()
    start(8e15, ("ap/up", *lane[1:]))
    begin(1.0)
    env.run(seconds)
    return (time.process_time() - before_s) / (FLOWS_PER_S * seconds) * 1e6


def background(smoke: bool) -> list[str]:
    """Return the lines of background traffic: the least of some rounds, since a machine is never idle."""
    seconds, rounds, lines = *((0.1, 1) if smoke else (10.0, 3)), []
    for on in ("up", WIRE):
        bare = min(bare_flow_us(on, seconds) for _ in range(rounds))
        beside = min(background_us(on, seconds, awaited=True) for _ in range(rounds))
        alone = min(background_us(on, seconds, awaited=False) for _ in range(rounds))
        lines.append(
            f"background on {on}, {FLOWS_PER_S} flows/s: {beside:5.1f} us each beside an upload,"
            f" {alone:5.1f} with none, {bare:5.1f} for the engine alone: ratio {beside / bare:.2f}"
            f" and {alone / bare:.2f} (aim: at most 1.3)"
        )
    return lines


def measure(smoke: bool = False) -> list[str]:
    """Return the lines of the report, one for each number of concurrent transfers."""
    on_one, on_many, rounds = ((10,), (20,), 40) if smoke else (ON_ONE, ON_MANY, 20_000)
    on_own, in_band, blocks = ((20,), 20, 3) if smoke else (OWN_CAPS, 2_000, 700)
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
    own = [
        f"engine, {CELLS} cells, random rates and caps, {count:>6} concurrent: "
        f"{own_caps_us(count, rounds // 5):5.1f} us per event"
        for count in on_own
    ]
    joined = [
        f"engine, {CELLS} cells behind a backhaul that binds, random rates, {count:>6} concurrent: "
        f"{joined_us(count, rounds // 5):5.1f} us per event"
        for count in on_own
    ]
    simgrid = ", ".join(f"{what} {us} us" for what, us in SIMGRID_US.items())
    air = [
        f"SimGrid 3.32, 1000 concurrent, on a slower machine: {simgrid} per event",
        f"ofdma, {in_band} uploads at once: {ofdma_us(in_band, rounds // 5):5.1f} us per event",
        f"fading in blocks of 0.14 ms, {in_band // 20} uploads: "
        f"{blocks_us(in_band // 20, blocks):5.2f} us per upload and block",
    ]
    whole = [
        f"network, {count:>6} transfers at once: {transfers_us(count):5.1f} us each from call to delivery"
        for count in on_one[:3]
    ]
    return one + many + own + joined + air + whole + traces(smoke) + background(smoke)


if __name__ == "__main__":
    print("\n".join(measure("--smoke" in sys.argv[1:])))
