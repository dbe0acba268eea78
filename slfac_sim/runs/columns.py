"""Columns of a list of runs: figures of their summaries and settings of their scenarios, by their paths."""

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

from slfac_sim.foundation.errors import BadInput, did_you_mean
from slfac_sim.foundation.targets import Target
from slfac_sim.ledger.measured import times_in
from slfac_sim.runs.listing import Listed

SHORT = {
    "accuracy": "accuracy.final",
    "accuracy_final": "accuracy.final",
    "bytes_total": "bytes.total",
    "codec": "label",
}
"""Columns that are short for a figure of the summary; those of the list without choice, and of its JSON."""


class Row:
    """A run of the list, damaged or not, and what a column says of it."""

    def __init__(self, run: Listed) -> None:
        self.facts = run.facts()
        self._run = run

    @cached_property
    def times_s(self) -> Mapping[Target, float | None]:
        """The times to its targets; none of a damaged run."""
        summary = self._run.summary
        return {} if summary is None else times_in(summary)

    @cached_property
    def _summary(self) -> Mapping[str, Any]:
        return {**self.facts, **(self._run.summary or {})}

    @cached_property
    def _scenario(self) -> Mapping[str, Any]:
        """The scenario as the run wrote it; nothing if it cannot be read."""
        import yaml

        from slfac_sim.scenario.yaml_text import to_plain

        try:
            text = (self._run.folder / "scenario.yaml").read_bytes()
            tree = to_plain(text)
        except (OSError, ValueError, RecursionError, yaml.YAMLError):
            return {}
        return tree if isinstance(tree, dict) else {}

    def has(self, column: str) -> bool:
        """Say whether there is such a figure, or such a setting."""
        return any(True for _ in self._found(column))

    def value(self, column: str) -> Any:
        """Return what it is: a plain value, the kind of a plug-in, None where there is none."""
        value = next(self._found(column), None)
        return value.get("kind", value) if isinstance(value, dict) else value

    def names(self) -> Iterator[tuple[str, Any]]:
        """Yield every figure of the summary, then every setting, with its value."""
        yield from _leaves(self._summary)
        yield from _leaves(self._scenario)

    def _found(self, column: str) -> Iterator[Any]:
        path = SHORT.get(column, column).split(".")
        yield from _looked_up(self._summary, path)
        yield from _looked_up(self._scenario, path)


def check_columns(option: str, columns: Sequence[str], rows: Sequence[Row]) -> None:
    """Raise `BadInput` for a column that none of the runs has, with the nearest that there is."""
    for column in columns:
        if rows and not any(row.has(column) for row in rows):
            known = {name for row in rows for name, _ in row.names()} | SHORT.keys()
            hint = did_you_mean(column, sorted(known)) or "; `--columns help` lists what there is"
            raise BadInput(f"{option} {column}: no run here has such a figure or setting{hint}")


def ordered(rows: Sequence[Row], column: str, reverse: bool = False) -> list[Row]:
    """Return the runs by what `column` says: numbers, then texts; those without a value are last."""
    having = [row for row in rows if row.value(column) is not None]
    without = [row for row in rows if row.value(column) is None]
    return sorted(having, key=lambda row: _rank(row.value(column)), reverse=reverse) + without


def _rank(value: Any) -> tuple[bool, float, str]:
    is_number = isinstance(value, int | float)
    return (not is_number, value, "") if is_number else (True, 0.0, str(value))


def _looked_up(tree: Any, path: Sequence[str]) -> Iterator[Any]:
    """Yield what lies at `path`; a key may have dots of its own, as that of a target has."""
    if not path:
        yield tree
    if isinstance(tree, Mapping):
        for end in range(1, len(path) + 1):
            if (key := ".".join(path[:end])) in tree:
                yield from _looked_up(tree[key], path[end:])
    elif isinstance(tree, list) and path and path[0].isdecimal() and int(path[0]) < len(tree):
        yield from _looked_up(tree[int(path[0])], path[1:])


def _leaves(tree: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(tree, Mapping):
        for key, value in tree.items():
            yield from _leaves(value, f"{path}.{key}".lstrip("."))
    else:
        yield path, tree


def plain_text(value: Any) -> str:
    """Return a value of a column as a table shows it: numbers in SI to six digits, ``-`` for none."""
    if value is None:
        return "-"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else f"{value:.6g}"
    return value if isinstance(value, str) else json.dumps(value)
