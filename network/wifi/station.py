"""The settings that the two models of an 802.11 channel have in common. It knows no flows and no clock."""

from functools import cached_property
from typing import Annotated, Any, ClassVar, get_args

from pydantic import BeforeValidator

from slfac_sim.foundation.citing import Reference
from slfac_sim.foundation.plugins import settings
from slfac_sim.foundation.units import Count
from slfac_sim.network.media import Medium
from slfac_sim.network.wifi.timing import LARGEST_PACKET_BYTES, Exchanges, Standard

STANDARD = Reference(
    key="ieee80211",
    entry="techreport",
    title=(
        "Information technology: Local and metropolitan area networks: Specific requirements, Part 11: "
        "Wireless LAN Medium Access Control (MAC) and Physical Layer (PHY) Specifications"
    ),
    authors=("IEEE",),
    year=2016,
    within="Institute of Electrical and Electronics Engineers",
    number="IEEE Std 802.11-2016",
)
BIANCHI = Reference(
    key="bianchi2000",
    entry="article",
    title="Performance analysis of the IEEE 802.11 distributed coordination function",
    authors=("Bianchi, Giuseppe",),
    year=2000,
    within="IEEE Journal on Selected Areas in Communications",
    volume="18",
    number="3",
    pages="535-547",
    doi="10.1109/49.840210",
)
ANOMALY = Reference(
    key="heusse2003",
    entry="inproceedings",
    title="Performance anomaly of 802.11b",
    authors=(
        "Heusse, Martin",
        "Rousseau, Franck",
        "Berger-Sabbatel, Gilles",
        "Duda, Andrzej",
    ),
    year=2003,
    within="IEEE INFOCOM 2003",
    pages="836-843",
    doi="10.1109/INFCOM.2003.1208921",
)


def _modelled(value: Any) -> Any:
    known = get_args(Standard)
    if isinstance(value, str) and value.startswith("802.11") and value.lower() not in known:
        raise ValueError(f"{value} is not modelled: {' and '.join(known)} are")
    return value


@settings
class Station(Medium):
    """What all stations of a channel do: 5 GHz, 20 MHz, best effort.

    A message goes in packets of `packet_bytes` UDP payload, the last one perhaps not full. `aggregation`
    is A-MPDU, which 802.11a does not have. `rts` has every frame ask first; `eifs` has all wait, after a
    collision, as long as an acknowledgement at the lowest rate would have taken. With `block_ack_request` the
    sender of an A-MPDU that nobody answered wins the channel for a BlockAckReq first, and then for the A-MPDU
    once more; without it, for that at once.
    """

    references: ClassVar[tuple[Reference, ...]] = (STANDARD, BIANCHI, ANOMALY)

    crowd_independent = False

    standard: Annotated[Standard, BeforeValidator(_modelled)] = "802.11n"
    packet_bytes: Count = 1472
    aggregation: bool = True
    rts: bool = False
    eifs: bool = False
    block_ack_request: bool = True

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
