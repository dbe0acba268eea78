"""A run folder, as far as it can be read: what is missing or damaged is told, the rest stands for itself."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from slfac_sim.analysis.rows import derived
from slfac_sim.analysis.told import scenario_tree
from slfac_sim.foundation.errors import BadInput
from slfac_sim.foundation.targets import ACCURACY, Target, targets_of
from slfac_sim.foundation.units import exact
from slfac_sim.ledger.folder import (
    ABOUT,
    LEDGER,
    SCENARIO,
    SUMMARY,
    Run,
    Told,
    is_unfinished,
    load,
    sound_entries,
)
from slfac_sim.ledger.tables import TABLES

UNFINISHED = "unfinished"
_ENDS = {"transfers": "end_s", "computes": "end_s", "steps": "at_s", "rounds": "at_s"}


def run_in(folder: Path) -> tuple[Run, list[str]]:
    """Return the run in `folder` and what is damaged of it, in sentences.

    Of a summary that is not there, or lies, the figures that the ledger tells stand in its place. Raises
    `BadInput` where nothing of a run lies in the folder.
    """
    if not any((folder / name).is_file() for name in (SUMMARY, LEDGER, SCENARIO)):
        return load(folder), []
    run, damage = _read(folder.resolve())
    return run, [*damage, *_of_ledger(run), *_of_scenario(run)]


def _read(folder: Path) -> tuple[Run, list[str]]:
    try:
        return load(folder), []
    except BadInput as error:
        return salvaged(folder), [str(error)] if (folder / LEDGER).is_file() else []


def _of_ledger(run: Run) -> Iterator[str]:
    """Yield what the ledger lacks, in a sentence."""
    path = run.folder / LEDGER
    if not path.is_file():
        yield f"{path}: is not there: of what happened in the run nothing is known"
        return
    try:
        lacking = [table for table in TABLES if not run.has(table)]
    except BadInput as error:
        yield str(error)
        return
    if lacking:
        yield (
            f"{path}: lacks columns that this version writes, or all, of {', '.join(lacking)}: it is of"
            " another version, or damaged; what needs them is left out"
        )
    yield from filter(None, [_altered_or_unreadable(run)])


def _altered_or_unreadable(run: Run) -> str:
    try:
        return altered(run)
    except BadInput as error:
        return str(error)


def altered(run: Run) -> str:
    """Return why the ledger is not the one that the summary is of, as `Run.altered` does; kept too."""
    return derived(run, f"altered from {run.summary.get('digest')}", lambda: run.altered)


def _of_scenario(run: Run) -> Iterator[str]:
    try:
        scenario_tree(run)
    except BadInput as error:
        yield str(error)
    if not (run.folder / ABOUT).is_file():
        yield (
            f"{run.folder / ABOUT}: is not there: the run is of an older version, or it was taken away;"
            " settings stand without what is said of them"
        )


def salvaged(folder: Path) -> Run:
    """Return the run with what its summary still tells, and the figures that its ledger and scenario tell."""
    kept = sound_entries(folder / SUMMARY)
    bare = Run(folder, {})
    for name, figure in _FIGURES.items():
        if name not in kept:
            try:
                kept[name] = figure(bare)
            except (BadInput, LookupError, TypeError, ValueError):
                continue  # whoever asks for it is told that it is not there
    kept.setdefault("label", "codecs unknown")
    kept["status"] = kept.get("status", UNFINISHED if is_unfinished(folder) else "unknown")
    return Run(folder, Told(str(folder / SUMMARY), kept))


def _name(run: Run) -> str:
    try:
        return str(scenario_tree(run)["name"])
    except (BadInput, LookupError):
        return run.folder.name


def _label(run: Run) -> str:
    codecs = {way: str(scenario_tree(run)["codec"][f"{way}link"]["kind"]) for way in ("up", "down")}
    return codecs["up"] if codecs["up"] == codecs["down"] else f"up {codecs['up']}, down {codecs['down']}"


def _data(run: Run) -> dict[str, Any]:
    return {"name": str(scenario_tree(run)["data"]["kind"])}


def _simulated_s(run: Run) -> float:
    return max(max(map(float, run.table(name)[column]), default=0.0) for name, column in _ENDS.items())


def _accuracy(run: Run) -> dict[str, float | None]:
    accuracy = run.curve().accuracy.tolist()
    return {"final": accuracy[-1] if accuracy else None, "best": max(accuracy, default=None)}


def _bytes(run: Run) -> dict[str, int]:
    return {"total": sum(map(int, run.table("payloads")["bytes"]))}


def _times(run: Run) -> dict[str, float | None]:
    """Return the times to the targets of accuracy in the scenario."""
    curve = run.curve()
    points = list(zip(curve.simulated_s.tolist(), curve.accuracy.tolist(), strict=True))
    aims: list[Target] = [*targets_of(scenario_tree(run)["evaluation"]["targets"])]
    return {
        exact(aim.value): next((at_s for at_s, value in points if aim.met(value)), None)
        for aim in aims
        if aim.metric == ACCURACY
    }


_FIGURES: Mapping[str, Callable[[Run], Any]] = {
    "scenario": _name,
    "label": _label,
    "reason": lambda run: "",
    "data": _data,
    "devices": lambda run: int(scenario_tree(run)["devices"]["count"]),
    "seed": lambda run: {name: int(scenario_tree(run)["seed"][name]) for name in ("learning", "air")},
    "simulated_s": _simulated_s,
    "rounds": lambda run: len(run.table("rounds")["round"]),
    "accuracy": _accuracy,
    "bytes": _bytes,
    "time_to_accuracy_s": _times,
}
