"""What was checked: the laws that ``--strict`` watched, bounds beside the results, the ledger's digest."""

from collections.abc import Iterator, Mapping, Sequence

from slfac_sim.analysis.explanation import explained
from slfac_sim.analysis.format import one_decimal, times
from slfac_sim.analysis.report import cells
from slfac_sim.analysis.report.blocks import Block, Cell, Items, Table, Text
from slfac_sim.analysis.report.damaged import altered
from slfac_sim.foundation.program import program
from slfac_sim.ledger.folder import Run

TITLE = "Checks and bounds"
_LAWS = {
    "bytes": "Payload sent by the protocol is delivered, lost, cancelled or under way, to the byte.",
    "causality": "Nothing begins before it is asked for, and every effect leaves one row.",
    "rate <= capacity": "A transfer has no more bits a second of airtime than its link can have at best.",
    "airtime <= elapsed": "Transfers have no more of the air than there was time.",
    "link bits": "Bits offered to a wire are carried, lost or in flight, within its capacity.",
    "handovers": "Each begins where the one before it ended, and its interruption carries nothing.",
    "energy = power x time": "Joules are power x time, and the table of energy adds up.",
    "Little": "The number in a queue over time is the sum of the times spent in it.",
}
_MEANT = {
    "infinite bandwidth": "transfers take their latency only",
    "zero compute": "computations take no time",
    "no contention": "nobody waits for the air or for a host",
}


def blocks(run: Run) -> Iterator[Block]:
    """Yield the laws and how often each was checked, then the digest, then the bounds."""
    yield from _laws(run)
    yield Text(_digest(run))
    yield from _bounds(run)


def _laws(run: Run) -> Iterator[Block]:
    found = run.summary.get("invariants")
    if found is None:
        yield Text(
            f"The laws of the simulation were not watched in this run: {program('run')} --strict does."
        )
        return
    broken = found["violated"]
    verdict = "none was broken" if not broken else f"{broken} was broken, and ended the run"
    yield Text(f"The laws of the simulation were watched while it ran: {verdict}.")
    rows = [
        (cells.said(law), cells.whole(checks), cells.said(_LAWS.get(law, "")))
        for law, checks in found["checked"].items()
    ]
    yield Table("Laws", ("law", "checks", "what it says"), rows)


def _digest(run: Run) -> str:
    if "digest" not in run.summary:
        return "The summary has no digest: nothing tells whether the ledger is as the run left it."
    if reason := altered(run):
        return f"{reason}."
    return f"The ledger is as the run left it: its rows have the digest {run.summary['digest'][:16]}."


def _bounds(run: Run) -> Iterator[Block]:
    """Yield what the run would take at least without one of its limits, at each target and in the end."""
    told = explained(run)
    if told.bounds_s:
        yield _table([*told.instants], [path.until_s for path in told.paths], told.bounds_s)
        yield Text("Bounds without one of the limits; in brackets, how many times as long this run took.")
        yield Items([f"{name}: {_MEANT[name]}." for name in told.bounds_s if name in _MEANT])
    if told.no_bounds:
        yield Text(
            f"{'Not all bounds are known' if told.bounds_s else 'There are no bounds'}: {told.no_bounds}."
        )


def _table(names: Sequence[str], took_s: Sequence[float], bounds_s: Mapping[str, Sequence[float]]) -> Table:
    rows = [
        [cells.said(name), cells.seconds(at_s), *(_bound(bound[place], at_s) for bound in bounds_s.values())]
        for place, (name, at_s) in enumerate(zip(names, took_s, strict=True))
    ]
    return Table("What it takes at least", ("until", "this run", *bounds_s), rows)


def _bound(least_s: float, took_s: float) -> Cell:
    """Return a bound, and how many times as long as it the run took."""
    ratio = f" ({times(took_s / least_s)} x)" if least_s > 0.0 else ""
    return Cell(f"{one_decimal(least_s)} s{ratio}", least_s)
