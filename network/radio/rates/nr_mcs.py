"""5G NR link adaptation: the best MCS (TS 38.214, Tables 5.1.3.1-1 and -2) whose SNR threshold is met.

The rate is 12 N_PRB 14000 2^mu eta SE: 12 subcarriers, 14 symbols in each of 2^mu slots a millisecond, and
SE = Q R bits a symbol. The thresholds are not 3GPP's: they are the SNRs of 10 % block error rate on an
AWGN channel, good to 0.3 dB, by 10 lg(2^SE - 1) + 1.2 dB for MCS 0 to 2 of the 64QAM table. An MCS that
is in both tables has one threshold; for 256QAM it is the trend of the others, 10 lg(2^SE - 1) + 1.0 dB at
0.5 bits a symbol, and 0.28 dB more for each further bit (good to 0.6 dB). What is sent again is for
`retransmission`. With l layers each has an l-th of the power, and the receiver is taken to tell them apart
without loss: the rate is the best over l of l SE(SNR / l), never l times SE(SNR). A sender limited by power
has the N resource blocks, of all, that serve it best.
"""

import functools
import math
from typing import ClassVar, Literal

import numpy as np

from slfac_sim.foundation.plugins import settings
from slfac_sim.foundation.units import Count
from slfac_sim.network.radio.stepwise import Steps, Stepwise

_ORDERS_AND_RATES_1024 = (
    (2, (120, 157, 193, 251, 308, 379, 449, 526, 602, 679)),
    (4, (340, 378, 434, 490, 553, 616, 658)),
    (6, (438, 466, 517, 567, 616, 666, 719, 772, 822, 873, 910, 948)),
)
_MCS = tuple((order, rate_1024) for order, rates in _ORDERS_AND_RATES_1024 for rate_1024 in rates)
# fmt: off
THRESHOLDS_DB = (
    -6.3, -5.1, -4.0, -2.8, -2.4, -1.0, 0.5, 0.8, 2.4, 2.5, 2.9, 4.2, 4.5, 6.0, 6.3, 7.9, 7.9, 8.8, 9.8,
    10.1, 11.6, 12.3, 13.4, 14.3, 15.0, 16.6, 17.1, 18.4, 19.0,
)
# fmt: on
EFFICIENCIES = tuple(order * rate_1024 / 1024.0 for order, rate_1024 in _MCS)
"""Bits a symbol of MCS 0 to 28."""

_MCS_256 = (
    *((2, rate_1024) for rate_1024 in (120, 193, 308, 449, 602)),
    *((4, rate_1024) for rate_1024 in (378, 434, 490, 553, 616, 658)),
    *((6, rate_1024) for rate_1024 in (466, 517, 567, 616, 666, 719, 772, 822, 873)),
    *((8, rate_1024) for rate_1024 in (682.5, 711, 754, 797, 841, 885, 916.5, 948)),
)
EFFICIENCIES_256 = tuple(order * rate_1024 / 1024.0 for order, rate_1024 in _MCS_256)
"""Bits a symbol of MCS 0 to 27 of the 256QAM table."""


def _trend_db(efficiency: float) -> float:
    return 10.0 * math.log10(2.0**efficiency - 1.0) + 1.0 + 0.28 * (efficiency - 0.5)


_LISTED_DB: dict[tuple[int, float], float] = dict(zip(_MCS, THRESHOLDS_DB, strict=True))
THRESHOLDS_256_DB = tuple(
    _LISTED_DB.get(mcs, _trend_db(efficiency))
    for mcs, efficiency in zip(_MCS_256, EFFICIENCIES_256, strict=True)
)

# fmt: off
_RESOURCE_BLOCKS = {  # by numerology, then by MHz: TS 38.101-1, Table 5.3.2-1
    0: {5: 25, 10: 52, 15: 79, 20: 106, 25: 133, 30: 160, 35: 188, 40: 216, 45: 242, 50: 270},
    1: {5: 11, 10: 24, 15: 38, 20: 51, 25: 65, 30: 78, 35: 92, 40: 106, 45: 119, 50: 133, 60: 162, 70: 189,
        80: 217, 90: 245, 100: 273},
    2: {10: 11, 15: 18, 20: 24, 25: 31, 30: 38, 35: 44, 40: 51, 45: 58, 50: 65, 60: 79, 70: 93, 80: 107,
        90: 121, 100: 135},
}
# fmt: on
_UPLINK_ETA, _DOWNLINK_ETA = 0.92, 0.86  # 1 - overhead, TS 38.306, clause 4.1.2
_MOST_UP_LAYERS, _MOST_DOWN_LAYERS = 4, 8  # TS 38.214, clauses 6.1.1 and 5.1.1


