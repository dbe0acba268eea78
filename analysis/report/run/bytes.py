"""What was sent: by kind, by direction and round, what the bytes were for, and how little could do."""

from collections.abc import Iterator, Mapping

import numpy as np

from slfac_sim.analysis.format import kind_name, quantity, share, unit_of
from slfac_sim.analysis.report import cells
from slfac_sim.analysis.report.blocks import Block, Chart, Facts, Table, Text
from slfac_sim.analysis.report.byte_ledger import by_part, by_round, entropy
from slfac_sim.analysis.report.lines import bars, kind_look, titled
from slfac_sim.analysis.rows import rows_if_there
from slfac_sim.ledger.folder import Run

TITLE = "Bytes"
TOO_OLD = "This run was recorded by a version that did not write down what the bytes were for."
_BOUND, _CODED = (
    "entropy_bound_bytes",
    "symbols",
)  # the note of a codec, and the part of a body that it bounds


def blocks(run: Run) -> Iterator[Block]:
    """Yield what was sent of each kind, then round by round, then what single bodies were made of."""
    kinds = _kinds(run)
    if not kinds:
        yield Text("Nothing was sent.")
        return
    yield _facts(run)
    yield _by_kind(kinds)
    tables = rows_if_there(run, ("parts", "codec_notes"))
    if not tables["parts"]:
        yield Text(TOO_OLD)
        return
    yield by_round(tables["parts"])
    yield from by_part(tables["parts"])
    yield from entropy(tables["parts"], tables["codec_notes"])


def _kinds(run: Run) -> dict[str, dict[str, int]]:
    """Return of each kind how many bodies there were, their bytes, and the numbers that they stand for."""
    sent = run.table("payloads")
    names = np.array(list(sent["kind"]), dtype=str)
    sizes, values = (np.asarray(sent[name], np.int64) for name in ("bytes", "value_count"))
    found = {}
    for kind in dict.fromkeys(names.tolist()):
        own = names == kind
        found[kind] = {
            "bodies": int(own.sum()),
            "bytes": int(sizes[own].sum()),
            "values": int(values[own].sum()),
        }
    return dict(sorted(found.items(), key=lambda item: -item[1]["bytes"]))


def _facts(run: Run) -> Facts:
    sent = run.table("transfers")
    payload, wire = (int(np.asarray(sent[name], np.int64).sum()) for name in ("payload_bytes", "wire_bytes"))
    outcomes = list(sent["outcome"])
    rows = [
        ("payload", quantity(payload, "B")),
        ("with packet headers, and what was sent again", quantity(wire, "B")),
        ("transfers", f"{len(outcomes):,}"),
    ]
    for outcome in ("lost", "cancelled"):
        failed = [place for place, own in enumerate(outcomes) if own == outcome]
        if failed:
            nbytes = int(np.asarray(sent["payload_bytes"], np.int64)[failed].sum())
            rows.append((f"of them {outcome}", f"{len(failed):,}, of {quantity(nbytes, 'B')}"))
    return Facts(rows)


def _by_kind(kinds: Mapping[str, Mapping[str, int]]) -> Chart:
    whole = sum(row["bytes"] for row in kinds.values())
    factor, unit = unit_of((row["bytes"] for row in kinds.values()), "B")
    said = f"%{{x:.4g}} {unit}"
    traces = [
        bars(name := kind_name(kind), [row["bytes"] / factor], [name], kind_look(kind), said, flat=True)
        for kind, row in kinds.items()
    ]
    most = next(iter(kinds))
    summary = (
        f"Of {quantity(whole, 'B')} of payload, {share(kinds[most]['bytes'] / (whole or 1), 3)} are"
        f" {kind_name(most)}."
    )
    head = ("kind", "bodies", "bytes", "of all", "bytes a body", "bits a value")
    rows = [
        (
            cells.said(kind_name(kind)),
            cells.whole(row["bodies"]),
            cells.measured(row["bytes"], "B"),
            cells.share(row["bytes"] / (whole or 1)),
            cells.measured(row["bytes"] / row["bodies"], "B"),
            cells.number(8 * row["bytes"] / row["values"] if row["values"] else None),
        )
        for kind, row in kinds.items()
    ]
    layout = titled(f"payload sent ({unit})", "", showlegend=False)
    layout["yaxis"] |= {"autorange": "reversed", "automargin": True}
    height_px = 120 + 36 * len(kinds)
    return Chart("Payload by kind", summary, traces, layout, Table("Kinds of payload", head, rows), height_px)
