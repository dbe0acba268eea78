"""The scenario: one tree of frozen dataclasses, read from YAML; defaults are stated here and nowhere else.

It says what is to be simulated. It builds nothing, and importing it imports no torch.
"""

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, TypeAdapter, ValidationError

from slfac_sim.codecs import Codec
from slfac_sim.codecs.raw import Raw
from slfac_sim.foundation.errors import BadInput, BadSettings
from slfac_sim.foundation.fields import EveryField, ShortFor
from slfac_sim.foundation.plugins import Plugin, kind_of, settings
from slfac_sim.foundation.targets import Target, targets_of
from slfac_sim.foundation.units import BlockName, Count, Positive, SeedNumber
from slfac_sim.hosts.names import check_server_names
from slfac_sim.hosts.settings import Devices, Server
from slfac_sim.scenario.hosts import cloud_of
from slfac_sim.scenario.until import Accuracy, Until

AUTO = "auto"  # a cut that is chosen for the shortest predicted round
PER_DEVICE = "per_device"  # the same, for each device by itself
_SERVERS = ("servers",)
RESERVED = ("latest", "trainings", "studies", "ask", "crossover")


def check_names(names: tuple[str, ...]) -> tuple[str, ...]:
    """Return `names`; raises `ValueError` for one that is there twice."""
    twice = next((name for i, name in enumerate(names) if name in names[:i]), None)
    if twice is not None:
        raise ValueError(f"must differ from each other (got {twice} twice)")
    return names


BatchSize = Annotated[int, Field(ge=1, le=65_536)]
MetricName = Literal[
    "accuracy",
    "balanced_accuracy",
    "macro_f1",
    "worst_class",
    "device_mean",
    "device_worst_tenth",
    "device_spread",
    "loss",
]
Aimed = Annotated[float, Field(gt=0.0, le=1e12)]
Targets = tuple[Accuracy, ...] | dict[MetricName, tuple[Aimed, ...]]
Names = Annotated[tuple[BlockName, ...], AfterValidator(check_names)]
CodecNode = Annotated[Any, Plugin("slfac_sim.codecs")]


@settings
class Seed:
    """Two seeds, so that learning and the air can be drawn anew one without the other.

    One number in place of the pair sets both.
    """

    learning: SeedNumber = 0
    """What learning is drawn from: initial weights, the partition, mini-batches, who takes part, and codecs
    that draw.
    """
    air: SeedNumber = 0
    """What time and place are drawn from: where devices are, shadowing and fades, speeds, slowdowns and
    outages.
    """


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
    """The codecs of models, or halves, where a protocol exchanges them."""

    uplink: CodecNode = Raw()
    """The codec of what devices send: their models or halves."""
    downlink: CodecNode = Raw()
    """The codec of what devices get: a model or a half."""


@settings
class Codecs:
    """What makes bytes of the tensors that travel.

    One codec in place of all this stands for both directions, or for the uplink and its partner where it
    declares one: ``codec: topk`` is ``codec: {uplink: topk, downlink: on_support}``. Models then travel as
    they are.
    """

    uplink: CodecNode
    """The codec of smashed data: activations, from devices to the server."""
    downlink: CodecNode
    """The codec of gradients, from the server to devices."""
    model: Annotated[ModelCodecs, EveryField()] = ModelCodecs()
    """The codec of whatever models, or halves, are exchanged; one in place of the pair stands for both ways.
    """


@settings
class Weights:
    """Weights to begin with, in place of those drawn from the seed."""

    file: Path
    """A safetensors file of float tensors called `block.parameter`, such as `conv1.0.weight`: the names of
    the block and of the parameter in it. Nothing of it is run.
    """
    blocks: Names | None = None
    """The blocks that begin with it, the others are drawn; null: all, and the file has nothing else."""


@settings
class Learning:
    """The learning problem of every device and of the server."""

    batch: BatchSize = 16
    """Samples of a device in a mini-batch: what a step sends, computes and keeps in memory grows with it."""
    optimiser: Annotated[Any, Plugin("slfac_sim.learning.optimisers")]
    """How weights follow gradients; every device and the server have an optimiser of their own."""
    server_optimiser: Annotated[Any, Plugin("slfac_sim.learning.optimisers")] | None = None
    """The optimiser of what learns on a server, where it is another than that of devices; null: the same."""
    schedule: Annotated[Any, Plugin("slfac_sim.learning.schedules", "constant")] | None = None
    """By what the learning rates of devices and server are multiplied from round to round; null: by nothing.
    """
    clip_norm: Positive | None = None
    """Largest norm of the gradient of a step, taken over all weights that an optimiser moves: longer ones are
    cut to it; null: none are.
    """

    batch_norm: Literal["averaged", "local", "frozen"] = "averaged"
    """What becomes of batch-norm where models are averaged: it is a part of them (`averaged`), weights and
    statistics stay with each device (`local`), or statistics are for ever those before training (`frozen`,
    also on servers), for models that begin with trained weights.
    """
    weights: Weights | None = None
    """Trained weights to begin with; null: all are drawn from the seed."""
    freeze: Names = ()
    """Blocks whose weights stay as they are: they are not trained, averaged or sent with a half, and run in
    evaluation mode.
    """
    until: Until | None = None
    """When the training ends before the last of its rounds; null: it has all of them."""

    def optimiser_of(self, server: bool) -> Any:
        """Return the optimiser of the `server`, or of devices."""
        return self.server_optimiser if server and self.server_optimiser is not None else self.optimiser


