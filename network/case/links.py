"""The links of a case, from the JSON tree. It knows no transfer."""

from collections.abc import Mapping
from typing import Any

from slfac_sim.foundation.errors import BadInput
from slfac_sim.network.case.parts import Link, Wire
from slfac_sim.network.case.rules import AMOUNT, TIME, Number, check, got, mapping, setting
from slfac_sim.network.engine.profiles import Profile

_KEYS = ("capacity_bps", "latency_s", "profile")


def read_link(where: str, node: Any) -> Link:
    """Return the link, or the medium, in `node`. Raises `BadInput` that begins with `where`."""
    if type(node) is dict and "kind" in node:
        from slfac_sim.network.case.media import read_air  # with the plug-in machinery, which takes time

        return read_air(where, node)
    mapping(where, node, _KEYS)
    before = setting(where, node, "capacity_bps", AMOUNT)
    latency_s = setting(where, node, "latency_s", TIME, 0.0)
    return Wire(read_profile(where, node, before, AMOUNT), latency_s)


def read_profile(where: str, node: Mapping[str, Any], before: float, rule: Number) -> Profile:
    """Return the profile in `node`, a list of [from when on, value]; `before` holds before the first."""
    entries = node.get("profile", [])
    if type(entries) is not list:
        raise BadInput(f"{where}.profile: must be a list (got {got(entries)})")
    changes: list[tuple[float, float]] = []
    for i, entry in enumerate(entries):
        at = f"{where}.profile[{i}]"
        if type(entry) is not list or len(entry) != 2:
            raise BadInput(f"{at}: must be a list of a time and a value (got {got(entry)})")
        changes.append((check(f"{at}[0]", entry[0], TIME), check(f"{at}[1]", entry[1], rule)))
        if i and changes[i][0] <= changes[i - 1][0]:
            raise BadInput(f"{at}[0]: must be later than {changes[i - 1][0]!r} (got {entry[0]!r})")
    return Profile(before, tuple(changes))
