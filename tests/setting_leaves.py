"""Every single setting of every schema, with the overrides of `tiny.yaml` that lead to it."""

import dataclasses
import typing
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from slfac_sim.foundation.plugins import find, kinds
from slfac_sim.scenario.schema import Scenario
from slfac_sim.scenario.shape import hints_of, item_of, plugin_mark

NEEDED = {
    "step": "every=2",
    "profiles": "names={phone: 5}",
    "measured": "table=none.csv",
    "trace": "file=none.csv",
    "background": "rate=100 kbit/s",
    "positions": "file=none.csv",
    "npz": "file=none.npz; axes=nhwc",
    "image_folder": "folder=none",
    "weights": "file=none.safetensors",
    "torch_module": "module=nets.Net",
    "topology": "access={home: {network: ideal, devices: 5}}",
}
NAMED = {
    "links": ("core", "{between: [home, server], capacity: 1 Gbit/s, latency: 1 ms}"),
    "access": ("home", "{network: ideal, devices: 5}"),
    "change": ("cut", "{kind: outages, devices: all}"),
}
"""Of settings by name: one of them, and what it needs."""


@dataclass(frozen=True)
class Leaf:
    """A setting at `path`, of type `hint`, where the overrides `before` have given all kinds above it."""

    path: str
    hint: Any
    before: tuple[str, ...]

    def __str__(self) -> str:
        return " ".join([*(text for text in self.before if ".kind=" in text), self.path])

    def at(self, value: str) -> list[str]:
        """Return the overrides that give it `value`."""
        needed = [text for text in self.before if not text.startswith(f"{self.path}=")]
        return [*needed, f"{self.path}={value}"]


def every_setting() -> list[Leaf]:
    """Return each setting of each class once, at the first place where it can stand."""
    first: dict[tuple[Any, str], Leaf] = {}
    for cls, leaf in _below(Scenario, "", ()):
        first.setdefault((cls, leaf.path.rpartition(".")[2]), leaf)
    return list(first.values())


def _below(cls: Any, path: str, before: tuple[str, ...]) -> Iterator[tuple[Any, Leaf]]:
    for field in dataclasses.fields(cls):
        hint, at, above = hints_of(cls)[field.name], f"{path}.{field.name}".strip("."), before
        if (item := item_of(hint)) is not None:
            if field.name not in NAMED:
                continue  # what it holds has been found where one stands alone
            name, one = NAMED[field.name]
            hint, at, above = item, f"{at}.{name}", (*before, f"{at}={{{name}: {one}}}")
        bare = typing.get_args(hint)[0] if typing.get_origin(hint) is typing.Annotated else hint
        inner = next((t for t in (bare, *typing.get_args(bare)) if dataclasses.is_dataclass(t)), None)
        if (plugin := plugin_mark(hint)) is not None:
            if (path.startswith("codec") and path != "codec") or path.startswith("network.access"):
                continue  # a codec in a codec, a network in a network
            at = f"{at}.0" if typing.get_origin(hint) is tuple else at
            for kind in kinds(plugin.family):
                is_listed = at.endswith(".0")
                listed = (f"{path}.{field.name}=[{{kind: {kind}}}]",) if is_listed else above[len(before) :]
                needed = tuple(f"{at}.{one}" for one in NEEDED[kind].split("; ")) if kind in NEEDED else ()
                named = (f"{at}.kind={kind}",) if not is_listed else ()
                yield from _below(find(plugin.family, kind), at, (*before, *listed, *named, *needed))
        elif inner is not None:
            needed = (f"{at}.{NEEDED[field.name]}",) if field.name in NEEDED else ()
            yield from _below(inner, at, (*above, *needed))
        else:
            yield cls, Leaf(at, hint, before)


def leads_to_families() -> dict[str, Leaf]:
    """Return for each family of plug-ins the first place where one of it can stand."""
    found: dict[str, Leaf] = {}

    def look(cls: Any, path: str, before: tuple[str, ...]) -> None:
        for field in dataclasses.fields(cls):
            hint, at = hints_of(cls)[field.name], f"{path}.{field.name}".strip(".")
            above = before
            if (item := item_of(hint)) is not None and plugin_mark(item) and field.name in NAMED:
                name, one = NAMED[field.name]
                hint, at, above = item, f"{at}.{name}", (*before, f"{at}={{{name}: {one}}}")
            plugin, bare = plugin_mark(hint), hint
            if typing.get_origin(hint) is typing.Annotated:
                bare = typing.get_args(hint)[0]
            if plugin is None and dataclasses.is_dataclass(bare):
                look(bare, at, before)
            elif plugin is not None and plugin.family not in found:
                listed = (f"{at}=[{kinds(plugin.family)[0]}]",) if typing.get_origin(hint) is tuple else ()
                at = f"{at}.0" if listed else at
                found[plugin.family] = Leaf(at, hint, (*above, *listed))
                for kind in kinds(plugin.family):
                    look(find(plugin.family, kind), at, (*above, *listed, f"{at}.kind={kind}"))

    look(Scenario, "", ())
    return found
