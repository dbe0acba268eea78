"""The settings that the two models of an 802.11 channel have in common. It knows no flows and no clock."""

from functools import cached_property
from typing import Annotated, Any, ClassVar, get_args

from pydantic import BeforeValidator

from slfac_sim.foundation.plugins import settings
from slfac_sim.foundation.units import Count
from slfac_sim.network.media import Medium
from slfac_sim.network.wifi.timing import LARGEST_PACKET_BYTES, Exchanges, Standard


def _modelled(value: Any) -> Any:
    known = get_args(Standard)
    if isinstance(value, str) and value.startswith("802.11") and value.lower() not in known:
        raise ValueError(f"{value} is not modelled: {' and '.join(known)} are")
    return value


@settings
class Station(Medium):
    """What all stations of a channel do: 5 GHz, 20 MHz, best effort."""

    references: ClassVar[tuple[str, ...]] = ("ieee80211", "bianchi2000", "heusse2003")

    crowd_independent = False
    heeds_weights = False
    half_duplex = True

    standard: Annotated[Standard, BeforeValidator(_modelled)] = "802.11n"
    """The 802.11 standard: PHY rates, timing and frames."""
    packet_bytes: Count = 1472
    """UDP payload of a packet; the last one of a message may have less."""
    aggregation: bool = True
    """Whether packets go together as A-MPDU, which 802.11a does not have."""
    rts: bool = False
    """Whether every frame asks first (RTS/CTS)."""
    eifs: bool = False
    """Whether all wait, after a collision, as long as an acknowledgement at the lowest rate would have taken.
    """
    block_ack_request: bool = True
    """Whether the sender of an A-MPDU that nobody answered wins the channel for a BlockAckReq first, and then
    for the A-MPDU once more; else for that at once.
    """

    def __post_init__(self) -> None:
        if not 1 <= self.packet_bytes <= LARGEST_PACKET_BYTES:
            raise ValueError(
                f"packet_bytes must lie between 1 and {LARGEST_PACKET_BYTES} (got {self.packet_bytes})"
            )

    @cached_property
    def exchanges(self) -> Exchanges:
        """Return how long this channel's exchanges last."""
        return Exchanges(
            self.standard, self.packet_bytes, self.aggregation, self.rts, self.eifs, self.block_ack_request
        )
