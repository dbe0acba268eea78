"""What differs between the standards of IEEE 802.11 at 5 GHz: PHY rates by width, frames and their limits.

OFDM (802.11a) and HT (802.11n): IEEE Std 802.11-2016, Tables 17-4 and 19-27. VHT (802.11ac): the same,
clause 21.5; HE (802.11ax): IEEE Std 802.11ax-2021, clause 27.5, one user in all of the channel. One stream
and a guard interval of 800 ns everywhere. It knows no frame exchange, and no SNR but the least ones.
"""

from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Literal, NamedTuple

Standard = Literal["802.11a", "802.11n", "802.11ac", "802.11ax"]

SLOT_US, SIFS_US = 9, 16
LEGACY_PREAMBLE_US = 20
"""L-STF, L-LTF and L-SIG, of every frame."""
_DIFS_US, _AIFS_US = SIFS_US + 2 * SLOT_US, SIFS_US + 3 * SLOT_US  # the latter of best effort
_HT_PREAMBLE_US = LEGACY_PREAMBLE_US + 8 + 4 + 4  # HT-SIG, HT-STF, HT-LTF
_VHT_PREAMBLE_US = LEGACY_PREAMBLE_US + 8 + 4 + 4 + 4  # VHT-SIG-A, VHT-STF, VHT-LTF, VHT-SIG-B
_HE_PREAMBLE_US = LEGACY_PREAMBLE_US + 4 + 8 + 4 + 7.2  # RL-SIG, HE-SIG-A, HE-STF, 2x HE-LTF


class Phy(NamedTuple):
    """What differs in a frame: its preamble and symbols, the space before a backoff, header and A-MPDU.

    `ampdu_bytes` is the longest A-MPDU, 0 where there is none, `window` the most packets that a BlockAck of
    `block_ack_bytes` answers. With `delimited` a single packet is an A-MPDU too.
    """

    preamble_us: float
    symbol_us: float
    ifs_us: int
    mac_bytes: int
    ampdu_bytes: int
    window: int
    block_ack_bytes: int
    delimited: bool


PHYS: Mapping[Standard, Phy] = MappingProxyType(
    {
        "802.11a": Phy(LEGACY_PREAMBLE_US, 4, _DIFS_US, 24, 0, 1, 32, False),
        "802.11n": Phy(_HT_PREAMBLE_US, 4, _AIFS_US, 26, 65_535, 64, 32, False),
        "802.11ac": Phy(_VHT_PREAMBLE_US, 4, _AIFS_US, 26, 1_048_575, 64, 32, True),
        "802.11ax": Phy(_HE_PREAMBLE_US, 13.6, _AIFS_US, 26, 6_500_631, 256, 56, True),
    }
)

_LEGACY = (  # bit/s and least SNR in dB
    (6e6, 8.0),
    (9e6, 9.0),
    (12e6, 10.0),
    (18e6, 12.0),
    (24e6, 16.0),
    (36e6, 20.0),
    (48e6, 24.0),
    (54e6, 25.0),
)
_SCHEMES = (  # coded bits a subcarrier, rate of the code, least SNR in dB: MCS 0 to 11
    (1, 1, 2, 8.0),
    (2, 1, 2, 11.0),
    (2, 3, 4, 13.0),
    (4, 1, 2, 16.0),
    (4, 3, 4, 20.0),
    (6, 2, 3, 24.0),
    (6, 3, 4, 25.0),
    (6, 5, 6, 26.0),
    (8, 3, 4, 31.0),
    (8, 5, 6, 33.0),
    (10, 3, 4, 36.0),
    (10, 5, 6, 38.0),
)
_SUBCARRIERS: Mapping[Standard, Mapping[int, int]] = MappingProxyType(
    {  # that carry data, by the width in MHz
        "802.11a": {20: 48},
        "802.11n": {20: 52},
        "802.11ac": {20: 52, 40: 108, 80: 234, 160: 468},
        "802.11ax": {20: 234, 40: 468, 80: 980, 160: 1960},
    }
)
_MOST_SCHEMES: Mapping[Standard, int] = MappingProxyType({"802.11n": 8, "802.11ac": 10, "802.11ax": 12})
_CONTROL_BPS = (6e6, 12e6, 12e6, 24e6)  # of MCS 0 to 2, and of all from 3 on
_NEAR = 1.005  # 8.6 Mbit/s is a rate of 8.60294


class Rate(NamedTuple):
    """A PHY rate, the least SNR in dB that it needs in its width, and the rate of the answers to it."""

    bps: float
    least_db: float
    control_bps: float


def widths_hz(standard: Standard) -> tuple[float, ...]:
    """Return the widths that a channel may have."""
    return tuple(1e6 * width for width in _SUBCARRIERS[standard])


def check_width(standard: Standard, bandwidth_hz: float) -> None:
    """Raise `ValueError` for a width that channels of the standard do not have here."""
    if bandwidth_hz not in widths_hz(standard):
        listed = ", ".join(f"{width / 1e6:g}" for width in widths_hz(standard))
        raise ValueError(f"bandwidth of {standard} must be {listed} MHz (got {bandwidth_hz / 1e6:g} MHz)")


@lru_cache
def rates(standard: Standard, bandwidth_hz: float) -> tuple[Rate, ...]:
    """Return the rates in all of a channel, by scheme. Whether a scheme exists depends on the width.

    The least SNRs are not the standard's. They are usual engineering values, with a margin: 8 dB, and for
    each scheme as much more as the standard's least receiver sensitivity is higher.
    """
    if standard == "802.11a":
        return tuple(Rate(bps, least_db, control_rate_bps(bps)) for bps, least_db in _LEGACY)
    symbol_us = PHYS[standard].symbol_us
    subcarriers = _SUBCARRIERS[standard][int(bandwidth_hz / 1e6)]
    found = []
    for scheme, (bits, part, of, least_db) in enumerate(_SCHEMES[: _MOST_SCHEMES[standard]]):
        coded = subcarriers * bits * part
        if standard == "802.11ac" and coded % of:
            continue  # VHT has no scheme whose symbol holds a part of a bit: MCS 9 in 20 MHz
        found.append(Rate(coded // of * 1e6 / symbol_us, least_db, _CONTROL_BPS[min(scheme, 3)]))
    return tuple(found)


def control_rate_bps(rate_bps: float) -> float:
    """Return the highest of 6, 12 and 24 Mbit/s up to `rate_bps`: that of control frames of 802.11a and n."""
    return next((rate for rate in (24e6, 12e6, 6e6) if rate <= rate_bps), 6e6)


@lru_cache(maxsize=4096)
def answers_bps(standard: Standard, bandwidth_hz: float, rate_bps: float) -> float:
    """Return the rate of RTS, CTS and acknowledgements of a frame sent at `rate_bps`.

    Of 802.11ac and ax it follows from the scheme (10.6.6.5): that of the highest PHY rate up to it, of any
    width that the channel has, and of several the most robust one.
    """
    if standard in ("802.11a", "802.11n"):
        return control_rate_bps(rate_bps)
    widths = [width for width in widths_hz(standard) if width <= bandwidth_hz]
    below = [rate for width in widths for rate in rates(standard, width) if rate.bps <= _NEAR * rate_bps]
    return max(
        below, key=lambda rate: (rate.bps, -rate.least_db), default=rates(standard, 20e6)[0]
    ).control_bps
