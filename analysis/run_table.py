"""Several runs in one table: what their summaries say, under names that tell the runs apart."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from slfac_sim.analysis.differences import differences
from slfac_sim.analysis.format import NOT_ASKED, fixed_percent, one_decimal, reached, target_words
from slfac_sim.analysis.text_tables import aligned
from slfac_sim.foundation.targets import Target
from slfac_sim.ledger.folder import Run

_MOST = 3  # differing settings that still fit into a label


def names_of(runs: Sequence[Run]) -> list[str]:
    """Return a name for each run: its label and, where several have the same, the settings that differ.

    Runs whose settings are equal, unreadable, or differ in more than three places are told apart by
    their folders.
    """
    groups: dict[str, list[int]] = defaultdict(list)
    for place, run in enumerate(runs):
        groups[run.label].append(place)
    names = [run.label for run in runs]
    for label, places in groups.items():
        if len(places) > 1:
            additions = _differences([runs[place] for place in places])
            for place, addition in zip(places, additions, strict=True):
                names[place] = f"{label}, {addition}"
    return names


def apart(runs: Sequence[Run]) -> list[str]:
    """Return the `names_of` runs, with their number where several are equal still."""
    names = names_of(runs)
    return [f"{name} ({place + 1})" if names.count(name) > 1 else name for place, name in enumerate(names)]


def common_label(runs: Sequence[Run]) -> str:
    """Return the label that several runs share, with which their names begin; empty where they differ."""
    labels = {run.label for run in runs}
    return labels.pop() if len(runs) > 1 and len(labels) == 1 else ""


def _differences(runs: Sequence[Run]) -> list[str]:
    values = differences(runs)
    last = {path: _setting(path) for path in values}
    each = zip(*values.values(), strict=True) if values else ()
    texts = [", ".join(map(" ".join, zip(last.values(), own, strict=True))) for own in each]
    if not 0 < len(values) <= _MOST or len(set(texts)) < len(texts):
        return [run.folder.name for run in runs]
    return texts


def _setting(path: str) -> str:
    """Return what a setting is called in a name: its last word, of a link's capacity the link's."""
    *_, group, named, last = ["", "", *path.split(".")]
    return (
        named if (group, last) == ("links", "capacity") else f"{named} {last}" if group == "links" else last
    )


def as_data(runs: Sequence[Run]) -> list[dict[str, Any]]:
    """Return one mapping per run, of what its summary says; seconds are simulated, bytes are payload."""
    return [
        {
            "label": run.label,
            "folder": str(run.folder),
            "status": run.summary["status"],
            "accuracy_final": run.summary["accuracy"]["final"],
            "simulated_s": run.summary["simulated_s"],
            "time_to_accuracy_s": run.summary["time_to_accuracy_s"],
            "time_to_metrics_s": run.summary.get("time_to_metrics_s", {}),
            "bytes_total": run.summary["bytes"]["total"],
        }
        for run in runs
    ]


def as_text(runs: Sequence[Run], width: int | None = None) -> str:
    """Return the table as aligned text: one line per run, within `width` columns."""
    rows = as_rows(runs)
    return aligned([list(rows[0]), *(list(row.values()) for row in rows)], width=width)


def as_rows(runs: Sequence[Run]) -> list[dict[str, str]]:
    """Return the table as texts: one row per run, by the headings of the columns."""
    targets = sorted({target for run in runs for target in run.times_s})
    head = ["run", "accuracy", "simulated s", *(f"s to {target_words(t)}" for t in targets), "MB"]
    lines = (_line(name, run, targets) for name, run in zip(names_of(runs), runs, strict=True))
    return [dict(zip(head, line, strict=True)) for line in lines]


def _line(name: str, run: Run, targets: Sequence[Target]) -> list[str]:
    final = run.summary["accuracy"]["final"]
    return [
        name,
        "-" if final is None else fixed_percent(final, 2),
        one_decimal(run.summary["simulated_s"]),
        *(_time(run, target) for target in targets),
        one_decimal(run.summary["bytes"]["total"] / 1e6),
    ]


def _time(run: Run, target: Target) -> str:
    times = run.times_s
    return reached(times[target]) if target in times else NOT_ASKED
