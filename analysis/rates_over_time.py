"""Bits per second that each direction carried over time, and what one transfer had of them.

A transfer's bits are spread evenly from its first to its last, since nothing else is on record: where its
rate changed on the way, a bin can show more or less than the air carried then. The rate of one transfer is
counted from the moment its sender had the bytes; shown is the median over those that wait or send in a bin.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from slfac_sim.analysis.air import DIRECTIONS, busy, ways_of
from slfac_sim.analysis.rows import rows_of
from slfac_sim.foundation.arrays import Floats
from slfac_sim.ledger.folder import Run

_BINS = 60


@dataclass(frozen=True)
class Series:
    """One run: edges of the bins, and by direction the rates in each bin.

    `busy_bps` is the mean over the time in which something was on the air.
    """

    label: str
    edges_s: Floats
    total_bps: dict[str, Floats]
    median_bps: dict[str, Floats]
    busy_bps: dict[str, float]


def rates_over_time(run: Run) -> Series:
    """Return the rates in equal bins over the run, packet headers included."""
    rows = run.table("transfers")
    ways = ways_of(rows)
    columns = ("asked_s", "start_s", "last_bit_s", "airtime_s", "rate_bps", "wire_bytes")
    asked_s, start_s, last_s, airtime_s, rate_bps, wire = (np.asarray(rows[name], float) for name in columns)
    delivered = np.array([outcome == "delivered" for outcome in rows["outcome"]], dtype=bool)
    bits = np.where(delivered, 8.0 * wire, airtime_s * rate_bps)  # what was sent of those that were given up
    edges_s = np.linspace(0.0, float(np.max(rows["end_s"], initial=0.0)) or 1.0, _BINS + 1)
    total, median, busy_bps = {}, {}, {}
    for way, chosen in ((way, (ways == way) & (bits > 0.0)) for way in DIRECTIONS):
        of = bits[chosen], start_s[chosen], last_s[chosen]
        total[way] = np.diff(_carried(*of, edges_s)) / np.diff(edges_s)
        median[way] = median_rates_bps(of[0], asked_s[chosen], of[2], edges_s)
        stretches = busy(rows_of(run, ("transfers",))["transfers"], way)
        busy_s = float((stretches.to_s - stretches.from_s).sum())
        busy_bps[way] = float(of[0].sum()) / busy_s if busy_s > 0.0 else 0.0
    return Series(run.label, edges_s, total, median, busy_bps)


def _carried(bits: Floats, start_s: Floats, last_s: Floats, edges_s: Floats) -> Floats:
    """Return the bits that were sent until each of `edges_s`."""
    took_s = np.maximum(last_s - start_s, np.finfo(float).tiny)
    return np.array([float(np.sum(bits * np.clip((edge - start_s) / took_s, 0.0, 1.0))) for edge in edges_s])


def median_rates_bps(bits: Floats, asked_s: Floats, last_s: Floats, edges_s: Floats) -> Floats:
    """Return the median rate of the transfers that were under way in each bin, NaN for none."""
    took_s = last_s - asked_s
    timed = took_s > 0.0
    rate_bps = bits[timed] / took_s[timed]
    medians = np.full(len(edges_s) - 1, np.nan)
    for place, (from_s, to_s) in enumerate(pairwise(edges_s)):
        within = (asked_s[timed] < to_s) & (last_s[timed] > from_s)
        if within.any():
            medians[place] = np.median(rate_bps[within])
    return medians
