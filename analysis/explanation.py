"""Where the simulated time of a run went, until each target and until the end, and what it takes at least."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import fsum, isfinite
from typing import Any

from slfac_sim.analysis.attribution import Attribution, attribute_each
from slfac_sim.analysis.bottleneck import Bottleneck, bottleneck
from slfac_sim.analysis.bounds import bounds_each, crowding
from slfac_sim.analysis.critical_path import PARTS, SET_UP, WIRE_WAIT
from slfac_sim.analysis.days import days_of
from slfac_sim.analysis.device_days import mean_day
from slfac_sim.analysis.format import target_words
from slfac_sim.analysis.interruptions import HandedOver, handed_over
from slfac_sim.analysis.links import NEEDED, WIRED, Limited, Load, limiting, limits, loads
from slfac_sim.analysis.propagation import latencies_s, propagation_s, whose
from slfac_sim.analysis.rows import OFFERED, derived, recorded, rows_if_there, rows_of
from slfac_sim.foundation.errors import BadInput
from slfac_sim.foundation.json_values import json_value
from slfac_sim.ledger.folder import Run

SELDOM = (SET_UP, WIRE_WAIT)  # parts of the time that most runs lack
_NAMED = 5  # devices that were waited for; the rest is counted


@dataclass(frozen=True)
class Explanation:
    """Of a run, for each of `instants`, the end last: one of `paths`, and one time of each bound.

    `bounds_s` are lower bounds by name; `no_bounds` says why there are none, or not all. `replays_s` are the
    times of replays without a limit, if asked for; None where no such instant is. `limits` and `loads` are
    what links did, where there are wires, `latency_s` their latencies, `propagation_s` how much of the
    propagation on the path to the end each accounts for, and `propagation` this in words. Of the `transfers`
    some were `lost`, and devices `missed` rounds. `handed_over` are the devices that went to another station.
    """

    instants: Mapping[str, float]
    paths: Sequence[Attribution]
    day_s: Mapping[str, float]
    bounds_s: Mapping[str, Sequence[float]]
    no_bounds: str
    limits: Sequence[Limited] = ()
    loads: Sequence[Load] = ()
    latency_s: Mapping[str, float] = field(default_factory=dict)
    propagation_s: Mapping[str, float] = field(default_factory=dict)
    propagation: str = ""
    transfers: int = 0
    lost: int = 0
    missed: int = 0
    handed_over: Sequence[HandedOver] = ()
    replays_s: Mapping[str, Sequence[float | None]] = field(default_factory=dict)

    @property
    def end(self) -> Attribution:
        """The attribution of the whole run."""
        return self.paths[-1]

    @property
    def bottleneck(self) -> Bottleneck:
        """What the critical path of the whole run spent most time on, and which wires limited."""
        limited_s = {load.link: load.limited_s for load in self.loads if isfinite(load.capacity_bps)}
        return replace(bottleneck(self.end), wires=limiting(limited_s, fsum(limited_s.values())))

    @property
    def parts(self) -> list[str]:
        """The parts of the time that are told: some only where there are any."""
        seldom = [part for part in SELDOM if not any(path.parts_s[part] for path in self.paths)]
        return [part for part in PARTS if part not in seldom]

    @property
    def facts(self) -> dict[str, Any]:
        """All of it, for JSON."""
        return {
            "until_s": self.instants,
            "critical_path_s": self._by_instant([path.parts_s for path in self.paths]),
            "mean_device_day_s": self.day_s,
            "bounds_s": {name: self._by_instant(times_s) for name, times_s in self.bounds_s.items()},
            "replays_s": {name: self._by_instant(times_s) for name, times_s in self.replays_s.items()},
            "no_bounds": self.no_bounds,
            "barriers": len(self.end.barriers),
            "straggler": self.end.straggler,
            "rounds": json_value(self.end.rounds),
            "steps": json_value(self.end.steps),
            **{name: getattr(self, name) for name in ("transfers", "lost", "missed")},
            **(self._link_facts() if self.loads else {}),
            **({"handed_over": json_value(self.handed_over)} if self.handed_over else {}),
        }

    def _link_facts(self) -> dict[str, Any]:
        links = [{**json_value(load), "latency_s": self.latency_s[load.link]} for load in self.loads]
        return {"limits": json_value(self.limits), "links": links, "propagation_s": dict(self.propagation_s)}

    def _by_instant(self, values: Sequence[Any]) -> dict[str, Any]:
        return dict(zip(self.instants, values, strict=True))


def reached(run: Run) -> dict[str, float]:
    """Return when each target was reached, in its words; those met untrained are left out."""
    return {target_words(target): at_s for target, at_s in run.times_s.items() if at_s}


_CONTRADICTIONS = (ArithmeticError, AssertionError, LookupError, TypeError, ValueError)


def explained(run: Run) -> Explanation:
    """Return where the time of `run` went, without replays; kept until `forget`.

    Raises `BadInput`; also for a ledger that was altered so that its rows contradict each other.
    """
    try:
        tables, instants = recorded(run), reached(run)
        return derived(run, f"explained {instants}", lambda: _explained(run, tables, instants))
    except BadInput:
        raise
    except _CONTRADICTIONS as error:
        if not run.altered:
            raise
        raise BadInput(
            f"{run.altered}; its rows contradict each other: the time cannot be explained"
        ) from error


def _explained(run: Run, tables: Mapping[str, Any], instants: Mapping[str, float]) -> Explanation:
    paths = attribute_each(tables, [*instants.values(), None])
    bounds_s, no_bounds = _bounds(run, tables, [*instants.values(), None])
    return Explanation(
        instants={**instants, "end": paths[-1].until_s},
        paths=paths,
        day_s=mean_day(days_of(run)),
        bounds_s=bounds_s,
        no_bounds=no_bounds,
        **_links(run, paths[-1]),
        transfers=len(tables["transfers"]),
        lost=sum(row["outcome"] == "lost" for row in tables["transfers"]),
        missed=len(rows_if_there(run, ("misses",))["misses"]),
        handed_over=handed_over({**tables, **rows_if_there(run, ("handovers", "links"))}, paths[-1].path),
    )


def _links(run: Run, path: Attribution) -> dict[str, Any]:
    """Return what the links of a run with wires did, until its end."""
    tables = rows_if_there(run, WIRED)
    if not tables["wires"]:
        return {}
    tables |= rows_of(run, (*NEEDED, "air"))
    seconds = propagation_s(tables, path.path)
    return {
        "limits": limits(tables),
        "loads": loads(tables, path.until_s),
        "latency_s": latencies_s(tables),
        "propagation_s": seconds,
        "propagation": whose(tables, seconds),
    }


def _bounds(
    run: Run, tables: Mapping[str, Any], instants_s: Sequence[float | None]
) -> tuple[dict[str, list[float]], str]:
    """Return the bounds at each instant, and the reason why there are none, or not all."""
    try:
        whole = {**tables, **rows_if_there(run, OFFERED), **rows_of(run, ("limits",))}
        by_instant = bounds_each(whole, instants_s)
    except (BadInput, ValueError) as reason:
        return {}, str(reason)
    return {name: [bound[name] for bound in by_instant] for name in by_instant[-1]}, crowding(whole)


def waited_for(path: Attribution) -> str:
    """Return in a sentence who came last at the barriers of `path`, most often first."""
    if not path.straggler:
        return "nobody was waited for"
    named = [f"{device} ({times})" for device, times in list(path.straggler.items())[:_NAMED]]
    more = len(path.straggler) - len(named)
    others = f" and {more} more" if more > 0 else ""
    barriers = f"each step's barrier, over all rounds ({len(path.barriers)} on the path)"
    return f"last at {barriers}: {', '.join(named)}{others}"
