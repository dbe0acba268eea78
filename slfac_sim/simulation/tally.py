"""The byte ledger of a run: what its bodies were made of and what their codecs noted, summed over rounds.

It knows no codec and no clock. Sums do not depend on the order in which messages are counted, so that two
clocks under which the same bodies are sent in the same rounds leave equal rows.
"""

import math
from collections import defaultdict

from slfac_sim.effects import Parcel
from slfac_sim.ledger.store import Ledger

WHOLE = "body"  # the part of a body whose codec tells of none


class Tally:
    """Counts bodies until their round has ended, then writes its rows of `parts` and `codec_notes`.

    Four to ten rows for each kind of body and round, however many messages there are.
    """

    def __init__(self) -> None:
        self._parts: dict[tuple[str, str], tuple[int, int]] = {}
        self._notes: dict[tuple[str, str], list[float]] = defaultdict(list)
        self._last_round = 0

    def count(self, kind: str, parcel: Parcel) -> None:
        """Count a payload; a recorded one, whose parts are None, is on record."""
        if parcel.parts is None:
            return
        for part, nbytes in (parcel.parts or {WHOLE: parcel.nbytes}).items():
            messages, before = self._parts.get((kind, part), (0, 0))
            self._parts[kind, part] = messages + 1, before + nbytes
        for name, value in parcel.notes.items():
            self._notes[kind, name].append(float(value))

    def close_round(self, book: Ledger, number: int | None = None) -> None:
        """Write what was counted since the last call as round `number` (None: the one after the last)."""
        number = self._last_round + 1 if number is None else number
        for key in sorted(self._parts):
            book.append("parts", (number, *key, *self._parts[key]))
        for key in sorted(self._notes):
            values = self._notes[key]
            book.append("codec_notes", (number, *key, len(values), math.fsum(values) / len(values)))
        self._parts.clear()
        self._notes.clear()
        self._last_round = number
