"""Two runs side by side: the settings that differ, the results, and whether the comparison is a fair one.

It reads run folders and judges nothing but seeds and air. Importing it imports no torch.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from slfac_sim.foundation.errors import BadInput
from slfac_sim.foundation.plugins import without_plugins
from slfac_sim.foundation.targets import Target
from slfac_sim.foundation.units import written
from slfac_sim.ledger.folder import Run, load
from slfac_sim.scenario.located import Located
from slfac_sim.scenario.schema import Scenario
from slfac_sim.scenario.shape import hint_at
from slfac_sim.scenario.template import quantity_of
from slfac_sim.scenario.yaml_text import to_tree


@dataclass(frozen=True)
class Comparison:
    """The runs `a` and `b`; `differing` is {path: (in a, in b)}, None where one has no such setting."""

    a: Run
    b: Run
    differing: Mapping[str, tuple[Any, Any]]

    @property
    def same_seeds(self) -> bool:
        """Whether both drew from the same two seeds."""
        return not any(path.startswith("seed.") for path in self.differing)

    @property
    def air(self) -> str:
        """Whether both saw the same air: ``same``, or what is different about it."""
        paths = [path for path in self.differing if path == "seed.air" or path == "devices.count"]
        paths += [path for path in self.differing if path.startswith("network.")]
        if not paths:
            return "same"
        return f"not the same: {', '.join(paths)} differ{'s' if len(paths) == 1 else ''}"

    @property
    def targets(self) -> list[Target]:
        """The targets that both runs were asked about, the easier ones of a metric first."""
        return sorted(self.a.times_s.keys() & self.b.times_s.keys())

    def with_units(self, path: str) -> tuple[Any, Any]:
        """Return the setting at `path` in a and in b, a quantity as a text with its unit: ``10 MHz``."""
        one, other = self.differing[path]
        return _with_unit(self.a, path, one), _with_unit(self.b, path, other)

    def ratio(self, target: Target) -> float | None:
        """Return the time of a over that of b to `target`; None unless both reached it, and by training."""
        first, second = self.a.times_s[target], self.b.times_s[target]
        return first / second if first and second else None


def compare(a: Path, b: Path) -> Comparison:
    """Return the comparison of the runs in two folders. Raises `BadInput` for a folder that is no run."""
    first, second = load(a), load(b)
    in_a, in_b = _settings(first), _settings(second)
    pairs = {path: (in_a.get(path), in_b.get(path)) for path in in_a | in_b if path != "name"}
    return Comparison(first, second, {path: pair for path, pair in pairs.items() if pair[0] != pair[1]})


def _with_unit(run: Run, path: str, value: Any) -> Any:
    with without_plugins():  # a folder of strangers names modules too
        mark = quantity_of(hint_at(Scenario, _tree(run), path.split(".")))
    return written(value, mark.dimension) if mark is not None and isinstance(value, float) else value


def _settings(run: Run) -> dict[str, Any]:
    return dict(_leaves(_tree(run).plain(), ""))


def _tree(run: Run) -> Located:
    path = run.folder / "scenario.yaml"
    try:
        tree, faults = to_tree(path.read_text(encoding="utf-8"), str(path))
    except OSError as error:
        raise BadInput(
            f"{path}: cannot be read ({error.strerror}); expected the scenario of a run"
        ) from error
    if faults or not isinstance(tree.value, dict):
        raise BadInput(f"{path}: is no scenario as a run writes it")
    return tree


def _leaves(tree: Any, path: str) -> Iterator[tuple[str, Any]]:
    """Yield each setting under its dotted path; a list is one setting."""
    if isinstance(tree, dict) and tree:
        for key, value in tree.items():
            yield from _leaves(value, f"{path}.{key}".lstrip("."))
    else:
        yield path, tree
