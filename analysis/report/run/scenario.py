"""What was run: who learns what, with which model and codec, how, and over which air."""

from collections.abc import Iterator
from typing import Any

from slfac_sim.analysis.format import count
from slfac_sim.analysis.report.blocks import Block, Code, Facts, Text
from slfac_sim.analysis.report.scenario_tables import differing, parts
from slfac_sim.analysis.told import TOO_OLD, about, scenario_text, scenario_tree
from slfac_sim.foundation.errors import BadInput
from slfac_sim.ledger.folder import Run

TITLE = "What was run"


def blocks(run: Run) -> Iterator[Block]:
    """Yield the scenario in words, its parts, the settings that differ from defaults, and all of it."""
    tree = scenario_tree(run)
    yield Text(_in_a_sentence(run, tree))
    yield Facts(list(_facts(run, tree)))
    said = about(run)
    if said is None:
        yield Text(TOO_OLD)
    else:
        if said.learnt:
            yield Facts([(row["what"], row["value"]) for row in said.learnt])
        yield parts(said)
        yield differing(said)
    yield Code(scenario_text(run), "The whole scenario, every default written out", folded=True)


def _in_a_sentence(run: Run, tree: dict[str, Any]) -> str:
    devices, data = count(_at(tree, "devices.count"), "device"), run.summary["data"]["name"]
    model, cut = _kind(tree, "model"), tree.get("cut")
    where = "" if cut is None else f", cut after {_cut(cut)}"
    rounds = count(_at(tree, "protocol.rounds"), "round")
    how = f"by the protocol {_kind(tree, 'protocol')} for up to {rounds}"
    return f"{devices} learn {data} with {model}{where}, {how}, over the network {_kind(tree, 'network')}."


def _cut(cut: Any) -> str:
    if isinstance(cut, dict):
        return "another block on each device"
    return " and ".join(map(str, cut)) if isinstance(cut, list) else str(cut)


def _facts(run: Run, tree: dict[str, Any]) -> Iterator[tuple[str, str]]:
    yield "scenario", str(run.summary["scenario"])
    yield "codecs", str(run.summary["label"])
    data = run.summary["data"]
    yield "data", f"{data['name']}{', made up' if data.get('real') is False else ''}"
    for name, path in _SHOWN.items():
        value = _at_or_none(tree, path)
        if value is not None:
            yield name, _said(value)
    seed = run.summary["seed"]
    yield "seeds", f"learning {seed['learning']}, air {seed['air']}"


def _said(value: Any) -> str:
    if isinstance(value, dict):
        return str(value.get("kind", ""))
    return f"{value:,}" if type(value) is int else str(value)


_SHOWN = {
    "partition of the data": "partition",
    "mini-batch": "learning.batch",
    "mini-batches a round": "protocol.steps",
    "optimiser": "learning.optimiser",
    "speeds of devices": "devices.speed",
    "medium": "network.medium",
    "transport": "network.transport",
}


def _kind(tree: dict[str, Any], path: str) -> str:
    return str(_at(tree, f"{path}.kind"))


def _at(tree: dict[str, Any], path: str) -> Any:
    """Return the setting at `path`. Raises `BadInput` where there is none."""
    value = _at_or_none(tree, path)
    if value is None:
        raise BadInput(f"scenario.yaml: no {path} in it")
    return value


def _at_or_none(tree: Any, path: str) -> Any:
    for step in path.split("."):
        tree = tree.get(step) if isinstance(tree, dict) else None
    return tree