@settings
class NrMcs(Stepwise):
    """Overhead comes off: 8 % of the uplink, 14 % of the downlink (TS 38.306, clause 4.1.2)."""

    references: ClassVar[tuple[str, ...]] = ("ts38214", "ts381011", "ts38306")

    numerology: Literal[0, 1, 2] = 1
    """Mu, which sets the subcarrier spacing, 15 kHz x 2^mu, and so how many resource blocks a band has. The
    default, 30 kHz, is usual at 3.5 GHz.
    """
    table: Literal["64qam", "256qam"] = "64qam"
    """Which of the two tables of schemes, by its highest modulation: `256qam` carries up to 7.4 bits a symbol
    at high SNR, `64qam` up to 5.55.
    """
    up_layers: Count = 1
    """Most layers (MIMO) that a device sends at once, on as many antennas at both ends: the more, the higher
    are rates at high SNR. It takes fewer where they serve it better.
    """
    down_layers: Count = 1
    """Most layers (MIMO) that a station sends at once to one device, on as many antennas at both ends."""

    def __post_init__(self) -> None:
        for name, most in (("up_layers", _MOST_UP_LAYERS), ("down_layers", _MOST_DOWN_LAYERS)):
            if not 1 <= getattr(self, name) <= most:
                raise ValueError(f"{name} must lie between 1 and {most} (got {getattr(self, name)})")

    @property
    def block_hz(self) -> float:
        """The width of a resource block, 12 subcarriers."""
        return 12 * 15e3 * 2**self.numerology

    def blocks(self, bandwidth_hz: float) -> int:
        """Return N_PRB."""
        return resource_blocks(bandwidth_hz, self.numerology)

    def steps(self, uplink: bool) -> Steps:
        """Return what each MCS, on each number of layers, carries in one resource block."""
        layers = self.up_layers if uplink else self.down_layers
        return _steps(self.table, self.numerology, uplink, layers)

    def check(self, bandwidth_hz: float) -> None:
        """Raise `ValueError` for a bandwidth below one resource block."""
        if self.blocks(bandwidth_hz) < 1:
            raise ValueError(
                f"bandwidth must hold one NR resource block of {self.block_hz / 1e3:g} kHz in 0.9 of it, "
                f"so at least {self.block_hz / 0.9e3:g} kHz (got {bandwidth_hz / 1e3:g} kHz); "
                "a plain number is Hz"
            )

    def remarks(self, bandwidth_hz: float) -> tuple[str, ...]:
        """Say when the bandwidth is not one of the table's."""
        if bandwidth_hz / 1e6 in _RESOURCE_BLOCKS[self.numerology]:
            return ()
        return (
            f"{bandwidth_hz / 1e6:g} MHz is no NR bandwidth at {15 * 2**self.numerology} kHz spacing: "
            f"taken as {self.blocks(bandwidth_hz)} resource blocks (0.9 B / 12 subcarriers)",
        )


@functools.cache
def resource_blocks(bandwidth_hz: float, numerology: int) -> int:
    """Return N_PRB: the NR table's, or floor(0.9 B / (12 subcarriers)) for a bandwidth outside it.

    A wider band never has fewer: what lies between two of the table's has at least what the lower one
    has, and at most what the upper one has.
    """
    table, mhz = _RESOURCE_BLOCKS[numerology], bandwidth_hz / 1e6
    at_least = max((blocks for listed, blocks in table.items() if listed <= mhz), default=0)
    at_most = min((blocks for listed, blocks in table.items() if listed >= mhz), default=math.inf)
    return int(min(max(at_least, 0.9 * bandwidth_hz // (12 * 15e3 * 2**numerology)), at_most))


def symbols_per_s(blocks: int, numerology: int) -> float:
    """Return the modulation symbols a second of `blocks` resource blocks, before overhead."""
    return float(12 * blocks * 14000 * 2**numerology)


@functools.cache
def _steps(table: Literal["64qam", "256qam"], numerology: int, uplink: bool, layers: int) -> Steps:
    """Return thresholds (power ratios) and bits per second of one resource block, both non-decreasing.

    MCS 17 of 64QAM carries 0.2 % less than MCS 16, which needs less: a sender that may choose stays there.
    """
    thresholds_db, efficiencies = {
        "64qam": (THRESHOLDS_DB, EFFICIENCIES),
        "256qam": (THRESHOLDS_256_DB, EFFICIENCIES_256),
    }[table]
    thresholds = np.power(10.0, np.array(thresholds_db) / 10.0)
    rate = symbols_per_s(1, numerology) * (_UPLINK_ETA if uplink else _DOWNLINK_ETA)
    taken = np.arange(1, layers + 1)[:, None]
    least, se = (taken * thresholds).ravel(), (taken * np.array(efficiencies)).ravel()
    order = np.argsort(least, kind="stable")
    return tuple(least[order].tolist()), tuple((rate * np.maximum.accumulate(se[order])).tolist())
