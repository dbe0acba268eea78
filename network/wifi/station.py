"""The settings that the two models of an 802.11 channel have in common. It knows no flows and no clock."""

from functools import cached_property
from typing import Annotated, Any, ClassVar, get_args

from pydantic import BeforeValidator

from slfac_sim.foundation.plugins import settings
from slfac_sim.foundation.units import Count, Hertz
from slfac_sim.network.media import Medium
from slfac_sim.network.wifi.standards import Standard, check_width
from slfac_sim.network.wifi.timing import LARGEST_PACKET_BYTES, Exchanges


def _modelled(value: Any) -> Any:
    known = get_args(Standard)
    if isinstance(value, str) and value.startswith("802.11") and value.lower() not in known:
        raise ValueError(f"{value} is not modelled: {', '.join(known[:-1])} and {known[-1]} are")
    return value


@settings
class Station(Medium):
    """What all stations of a channel do: 5 GHz, best effort, one stream, a guard interval of 800 ns."""

    references: ClassVar[tuple[str, ...]] = ("ieee80211", "bianchi2000", "heusse2003")

    crowd_independent = False
    heeds_weights = False
    half_duplex = True

    standard: Annotated[Standard, BeforeValidator(_modelled)] = "802.11n"
    """The standard that gives PHY rates, timing and frames: `802.11a`, up to 54 Mbit/s; `802.11n`, up to 65
    Mbit/s, with A-MPDUs; `802.11ac`, up to 78 Mbit/s in 20 MHz and 780 in 160; or `802.11ax`, up to 143 and
    1201 Mbit/s.
    """
    bandwidth: Hertz = 20e6
    """Width of the channel: 20 MHz or, with `802.11ac` and `802.11ax`, also 40, 80 or 160. A frame has all of
    it or, where its sender lacks the power, a half, a quarter or an eighth.
    """
    packet_bytes: Count = 1472
    """UDP payload of a packet; the last one of a message may have less. Headers are part of the timing. The
    default is what IP and UDP leave of 1500 bytes.
    """
    aggregation: bool = True
    """Whether an access sends as many packets as an A-MPDU holds, so that they contend for the channel once;
    else one packet. 802.11a has no A-MPDUs.
    """
    rts: bool = False
    """Whether every frame but a multicast is announced by RTS and CTS: these cost airtime in each access, and
    a collision then costs an RTS, not a whole frame.
    """
    eifs: bool = False
    """Whether all stations wait longer after a collision, by SIFS and an acknowledgement at 6 Mbit/s."""
    block_ack_request: bool = True
    """Whether, after a collision of its A-MPDU, a sender must win the channel for a BlockAckReq before it
    sends the A-MPDU again, which costs airtime where many contend; else it sends that again at once. RTS
    saves it the request.
    """

    def __post_init__(self) -> None:
        check_width(self.standard, self.bandwidth)
        if not 1 <= self.packet_bytes <= LARGEST_PACKET_BYTES:
            raise ValueError(
                f"packet_bytes must lie between 1 and {LARGEST_PACKET_BYTES} (got {self.packet_bytes})"
            )

    @cached_property
    def exchanges(self) -> Exchanges:
        """Return how long this channel's exchanges last."""
        return Exchanges(
            self.standard,
            self.bandwidth,
            self.packet_bytes,
            self.aggregation,
            self.rts,
            self.eifs,
            self.block_ack_request,
        )
