"""The payload bytes of a whole run by kind, for each line of a study; undrawn."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from slfac_sim.analysis.format import kind_name
from slfac_sim.analysis.studies.answers import means
from slfac_sim.analysis.studies.study import Combination, StudyPoints
from slfac_sim.foundation.arrays import Floats


@dataclass(frozen=True)
class BytesByKind:
    """What is drawn: `sent_bytes` [bars, kinds], averaged over seeds; `kinds` are those of the ledger."""

    bars: Sequence[str]
    kinds: Sequence[str]
    sent_bytes: Floats


def bytes_sent(study: StudyPoints) -> BytesByKind | None:
    """Return the bytes at the first values of further axes; None where nothing finished."""
    panel, xs = study.panels[0], study.xs
    rows: list[tuple[str, dict[str, float]]] = []
    for line in study.lines:
        ends = [_sent(study, study.at(panel, line, x)) for x in dict.fromkeys((xs[0], xs[-1]))]
        if len(ends) == 2 and ends[0] == ends[1]:
            ends = ends[:1]
        for x, sent in zip((xs[0], xs[-1]), ends, strict=False):
            where = f", {study.x_label(x)}" if len(ends) == 2 else ""
            rows.append((study.line_label(line) + where, sent))
    rows = [(bar, sent) for bar, sent in rows if sent]
    if not rows:
        return None
    kinds = list(dict.fromkeys(kind for _, sent in rows for kind in sent))
    sent_bytes = np.array([[sent.get(kind, 0.0) for kind in kinds] for _, sent in rows])
    return BytesByKind([bar for bar, _ in rows], kinds, sent_bytes)


def _sent(study: StudyPoints, place: Combination) -> dict[str, float]:
    sent = means(study, place, "bytes")
    return {kind: nbytes for kind, nbytes in sent.items() if kind != "total"}


def table(sent: BytesByKind) -> list[dict[str, Any]]:
    """Return one row for each bar, with the megabytes of each kind."""
    names = [f"{kind_name(kind)} (MB)" for kind in sent.kinds] + ["total (MB)"]
    cells = np.column_stack([sent.sent_bytes, sent.sent_bytes.sum(axis=1)]) / 1e6
    rows = zip(sent.bars, cells.tolist(), strict=True)
    return [{"line": bar, **dict(zip(names, row, strict=True))} for bar, row in rows]
