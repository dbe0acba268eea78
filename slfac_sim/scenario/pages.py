"""Which page of the docs says more about a setting: by the family of its plug-in, or by its name."""

from collections.abc import Iterable, Iterator, Sequence

from slfac_sim.scenario.explained import Setting
from slfac_sim.scenario.located import Path
from slfac_sim.scenario.schema_nodes import Node, families

FAMILIES = {
    "slfac_sim.codecs": "codecs",
    "slfac_sim.hosts.availability": "participation",
    "slfac_sim.hosts.slowdowns": "compute",
    "slfac_sim.hosts.speeds": "compute",
    "slfac_sim.learning.augmentations": "data",
    "slfac_sim.learning.datasets": "data",
    "slfac_sim.learning.models": "models",
    "slfac_sim.learning.optimisers": "learning",
    "slfac_sim.learning.partitions": "data",
    "slfac_sim.learning.schedules": "learning",
    "slfac_sim.network.change": "change",
    "slfac_sim.network.kinds": "network",
    "slfac_sim.network.media": "network",
    "slfac_sim.network.radio.fading": "network",
    "slfac_sim.network.radio.pathloss": "network",
    "slfac_sim.network.radio.rates": "network",
    "slfac_sim.network.transport": "network",
    "slfac_sim.protocols": "protocols",
    "slfac_sim.protocols.selections": "participation",
}
"""The page of each family of plug-ins."""

SETTINGS = {
    "access": "topology",
    "change": "change",
    "codec": "codecs",
    "cut": "models",
    "devices": "compute",
    "evaluation": "metrics",
    "graph": "topology",
    "handover": "change",
    "learning": "learning",
    "links": "topology",
    "participation": "participation",
    "server": "compute",
    "servers": "topology",
}
"""The page of settings, by name, and of those below them, where it is not that of a family."""

WHOLE, STUDIES = "scenarios", "studies"
"""The page of how a scenario is written, and that of what only studies have."""

_MOST = 3  # of either in one line


def told_in(path: Path, schema: Node, studies: Node) -> tuple[str, str]:
    """Return the part of `path` that `schema` knows as a setting, and the page that tells of it.

    Numbers of items and `kind` are no part of it; neither is what only a plug-in of one's own has. Of keys in
    the schema of `studies` it is empty.
    """
    places, page = [Setting((), schema)], WHOLE
    known: list[str] = []
    for step in (str(step) for step in path if step != "kind" and not str(step).isdecimal()):
        further = [place for above in places for place in above.steps_to(step, schema["$defs"])]
        if not further:
            break
        places, known = further, [*known, step]
        page = next(_pages(step, places, schema["$defs"]), page)
    if not known and path and path[0] in studies["properties"]:
        return "", STUDIES
    return ".".join(known), page


def _pages(step: str, places: Sequence[Setting], defined: Node) -> Iterator[str]:
    yield from (SETTINGS[step],) if step in SETTINGS else ()
    yield from (FAMILIES[name] for place in places for name in families(place.schema, defined))


def read_on(paths: Iterable[Path], schema: Node, studies: Node, program: str) -> str:
    """Return the line that says where to read on about the settings at `paths`; empty for none of them."""
    told = [told_in(path, schema, studies) for path in paths if path]
    settings = [*dict.fromkeys(setting for setting, _ in told if setting)]
    pages = [*dict.fromkeys(page for _, page in told)]
    words = [_words(f"{program} {verb}", names) for verb, names in (("schema", settings), ("docs", pages))]
    return f"read on: {', '.join(filter(None, words))}" if told else ""


def _words(command: str, names: Sequence[str]) -> str:
    also = f" (also {', '.join(names[1:_MOST])})" if names[1:] else ""
    return f"`{command} {names[0]}`{also}" if names else ""
