"""The settings of a scenario's hosts: `devices` and `server`."""

from typing import Annotated, Any, Literal

from pydantic import Field

from slfac_sim.foundation.plugins import Plugin, settings
from slfac_sim.foundation.units import Bytes, BytesPerSecond, FlopPerSecond, Joules
from slfac_sim.hosts.availability.always import Always
from slfac_sim.hosts.power import DevicePower, ServerPower
from slfac_sim.hosts.speeds.fixed import Fixed

CODEC_SPEED = 10e9  # FLOP/s: codecs are serial work of a CPU core, also on a host that trains on a GPU
AvailabilityNode = Annotated[Any, Plugin("slfac_sim.hosts.availability", "always")]
Slowdowns = tuple[Annotated[Any, Plugin("slfac_sim.hosts.slowdowns")], ...]


@settings
class Devices:
    """The devices: how many, how fast, when they are there, what they hold and draw."""

    count: Annotated[int, Field(ge=1, le=100_000)] = 10
    """How many devices there are."""
    speed: Annotated[Any, Plugin("slfac_sim.hosts.speeds", "fixed", short="speed")] = Fixed()
    """How fast each device trains: achieved FLOP/s, 2 per multiply-add. A single speed is that of all; where
    nothing is said, each is about a Raspberry Pi 4.
    """
    codec_speed: FlopPerSecond | None = None
    """Equivalent FLOP/s of a device in encoding and decoding; null: the device's speed, but at most 10
    GFLOP/s, since codecs are serial work of a CPU core.
    """
    slowdowns: Slowdowns = ()
    """What multiplies the time that a compute takes, each kind on top of those before."""
    availability: AvailabilityNode = Always()
    """When devices are down: one that is down is asked nothing, and what it was doing is lost."""
    memory: Bytes | None = None
    """Memory into which a device's part of the model must fit, with its optimiser and a mini-batch, or the
    scenario is refused; null: no bound.
    """
    memory_bandwidth: BytesPerSecond | None = None
    """Bytes a second between a device's memory and its processor: an operation takes as long as its memory
    traffic where that is longer than its arithmetic (roofline); null: arithmetic alone.
    """
    power: DevicePower = DevicePower()
    """What a device draws from its supply: the energy of a run, and how long a `battery` lasts."""
    battery: Joules | None = None
    """Energy after whose use a device is down for good; null: it is on the mains."""

    def __post_init__(self) -> None:
        self.speed.check(self.count)


@settings
class Server:
    """The edge server: one processor."""

    speed: FlopPerSecond = 1e12
    """Achieved FLOP/s of the server, 2 per multiply-add."""
    codec_speed: FlopPerSecond | None = None
    """Equivalent FLOP/s of the server in encoding and decoding; null: its speed, but at most 10 GFLOP/s."""
    discipline: Literal["fifo", "sharing"] = "fifo"
    """How the server works through what arrives: one job after the other (`fifo`), or all at once, each on
    its part of the speed (`sharing`).
    """
    slowdowns: Slowdowns = ()
    """What multiplies the time that a compute takes, each kind on top of those before."""
    availability: AvailabilityNode = Always()
    """When the server is down: what was asked of it is lost, and rounds wait until it is up again."""
    power: ServerPower = ServerPower()
    """What the server and the station draw."""
