"""Values with the place where they were written, and faults with the place to mend.

It knows neither YAML nor settings.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from slfac_sim.foundation.errors import BadInput

Path = tuple[str | int, ...]


@dataclass(frozen=True, order=True)
class Place:
    """Line and column (from 1) in a file, or an override; `rank` orders the sources of one reading.

    The scenario's own file has rank 0, its base -1, what that is laid over -2, and overrides count from 1. An
    override is a place as a whole: its line is 0.
    """

    rank: int
    line: int
    column: int
    source: str

    def __str__(self) -> str:
        return f"{self.source}:{self.line}:{self.column}" if self.line else self.source

    @property
    def is_override(self) -> bool:
        """Whether this is an override, not a spot in a file."""
        return self.rank > 0


@dataclass(frozen=True)
class Located:
    """A value and its places: `place` of the value itself, `key_place` of the key that holds it.

    `value` is None, a bool, int, float or str, or a dict or list of further `Located`.
    """

    value: Any
    place: Place
    key_place: Place

    def plain(self) -> Any:
        """Return the value without places."""
        if isinstance(self.value, dict):
            return {key: child.plain() for key, child in self.value.items()}
        if isinstance(self.value, list):
            return [child.plain() for child in self.value]
        return self.value

    def child(self, step: str | int) -> "Located | None":
        """Return the child at `step`, or None when there is none."""
        if isinstance(self.value, dict):
            return self.value.get(step)
        if isinstance(self.value, list) and isinstance(step, int) and 0 <= step < len(self.value):
            return self.value[step]  # type: ignore[no-any-return]  # the lists hold Located only
        return None

    def children(self) -> Iterator["Located"]:
        """Yield the children of a mapping or a list."""
        if isinstance(self.value, dict):
            yield from self.value.values()
        elif isinstance(self.value, list):
            yield from self.value

    def with_child(self, step: str | int, child: "Located") -> "Located":
        """Return a copy in which `step` holds `child`."""
        if isinstance(self.value, list):
            return replace(self, value=[child if i == step else old for i, old in enumerate(self.value)])
        return replace(self, value={**self.value, step: child})

    def without(self, key: str) -> "Located":
        """Return a copy of a mapping that does not have `key`."""
        return replace(self, value={name: child for name, child in self.value.items() if name != key})


@dataclass(frozen=True)
class Fault:
    """One thing to mend: its place, the path of the setting, and what is wrong in plain words.

    It may ask for an example, where the words do not tell what to write.
    """

    place: Place
    path: Path
    text: str
    asks_for_example: bool = False

    def __str__(self) -> str:
        path = ".".join(map(str, self.path))
        whole = f"{self.place}: {path}: {self.text}" if path else f"{self.place}: {self.text}"
        return " ".join(whole.splitlines())


class ScenarioError(BadInput):
    """A scenario that cannot be read: its text is all `faults`, a line each, in the order of their places.

    A `hint` for them all comes last.
    """

    def __init__(self, faults: Iterable[Fault], hint: str = "") -> None:
        first: dict[tuple[Place, str], Fault] = {}  # what an alias or a shorthand repeats is said once
        for fault in faults:
            first.setdefault((fault.place, fault.text), fault)
        self.faults = sorted(first.values(), key=lambda fault: fault.place)
        self.hint = hint
        super().__init__("\n".join([*map(str, self.faults), *([hint] if hint else [])]))

    @property
    def paths(self) -> list[Path]:
        """The paths of the settings."""
        return [fault.path for fault in self.faults]

    def __reduce__(self) -> tuple[type["ScenarioError"], tuple[list[Fault], str]]:
        """Travel between processes with the faults, not with their text."""
        return type(self), (self.faults, self.hint)
