"""The flows that a medium serves, and their functions of n, looked up for all at once. No clock here."""

from collections.abc import Callable, Sequence
from typing import overload

import numpy as np
from numpy.typing import NDArray

from slfac_sim.foundation.arrays import Floats
from slfac_sim.network.engine.flow import Entry, Flow

_NONE, _ALONE, _FIRST_TABLE = range(3)


class Lookup:
    """Functions of n by column; those that are an `Entry` of one table are looked up together."""

    def __init__(self) -> None:
        self._functions: list[Callable[[int], float] | None] = []
        self._sources = np.zeros(16, np.intp)  # _NONE, _ALONE or the number of a table
        self._places = np.zeros(16, np.intp)
        self._tables: dict[Callable[[int], Floats], int] = {}
        self._numbers = _FIRST_TABLE

    @property
    def missing(self) -> NDArray[np.bool_]:
        """Where there is no function [columns]."""
        return np.asarray(self._sources[: len(self._functions)] == _NONE)

    def append(self) -> None:
        """Add a column without a function."""
        if len(self._functions) == len(self._sources):
            self._sources = np.concatenate((self._sources, np.zeros_like(self._sources)))
            self._places = np.concatenate((self._places, np.zeros_like(self._places)))
        self._sources[len(self._functions)] = _NONE
        self._functions.append(None)

    def put(self, column: int, function: Callable[[int], float] | None) -> None:
        """Have `function` in `column`."""
        self._functions[column] = function
        if isinstance(function, Entry):
            if function.table not in self._tables:
                self._shed()
                self._tables[function.table] = self._numbers
                self._numbers += 1
            self._sources[column] = self._tables[function.table]
            self._places[column] = function.place
        else:
            self._sources[column] = _NONE if function is None else _ALONE

    def drop(self, column: int) -> None:
        """Take `column` out; the last one takes its place."""
        last = self._functions.pop()
        if column < len(self._functions):
            self._functions[column] = last
        for array in (self._sources, self._places):
            array[column] = array[len(self._functions)]

    def at(self, n: int, otherwise: Floats) -> Floats:
        """Return the functions' values at `n` [columns], and those of `otherwise` where there is none."""
        sources, places = (array[: len(self._functions)] for array in (self._sources, self._places))
        values = otherwise.copy()
        for table, number in self._tables.items():
            mine = sources == number
            if mine.all():
                return table(n)[places]
            if mine.any():
                values[mine] = table(n)[places[mine]]
        for column in np.flatnonzero(sources == _ALONE).tolist():
            function = self._functions[column]
            assert function is not None
            values[column] = function(n)
        return values

    def _shed(self) -> None:
        """Forget the tables that no column looks at, once there are many."""
        if len(self._tables) >= 8:
            used = set(self._sources[: len(self._functions)].tolist())
            self._tables = {table: number for table, number in self._tables.items() if number in used}


class Served(Sequence[Flow]):
    """The flows that have a part of the medium, each a column, and arrays of what they ask for [flows]."""

    def __init__(self) -> None:
        self._flows: list[Flow] = []
        self._alone_bps = np.zeros(16)
        self._among, self._power = Lookup(), Lookup()

    def __len__(self) -> int:
        return len(self._flows)

    @overload
    def __getitem__(self, column: int) -> Flow: ...

    @overload
    def __getitem__(self, column: slice) -> Sequence[Flow]: ...

    def __getitem__(self, column: int | slice) -> Flow | Sequence[Flow]:
        return self._flows[column]

    @property
    def rates_bps(self) -> Floats:
        """What each would have with the whole medium to itself."""
        return self._alone_bps[: len(self._flows)]

    def among(self, n: int) -> Floats:
        """Return each flow's rate over its part of the medium when `n` have one; see `Flow.among`."""
        return self._among.at(n, self.rates_bps)

    def power_in_part(self, n: int) -> Floats:
        """Return what each flow sends with in its part of the medium when `n` have one, by full power.

        A power-limited sender, one with `Flow.among`, puts all that it has (`Flow.power_among`, if it is
        given) into any part; any other has a power density that does not change.
        """
        return self._power.at(n, np.where(self._among.missing, 1.0 / n, 1.0))

    def append(self, flow: Flow) -> None:
        """Add a column for `flow`."""
        if len(self._flows) == len(self._alone_bps):
            self._alone_bps = np.concatenate((self._alone_bps, np.zeros_like(self._alone_bps)))
        self._flows.append(flow)
        self._among.append()
        self._power.append()
        self.renew(len(self._flows) - 1)

    def renew(self, column: int) -> None:
        """Look anew at the rates of the flow in `column`."""
        flow = self._flows[column]
        self._alone_bps[column] = flow.rate_bps
        self._among.put(column, flow.among)
        self._power.put(column, None if flow.among is None else flow.power_among)

    def drop(self, column: int) -> Flow:
        """Take `column` out; the flow of the last one takes its place, and is returned."""
        last = self._flows.pop()
        if column < len(self._flows):
            self._flows[column] = last
        self._alone_bps[column] = self._alone_bps[len(self._flows)]
        self._among.drop(column)
        self._power.drop(column)
        return last
