"""The scenario: one tree of frozen dataclasses, read from YAML; defaults are stated here and nowhere else.

It says what is to be simulated. It builds nothing, and importing it imports no torch.
"""

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter, ValidationError

from slfac_sim.codecs import Codec
from slfac_sim.codecs.raw import Raw
from slfac_sim.foundation.errors import BadInput
from slfac_sim.foundation.fields import EveryField
from slfac_sim.foundation.plugins import Plugin, settings
from slfac_sim.foundation.units import Count, SeedNumber
from slfac_sim.hosts.settings import Devices, Server

AUTO = "auto"  # a cut that is chosen for the shortest predicted round
PER_DEVICE = "per_device"  # the same, for each device by itself
RESERVED = ("latest", "trainings", "studies", "ask", "crossover")
BatchSize = Annotated[int, Field(ge=1, le=65_536)]
Accuracy = Annotated[float, Field(gt=0.0, le=1.0)]
CodecNode = Annotated[Any, Plugin("slfac_sim.codecs")]


@settings
class Seed:
    """Two seeds: `learning` draws weights, shards and batches; `air` draws places, fades and speeds.

    One number in place of the pair sets both.
    """

    learning: SeedNumber = 0
    """What draws weights, shards and mini-batches."""
    air: SeedNumber = 0
    """What draws places, fades and speeds."""


def answering(node: Any) -> Any:
    """Return the codec of the gradients where `node` is given for both directions: its partner, or itself.

    `node` is a codec, or what a file has in the place of one; what is no codec is returned as it is.
    """
    try:
        codec = TypeAdapter(CodecNode).validate_python(node)
    except (ValidationError, BadInput):  # told where the uplink's codec is read
        return node
    return (codec.partner if isinstance(codec, Codec) else None) or node


@settings
class ModelCodecs:
    """The codec of models, or halves, on their way from devices (`uplink`) and to them (`downlink`)."""

    uplink: CodecNode = Raw()
    downlink: CodecNode = Raw()


@settings
class Codecs:
    """The codec of smashed data and gradients in each direction, and that of whatever models are exchanged.

    One codec in place of all this stands for both directions, or for the uplink and its partner where it
    declares one: ``codec: topk`` is ``codec: {uplink: topk, downlink: on_support}``. Models then travel as
    they are.
    """

    uplink: CodecNode
    downlink: CodecNode
    model: Annotated[ModelCodecs, EveryField()] = ModelCodecs()


@settings
class Learning:
    """The learning problem: mini-batch per device, and the optimiser of every device and of the server."""

    batch: BatchSize = 16
    optimiser: Annotated[Any, Plugin("slfac_sim.learning.optimisers")]


def check_targets(targets: Sequence[float]) -> None:
    """Raise `ValueError` for a target that is there twice: its time would be one and the same."""
    twice = next((target for i, target in enumerate(targets) if target in targets[:i]), None)
    if twice is not None:
        raise ValueError(f"targets must differ from each other (got {twice:g} twice)")


@settings
class Evaluation:
    """Accuracy is measured on the full test set; each target's crossing time goes into the summary.

    The accuracy without the codec takes another pass of the server's half: it is measured in the `last`
    evaluation, or in `every` one.
    """

    targets: tuple[Accuracy, ...] = (0.8, 0.9, 0.95, 0.97)
    every_rounds: Count = 1
    no_codec: Literal["last", "every"] = "last"

    def __post_init__(self) -> None:
        check_targets(self.targets)


@settings
class Scenario:
    """Everything that a run depends on."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")]
    seed: Annotated[Seed, EveryField()] = Seed()
    data: Annotated[Any, Plugin("slfac_sim.learning.datasets")]
    partition: Annotated[Any, Plugin("slfac_sim.learning.partitions")]
    model: Annotated[Any, Plugin("slfac_sim.learning.models")]
    cut: str | dict[str, str]
    learning: Learning
    protocol: Annotated[Any, Plugin("slfac_sim.protocols")]
    devices: Devices
    server: Server = Server()
    codec: Annotated[Codecs, EveryField(answering, but=("model",))]
    network: Annotated[Any, Plugin("slfac_sim.network.kinds")]
    evaluation: Evaluation = Evaluation()

    def __post_init__(self) -> None:
        if self.name in RESERVED:
            raise ValueError(f"name must not be one of {', '.join(RESERVED)}, which have a place under runs/")
        self.protocol.check(self.devices.count)
