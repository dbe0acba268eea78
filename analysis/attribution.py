"""Where the simulated time of a run went, every second as one of `PARTS`; it reads tables, simulates nothing.

The *critical path* goes back from an end, at each barrier with whoever came last: a second less on it would
have made that end a second earlier, as long as the same path stays the longest. Nobody on it waits at a
barrier. What single devices went through is another view (`device_days`). `docs/attribution.md` defines the
parts.
"""

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import fsum, isclose

from slfac_sim.analysis.critical_path import PARTS, Barrier, Segment, Walk
from slfac_sim.analysis.structure import Place, Structure, Tables, structure

__all__ = [
    "PARTS",
    "Attribution",
    "Slice",
    "attribute",
    "attribute_each",
    "cut",
    "day_starts",
    "hosts_s",
    "total",
]


@dataclass(frozen=True)
class Slice:
    """The critical path within one round or step: its parts add up to `to_s` - `from_s`.

    `step` is None for a whole round and for what belongs to no step; `round` is None after the last round.
    `straggler` is the device that came last at the barrier which the slice waits for, if it waits for one.
    """

    round: int | None
    step: int | None
    from_s: float
    to_s: float
    parts_s: dict[str, float]
    straggler: str | None


@dataclass(frozen=True)
class Attribution:
    """The critical path to `until_s`, from second 0 on.

    `parts_s` has all `PARTS`, in their order, and adds up to `until_s`. `straggler` says how often each
    device came last at a barrier of the path, most often first.
    """

    until_s: float
    path: tuple[Segment, ...]
    barriers: tuple[Barrier, ...]
    parts_s: dict[str, float]
    straggler: dict[str, int]
    rounds: tuple[Slice, ...]
    steps: tuple[Slice, ...]


def attribute(tables: Tables, until_s: float | None = None) -> Attribution:
    """Return the critical path to `until_s` (None: the end) of the run whose ledger's `tables` are given.

    At an evaluation's time it is that evaluation's path; elsewhere, the path to the end cut off. Raises
    `ValueError` for a time beyond the end of the run.
    """
    return attribute_each(tables, [until_s])[0]


def attribute_each(tables: Tables, instants_s: Sequence[float | None]) -> list[Attribution]:
    """Return the critical path to each of `instants_s`; the tables are gone through once."""
    of = structure(tables)
    return [_attribute(tables, of, instant_s) for instant_s in instants_s]


def total(segments: Iterable[Segment], whole_s: float | None = None) -> dict[str, float]:
    """Return the seconds of each of `PARTS`; with `whole_s`, asserts that they add up to it (to 1e-9)."""
    by_part = defaultdict(list)
    for segment in segments:
        by_part[segment.part].append(segment.to_s - segment.from_s)
    parts_s = {part: fsum(by_part[part]) for part in PARTS}
    if whole_s is not None:
        found_s = fsum(parts_s.values())
        assert isclose(found_s, whole_s, rel_tol=1e-9, abs_tol=1e-15), f"{found_s} s of {whole_s} s"
    return parts_s


def hosts_s(path: Iterable[Segment]) -> dict[str, float]:
    """Return the seconds of each host on `path`, the most first; `*` has those of multicasts."""
    by_host = defaultdict(list)
    for segment in path:
        by_host[segment.host].append(segment.to_s - segment.from_s)
    sums_s = {host: fsum(lengths_s) for host, lengths_s in by_host.items()}
    return dict(sorted(sums_s.items(), key=lambda item: -item[1]))


def day_starts(tables: Tables, of: Structure, until_s: float | None) -> tuple[int, float]:
    """Return the number of the root's effect before which devices' days are walked back, and when they end.

    An evaluation in a task of one device is passed over: the days of others do not go through it.
    """
    (task, seq), _, until_s = _start(tables, of, until_s)
    return of.last[""] + 1 if task else seq, until_s