def check_targets(given: Targets) -> None:
    """Raise `ValueError` for a target that cannot be, or is there twice: they would have one time."""
    seen: set[Target] = set()
    for target in targets_of(given):
        if not target.can_be:
            raise ValueError(f"targets: {target.metric} {target.bounds} (got {target.value:g})")
        if target in seen:
            raise ValueError(f"targets must differ from each other (got {target.value:g} twice)")
        seen.add(target)


@settings
class Evaluation:
    """What is measured on the full test set, and when."""

    targets: Targets = (0.8, 0.9, 0.95, 0.97)
    """Accuracies whose first times, in simulated seconds, go into the summary; or lists of targets by metric:
    accuracy, balanced_accuracy, macro_f1, worst_class, device_mean, device_worst_tenth, device_spread, loss.
    """
    every_rounds: Count = 1
    """Rounds from one evaluation to the next; the last round is always evaluated."""
    no_codec: Literal["last", "every"] = "last"
    """When accuracy without the codec is measured too, which takes another pass of the server's half: in the
    `last` evaluation, or in `every` one.
    """

    def __post_init__(self) -> None:
        check_targets(self.targets)

    @property
    def aims(self) -> tuple[Target, ...]:
        """The targets, each with its metric."""
        return targets_of(self.targets)


def _named(servers: dict[str, Server]) -> dict[str, Server]:
    check_server_names(servers)
    return servers


Servers = Annotated[dict[str, Annotated[Server, ShortFor("speed")]], AfterValidator(_named)]


@settings
class Scenario:
    """Everything that a run depends on."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")]
    """What the run is called: its folder under runs/ and its figures; without one it is the file's name."""
    seed: Annotated[Seed, EveryField()] = Seed()
    """What all draws but those of made-up data start from: the same scenario with the same seed is the same
    run. One number sets both.
    """
    data: Annotated[Any, Plugin("slfac_sim.learning.datasets")]
    """What is learnt: training samples, which are dealt out to the devices, and test samples, on which
    accuracy is measured.
    """
    partition: Annotated[Any, Plugin("slfac_sim.learning.partitions")]
    """How the training samples are dealt out to the devices."""
    model: Annotated[Any, Plugin("slfac_sim.learning.models")]
    """The neural network, as named blocks: devices hold those up to `cut`, the server the rest."""
    cut: BlockName | dict[str, BlockName]
    """The last block that a device holds, such as `conv1`; `auto` takes the cut of the shortest predicted
    round. With `splitfed_v1` devices may differ: `per_device` chooses for each, a mapping names the block of
    every device.
    """
    learning: Learning
    """How large a mini-batch is, and what a step does with its gradients."""
    protocol: Annotated[Any, Plugin("slfac_sim.protocols")]
    """Who learns when, and who sends what to whom."""
    devices: Annotated[Devices, ShortFor("count")]
    """The devices, which hold the data."""
    server: Annotated[Server, ShortFor("speed", nullable=True)] = Server()
    """The edge server, which holds the other half; null is what a base says of it taken back."""
    servers: Servers | None = None
    """Several servers by their names, in place of `server`. The network says which one a device learns with;
    the one without devices is the cloud above the others. For protocols that know several.
    """
    codec: Annotated[Codecs, EveryField(answering, but=("model",))]
    """What makes bytes of activations, gradients and models. One codec in place of all stands for the uplink
    and the downlink, or for the uplink and its partner where it has one.
    """
    network: Annotated[Any, Plugin("slfac_sim.network.kinds")]
    """The air between devices and server."""
    evaluation: Evaluation = Evaluation()
    """When accuracy is measured, and which accuracies are aimed at."""

    def __post_init__(self) -> None:
        if self.name in RESERVED:
            raise ValueError(f"name must not be one of {', '.join(RESERVED)}, which have a place under runs/")
        self.protocol.check(self.devices.count)
        self._check_augmentation()
        self._check_rounds()
        self._check_servers()

    def _check_augmentation(self) -> None:
        codecs = (self.codec.uplink, self.codec.downlink)
        kinds = [kind_of(codec) for codec in codecs if codec.remembers_samples]
        if self.data.augment and kinds:
            text = f"the codec {kinds[0]} remembers samples, and augmented they are others each time"
            raise BadSettings((("data", "augment"), text))

    def _check_rounds(self) -> None:
        asked = {"schedule": self.learning.schedule, "until": self.learning.until}
        text = f"the protocol {kind_of(self.protocol)} does not tell of its rounds (tells_rounds)"
        faults = [(("learning", name), text) for name, there in asked.items() if there is not None]
        if faults and not self.protocol.tells_rounds:
            raise BadSettings(*faults)

    def _check_servers(self) -> None:
        kind, knows_one = kind_of(self.protocol), self.protocol.servers == "one"
        if self.servers is None:
            if not knows_one:
                text = f"the protocol {kind} learns with edges and a cloud; name them there"
                raise BadSettings((_SERVERS, text))
            return
        names = ", ".join(self.servers)
        if self.server != Server():
            raise BadSettings(
                (_SERVERS, f"{names} stand beside server:, and only one of the two may be there")
            )
        if knows_one:
            text = f"the protocol {kind} learns with one server, and there are {names}; write server:"
            raise BadSettings((_SERVERS, f"{text} for the only one, or protocol: hierarchical"))
        cloud_of(self)
