"""The reference of settings: a page for each family of plug-ins, one for the scenario, one for studies.

All of it comes from the JSON Schemas; a setting has an anchor such as `network-cell-radius`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from slfac_sim.scenario.files import schema as of_scenarios
from slfac_sim.scenario.pages import FAMILIES, STUDIES, WHOLE
from slfac_sim.scenario.schema_nodes import Node, alternatives, branches, by_any_name, families
from slfac_sim.scenario.setting_text import default_of, plain, takes
from slfac_sim.studies.files import schema as of_studies

NAME = "NAME"
"""In a path: a name that a user gives."""


_OWN_KINDS = "one of the kinds below, or a plug-in of one's own by its module"


@dataclass(frozen=True)
class Place:
    """Where plug-ins of a family stand: the `path` of the setting, and what is `said` of it."""

    path: str
    said: str

    @property
    def slug(self) -> str:
        """What the page of the family is called."""
        return [step for step in self.path.split(".") if step != NAME][-1]


def slugs() -> dict[str, str]:
    """Return what each family is called in the reference: by the setting at which it stands."""
    return {family: places[0].slug for family, places in _places(of_scenarios()).items()}


def settings() -> dict[str, str]:
    """Return the pages, by their paths: `settings/network` and so on."""
    schema = of_scenarios()
    places = _places(schema)
    reference = Reference(schema["$defs"], {family: there[0].slug for family, there in places.items()})
    pages = {there[0].slug: reference.family(family, there) for family, there in places.items()}
    pages = {**dict(sorted(pages.items())), "scenario": reference.scenario(schema), "study": _study()}
    index = _index({there[0].slug: there[0].said for there in places.values()})
    return {"settings/index": index, **{f"settings/{name}": text for name, text in pages.items()}}


def _index(said: Mapping[str, str]) -> str:
    rows = [f"| [{slug}]({slug}.md) | {_cell(text)} |" for slug, text in sorted(said.items())]
    names = ["scenario", "study", *sorted(said)]
    head = """# Settings

