"""The payload of a whole run, by what it carries, for each line."""

from collections.abc import Iterator

from slfac_sim.analysis.format import capital, kind_name, quantity, share, unit_of
from slfac_sim.analysis.report.blocks import Block, Chart
from slfac_sim.analysis.report.lines import bars, kind_look, titled
from slfac_sim.analysis.report.study_rows import numbers_of
from slfac_sim.analysis.studies.bytes_sent import BytesByKind, bytes_sent, table
from slfac_sim.analysis.studies.study import StudyPoints

TITLE = "Bytes"


def blocks(study: StudyPoints) -> Iterator[Block]:
    """Yield a bar for each line, two where x changes the bytes."""
    sent = bytes_sent(study)
    if sent is not None:
        yield _chart(sent)


def _chart(sent: BytesByKind) -> Chart:
    scale, unit = unit_of(sent.sent_bytes.sum(axis=1), "B")
    traces = [
        bars(
            kind_name(kind),
            (nbytes / scale).tolist(),
            sent.bars,
            kind_look(kind),
            f"%{{y}}: %{{x:.4g}} {unit}",
            flat=True,
        )
        for kind, nbytes in zip(sent.kinds, sent.sent_bytes.T, strict=True)
        if nbytes.any()
    ]
    layout = titled(f"payload of a whole run ({unit})", "", barmode="stack")
    layout["yaxis"] |= {"autorange": "reversed", "automargin": True}
    title = "Payload of a whole run by kind"
    rows = numbers_of(title, table(sent))
    return Chart(title, _summary(sent), traces, layout, rows, 150 + 40 * len(sent.bars))


def _summary(sent: BytesByKind) -> str:
    told = []
    for name, own in zip(sent.bars, sent.sent_bytes, strict=True):
        whole, most = float(own.sum()), int(own.argmax())
        part = (
            f", of which {share(float(own[most]) / whole, 3)} {kind_name(sent.kinds[most])}" if whole else ""
        )
        told.append(f"{capital(name)}: {quantity(whole, 'B')}{part}.")
    return " ".join(told)
