"""The settings that every network over an `Air` has, and how it is surveyed and opened."""

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Any, Self

from pydantic import Field

from slfac_sim.foundation.errors import BadInput
from slfac_sim.foundation.fields import OrNone
from slfac_sim.foundation.plugins import Plugin, kind_of, settings
from slfac_sim.foundation.units import Seconds
from slfac_sim.network.air import NO_PACKETS, Air
from slfac_sim.network.change._steady import steadied
from slfac_sim.network.contract import Hosts, NetworkSettings, Survey
from slfac_sim.network.delays import Delays, Jitter
from slfac_sim.network.fluid_network import FluidNetwork
from slfac_sim.network.transport.fluid import Fluid
from slfac_sim.network.varying.background import sources_of
from slfac_sim.network.varying.change_survey import surveyed
from slfac_sim.network.varying.changing import Changes, EffectsOf, effects_of, unchanged

_NOTHING_TO_LOSE = "packets are lost on the way, but transport: fluid has none; tcp and udp do"

ChangeName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*$")]


@settings
class FluidSettings(NetworkSettings):
    """Settings of a network that is an `Air`. A setting that every such network has is a field here."""

    transport: Annotated[Any, Plugin("slfac_sim.network.transport", "fluid")] = Fluid()
    """What becomes of a message: its bits flow (`fluid`), or it is cut into packets that cross link after
    link, may be lost and sent again, and with `tcp` wait for a connection and a window.
    """
    jitter: Annotated[Jitter | None, OrNone()] = None
    """By how much transfers arrive later than their latency says, each by a time of its own; `none`: by
    nothing.
    """
    grant: Seconds = 0.0
    """Time from asking for an uplink to its first bit on the air: some 5 ms where a device of NR has to ask
    for each grant, 0 where it has one.
    """

    change: dict[ChangeName, Annotated[Any, Plugin("slfac_sim.network.change")]] | None = None
    """What changes with time, by names of one's own: measured rates, outages."""

    @property
    def loses_packets(self) -> bool:
        """Whether wires or changes have packets lost; as they stand, wires lose none."""
        return any(change.loses_packets for change in (self.change or {}).values())

    @property
    def in_packets(self) -> bool:
        """Whether messages travel in packets of their transport."""
        return bool(self.transport.counts_packets)

    @property
    def may_lose(self) -> bool:
        """Whether packets are lost, and their transport gives up."""
        return bool(self.transport.gives_up and (self.transport.loss > 0.0 or self.loses_packets))

    @property
    def hands_over(self) -> bool:
        """Whether changes move devices among stations."""
        return len(self.nodes) > 1 and any(change.moves for change in (self.change or {}).values())

    @property
    def what_loses(self) -> str:
        """The transport, which gives up."""
        return f"network.transport: {kind_of(self.transport)}"

    @property
    def still(self) -> Self:
        """The same network with the means of its changes and its jitter; its transport never gives up."""
        jitter = None if self.jitter is None else self.jitter.still
        change = None if self.change is None else steadied(self.change)
        return replace(self, transport=self.transport.still, jitter=jitter, change=change)

    @property
    def lets_devices_move(self) -> bool:
        """Whether it heeds changes that move devices; as it stands, it does not."""
        return False

    @property
    def nodes(self) -> tuple[str, ...]:
        """The stations that are each a node where wires follow; as it stands, the network is one node."""
        return ()

    @abstractmethod
    def air(self, hosts: Hosts, seed: int) -> Air:
        """Return the air between `hosts`, with every draw keyed by `seed`. Raises `BadInput`."""

    def survey(self, hosts: Hosts, seed: int) -> Survey:
        """Return what the air offers, as a run with this `seed` will find it. Raises `BadInput`."""
        air = self.air(hosts, seed)
        survey = air.survey()
        if self.change:
            survey = surveyed(survey, air, self._changes(air, hosts, seed).on)
        return self._surveyed(survey, air)

    def _surveyed(self, survey: Survey, air: Air) -> Survey:
        """Return the `survey` of `air` with the packets of the transport and the mean of the jitter."""
        mean_s = 0.0 if self.jitter is None else self.jitter.mean
        if mean_s > 0.0:
            links = [replace(link, latency_s=link.latency_s + mean_s) for link in survey.links]
            survey = replace(survey, links=links)
        if not self.in_packets:
            lossy = [_NOTHING_TO_LOSE] if self.loses_packets else []
            return replace(survey, remarks=[*survey.remarks, *lossy])
        framings = {self.transport.framed(air.framing(lane)) for lane in _names(air)}
        framing = framings.pop() if len(framings) == 1 else NO_PACKETS
        return replace(survey, packet_bytes=framing.packet_bytes, header_bytes=framing.header_bytes)

    def open(self, env: Any, hosts: Hosts, seed: int) -> FluidNetwork:
        """Return the network on `env`, with the links of the survey."""
        air, delays = self.air(hosts, seed), Delays(seed, self.jitter, self.grant)
        effects: EffectsOf = unchanged
        if self.change or air.varies:
            effects = effects_of(air.effects, self._changes(air, hosts, seed), air.wire_effects)
        background = sources_of(self.change or {}, air, seed)
        return FluidNetwork(env, air, self.transport.sender(seed), effects, delays, background)

    def _changes(self, air: Air, hosts: Hosts, seed: int) -> Changes:
        for name, change in (self.change or {}).items():
            if change.only_loses and not self.in_packets:
                wanted = f"{kind_of(self.transport)} has none: expected network.transport: tcp or udp"
                raise BadInput(f"network.change.{name}: {kind_of(change)} loses packets, and {wanted}")
            if change.moves and not self.lets_devices_move:
                raise BadInput(
                    f"network.change.{name}: devices move in network: {{kind: cell}}, multi_cell or wifi"
                    f" (this is {kind_of(self)})"
                )
        lanes = [lane.name for lane in air.lanes()] if self.change else []
        return Changes(self.change or {}, lanes, air.wires, hosts.devices, seed)


def _names(air: Air) -> Sequence[str]:
    """Return the names of the lanes of `air`; one that does not tell has them all alike."""
    return [lane.name for lane in air.lanes()] or [""]
