"""How long 802.11 frames and exchanges last, at 5 GHz. It knows no contention and no queue.

From IEEE Std 802.11-2016: OFDM frames (clause 17.4.3, TXTIME), HT-mixed frames (19.4.3), VHT frames (21.4.3),
A-MPDUs (9.7), interframe spaces (10.3.2.3), the rate of control responses (10.7.6.5); HE frames from IEEE Std
802.11ax-2021 (27.4.3). Times are in microseconds within this file, and in seconds outside. A frame is sent in
symbols of 4 us (HE: 13.6), the guard interval of 800 ns included, in a convolutional code and without packet
extension.
"""

from dataclasses import dataclass
from functools import lru_cache
from math import ceil
from typing import NamedTuple

from slfac_sim.network.wifi.standards import (
    LEGACY_PREAMBLE_US,
    PHYS,
    SIFS_US,
    SLOT_US,
    Phy,
    Standard,
    answers_bps,
)

SLOT_S = SLOT_US * 1e-6
WINDOW = 16
"""W: a first backoff is one of 0 to W - 1 slots, CWmin = 15."""
DOUBLINGS = 6
"""m: the window doubles at most m times, CWmax = 1023."""

_LEGACY_SYMBOL_US = 4
_SERVICE_AND_TAIL_BITS = 16 + 6
_EIFS_BPS = 6e6
_ACK_BYTES, _BLOCK_ACK_REQUEST_BYTES, _RTS_BYTES, _CTS_BYTES = 14, 24, 20, 14
_UPPER_BYTES = 8 + 20 + 8  # UDP, IPv4, LLC/SNAP
_FCS_BYTES = 4
_DELIMITER_BYTES = 4
_LONGEST_PPDU_US = 5484
_WHOLE = 1e-9  # the bits of an HE symbol come out as a whole number but for rounding
LARGEST_PACKET_BYTES = 2304 - _UPPER_BYTES
"""The UDP payload that fills the largest MSDU."""


class Access(NamedTuple):
    """What one access to the channel carries and takes. All times in seconds.

    `success_s` is T_s, from the first symbol to the end of the interframe space after the answer, of which
    `exchange_s` is the part before that space; `collision_s` is T_c of this sender's frame, were it the
    longest. `sent_s` and `collided_s` are the time that the sender radiates in either case. After a collision
    the sender asks first whether anything came, where `asks_after` is 1 (0 if not).
    """

    payload_bits: float
    success_s: float
    exchange_s: float
    collision_s: float
    sent_s: float
    collided_s: float
    asks_after: float


def frame_us(
    octets: float,
    rate_bps: float,
    preamble_us: float = LEGACY_PREAMBLE_US,
    symbol_us: float = _LEGACY_SYMBOL_US,
) -> float:
    """Return preamble + symbol x ceil((16 + 8 octets + 6) / N_DBPS), N_DBPS being the bits of a symbol."""
    bits_per_symbol = rate_bps * symbol_us / 1e6
    return preamble_us + symbol_us * ceil((_SERVICE_AND_TAIL_BITS + 8 * octets) / bits_per_symbol - _WHOLE)


