"""The engine as a queue: closed forms of queueing theory against simulations with seeds fixed beforehand.

Every mean must lie within 4 standard errors of its closed form, and its 95 % confidence interval must be
narrower than 3 % to either side: a simulation too short to be wrong does not pass. Standard errors are
from the means of 30 batches of consecutive customers, the first tenth of the run being left out.
"""

import random
from collections.abc import Callable, Generator, Sequence
from itertools import pairwise
from math import factorial, inf
from statistics import fmean, stdev

import pytest
import simpy

from slfac_sim.network.case.running import play
from slfac_sim.network.engine import Call, Engine, Flow, FluidShare, Share
from slfac_sim.network.media.fifo import Fifo

BATCHES = 30
T_975 = 2.045  # Student's t with 29 degrees of freedom

Law = Callable[[random.Random], float]

LAWS: dict[str, tuple[Law, float]] = {  # sizes of mean 1, and their squared coefficient of variation
    "exponential": (lambda rng: rng.expovariate(1.0), 1.0),
    "deterministic": (lambda rng: 1.0, 0.0),
    "pareto": (lambda rng: 1.2 / 2.2 * rng.paretovariate(2.2), 1.0 / (2.2 * 0.2)),
    "hyperexponential": (lambda rng: rng.expovariate(1.8 if rng.random() < 0.9 else 0.2), 4.555555555555555),
}


