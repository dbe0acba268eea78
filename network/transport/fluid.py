"""Bits alone: a message is payload and headers that flow; nothing is lost, awaited or stored on the way."""

from slfac_sim.foundation.plugins import settings
from slfac_sim.network.transfers import Plan
from slfac_sim.network.transport import Message, Sender, Transport, as_on_air


@settings
class Fluid(Transport):
    """Nothing to set. Each link has its own packets and headers, and wires carry what the air does."""

    @property
    def counts_packets(self) -> bool:
        """No: links cannot lose what is no packet."""
        return False

    def sender(self, seed: int) -> Sender:
        """Return the sender, which draws nothing."""
        return _FluidSender()


class _FluidSender(Sender):
    def plan(self, message: Message) -> Plan:
        framing, payload_bytes = message.framing, message.payload_bytes
        wire_bytes = framing.wire_bytes(payload_bytes)
        bits = 8.0 * (payload_bytes if framing.holds_headers else wire_bytes)
        return Plan(bits, wire_bytes, as_on_air(bits, wire_bytes, message.path))
