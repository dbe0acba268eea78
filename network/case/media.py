"""Media in a case: their settings from the JSON tree, and what their transfers must carry."""

import dataclasses
import json
from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from slfac_sim.foundation.errors import BadInput
from slfac_sim.foundation.plugins import adapter, find
from slfac_sim.network.case.gains import GAINS
from slfac_sim.network.case.links import read_profile
from slfac_sim.network.case.parts import Air, Transfer
from slfac_sim.network.case.rules import PART, TIME, Text, got, setting, unknown_key

_FAMILY = "slfac_sim.network.media"
_OWN = ("kind", "latency_s", "profile", "duplex", "station", "uplink_share")
_UNSEEN = {  # what these media do not look at; somebody else's may
    "weight": ("csma", "dcf", "fdma", "fifo", "ofdma", "proportional_fair", "tdma"),
    "cap_bps": ("dcf", "fdma", "ofdma", "proportional_fair", "tdma"),
}
_DUPLEX = ("half", "fdd", "tdd")


def read_air(where: str, node: Mapping[str, Any]) -> Air:
    """Return the medium in `node`. Raises `BadInput` that begins with `where`."""
    kind = setting(where, node, "kind", Text())
    duplex = node.get("duplex", "half")
    if duplex not in _DUPLEX:
        raise BadInput(
            f"{where}.duplex: must be {', '.join(_DUPLEX[:-1])} or {_DUPLEX[-1]} (got {got(duplex)})"
        )
    if "uplink_share" in node and duplex != "tdd":
        raise BadInput(f"{where}.uplink_share: only duplex tdd has one (got {duplex})")
    if duplex != "half" and kind in ("csma", "dcf"):
        raise BadInput(f"{where}.duplex: {kind} is half duplex by nature (got {got(duplex)})")
    if "station" not in node and duplex != "half":
        raise BadInput(f"{where}: missing key 'station', which duplex {duplex} needs")
    return Air(
        kind=kind,
        medium=_medium(where, kind, {key: value for key, value in node.items() if key not in _OWN}),
        part=read_profile(where, node, 1.0, PART),
        latency_s=setting(where, node, "latency_s", TIME, 0.0),
        duplex=duplex,
        station=setting(where, node, "station", Text(), ""),
        uplink_share=setting(where, node, "uplink_share", PART, 0.5),
    )


def _medium(where: str, kind: str, settings: Mapping[str, Any]) -> Any:
    try:
        cls: Any = find(_FAMILY, kind)
    except BadInput as error:
        raise BadInput(f"{where}.kind: {error}") from None
    try:
        return adapter(cls).validate_json(json.dumps(settings), strict=True)
    except ValidationError as error:
        raise BadInput(_in_words(where, error.errors()[0], cls)) from None


def _in_words(where: str, details: ErrorDetails, cls: type[Any]) -> str:
    kind, loc = details["type"], details["loc"]
    if kind == "unexpected_keyword_argument" and len(loc) == 1:
        return f"{where}: {unknown_key(str(loc[0]), (*_OWN, *(f.name for f in dataclasses.fields(cls))))}"
    at = ".".join((where, *map(str, loc)))
    text = details["msg"].removeprefix("Value error, ").replace("Input should", "must")
    return f"{at}: {text}" if kind == "value_error" else f"{at}: {text} (got {got(details['input'])})"


def check_airborne(where: str, transfer: Transfer, row: Mapping[str, Any], air: Air) -> None:
    """Check a transfer on the medium `air`. Raises `BadInput` that begins with `where`."""
    name = transfer.path[0]
    for key in ("src", "dst"):
        if key not in row:
            raise BadInput(f"{where}: missing key '{key}', which medium '{name}' needs")
    if "phy_rate_bps" not in row:
        raise BadInput(f"{where}: missing key 'phy_rate_bps': medium '{name}' has no rates of its own")
    if transfer.src == transfer.dst:
        raise BadInput(f"{where}.dst: must be another than src, '{transfer.src}'")
    if air.duplex != "half" and air.station not in (transfer.src, transfer.dst):
        raise BadInput(f"{where}: neither src nor dst is '{air.station}', the station of medium '{name}'")
    if "consumption" in row:
        raise BadInput(f"{where}.consumption: medium '{name}' takes none; the rate says what a bit uses")
    if "snr_db" in row and air.medium.crowd == "power" and transfer.src == air.station:
        raise BadInput(
            f"{where}.snr_db: '{air.station}' spreads its power over the band; leave it out of what it sends"
        )
    for key in row:
        if air.kind in _UNSEEN.get(key, ()) or (key == "snr_db" and air.medium.crowd not in GAINS):
            raise BadInput(f"{where}.{key}: medium '{name}', {air.kind}, makes no use of it")
