"""The work of a part of a model on a machine: operations by hand, the roofline, measured times."""

from typing import Any

import pytest
import torch
from torch import nn
from worlds import scenario, world

from slfac_sim.foundation.errors import BadInput
from slfac_sim.hosts.machines import Machine, machines
from slfac_sim.hosts.power import DevicePower
from slfac_sim.learning.cutting import split_model
from slfac_sim.learning.operations import Operation, operations
from slfac_sim.learning.work import PartWork, count_work, device_work
from slfac_sim.scenario.files import load

BATCH = 8
LINEAR = nn.Linear(20, 30, bias=False)


def machine(bandwidth: float | None, speed: float = 1e9, blocks: Any = None) -> Machine:
    return Machine(speed, None, bandwidth, DevicePower(), blocks)


def test_a_linear_layer_moves_its_input_its_weights_and_its_output() -> None:
    passes = operations(LINEAR, (20,), BATCH)
    (forward,) = passes.forward
    assert forward == Operation("mm", 2.0 * 20 * 30, 4.0 * (20 + 30 + 20 * 30 / BATCH))
    (backward,) = passes.backward  # the gradient of the weights alone: the input needs none
    assert backward == Operation("mm", 2.0 * 20 * 30, 4.0 * (20 + 30 + 20 * 30 / BATCH))


def test_what_has_no_flops_still_moves_its_bytes() -> None:
    relu = nn.Sequential(nn.Conv2d(1, 4, 3, padding=1, bias=False), nn.ReLU())
    found = {one.name: one for one in operations(relu, (1, 6, 6), BATCH).forward}
    assert found["relu"] == Operation("relu", 0.0, 4.0 * 2 * 4 * 36)
    assert found["convolution"].flops == 2.0 * 4 * 36 * 9
    assert found["convolution"].moved_bytes == pytest.approx(4.0 * (36 + 4 * 36 + 4 * 9 / BATCH))


class Repeated(nn.Module):
    """Multiplies its input, repeated a hundred times, by weights."""

    def __init__(self) -> None:
        super().__init__()
        self.weights = nn.Parameter(torch.ones(100, 20))

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        return inputs.unsqueeze(1).expand(-1, 100, -1) * self.weights


def test_what_is_only_repeated_is_read_once() -> None:
    (forward,) = operations(Repeated(), (20,), BATCH).forward
    assert forward.moved_bytes == 4.0 * (20 + 100 * 20 / BATCH + 100 * 20)


def test_every_device_has_the_work_of_its_own_machine() -> None:
    one = world("devices.memory_bandwidth=1 MB/s")
    own = machines(one.scenario.devices, one.scenario.seed.air)
    part = PartWork(one.layout.split.device, ["conv1"], (1, 12, 12), BATCH)
    for device in one.devices:
        assert device.exchange.work == device_work(one.layout.split.work, part, own[device.name])
    assert len({device.exchange.work for device in one.devices}) == len(one.devices)
    alike = world().devices
    assert len({id(device.exchange.work) for device in alike}) == 1


@pytest.mark.parametrize("cut", ["conv1", "conv2"])
def test_the_flops_are_those_that_are_counted_without_a_roofline(cut: str) -> None:
    split = world(f"cut={cut}").layout.split
    passes = operations(split.device, (1, 12, 12), BATCH)
    assert sum(one.flops for one in passes.forward) == split.work.device_forward_flops
    assert sum(one.flops for one in passes.backward) == split.work.device_backward_flops


def test_the_roofline_is_the_longer_of_computing_and_moving() -> None:
    compute_bound, moving_bound = Operation("a", 100.0, 10.0), Operation("b", 10.0, 100.0)
    assert compute_bound.equivalent_flops(0.5) == 100.0
    assert moving_bound.equivalent_flops(0.5) == 50.0  # at half a FLOP a byte: speed / bandwidth


def test_the_time_of_a_layer_by_hand() -> None:
    """At 1 GFLOP/s and 1 MB/s the layer of 600 weights is all memory: 500 B a sample, 0.5 ms."""
    part = PartWork(LINEAR, ["linear"], (20,), BATCH)
    found = part.on(machine(1e6))
    assert found is not None
    assert [flops / 1e9 for flops in found] == pytest.approx([500e-6, 500e-6])
    assert part.on(machine(1e15)) == (1200.0, 1200.0)  # and here all computing


def test_more_bandwidth_is_never_slower_and_none_is_as_counted() -> None:
    split = world().layout.split
    part = PartWork(split.device, ["conv1"], (1, 12, 12), BATCH)
    times = [device_work(split.work, part, machine(bandwidth)) for bandwidth in (1e6, 1e8, 1e10, 1e14)]
    flops = [work.device_forward_flops + work.device_backward_flops for work in times]
    assert flops == sorted(flops, reverse=True)
    assert flops[0] > 10 * flops[-1]
    assert times[-1].device_forward_flops == pytest.approx(split.work.device_forward_flops, rel=1e-3)
    assert all(work.server_step_flops == split.work.server_step_flops for work in times)
    assert device_work(split.work, part, machine(None)) is split.work


def test_the_main_job_on_the_memory_of_a_raspberry_pi() -> None:
    """The figures of docs/compute.md, in MFLOP a sample at 5 GFLOP/s."""
    split = split_model(load("100_devices"), (1, 28, 28), 10)
    part = PartWork(split.device, split.device_blocks, (1, 28, 28), 16)
    works = [device_work(split.work, part, machine(bandwidth, 5e9)) for bandwidth in (None, 12.8e9, 1e9)]
    found = [(work.device_forward_flops + work.device_backward_flops) / 1e6 for work in works]
    assert [round(one, 1) for one in found] == [24.1, 24.5, 29.4]


def test_counting_leaves_the_part_as_it_is() -> None:
    part = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2))
    before = [one.clone() for one in part.state_dict().values()]
    operations(part, (1, 5, 5), 1)  # a batch of one too, which batch-norm would refuse on 1 x 1 maps
    count_work(part, nn.Flatten(), (1, 5, 5))
    assert all(torch.equal(*pair) for pair in zip(before, part.state_dict().values(), strict=True))
    assert all(one.grad is None for one in part.parameters())


def test_measured_times_are_kept_to_the_second() -> None:
    part = PartWork(LINEAR, ["a", "b"], (20,), BATCH)
    times = {"a": (0.001, 0.002), "b": (0.01, 0.02), "c": (9.0, 9.0)}
    found = part.on(machine(None, speed=4e9, blocks=times))
    assert found is not None
    assert [flops / 4e9 for flops in found] == pytest.approx([0.011, 0.022])
    with pytest.raises(BadInput, match=r"table: the block 'b' was not measured \(there are a\)"):
        part.on(machine(None, blocks={"a": (1.0, 1.0)}))


def test_the_machines_of_a_scenario() -> None:
    alike = machines(scenario("devices.memory=1 GB", "devices.power.idle=1 W").devices, 0)
    figures = {(one.memory, one.memory_bandwidth, one.power.idle) for one in alike.values()}
    assert figures == {(1e9, None, 1.0)}
    profiles = "devices.speed={{kind: profiles, names: {{raspberry_pi_4: 2, laptop: 3}}, hardware: {}}}"
    own = machines(scenario(profiles.format("true")).devices, 0)
    assert sorted(one.memory for one in own.values() if one.memory) == [4e9, 4e9, 16e9, 16e9, 16e9]
    without = machines(scenario(profiles.format("false")).devices, 0)
    assert {one.memory for one in without.values()} == {None}
