"""The files of a scenario, its own and its bases: found by path or name, and laid one over the other."""

import dataclasses
import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from slfac_sim.foundation.files import read_bytes
from slfac_sim.foundation.words import got
from slfac_sim.scenario.layers import laid_over
from slfac_sim.scenario.located import Fault, Located, Place, ScenarioError
from slfac_sim.scenario.named_files import with_files_beside
from slfac_sim.scenario.overrides import Overridden
from slfac_sim.scenario.schema import Scenario
from slfac_sim.scenario.yaml_text import to_tree

BASE = "base"
OF_STUDIES = ("axes", "seeds", "air_seeds", "overrides", "targets", "threads")
"""Keys that a study has and no scenario."""


@dataclass(frozen=True)
class Source:
    """A file of a scenario: its `name` in faults, its `text`, and where it is; None if it is shipped."""

    name: str
    text: str
    file: Path | None

    def is_same(self, other: "Source") -> bool:
        """Return whether the two are one file."""
        if self.file is None or other.file is None:
            return self.file is other.file and self.name == other.name
        return self.file.resolve() == other.file.resolve()


def shipped(folder_name: str = "") -> dict[str, Any]:
    """Return the scenarios (or the ``"studies"``) that come with the package: file name to its resource."""
    folder = resources.files("slfac_sim.scenarios").joinpath(folder_name)
    return {item.name: item for item in folder.iterdir() if item.name.endswith(".yaml")}


def is_study(tree: Located) -> bool:
    """Return whether `tree` is a study's: it has axes, or a base, keys of studies and none of scenarios."""
    keys = set(tree.value) if isinstance(tree.value, dict) else set()
    if "axes" in keys or BASE not in keys:
        return "axes" in keys
    settings = {field.name for field in dataclasses.fields(Scenario)} - {"name"}
    return keys.isdisjoint(settings) and any(key in OF_STUDIES or _is_near(key) for key in keys - {BASE})


def _is_near(key: str) -> bool:
    return bool(difflib.get_close_matches(key, OF_STUDIES, n=1))


def find_source(asked: str) -> Source:
    """Return the file `asked`, or the shipped scenario of that name. Raises `ScenarioError`."""
    try:
        return _read(Path(asked), asked, asked)
    except OSError as error:
        raise ScenarioError(
            [Fault(Place(0, 0, 0, asked), (), _why_not(asked, error, Path(asked).parent))]
        ) from error


@dataclass(frozen=True)
class Layer:
    """A file of a scenario as it was read: a `tree`, and the `faults` that did not stop the reading."""

    source: Source
    tree: Located
    faults: Sequence[Fault]


def layers_of(source: Source) -> list[Layer]:
    """Return the scenario in `source`, its base, the base of that and so on. Raises `ScenarioError`."""
    layers: list[Layer] = []
    named = None
    while True:
        tree, faults = to_tree(source.text, source.name, -len(layers))
        _refuse_others(tree, faults, named)
        layers.append(Layer(source, with_files_beside(tree, source.file), faults))
        named = tree.child(BASE)
        if named is None:
            return layers
        source = _base_of(named, [layer.source for layer in layers])


def laid_together(layers: Sequence[Layer]) -> Overridden:
    """Return the tree of the first of `layers` over all others, with their faults."""
    *above, lowest = layers
    whole = Overridden(lowest.tree, [*lowest.faults])
    for layer in reversed(above):
        laid = laid_over(whole.tree.without("name"), layer.tree.without(BASE), Scenario)
        faults = [*whole.faults, *layer.faults, *laid.faults]
        whole = Overridden(laid.tree, faults, whole.notes + laid.notes)
    return whole