def _start(tables: Tables, of: Structure, until_s: float | None) -> tuple[Place, float, float]:
    """Return the place before which a walk starts, when that is, and where its result is cut off."""
    if "" not in of.last:
        if until_s:
            raise ValueError(f"{until_s} s lies after the end of the run: nothing is recorded")
        return ("", 0), 0.0, 0.0
    end_s = of.ended_s("")
    if until_s is None:
        return ("", of.last[""] + 1), end_s, end_s
    for row in tables["evals"]:
        if row["at_s"] == until_s:
            return (row["task"], row["seq"]), until_s, until_s
    if not 0.0 <= until_s <= end_s:
        raise ValueError(f"{until_s} s is no time of the run, which goes from 0 to {end_s} s")
    return ("", of.last[""] + 1), end_s, until_s


def _attribute(tables: Tables, of: Structure, instant_s: float | None) -> Attribution:
    place, from_s, until_s = _start(tables, of, instant_s)
    walk = Walk(of, from_s)
    walk.back(place)
    path = cut(reversed(walk.segments), 0.0, until_s)
    barriers = tuple(barrier for barrier in reversed(walk.barriers) if barrier.at_s <= until_s)
    steps = _step_numbers(tables, {segment.task for segment in path})
    return Attribution(
        until_s=until_s,
        path=path,
        barriers=barriers,
        parts_s=total(path, until_s),
        straggler=dict(Counter(barrier.device for barrier in barriers).most_common()),
        rounds=tuple(_rounds(tables, path, barriers, until_s)),
        steps=tuple(_steps(path, barriers, steps)),
    )


def cut(segments: Iterable[Segment], from_s: float, to_s: float) -> tuple[Segment, ...]:
    """Return what of `segments` lies between two times."""
    return tuple(
        segment._replace(from_s=max(segment.from_s, from_s), to_s=min(segment.to_s, to_s))
        if segment.from_s < from_s or segment.to_s > to_s
        else segment
        for segment in segments
        if segment.to_s > from_s and segment.from_s < to_s
    )


def _rounds(
    tables: Tables, path: Sequence[Segment], barriers: Sequence[Barrier], until_s: float
) -> Iterable[Slice]:
    """Cut the path at the ends of the rounds; a round's straggler came last at its last barrier."""
    ends = [(row["round"], row["at_s"]) for row in tables["rounds"] if row["at_s"] <= until_s]
    from_s = 0.0
    for number, to_s in [*ends, (None, until_s)]:
        if to_s > from_s:
            late = [barrier.device for barrier in barriers if from_s < barrier.at_s <= to_s]
            parts_s = total(cut(path, from_s, to_s), to_s - from_s)
            yield Slice(number, None, from_s, to_s, parts_s, late[-1] if late else None)
        from_s = to_s


_Steps = Mapping[str, tuple[list[int], list[tuple[int, int]]]]


def _step_numbers(tables: Tables, tasks: set[str]) -> _Steps:
    """Return, for each of `tasks`, the numbers of its step notes in order, and their (round, step)."""
    notes: dict[str, tuple[list[int], list[tuple[int, int]]]] = defaultdict(lambda: ([], []))
    for row in tables["steps"]:
        if row["task"] in tasks:
            seqs, names = notes[row["task"]]
            seqs.append(row["seq"])
            names.append((row["round"], row["step"]))
    return notes


def _step_of(steps: _Steps, task: str, seq: int) -> tuple[int, int] | None:
    """Return (round, step) of an effect: that of the next step note in its task; None without one."""
    if task not in steps:
        return None
    seqs, names = steps[task]
    after = bisect_right(seqs, seq)
    return names[after] if after < len(names) else None


def _steps(path: Sequence[Segment], barriers: Sequence[Barrier], steps: _Steps) -> Iterable[Slice]:
    by_step: dict[tuple[int, int], list[Segment]] = defaultdict(list)
    for segment in path:
        step = _step_of(steps, segment.task, segment.seq)
        if step is not None:
            by_step[step].append(segment)
    late = {_step_of(steps, barrier.task, barrier.seq): barrier.device for barrier in barriers}
    for step, segments in sorted(by_step.items()):
        yield Slice(*step, segments[0].from_s, segments[-1].to_s, total(segments), late.get(step))
