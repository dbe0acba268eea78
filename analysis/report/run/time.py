"""Where the simulated time went: the critical path by part and by round, and who was waited for on it."""

from collections.abc import Iterator, Sequence

from slfac_sim.analysis.attribution import Attribution, Slice, hosts_s
from slfac_sim.analysis.explanation import Explanation, explained, waited_for
from slfac_sim.analysis.format import count, kind_name, losses, one_decimal, sentence
from slfac_sim.analysis.links import limiting
from slfac_sim.analysis.report.blocks import Block, Cell, Chart, Items, Table
from slfac_sim.analysis.report.cells import said, seconds, share, whole
from slfac_sim.analysis.report.lines import bars, rounds_axis, titled
from slfac_sim.analysis.report.parts import MEANINGS, PART_LOOKS
from slfac_sim.ledger.folder import Run

TITLE = "Where the time went"
_MOST_ROWS = 200
_SEEN = 5e-4  # of the whole: smaller parts are left to the tables


def blocks(run: Run) -> Iterator[Block]:
    """Yield the bottleneck, the parts of each round and to each target, and who came last at barriers."""
    told = explained(run)
    if not told.end.until_s:
        return
    yield Items([sentence(line) for line in _lines(told)])
    if any(row.round is not None for row in told.end.rounds):
        yield _by_round(told)
    yield _by_target(told)
    if told.end.straggler:
        yield _stragglers(told.end)
    if told.limits:
        yield _limits(told)
    meanings = [(said(part), said(MEANINGS[part])) for part in told.parts]
    yield Table("What the parts of the time are", ("part", "what happens in it"), meanings, folded=True)


def _lines(told: Explanation) -> Iterator[str]:
    yield told.bottleneck.sentence
    yield waited_for(told.end)
    if told.lost or told.missed:
        yield f"transfers: {losses(told.transfers, told.lost, told.missed)}"
    if told.propagation:
        yield f"of propagation on the critical path: {told.propagation}"


def _by_round(told: Explanation) -> Chart:
    rounds = [row for row in told.end.rounds if row.round is not None]
    numbers = [row.round for row in rounds]
    traces = [
        bars(part, numbers, [row.parts_s[part] for row in rounds], PART_LOOKS[part], "round %{x}: %{y:.3s} s")
        for part in told.parts
        if told.end.parts_s[part] > _SEEN * told.end.until_s
    ]
    longest = max(rounds, key=lambda row: row.to_s - row.from_s)
    summary = (
        "A round's bar is the time that it took, by what the critical path went through;"
        f" round {longest.round} took longest, {one_decimal(longest.to_s - longest.from_s)} s."
    )
    layout = titled("round", "time on the critical path (s)", barmode="stack")
    layout["xaxis"] = rounds_axis(rounds)
    return Chart("The critical path, round by round", summary, traces, layout, _rounds(told))


def _rounds(told: Explanation) -> Table:
    rounds = told.end.rounds
    shown = rounds if len(rounds) <= _MOST_ROWS else _longest(rounds)
    some = "" if len(shown) == len(rounds) else f": the {len(shown)} of {len(rounds)} that took longest"
    parts = [part for part in told.parts if any(row.parts_s[part] for row in rounds)]
    rows = [
        (
            Cell("after the last", float(len(rounds))) if row.round is None else whole(row.round),
            *map(seconds, (row.to_s, row.to_s - row.from_s, *(row.parts_s[part] for part in parts))),
            said(row.straggler or "-"),
        )
        for row in shown
    ]
    return Table(f"Rounds{some}", ("round", "end", "took", *parts, "waited for"), rows)


def _longest(rounds: Sequence[Slice]) -> list[Slice]:
    by_length = sorted(rounds, key=lambda row: row.from_s - row.to_s)[:_MOST_ROWS]
    return sorted(by_length, key=lambda row: row.from_s)


def _instants(told: Explanation) -> list[str]:
    return ["end" if name == "end" else f"to {name}" for name in told.instants]


def _by_target(told: Explanation) -> Table:
    rows = [_part(told, part) for part in told.parts]
    whole_s = [seconds(path.until_s) for path in told.paths]
    rows.append([said("sum"), *whole_s, share(1.0, 1), seconds(sum(told.day_s.values()))])
    head = ("part", *_instants(told), "share", "mean device's day")
    return Table("The critical path to each target and to the end", head, rows)


def _part(told: Explanation, part: str) -> list[Cell]:
    times = [path.parts_s[part] for path in told.paths]
    return [
        said(part),
        *map(seconds, times),
        share(times[-1] / told.end.until_s, 1),
        seconds(told.day_s[part]),
    ]


def _stragglers(path: Attribution) -> Table:
    named = list(path.straggler.items())[:_MOST_ROWS]
    on_path_s = hosts_s(path.path)
    rows = [
        (
            said(device),
            whole(times),
            share(times / len(path.barriers), 1),
            seconds(on_path_s.get(device, 0.0)),
        )
        for device, times in named
    ]
    title = f"Who was waited for at the {count(len(path.barriers), 'barrier')} of the critical path"
    head = ("device", "came last", "of the barriers", "its time on the path")
    return Table(title, head, rows, folded=len(rows) > 12)


def _limits(told: Explanation) -> Table:
    rows = [
        (
            said(" and ".join(map(kind_name, one.kind.split(" + ")))),
            whole(one.transfers),
            seconds(one.way_s),
            said(limiting(one.limited_s, max(one.way_s, sum(one.limited_s.values()))) or "-"),
        )
        for one in told.limits
    ]
    title = "Which links limited transfers, of their time on the way"
    return Table(title, ("transfers", "number", "on the way", "limited by"), rows)