def _refuse_others(tree: Located, faults: Sequence[Fault], named: Located | None) -> None:
    """Raise `ScenarioError` for what is no scenario; a study as a base is a fault where it is `named`."""
    if not isinstance(tree.value, dict):
        state = "is empty" if tree.value is None else "holds no mapping"
        raise ScenarioError([Fault(tree.place, (), f"{state}; a scenario is a mapping of settings"), *faults])
    if not is_study(tree):
        return
    if named is not None:
        text = f"{named.value}: is a study, not a scenario"
        raise ScenarioError([Fault(named.place, (BASE,), text)])
    key = next((key for key in OF_STUDIES if key in tree.value), BASE)
    text = f"is a study, not a scenario (it has '{key}'); `sweep` runs it, `check` reads both"
    raise ScenarioError([Fault(tree.value[key].key_place, (), text)])


def _base_of(base: Located, above: Sequence[Source]) -> Source:
    """Return what the last of `above` names as its `base`: a file beside it, or a shipped scenario."""
    name, holder = base.value, above[-1].file
    if not isinstance(name, str):
        text = f"must be a text, a file or the name of a shipped scenario (got {got(base.plain())})"
        raise ScenarioError([Fault(base.place, (BASE,), text)])
    path = None if holder is None else holder.parent / name
    try:
        source = _read(path, str(path), name)
    except OSError as error:
        reason = _why_not(name, error, None if path is None else path.parent)
        raise ScenarioError([Fault(base.place, (BASE,), f"{name}: {reason}")]) from error
    if any(source.is_same(other) for other in above):
        names = " -> ".join(other.name for other in (*above, source))
        raise ScenarioError([Fault(base.place, (BASE,), f"leads back to where it began: {names}")])
    return source


def _read(path: Path | None, shown: str, asked: str) -> Source:
    """Return the file at `path`, `shown` in faults, or the shipped scenario `asked` where there is none.

    Raises `OSError` where there is neither.
    """
    try:
        if path is None:
            raise FileNotFoundError
        raw = read_bytes(path)
    except OSError:
        known = shipped()
        for name in (asked, f"{asked}.yaml"):
            if name in known:
                return Source(name, known[name].read_text(encoding="utf-8"), None)
        raise
    return Source(shown, _decoded(raw, shown), path)


def _decoded(raw: bytes, name: str) -> str:
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        column = error.start - raw.rfind(b"\n", 0, error.start)
        text = f"not UTF-8 text (byte {raw[error.start]:#04x})"
        raise ScenarioError([Fault(Place(0, line, column, name), (), text)]) from error


def _why_not(asked: str, error: OSError, folder: Path | None) -> str:
    """Return why there is no scenario `asked`, which was looked for in `folder`."""
    if isinstance(error, IsADirectoryError):
        return "is a folder, not a scenario file"
    if not isinstance(error, FileNotFoundError):
        return f"cannot be read ({error.strerror})"
    if {asked, f"{asked}.yaml"} & shipped("studies").keys():
        return "is a shipped study, not a scenario; `sweep` runs it, `check` reads both"
    names, studies = _names(), _names("studies")
    known = {name: f"'{name}'" for name in names}
    known |= {name: f"the study '{name}'" for name in studies} | _beside(asked, folder)
    near = difflib.get_close_matches(_stem(asked), known, n=1)
    all_of_them = f"shipped are {', '.join(names)}, and the studies {', '.join(studies)}"
    hint = f"did you mean {known[near[0]]}?" if near else all_of_them
    return f"no such file, and no shipped scenario of that name; {hint}"


def _names(folder_name: str = "") -> list[str]:
    return [name.removesuffix(".yaml") for name in sorted(shipped(folder_name))]


def _beside(asked: str, folder: Path | None) -> dict[str, str]:
    """Return the YAML files in `folder` by their stems, each in quotes, as it would be `asked` for."""
    if folder is None or not folder.is_dir():
        return {}
    files = sorted(path.name for path in folder.iterdir() if path.suffix in (".yaml", ".yml"))
    return {_stem(name): f"'{Path(asked).with_name(name)}'" for name in files}


def _stem(asked: str) -> str:
    return Path(asked).name.removesuffix(".yaml").removesuffix(".yml")
