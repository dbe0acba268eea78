"""The settings of a scenario's hosts: `devices` and `server`."""

from typing import Annotated, Any, Literal

from pydantic import Field

from slfac_sim.foundation.plugins import Plugin, settings
from slfac_sim.foundation.units import Bytes, BytesPerSecond, FlopPerSecond, Joules
from slfac_sim.hosts.availability.always import Always
from slfac_sim.hosts.power import DevicePower, ServerPower

CODEC_SPEED = 10e9  # FLOP/s: codecs are serial work of a CPU core, also on a host that trains on a GPU
AvailabilityNode = Annotated[Any, Plugin("slfac_sim.hosts.availability", "always")]
Slowdowns = tuple[Annotated[Any, Plugin("slfac_sim.hosts.slowdowns")], ...]


@settings
class Devices:
    """The devices: how many, and how fast each computes (achieved FLOP/s, 2 per multiply-add).

    `slowdowns` multiply the time that a compute takes, and `availability` says when devices are down. With
    a `memory` a device's half and one mini-batch must fit in it; with a `memory_bandwidth` each operation of
    its half takes as long as its memory traffic, where that is longer (roofline). A device whose `battery`
    is used up is down for good. Codecs take their equivalent FLOPs / `codec_speed`; without one that is the
    device's speed, but at most `CODEC_SPEED`.
    """

    count: Annotated[int, Field(ge=1, le=100_000)] = 10
    speed: Annotated[Any, Plugin("slfac_sim.hosts.speeds")]
    codec_speed: FlopPerSecond | None = None
    slowdowns: Slowdowns = ()
    availability: AvailabilityNode = Always()
    memory: Bytes | None = None
    memory_bandwidth: BytesPerSecond | None = None
    power: DevicePower = DevicePower()
    battery: Joules | None = None


@settings
class Server:
    """The edge server: one processor, first in, first out (`fifo`), or at work on all at once (`sharing`).

    Its `codec_speed` is as that of devices.
    """

    speed: FlopPerSecond = 1e12
    codec_speed: FlopPerSecond | None = None
    discipline: Literal["fifo", "sharing"] = "fifo"
    slowdowns: Slowdowns = ()
    availability: AvailabilityNode = Always()
    power: ServerPower = ServerPower()
