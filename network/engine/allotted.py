"""Sharing in which every rate depends on who is active: O(n) per change, by arrays. No clock here.

Where power is limited, or fades are chosen among, a flow's rate is no fixed part of what it would have
alone, and no single virtual time serves all flows (see `FluidShare` for where one does). Here the n flows
that are served are columns of one table, and a change re-allots them all; changes of one instant are
allotted once.
"""

from collections.abc import Callable, Iterable
from functools import partial
from math import inf

import numpy as np

from slfac_sim.foundation.arrays import Floats
from slfac_sim.foundation.errors import BadInput
from slfac_sim.network.engine.flow import Flow
from slfac_sim.network.engine.served import Served

Allotment = tuple[Floats, Floats, Floats]

_LEFT, _AIRTIME, _RADIATED, _START, RATE, PART, _RADIATING, CAP, _NEED, _END = range(10)
ALLOTTED = slice(RATE, _RADIATING + 1)
_KEPT = slice(_LEFT, _START + 1)  # what a flow takes with it when it is not served


class AllottedShare:
    """A share (see `Share`) whose rates are what `allot` says.

    `allot(flows)`, of the flows that are `Served`, returns three arrays, one entry for each: its bit rate,
    its part of the medium and the fraction of time at full power, all for a capacity of 1. The parts sum to
    at most 1. It is called after every change of the flows, of their rates and of the capacity, and weights
    matter only if it looks at them. A flow whose cap is below its rate sends for a part of its time. A share
    that `refills` gives the rest to the others, in the proportion of their parts; else it is left unused.

    A subclass may have every flow served for the part `_in_service` of the time, by the three methods at
    the end; rates, parts and powers are those while it is served. What needs no more than `_crumb_s` of
    service is through.
    """

    def __init__(
        self, allot: Callable[[Served], Allotment], capacity: float = 1.0, refills: bool = False
    ) -> None:
        self.allot = allot
        self.capacity = capacity
        self.refills = refills
        self._in_service = 1.0
        self._crumb_s = 0.0
        self._now_s = 0.0
        self._due_s = inf
        self._changed = False
        self._started = 0
        self._flows = Served()
        self._column: dict[Flow, int] = {}
        self._columns = np.zeros((10, 16))

    @property
    def due_s(self) -> float:
        """When the next flow will be through; infinite when none will."""
        self._settle()
        return self._due_s

    def start(self, now_s: float, flow: Flow) -> None:
        """Let `flow` take part from now on."""
        self._advance(now_s)
        flow.order = self._started
        self._started += 1
        self._serve(flow)

    def cancel(self, now_s: float, flow: Flow) -> None:
        """Take `flow` out; its `left_bits` and `airtime_s` say how far it came."""
        self._advance(now_s)
        self._withdraw(flow)

    def set_rates(self, now_s: float, rates_bps: Iterable[tuple[Flow, float]]) -> None:
        """Give flows that take part new rates. A flow of rate 0 leaves its part to the others."""
        self._advance(now_s)
        for flow, rate_bps in rates_bps:
            column = self._column.get(flow)
            if column is not None and self._columns[_LEFT, column] == 0.0:
                continue  # its last bit left at this very instant
            if rate_bps <= 0.0 or column is None:
                self._withdraw(flow)
                flow.rate_bps = rate_bps
                self._serve(flow)
            else:
                flow.rate_bps = rate_bps
                self._flows.renew(column)

    def set_capacity(self, now_s: float, capacity: float, link: str = "") -> None:
        """Change the part of the time that the medium gives; at 0 every flow waits."""
        self._advance(now_s)
        self.capacity = capacity

    def finish(self, now_s: float) -> list[Flow]:
        """Take out the flows that are through by now, in the order of completion, then of start."""
        if now_s < self.due_s:
            return []
        self._advance(now_s)
        table = self._table()
        columns = np.flatnonzero(table[_LEFT] == 0.0).tolist()
        columns.sort(key=lambda column: (table[_END, column], self._flows[column].order))
        through = [self._flows[column] for column in columns]
        for flow in through:
            self._withdraw(flow)
            if flow.start_s is None:
                flow.start_s = now_s  # there was no bit to send
        return through

    def _table(self) -> Floats:
        return self._columns[:, : len(self._flows)]

    def _serve(self, flow: Flow) -> None:
        if flow.rate_bps <= 0.0:
            return
        column = len(self._flows)
        if column == self._columns.shape[1]:
            self._columns = np.hstack((self._columns, np.zeros_like(self._columns)))
        self._flows.append(flow)
        self._column[flow] = column
        start_s = inf if flow.start_s is None else flow.start_s
        self._columns[:, column] = 0.0
        self._columns[CAP, column] = flow.cap_bps
        self._columns[_KEPT, column] = flow.left_bits, flow.airtime_s, flow.radiated_s or 0.0, start_s

    def _withdraw(self, flow: Flow) -> None:
        """Take `flow` out of the table, if it is in; the last one takes its column."""
        column = self._column.pop(flow, None)
        if column is None:
            return
        flow.left_bits, flow.airtime_s, flow.radiated_s, start_s = self._columns[_KEPT, column].tolist()
        flow.start_s = None if start_s == inf else start_s
        last = self._flows.drop(column)
        if last is not flow:
            self._column[last] = column
            self._columns[:, column] = self._columns[:, len(self._flows)]

    def _advance(self, now_s: float) -> None:
        """Bring every flow to `now_s`; what is due by then ends exactly."""
        if self._changed and now_s <= self._now_s:
            return  # no time has passed since the last change
        self._settle()
        if self._flows:
            table = self._table()
            served_s = self._served_s(now_s)
            through = (table[_END] <= now_s) | (table[_NEED] - served_s <= self._crumb_s)
            served_s = np.where(through, table[_NEED], served_s)
            opens_s = self._opens_s()
            first = np.isinf(table[_START]) & (table[RATE] > 0.0) & (opens_s < now_s)
            table[_START] = np.where(first, opens_s, table[_START])
            table[_LEFT] = np.where(through, 0.0, np.maximum(table[_LEFT] - served_s * table[RATE], 0.0))
            table[_AIRTIME] += served_s * table[PART]
            table[_RADIATED] += served_s * table[_RADIATING]
        self._now_s = now_s
        self._changed = True

    def _settle(self) -> None:
        """Allot, and find when each flow ends, if anything changed."""
        if not self._changed:
            return
        self._changed = False
        self._due_s = inf
        if self._flows:
            table = self._table()
            table[ALLOTTED] = self._allotted()
            table[ALLOTTED] *= self.capacity
            self._keep_to(table[CAP] / self._in_service)
            self._look_ahead()

    def _keep_to(self, most_bps: Floats) -> None:
        """Have no flow take more than `most_bps` [flows]."""
        table = self._table()
        above = table[RATE] > most_bps
        if above.any():
            taken = np.ones(len(self._flows))
            taken[above] = most_bps[above] / table[RATE, above]
            if self.refills:
                np.divide(most_bps, table[RATE], out=taken, where=table[RATE] > 0.0)
                taken = fill(table[PART], taken)
            table[ALLOTTED] *= taken

    def _look_ahead(self) -> None:
        """Find when each flow ends, and the first of them."""
        self._due_s = inf
        if self._flows:
            table = self._table()
            need_s = np.full(len(self._flows), inf)
            np.divide(table[_LEFT], table[RATE], out=need_s, where=table[RATE] > 0.0)
            need_s[table[_LEFT] == 0.0] = 0.0
            table[_NEED] = need_s
            table[_END] = self._ends_s(need_s)
            self._due_s = float(table[_END].min())

    def _allotted(self) -> Allotment:
        """Return what `allot` says. Raises `BadInput` for shapes that numpy would stretch or refuse."""
        allotted = self.allot(self._flows)
        count = len(self._flows)
        several = isinstance(allotted, (tuple, list, np.ndarray))
        shapes = list(map(np.shape, allotted if several else [allotted]))
        if shapes != [(count,)] * 3:
            medium = self.allot.func if isinstance(self.allot, partial) else self.allot
            found = ", ".join(str(list(shape)) for shape in shapes)
            raise BadInput(
                f"{medium.__module__}: allotted arrays of shapes {found}, expected three of [{count}]:"
                " rates, parts of the medium and fractions at full power"
            )
        return allotted

    def _served_s(self, now_s: float) -> float | Floats:
        """Return for how long each flow is served between the last change and `now_s`."""
        return now_s - self._now_s

    def _ends_s(self, need_s: Floats) -> Floats:
        """Return when each flow has been served for `need_s` since the last change."""
        return self._now_s + need_s

    def _opens_s(self) -> float | Floats:
        """Return when each flow is first served, from the last change on."""
        return self._now_s


def fill(parts: Floats, ceilings: Floats) -> Floats:
    """Return by what factor each part grows or shrinks: the sum stays, or all are at their ceilings.

    Those below their ceilings have the same factor. Each round holds more at their ceilings and raises it.
    """
    held = ceilings < 1.0
    while (free := float(parts[~held].sum())) > 0.0:
        factor = (float(parts.sum()) - float(parts[held] @ ceilings[held])) / free
        above = ceilings > factor
        if (held | above).all():
            return np.minimum(ceilings, factor)
        held = ~above
    return np.where(held, ceilings, 1.0)
