"""Who acts in a rehearsal: what each device has to do in a round, and what that costs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from slfac_sim.codecs.raw import Raw
from slfac_sim.forecast.demands import chosen
from slfac_sim.hosts.names import SERVER
from slfac_sim.learning.sizes import FLOAT, Sizes, plain_sizes
from slfac_sim.learning.work import Exchange, Work
from slfac_sim.learning.world import World
from slfac_sim.scenario.schedule import Schedule
from slfac_sim.simulation.replay_log import RecordedParcel


@dataclass(frozen=True)
class Edge:
    """What lies between the server of a device and the `cloud`: whole models of so many `values`.

    FLOPs of encoding and of decoding, by the edge and by the cloud.
    """

    cloud: str
    values: int
    edge_codec_flops: tuple[float, float]
    cloud_codec_flops: tuple[float, float]


@dataclass(frozen=True, kw_only=True)
class Actor:
    """A device of a rehearsal: what it has to do in a round, and what that costs; its `server` works for it.

    `batches` are the samples of its mini-batches, `sizes` the bytes of one of `batch` samples. `crossings`
    are the places where the model is cut, outermost first; `work` is per sample. A model takes it
    `device_codec_flops` to encode and to decode, and the server as many as `server_codec_flops`.
    """

    name: str
    place: int
    batch: int
    batches: Sequence[int]
    sizes: Sizes
    work: Work
    crossings: Sequence[Exchange] = ()
    device_codec_flops: tuple[float, float] = (0.0, 0.0)
    server_codec_flops: tuple[float, float] = (0.0, 0.0)
    model_values: int = 0
    server_values: int = 0
    server: str = SERVER
    edge: "Edge | None" = None

    def parcel(self, nbytes: int, samples: int) -> RecordedParcel:
        """Return what `samples` of a mini-batch are sent in, which is `nbytes` if it is full."""
        return RecordedParcel(round(nbytes * samples / self.batch), 0, "")


def actors_of(
    world: World, schedule: Schedule, sizes: Mapping[str, Sizes] | None = None, everybody: bool = False
) -> list[Actor]:
    """Return who takes part in the first round, or `everybody`, with what each has to do in it."""
    if schedule.on_server:
        return [_server(world, schedule)]
    asked = chosen(world) if not everybody else {device.name for device in world.devices}
    devices = [device for device in world.devices if device.name in asked]
    if sizes is not None:
        return [_actor(world, schedule, device, sizes[device.name]) for device in devices]
    batch, models = world.scenario.learning.batch, schedule.models != "kept"
    plain = [_actor(world, schedule, device, plain_sizes(device, batch, models)) for device in devices]
    return [_without_codecs(actor) for actor in plain]


def _actor(world: World, schedule: Schedule, device: Any, sizes: Sizes) -> Actor:
    crossings = device.crossings
    return Actor(
        name=device.name,
        place=device.place,
        batch=world.scenario.learning.batch,
        batches=device.shard.sizes(schedule.steps, schedule.passes),
        sizes=sizes,
        work=crossings[0].work if crossings else device.work,
        crossings=crossings,
        device_codec_flops=device.model_codec_flops,
        server_codec_flops=world.server.model_codec_flops(device.model_values),
        model_values=device.model_values,
        server=world.homes[device.name],
        edge=_edge(world, world.homes[device.name]) if schedule.cloud_every is not None else None,
        server_values=world.layout.server_values(device.name) if schedule.averages_copies else 0,
    )


def _edge(world: World, server: str) -> Edge:
    cloud, edge = world.server, world.at(server).server
    values = edge.whole_values
    return Edge(cloud.name, values, edge.whole_codec_flops(), cloud.model_codec_flops(values))


def _without_codecs(actor: Actor) -> Actor:
    """Return `actor` as if nothing were compressed."""
    raw, flops, edge = Raw(), _raw_flops(actor.model_values), actor.edge
    crossings = [replace(crossing, uplink=raw, downlink=raw) for crossing in actor.crossings]
    plain = replace(actor, crossings=crossings, device_codec_flops=flops, server_codec_flops=flops)
    if edge is None:
        return plain
    flops, nbytes = _raw_flops(edge.values), FLOAT * edge.values
    return replace(
        plain,
        edge=replace(edge, edge_codec_flops=flops, cloud_codec_flops=flops),
        sizes=replace(plain.sizes, edge_up=nbytes, edge_down=nbytes),
    )


def _raw_flops(values: int) -> tuple[float, float]:
    raw = Raw()
    return values * raw.encode_flops_per_value, values * raw.decode_flops_per_value


def _server(world: World, schedule: Schedule) -> Actor:
    """Return the server as who learns, alone."""
    shard = world.server.trainee.shard
    return Actor(
        name=world.server.name,
        place=0,
        batch=shard.batch,
        batches=shard.sizes(schedule.steps, schedule.passes),
        sizes=Sizes(),
        work=world.server.work,
    )
