"""The machines under a layout: what the part that devices hold takes on each, and whether it fits."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import nn

from slfac_sim.foundation.errors import BadInput
from slfac_sim.hosts.machines import machines
from slfac_sim.learning.batches import Shard
from slfac_sim.learning.frozen import frozen, has_weights
from slfac_sim.learning.ground import Ground
from slfac_sim.learning.memory import Memory, memory_of, refuse_if_too_large
from slfac_sim.learning.work import PartWork, Work, device_work, smallest_normalised_map
from slfac_sim.scenario.schema import Scenario


@dataclass(frozen=True)
class Held:
    """What every device holds: consecutive `blocks` of the model, as one module, for inputs of `shape`."""

    part: nn.Module
    blocks: Sequence[str]
    shape: tuple[int, ...]


def works(scenario: Scenario, counted: Work, held: Held) -> Mapping[str, Work]:
    """Return the work of each device, whose FLOPs take as long as its passes do on its machine.

    Where nothing but FLOPs count this is `counted` itself. Raises `BadInput` for speeds that do not fit the
    devices, and for a block without a measured time.
    """
    part = PartWork(held.part, held.blocks, held.shape, scenario.learning.batch)
    by_kind: dict[tuple[float, float | None], Work] = {}
    work_of = {}
    for name, machine in machines(scenario.devices, scenario.seed.air).items():
        kind = machine.speed, machine.memory_bandwidth
        if kind not in by_kind:
            by_kind[kind] = device_work(counted, part, machine)
        work_of[name] = by_kind[kind]
    return work_of


def held_memory(scenario: Scenario, held: Held) -> Memory:
    """Return the memory that a device takes at most."""
    return memory_of(held.part, held.shape, scenario.learning.batch, scenario.learning.optimiser.open)


def fitting(scenario: Scenario, needed: int) -> list[str]:
    """Return the devices into whose memory `needed` bytes fit."""
    owned = machines(scenario.devices, scenario.seed.air).items()
    return [name for name, machine in owned if machine.memory is None or needed <= machine.memory]


def refuse_what_does_not_fit(
    ground: Ground,
    held: Held,
    otherwise: Callable[[float], str] = lambda available: "",
    names: Sequence[str] | None = None,
) -> None:
    """Raise `BadInput` if `held` and a mini-batch do not fit into the memory of every device, or of `names`.

    `otherwise` says what else would fit into so many bytes.
    """
    if not ground.limited:
        return
    scenario = ground.scenario
    known = machines(scenario.devices, scenario.seed.air)
    among = [(known[name].memory, name) for name in (known if names is None else names)]
    limited = [(memory, name) for memory, name in among if memory is not None]
    if limited:
        available, name = min(limited)
        memory = held_memory(scenario, held)
        hint = otherwise(available) if memory.total > available else ""
        refuse_if_too_large(memory, available, name, hint)


def refuse_lone_values(
    shards: Iterable[Shard], parts: Iterable[tuple[nn.Module, tuple[int, ...]]], remedy: str
) -> None:
    """Refuse batches in which batch-norm would see one value of a channel: it cannot learn from that.

    `parts` see inputs of these shapes; `remedy` says what to take instead.
    """
    if any(shard.has_lone_samples for shard in shards) and any(
        smallest_normalised_map(part, shape) == 1 for part, shape in parts
    ):
        raise BadInput(
            "learning.batch: batches of a single sample cannot be normalised on 1 x 1 maps; "
            f"take larger batches{remedy}"
        )


def fitting_cuts(scenario: Scenario, shape: tuple[int, ...], classes: int) -> Callable[[float], str]:
    """Return what tells which cuts would fit into so many bytes, with the batch as it is."""

    def in_words(available: float) -> str:
        sizes = cut_memories(scenario, shape, classes)
        fitting = [name for name, memory in sizes if memory.total <= available]
        return f"with this batch so would the cut {' or '.join(fitting)}" if fitting else ""

    return in_words


def cut_memories(scenario: Scenario, shape: tuple[int, ...], classes: int) -> Iterator[tuple[str, Memory]]:
    """Yield every cut, from the input on, with the memory that devices would need; no weights are drawn."""
    with torch.device("meta"):
        blocks = frozen(scenario.model.blocks(shape[0], classes), scenario.learning.freeze)
    names, modules = zip(*blocks, strict=True)
    for place in range(1, len(blocks)):
        part = nn.Sequential(*modules[:place]).to_empty(device="cpu")
        if has_weights(part):
            yield names[place - 1], held_memory(scenario, Held(part, names[:place], shape))
