"""Sharing by allotment (see `AllottedShare`) whose flows have limits by group too. No clock here."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from slfac_sim.foundation.arrays import Floats
from slfac_sim.network.engine.allotted import ALLOTTED, CAP, PART, RATE, AllottedShare, fill
from slfac_sim.network.engine.flow import Flow, Routed
from slfac_sim.network.engine.lane import Group, Lane

_GROUP, _FREE, _LIMITED, _AIR_S, _WIRE_S, _USES = range(10, 16)


class AllottedGroup(Group):
    """A group of an allotted lane: `number` is its own there, `noted` the `bound` that `_WIRE_S` is of."""

    __slots__ = ("noted", "number")

    def __init__(self, path: tuple[str, ...], number: int) -> None:
        super().__init__(path)
        self.number = number
        self.noted = 0


class AllottedLane(AllottedShare, Lane):
    """An `AllottedShare` of `Routed` flows, which refills, as a lane: call `level`, then `run`."""

    groups: dict[tuple[str, ...], AllottedGroup]  # type: ignore[assignment]

    def __init__(self, share: AllottedShare) -> None:
        super().__init__(share.allot, share.capacity, refills=True)
        self.groups = {}
        self.weight = 0.0
        self._columns = np.zeros((_USES, 16))
        self._whole = np.zeros((3, 0))
        self._altered = False

    def group(self, path: tuple[str, ...]) -> AllottedGroup:
        """Return the group of the flows of `path`."""
        if path not in self.groups:
            self.groups[path] = AllottedGroup(path, len(self.groups))
            more = _USES + len(path) - 1 - len(self._columns)
            if more > 0:
                self._columns = np.vstack((self._columns, np.zeros((more, self._columns.shape[1]))))
        return self.groups[path]

    def set_rates(self, now_s: float, rates_bps: Iterable[tuple[Flow, float]]) -> None:
        """Give flows that take part new rates. A flow of rate 0 leaves its part to the others."""
        super().set_rates(now_s, rates_bps)
        self._altered = True

    def set_capacity(self, now_s: float, capacity: float, link: str = "") -> None:
        """Change the part of the time that the medium gives; at 0 every flow waits."""
        super().set_capacity(now_s, capacity, link)
        self._altered = True

    def advance(self, now_s: float) -> None:
        """Let time go on to `now_s`, as last divided."""
        if now_s > self._now_s:
            self._advance(now_s)

    def level(self) -> None:
        """Divide the lane anew under the limits of its groups, and tell them what they carry."""
        table = self._table()
        if self._altered and self._flows:
            table[ALLOTTED] = self._allotted()
            table[ALLOTTED] *= self.capacity
            self._whole = table[ALLOTTED].copy()
        elif self._flows:
            table[ALLOTTED] = self._whole
        self._altered = False
        for group in self.groups.values():
            if group.bound != group.noted:
                self._note_group(group)
        self._fill()

    def run(self) -> float:
        """Let time go on as last divided; return when the first flow will be through."""
        self._changed = False
        self._look_ahead()
        return self._due_s

    def _settle(self) -> None:
        """Leave it to `level` and `run`."""

    def _advance(self, now_s: float) -> None:
        if now_s > self._now_s and self._flows:
            table = self._table()
            table[_AIR_S] += (now_s - self._now_s) * table[_FREE]
            table[_WIRE_S] += (now_s - self._now_s) * table[_LIMITED]
        super()._advance(now_s)

    def _serve(self, flow: Flow) -> None:
        super()._serve(flow)
        self._altered = True
        column = self._column.get(flow)
        if column is not None:
            assert isinstance(flow, Routed)
            uses = flow.consumption[1:]
            self._columns[_GROUP, column] = self.groups[flow.path].number
            self._columns[_USES : _USES + len(uses), column] = uses

    def _withdraw(self, flow: Flow) -> None:
        self._altered = True
        column = self._column.get(flow)
        if column is not None:
            self._note(flow, column)
        super()._withdraw(flow)

    def _note_group(self, group: AllottedGroup) -> None:
        """Note how long flows were limited by the wire that bound the group until now."""
        for column in np.flatnonzero(self._table()[_GROUP] == group.number).tolist():
            self._note(self._flows[column], column)
        group.noted = group.bound

    def _note(self, flow: Flow, column: int) -> None:
        """Have `Flow.limited_s` tell what the columns do."""
        assert isinstance(flow, Routed)
        for row, place in ((_AIR_S, 0), (_WIRE_S, self.groups[flow.path].noted)):
            if self._columns[row, column] > 0.0:
                link = flow.path[place]
                flow.limited_s[link] = flow.limited_s.get(link, 0.0) + float(self._columns[row, column])
                self._columns[row, column] = 0.0

    def _fill(self) -> None:
        """Have nobody above its cap and its limit, the others have the rest, and tell the groups."""
        table = self._table()
        whole_bps, parts = table[RATE].copy(), table[PART].copy()
        numbers = table[_GROUP].astype(np.intp)
        limits = np.array([group.limit for group in self.groups.values()])[numbers]
        ceilings = np.ones(len(self._flows))
        np.divide(np.minimum(table[CAP], limits), whole_bps, out=ceilings, where=whole_bps > 0.0)
        taken = np.ones(len(self._flows))
        if (ceilings < 1.0).any():
            taken = fill(parts, ceilings)
            table[ALLOTTED] *= taken
        free = ceilings > taken
        limited = ~free & (limits < table[CAP]) & (whole_bps > 0.0)
        table[_FREE] = free | (whole_bps == 0.0) & (limits > 0.0)
        table[_LIMITED] = limited | (whole_bps == 0.0) & (limits == 0.0)
        self.weight = float(parts[free].sum())
        per_bps = np.zeros(len(self._flows))
        np.divide(parts, whole_bps, out=per_bps, where=limited)
        self._tell(numbers, free * whole_bps, limited, per_bps)

    def _tell(self, numbers: NDArray[np.intp], free_bps: Floats, limited: Floats, per_bps: Floats) -> None:
        table, count = self._table(), len(self.groups)
        air = np.bincount(numbers, per_bps, count)
        fastest_bps = np.zeros(count)
        np.maximum.at(fastest_bps, numbers, table[RATE])
        places = range(len(self._columns) - _USES)
        told = (1.0, table[RATE], limited, free_bps)
        sums = [[np.bincount(numbers, table[_USES + i] * of, count) for of in told] for i in places]
        for i, group in enumerate(self.groups.values()):
            group.air, group.fastest_bps = float(air[i]), float(fastest_bps[i])
            for place in range(len(group.links) - 1):
                group.uses[place], group.carried[place], group.rising[place], group.free[place] = (
                    float(of[i]) for of in sums[place]
                )
