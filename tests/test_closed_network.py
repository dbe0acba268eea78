"""The whole simulator as a closed queueing network: devices that think, then upload over a shared air.

Asynchronous split learning with equal rates and neither server nor downlink time is such a network:
N devices compute for a mean time Z and then upload over processor sharing, alone in S. With p_n
proportional to N!/(N-n)! (S/Z)^n, X = (1 - p_0) / S, the mean upload takes N/X - Z, whatever the laws of
both times (they are insensitive) once it is stationary.
"""

from functools import cache
from math import factorial
from typing import Any

import pytest
from scipy.stats import kstest
from test_network_queues import agrees
from worlds import scenario

from slfac_sim.hosts.slowdowns.exponential import Exponential
from slfac_sim.learning.world import World
from slfac_sim.ledger.store import MemoryLedger
from slfac_sim.runs.opening import build
from slfac_sim.scenario.schema import Scenario
from slfac_sim.simulation.simulate import simulate

Z_S, S_S = 1000.0, 200.0  # so long that a server and a downlink without limits take no time of the clock
MODEL = (
    "data={kind: synthetic, train_samples: 40, test_samples: 4, size: 4, classes: 2}",
    "model={kind: small_cnn, width: 1, batch_norm: false}",
    "learning={batch: 1, optimiser: {kind: sgd}}",
    "codec=raw",
    "server.speed=1e30",
    "server.codec_speed=1e30",
)


def closed_network(devices: int, steps: int, *overrides: str) -> Scenario:
    """Return a scenario whose devices compute for `Z_S` a mini-batch on average and upload in `S_S`."""
    count, protocol = f"devices.count={devices}", f"{{kind: asynchronous, rounds: 1, steps: {steps}}}"
    flops, nbytes = sizes()
    return scenario(
        *MODEL,
        count,
        f"protocol={protocol}",
        f"devices.speed={{kind: fixed, speed: {flops / Z_S}}}",
        f"network={{kind: ideal, up_rate: {8 * nbytes / S_S}, down_rate: 1e18}}",
        *overrides,
    )


@cache
def sizes() -> tuple[float, int]:
    """Return the work of a device for one mini-batch, in FLOPs, and the bytes that it uploads."""
    device: Any = World(plain := scenario(*MODEL), plain.data.load()).devices[0]
    cost, smashed = device.exchange, device.forward(device.next_batch())
    training = cost.work.device_forward_flops + cost.work.device_backward_flops
    flops = training + cost.encode_up_flops + cost.decode_down_flops
    return flops, device.encode(smashed).nbytes + device.encode_labels(smashed).nbytes


def uploads(case: Scenario) -> list[float]:
    """Run `case` and return how long each upload of smashed data took, in order."""
    rows, (_, nbytes) = MemoryLedger(), sizes()
    simulate(case, case.protocol.run(build(case)), rows)
    sent = rows.tuples("transfers", ("dst", "payload_bytes", "asked_s", "end_s"))
    return [end_s - asked_s for dst, size, asked_s, end_s in sent if (dst, size) == ("server", nbytes)]


def mean_upload_s(devices: int) -> float:
    """Return the closed form."""
    weights = [factorial(devices) / factorial(devices - n) * (S_S / Z_S) ** n for n in range(devices + 1)]
    throughput = (1.0 - weights[0] / sum(weights)) / S_S
    return devices / throughput - Z_S


def test_exponential_factors_are_exponential() -> None:
    factor = Exponential().open("d000", 0)
    assert kstest([factor(0.0, number, 1.0) for number in range(4000)], "expon").pvalue > 0.01


def test_the_closed_form() -> None:
    assert mean_upload_s(1) == pytest.approx(S_S)
    assert mean_upload_s(5) == pytest.approx(398.34, abs=5e-3)
    assert mean_upload_s(10) == pytest.approx(1037.46, abs=5e-3)


@pytest.mark.slow
@pytest.mark.parametrize(("devices", "steps"), [(5, 1000), (10, 300)])
def test_devices_that_think_for_random_times(devices: int, steps: int) -> None:
    case = closed_network(devices, steps, "devices.slowdowns=[{kind: exponential}]", "seed=1")
    found = uploads(case)
    assert len(found) == devices * steps
    agrees(found, mean_upload_s(devices))


@pytest.mark.parametrize(("devices", "expected"), [(5, 1000.0), (10, 2000.0)])
def test_devices_that_think_alike_never_part(devices: int, expected: float) -> None:
    """From a common start all upload at once, in N S: not the stationary state, and for ever."""
    assert uploads(closed_network(devices, 20)) == pytest.approx([expected] * devices * 20, rel=1e-9)
