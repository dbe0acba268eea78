"""What a topology is made of: access networks, wires, and the file of a graph."""

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from slfac_sim.foundation.plugins import Plugin, kind_of, settings
from slfac_sim.foundation.units import BitsPerSecond, Count, CountOrZero, Seconds
from slfac_sim.network.fluid_settings import FluidSettings

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*$")]
NodeName = Annotated[str, Field(min_length=1)]


@settings
class Access:
    """An access network: any network of one server, the devices that are on it, and their server.

    Its name is its node in the topology; each station of several is a node, such as ``campus/s0``, too.
    """

    network: Annotated[Any, Plugin("slfac_sim.network.kinds")]
    """The air between these devices and the first wire, as it would be for a network of one server."""
    devices: Count | Annotated[tuple[Name, ...], Field(min_length=1)] | None = None
    """How many devices are on it, taken in their order from those that no access network names; or which,
    by name; null, for one of them: all that are left. All of them together are `devices.count`.
    """
    server: str | None = None
    """The server that these devices learn with; null where there is only one."""

    def __post_init__(self) -> None:
        if not isinstance(self.network, FluidSettings):
            raise ValueError(
                f"network: wires cannot follow {kind_of(self.network)}, which is made of no lanes"
            )


@settings
class WiredLink:
    """A wired link between two nodes: access networks, their stations, servers or switches."""

    between: tuple[NodeName, NodeName]
    """The two nodes that it joins. What is neither an access network nor a server is a switch."""
    capacity: BitsPerSecond
    """Bits per second each way, or of both ways together with `duplex: half`. Transfers share it equally, as
    far as their air lets them.
    """
    back_capacity: BitsPerSecond | None = None
    """Bits per second from the second node to the first, where they are others, as those of DSL or a
    satellite; null: the same.
    """
    latency: Seconds
    """Time that bits take from one end to the other."""
    duplex: Literal["full", "half"] = "full"
    """Whether each way has the capacity to itself (`full`), or both share it (`half`)."""
    loss: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.0
    """Part of the packets that are lost on it, where the `transport` of the network has packets."""
    header_bytes: CountOrZero = 38
    """Bytes that each packet costs on it beside those of IP and above, where the `transport` has packets. The
    default is Ethernet with preamble and gap.
    """

    def __post_init__(self) -> None:
        one, other = self.between
        if one == other:
            raise ValueError(f"between: must name two nodes (got {one} twice)")
        if self.duplex == "half" and self.back_capacity is not None:
            raise ValueError("back_capacity goes with duplex: full; half shares one capacity")

    @property
    def way_back(self) -> float:
        """Bits per second from the second node to the first."""
        return self.capacity if self.back_capacity is None else self.back_capacity


@settings
class GraphFile:
    """A graph in a file."""

    file: Path
    """A GraphML file, as `networkx.write_graphml` writes one. Its nodes are access networks, servers and
    switches by their names; its edges are links, with the attributes `capacity` (bit/s, or a text with a
    unit), `latency` (s, or such a text) and perhaps `name`, `duplex`, `loss` and `header_bytes`. In a
    directed graph two opposite edges are the two ways of one link, each with its capacity.
    """