@dataclass(frozen=True)
class Exchanges:
    """The exchanges of one kind of station. `packet_bytes` are UDP payload; `group` frames have no answer."""

    standard: Standard
    bandwidth_hz: float
    packet_bytes: int
    aggregation: bool
    rts: bool
    eifs: bool
    block_ack_request: bool

    @property
    def phy(self) -> Phy:
        """Return the constants of the standard."""
        return PHYS[self.standard]

    @property
    def header_bytes(self) -> int:
        """Return what a packet holds beside its payload, from UDP to the frame check sequence."""
        return _UPPER_BYTES + self.phy.mac_bytes + _FCS_BYTES

    def most_packets(self, rate_bps: float) -> int:
        """Return how many full packets one A-MPDU holds: as many as a BlockAck answers, as the longest one
        holds or as 5.484 ms do, and at least one.
        """
        if not (self.aggregation and self.phy.ampdu_bytes):
            return 1
        symbols = (_LONGEST_PPDU_US - self.phy.preamble_us) // self.phy.symbol_us
        in_time_bytes = (symbols * rate_bps * self.phy.symbol_us / 1e6 - _SERVICE_AND_TAIL_BITS) / 8
        longest = int(min(self.phy.ampdu_bytes, in_time_bytes)) // self._subframe_bytes()
        return max(1, min(self.phy.window, longest))

    def access(self, queued_bytes: float, rate_bps: float, group: bool = False) -> Access:
        """Return the next access of a sender that has `queued_bytes` of payload for one receiver."""
        most = 1 if group else self.most_packets(rate_bps)
        payload_bytes = min(queued_bytes, most * self.packet_bytes)
        packets = max(1, ceil(payload_bytes / self.packet_bytes))
        data_us = self._data_us(packets, payload_bytes, rate_bps)
        control_bps = answers_bps(self.standard, self.bandwidth_hz, rate_bps)
        answer_us = frame_us(_ACK_BYTES if packets == 1 else self.phy.block_ack_bytes, control_bps)
        exchange_us = data_us if group else data_us + SIFS_US + answer_us
        asks = self.rts and not group
        rts_us = frame_us(_RTS_BYTES, control_bps) if asks else 0
        cts_us = frame_us(_CTS_BYTES, control_bps) + 2 * SIFS_US if asks else 0
        collided_us = rts_us if asks else data_us
        times_us = (
            rts_us + cts_us + exchange_us + self.phy.ifs_us,
            rts_us + cts_us + exchange_us,
            collided_us + self._lost_us,
            rts_us + data_us,
            collided_us,
        )
        asks_after = float(self.block_ack_request and packets > 1 and not asks)
        return Access._make((8.0 * payload_bytes, *(time_us * 1e-6 for time_us in times_us), asks_after))

    def request(self, rate_bps: float) -> Access:
        """Return the access of a BlockAckReq, which asks what has come of an A-MPDU that nobody answered."""
        control_bps = answers_bps(self.standard, self.bandwidth_hz, rate_bps)
        request_us = frame_us(_BLOCK_ACK_REQUEST_BYTES, control_bps)
        exchange_us = request_us + SIFS_US + frame_us(self.phy.block_ack_bytes, control_bps)
        lost_us = request_us + self._lost_us
        times_us = (exchange_us + self.phy.ifs_us, exchange_us, lost_us, request_us, request_us)
        return Access._make((0.0, *(time_us * 1e-6 for time_us in times_us), 1.0))

    @property
    def _lost_us(self) -> float:
        """What all wait after a collision."""
        waits_us = SIFS_US + frame_us(_ACK_BYTES, _EIFS_BPS) if self.eifs else 0
        return waits_us + self.phy.ifs_us

    def mean_access(self, message_bytes: float, rate_bps: float, group: bool = False) -> Access:
        """Return the mean over the accesses that a message takes: all are full but the last."""
        return _mean_access(self, message_bytes, rate_bps, group)

    def _data_us(self, packets: int, payload_bytes: float, rate_bps: float) -> float:
        """Return the frame of `packets`, all of them full but the last."""
        last_bytes = self._mpdu_bytes(payload_bytes - (packets - 1) * self.packet_bytes)
        if packets > 1 or self.phy.delimited:  # the last subframe of an A-MPDU is not padded
            last_bytes += (packets - 1) * self._subframe_bytes() + _DELIMITER_BYTES
        return frame_us(last_bytes, rate_bps, self.phy.preamble_us, self.phy.symbol_us)

    def _mpdu_bytes(self, payload_bytes: float) -> float:
        return payload_bytes + self.header_bytes

    def _subframe_bytes(self) -> int:
        return _DELIMITER_BYTES + 4 * ceil(self._mpdu_bytes(self.packet_bytes) / 4)


@lru_cache(maxsize=65536)
def _mean_access(rules: Exchanges, message_bytes: float, rate_bps: float, group: bool) -> Access:
    most = 1 if group else rules.most_packets(rate_bps)
    accesses = max(1, ceil(message_bytes / (most * rules.packet_bytes)))
    full = rules.access(message_bytes, rate_bps, group)
    left_bytes = message_bytes - (accesses - 1) * full.payload_bits / 8.0
    last = rules.access(left_bytes, rate_bps, group)
    return Access(*(a + (b - a) / accesses for a, b in zip(full, last, strict=True)))