Every setting: what it is, what it takes, its default. `slfac-sim schema network.radius` says the same. What a
[scenario](scenario.md) holds, what a [study](study.md) adds, and the kinds of each family:"""
    toc = ["```{toctree}", ":hidden:", "", *names, "```"]
    return (
        "\n\n".join([head, "\n".join(["| family | what stands there |", "|---|---|", *rows]), "\n".join(toc)])
        + "\n"
    )


def _places(schema: Node) -> dict[str, list[Place]]:
    """Return where plug-ins of each family stand; names that a user gives are `NAME`."""
    places: dict[str, list[Place]] = {}
    waiting: list[tuple[Place, Node]] = [(Place("", ""), schema)]
    while waiting:
        place, node = waiting.pop(0)
        here = list(families(node, schema["$defs"]))
        new = [family for family in here if family not in places]
        for family in here:
            places.setdefault(family, []).append(place)
        for kind, branch in branches(node, schema["$defs"]):
            if kind is None or new:
                for name, held in _held(branch).items():
                    path = f"{place.path}.{name}".lstrip(".")
                    waiting.append((Place(path, plain(held) or place.said), held))
    return places


def _held(branch: Node) -> Mapping[str, Node]:
    """Return the settings of a mapping; what it holds by names that a user gives is under `NAME`."""
    own = {name: node for name, node in branch.get("properties", {}).items() if name != "kind"}
    held = by_any_name(branch)
    return own if held is None else {**own, NAME: held}


@dataclass(frozen=True)
class Reference:
    """What the pages are written from: what the schema has `defined`, the `slugs` of the families' pages."""

    defined: Node
    slugs: Mapping[str, str]

    def family(self, family: str, places: Sequence[Place]) -> str:
        """Return the page of a family: its kinds, each with its settings."""
        slug, page = self.slugs[family], FAMILIES[family]
        kinds = {
            kind: node
            for kind, node in branches({"$ref": f"#/$defs/{family}"}, self.defined)
            if kind is not None
        }
        rows = [
            f"| [`{kind}`](#{slug}-{kind}) | {_cell(node['properties']['kind']['description'])} |"
            for kind, node in kinds.items()
        ]
        stands = ", ".join(f"`{path}`" for path in dict.fromkeys(place.path for place in places))
        parts = [
            f"# {slug}",
            f"{places[0].said}\n\nStands at {stands}. Read on: [{page}](../../{page}.md); one of your own:"
            f" [{family}](#contract-{slug}).",
            "\n".join(["| kind | what it is |", "|---|---|", *rows]),
        ]
        for kind, node in kinds.items():
            parts += [f"({slug}-{kind})=\n## `{kind}`", plain(node)]
            parts += self._settings(node, f"{slug}.{kind}") or ["Nothing to set."]
        return "\n\n".join(parts) + "\n"

    def scenario(self, schema: Node) -> str:
        """Return the page of what a scenario file holds."""
        (whole,) = alternatives(schema, self.defined)
        parts = [
            "# scenario",
            "What a scenario file holds, in the order in which it is usually written. Read on:"
            f" [{WHOLE}](../../{WHOLE}.md).",
        ]
        for name, node in {**schema["properties"], **whole["properties"]}.items():
            parts += [
                f"({name})=\n## `{name}`",
                self._said(node),
                self._takes(node, name in whole["required"] and name != "name"),
                *self._inside(node, name),
            ]
        return "\n\n".join(parts) + "\n"

    def _settings(self, node: Node, path: str) -> list[str]:
        """Return the settings that a mapping `node` holds, and those below them."""
        parts = []
        for name, held in _held(node).items():
            inner = f"{path}.{name}"
            parts += [self._setting(held, inner, name in node.get("required", ()))] if name != NAME else []
            parts += self._inside(held, inner)
        return parts

    def _inside(self, node: Node, path: str) -> list[str]:
        """Return the settings below `node`; kinds of a family are on its own page."""
        own = [branch for kind, branch in branches(node, self.defined) if kind is None]
        return [part for branch in own for part in self._settings(branch, path)]

    def _setting(self, node: Node, path: str, required: bool) -> str:
        """Return the directive of one setting, below its anchor."""
        options = {"type": self._allowed(node), "default": self._default(node, required)}
        lines = [f":{name}: {text}" for name, text in options.items() if text]
        head = f"({path.replace('.', '-')})=\n```{{confval}} {path}\n"
        return head + "\n".join([*lines, "", self._said(node), "```"])

    def _takes(self, node: Node, required: bool) -> str:
        """Return what a setting takes, and its default, as sentences."""
        allowed, default = self._allowed(node), self._default(node, required)
        return f"Takes {allowed}." + (f" Default: {default}." if default else "")

    def _allowed(self, node: Node) -> str:
        """Return what a setting takes."""
        kinds = f"a kind of {' or '.join(self._slugs(node))}, or a plug-in of one's own by its module"
        text = takes(node, self.defined).replace(_OWN_KINDS, kinds)
        return text.replace("*", "\\*").replace("[", "\\[")

    def _said(self, node: Node) -> str:
        """Return what is said of a setting, with links to the kinds that may stand there."""
        links = ", ".join(f"[{slug}]({slug}.md)" for slug in self._slugs(node))
        return plain(node) + (f"\n\nKinds: {links}." if links else "")

    def _slugs(self, node: Node) -> list[str]:
        """Return the slugs of the families whose kinds may stand at `node`, or by any name in it."""
        held = [inner for _, branch in branches(node, self.defined) if (inner := by_any_name(branch))]
        return [
            self.slugs[name]
            for name in dict.fromkeys(n for one in (node, *held) for n in families(one, self.defined))
        ]

    def _default(self, node: Node, required: bool) -> str:
        if "default" in node:
            return f"`{default_of(node, self.defined)}`"
        return "none, it must be given" if required else ""


def _study() -> str:
    """Return the page of what a study file holds."""
    schema = of_studies()
    reference = Reference(schema.get("$defs", {}), {})
    parts = ["# study", f"What a study file holds. Read on: [{STUDIES}](../../{STUDIES}.md)."]
    for name, node in schema["properties"].items():
        parts += [
            f"(study-{name})=\n## `{name}`",
            plain(node),
            reference._takes(node, name in schema["required"]),
        ]
    return "\n\n".join(parts) + "\n"


def _cell(text: str) -> str:
    return text.replace("``", "`").replace("|", "\\|")
