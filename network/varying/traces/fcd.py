"""SUMO's floating car data: XML with the places of vehicles and persons at each time step."""

from array import array
from math import inf
from pathlib import Path
from xml.parsers import expat

from slfac_sim.foundation.errors import BadInput
from slfac_sim.network.varying.traces.lines import coordinate, number

ROOT, _STEP, _ON_THE_WAY = "fcd-export", "timestep", ("vehicle", "person")


def rows_in(file: Path) -> dict[str, "array[float]"]:
    """Return times, x and y of each vehicle and person, one after the other, in the order of appearance.

    The file is read piece by piece. Raises `BadInput`, which begins with its name and the number of the line.
    """
    parser = expat.ParserCreate()
    collected = _Collected(str(file), parser)
    try:
        with file.open("rb") as stream:
            parser.ParseFile(stream)
    except expat.ExpatError as error:
        reason = expat.ErrorString(error.code)
        raise BadInput(f"{file}:{error.lineno}: this is not XML to its end ({reason})") from error
    return collected.rows


class _Collected:
    """Collects what `parser` meets."""

    def __init__(self, name: str, parser: expat.XMLParserType) -> None:
        self.rows: dict[str, array[float]] = {}
        self._name, self._parser, self._time_s = name, parser, -inf
        parser.StartElementHandler = self._root

    def _root(self, element: str, attributes: dict[str, str]) -> None:
        if element != ROOT:
            raise BadInput(f"{self._place()}: expected <{ROOT}>, as SUMO writes it (got <{element}>)")
        self._parser.StartElementHandler = self._element

    def _element(self, element: str, attributes: dict[str, str]) -> None:
        if element in _ON_THE_WAY:
            self._row(element, attributes)
        elif element == _STEP:
            time_s = number(self._value(element, attributes, "time"), "time", self._place())
            if not time_s > self._time_s:
                raise BadInput(f"{self._place()}: time {time_s:.15g} does not come after {self._time_s:.15g}")
            self._time_s = time_s

    def _row(self, element: str, attributes: dict[str, str]) -> None:
        who, x, y = (self._value(element, attributes, key) for key in ("id", "x", "y"))
        own, place = self.rows.setdefault(who, array("d")), self._place()
        if self._time_s == -inf:
            raise BadInput(f"{place}: <{element}> in no <{_STEP}>")
        if own and own[-3] == self._time_s:
            raise BadInput(f"{place}: {element} {who} is there twice at {self._time_s:.15g}")
        own.extend((self._time_s, coordinate(x, "x", place), coordinate(y, "y", place)))

    def _value(self, element: str, attributes: dict[str, str], key: str) -> str:
        if key not in attributes:
            raise BadInput(f"{self._place()}: <{element}> without {key}")
        return attributes[key]

    def _place(self) -> str:
        return f"{self._name}:{self._parser.CurrentLineNumber}"