def agrees(samples: Sequence[float], expected: float) -> None:
    """Assert that the mean of `samples`, in order of time, is `expected`."""
    kept = samples[len(samples) // 10 :]
    size = len(kept) // BATCHES
    means = [fmean(kept[i * size : (i + 1) * size]) for i in range(BATCHES)]
    mean, error = fmean(means), stdev(means) / BATCHES**0.5
    assert abs(mean - expected) < 4.0 * error
    assert T_975 * error < 0.03 * mean


def poisson(rate: float, count: int, law: Law, seed: int, cap_bps: float = inf) -> list[tuple[float, Flow]]:
    """Return `count` arrivals of a Poisson process, of sizes by `law`."""
    rng, at_s, arrivals = random.Random(seed), 0.0, []
    for _ in range(count):
        at_s += rng.expovariate(rate)
        arrivals.append((at_s, Flow(law(rng), 1.0, cap_bps=cap_bps)))
    return arrivals


def stays(share: Share, arrivals: Sequence[tuple[float, Flow]]) -> list[float]:
    """Return the time from arrival to departure of each, by the bare share."""
    ends = play(share, arrivals, ()).last_bit_s
    return [ends[flow] - at_s for at_s, flow in arrivals]


def stays_on_simpy(share: Share, arrivals: Sequence[tuple[float, Flow]]) -> list[float]:
    """Return the same by `Engine` on a SimPy clock."""
    env, ends = simpy.Environment(), {}
    engine, coming = Engine(env), list(reversed(arrivals))

    def expect() -> None:
        if coming:
            Call(env, coming[-1][0], arrive)

    def arrive(_: simpy.Event) -> None:
        engine.start(share, coming.pop()[1], through)
        expect()

    def through(flow: Flow) -> None:
        ends[flow] = env.now

    expect()
    env.run()
    return [ends[flow] - at_s for at_s, flow in arrivals]


def erlang_b(servers: int, load: float) -> float:
    """Return the blocking probability, by the recursion B_k = a B / (k + a B)."""
    blocked = 1.0
    for k in range(1, servers + 1):
        blocked = load * blocked / (k + load * blocked)
    return blocked


def erlang_c(servers: int, load: float) -> float:
    """Return the probability of waiting."""
    blocked = erlang_b(servers, load)
    return blocked / (1.0 - load / servers * (1.0 - blocked))


def test_m_m_1_ps() -> None:
    """E[T] = E[S] / (1 - rho)."""
    agrees(stays_on_simpy(FluidShare(), poisson(0.6, 120_000, LAWS["exponential"][0], seed=101)), 1.0 / 0.4)


@pytest.mark.matrix
@pytest.mark.parametrize(("name", "seed"), list(zip(LAWS, range(201, 205), strict=True)))
def test_m_g_1_ps_slows_every_size_alike(name: str, seed: int) -> None:
    """E[T | x] = x / (1 - rho), whatever the law: the same slowdown for short, middling and long."""
    arrivals = poisson(0.5, 120_000, LAWS[name][0], seed)
    sizes = [flow.bits for _, flow in arrivals]
    slowdowns = [stay_s / size for stay_s, size in zip(stays(FluidShare(), arrivals), sizes, strict=True)]
    agrees(slowdowns, 1.0 / 0.5)
    bounds = (0.0, *(sorted(sizes)[len(sizes) * third // 3] for third in (1, 2)), inf)
    for low, high in pairwise(bounds):
        alike = [s for s, size in zip(slowdowns, sizes, strict=True) if low <= size < high]
        if alike:  # equal sizes are all in one class
            agrees(alike, 1.0 / 0.5)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("cap", "expected", "count", "seed"), [(2, 2.7778, 400_000, 301), (4, 1.7455, 200_000, 303)]
)
def test_ps_with_caps_is_m_m_m(cap: int, expected: float, count: int, seed: int) -> None:
    """A cap of C/m: 1 + ErlangC / (m (1 - rho)) times the time alone."""
    assert 1.0 + erlang_c(cap, 0.8 * cap) / (cap * 0.2) == pytest.approx(expected, abs=5e-5)
    arrivals = poisson(0.8, count, LAWS["exponential"][0], seed, cap_bps=1.0 / cap)
    stay_s = stays(FluidShare(), arrivals)
    agrees([s / (cap * flow.bits) for s, (_, flow) in zip(stay_s, arrivals, strict=True)], expected)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("cap", "expected", "count", "seed"), [(2, 2.7778, 200_000, 302), (4, 1.7455, 120_000, 304)]
)
def test_ps_with_caps_is_the_same_for_equal_sizes(cap: int, expected: float, count: int, seed: int) -> None:
    """The value of M/M/m holds for any law of sizes."""
    arrivals = poisson(0.8, count, lambda rng: 1.0, seed, cap_bps=1.0 / cap)
    agrees([stay_s / cap for stay_s in stays_on_simpy(FluidShare(), arrivals)], expected)


@pytest.mark.matrix
@pytest.mark.parametrize(
    ("name", "count", "seed"), [("deterministic", 150_000, 401), ("exponential", 250_000, 402)]
)
def test_m_g_1_fifo(name: str, count: int, seed: int) -> None:
    """E[W] = rho (1 + c^2) / (2 (1 - rho)) (Pollaczek-Khinchine)."""
    law, squared_variation = LAWS[name]
    arrivals = poisson(0.6, count, law, seed)
    stay_s = stays(Fifo().share(1, 1.0), arrivals)
    waits_s = [s - flow.bits for s, (_, flow) in zip(stay_s, arrivals, strict=True)]
    agrees(waits_s, 0.6 * (1.0 + squared_variation) / (2.0 * 0.4))


@pytest.mark.parametrize(("servers", "load"), [(1, 0.5), (2, 1.6), (4, 3.2), (30, 25.0)])
def test_erlang_recursion(servers: int, load: float) -> None:
    """B = (a^m / m!) / sum a^k / k!."""
    terms = [load**k / factorial(k) for k in range(servers + 1)]
    assert erlang_b(servers, load) == pytest.approx(terms[-1] / sum(terms), rel=1e-12)
    queue = terms[-1] * servers / (servers - load)
    assert erlang_c(servers, load) == pytest.approx(queue / (sum(terms[:-1]) + queue), rel=1e-12)


@pytest.mark.slow
def test_discriminatory_ps() -> None:
    """Weights 2 and 1, each 0.4 of the load (Fayolle, Mitrani and Iasnogorodski, J. ACM 27(3), 1980)."""
    rng, law = random.Random(501), LAWS["exponential"][0]
    arrivals = poisson(0.8, 700_000, law, seed=502)
    for _, flow in arrivals:
        flow.weight = rng.choice((1.0, 2.0))
    stay_s = stays(FluidShare(), arrivals)
    for weight, expected in ((2.0, 3.8889), (1.0, 6.1111)):
        agrees([s for s, (_, f) in zip(stay_s, arrivals, strict=True) if f.weight == weight], expected)


def uploads(devices: int, think: Callable[[], float], size: Callable[[], float], count: int) -> list[float]:
    """Return the times of `count` uploads of devices that think, upload, and think again."""
    env = simpy.Environment()
    engine, share = Engine(env), FluidShare()
    took_s: list[float] = []

    def upload() -> simpy.Event:
        ended = env.event()

        def through(flow: Flow) -> None:
            ended.succeed(flow)

        engine.start(share, Flow(size(), 1.0), through)
        return ended

    def device() -> Generator[simpy.Event, None, None]:
        while len(took_s) < count:
            yield env.timeout(think())
            asked_s = env.now
            yield upload()
            took_s.append(env.now - asked_s)

    for _ in range(devices):
        env.process(device())
    env.run()
    return took_s[:count]


def closed_form(devices: int, think_s: float, upload_s: float) -> float:
    """Return the mean upload: p_n ~ N! / (N - n)! (S / Z)^n, X = (1 - p_0) / S, N / X - Z."""
    terms = [
        factorial(devices) / factorial(devices - n) * (upload_s / think_s) ** n for n in range(devices + 1)
    ]
    return devices * upload_s / (1.0 - terms[0] / sum(terms)) - think_s


@pytest.mark.parametrize(("devices", "expected", "seed"), [(5, 0.39834, 601), (10, 1.03746, 602)])
def test_devices_that_think_and_upload(devices: int, expected: float, seed: int) -> None:
    assert closed_form(devices, 1.0, 0.2) == pytest.approx(expected, abs=5e-6)
    rng = random.Random(seed)
    think, size = (lambda: rng.expovariate(1.0)), (lambda: rng.expovariate(5.0))
    agrees(uploads(devices, think, size, 40_000), expected)
    agrees(uploads(devices, think, lambda: 0.2, 40_000), expected)  # whatever the law


@pytest.mark.parametrize("devices", [5, 10])
def test_devices_in_step_never_fall_out_of_it(devices: int) -> None:
    """With equal thinking times from a common start every upload takes N times the one alone."""
    took_s = uploads(devices, lambda: 1.0, lambda: 0.2, 50 * devices)
    assert took_s == pytest.approx([devices * 0.2] * len(took_s), rel=1e-9)


def test_outages_interrupt_and_resume() -> None:
    """Up for U = 10 s and down for D = 1 s on average: S (1 + D/U) + D^2 / (U + D) for S = 10 s of work."""
    rng, took_s = random.Random(701), []
    for _ in range(6_000):
        up, at_s, changes = rng.random() < 10.0 / 11.0, 0.0, []
        share, flow = FluidShare(float(up)), Flow(10.0, 1.0)
        for _ in range(40):
            at_s += rng.expovariate(1.0 / 10.0 if up else 1.0)
            up = not up
            changes.append((at_s, float(up), ""))
        took_s.append(play(share, [(0.0, flow)], changes).last_bit_s[flow])
    agrees(took_s, 11.0909)
