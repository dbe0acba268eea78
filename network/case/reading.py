"""A case from a JSON file, checked whole before anything runs; what is wrong is told in one line."""

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from slfac_sim.foundation.beside import looking_in
from slfac_sim.foundation.errors import BadInput
from slfac_sim.foundation.files import read_text
from slfac_sim.foundation.plugins import adapter, find
from slfac_sim.foundation.words import in_words, unknown_key
from slfac_sim.network.case.case import MEDIA, Air, Case, Transfer, Wire

_UNKNOWN = "unexpected_keyword_argument"


def read(file: str | Path) -> Case:
    """Return the case in `file`.

    Raises `BadInput` for the first fault: the file, the place in it, what was found, what is allowed.
    """
    try:
        text = read_text(file)
        json.loads(text, object_pairs_hook=_keys_once)
        with looking_in(Path(file).parent):
            return _case(text)
    except BadInput as error:
        raise BadInput(f"{file}: {error}") from None
    except OSError as error:
        raise BadInput(f"{file}: cannot be read ({error.strerror or error})") from None
    except UnicodeDecodeError as error:
        raise BadInput(f"{file}: is not UTF-8 (byte {error.start})") from None
    except json.JSONDecodeError as error:
        raise BadInput(f"{file}: line {error.lineno}, column {error.colno}: {error.msg}") from None
    except RecursionError:
        raise BadInput(f"{file}: is nested too deeply") from None
    except ValueError as error:  # an integer of thousands of digits
        raise BadInput(f"{file}: cannot be read ({error})") from None


def _keys_once(pairs: list[tuple[str, Any]]) -> None:
    """Refuse a key that stands twice; what is read so is not kept, for it may be large."""
    if len(dict(pairs)) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise BadInput(f"key '{twice}' stands twice in one mapping")


def _case(text: str) -> Case:
    try:
        case: Case = adapter(Case).validate_json(text, strict=True)
        return case
    except ValidationError as error:
        raise BadInput(_first_fault(error.errors(), json.loads(text))) from None


def _first_fault(faults: Sequence[ErrorDetails], tree: Any) -> str:
    """Return where the first fault is, and what is wrong there, by each branch of a union."""
    first = next((fault for fault in faults if fault["type"] == _UNKNOWN), faults[0])
    is_unknown = first["type"] == _UNKNOWN
    where, node = _place(first["loc"][:-1] if is_unknown else first["loc"], tree)
    if is_unknown:
        text = unknown_key(str(first["loc"][-1]), _known(first["loc"], node))
    elif first["type"] == "missing":
        text = in_words(first, node)
    else:
        branches = [in_words(fault, node) for fault in faults if _place(fault["loc"], tree)[0] == where]
        text = ", or ".join(dict.fromkeys(branches))
    return f"{where}: {text}" if where else text


def _place(loc: Sequence[str | int], tree: Any) -> tuple[str, Any]:
    """Return ``transfers[3].bytes`` and what is there, without the steps of `loc` that the tree has not."""
    where, node = "", tree
    for step in loc:
        if isinstance(node, dict) and step in node:
            where, node = f"{where}.{step}" if where else str(step), node[step]
        elif isinstance(node, list) and isinstance(step, int):
            where, node = f"{where}[{step}]", node[step]
    return where, node


def _known(loc: Sequence[str | int], node: Any) -> list[str]:
    """Return the keys that may stand in `node`, where the last step of `loc` is none of them."""
    if loc[0] == "links" and "kind" in node:
        both = (*dataclasses.fields(Air), *dataclasses.fields(find(MEDIA, node["kind"])))
        return ["kind", *(field.name for field in both if field.name != "medium")]
    holder = Case if len(loc) == 1 else Transfer if loc[0] == "transfers" else Wire
    return [field.name for field in dataclasses.fields(holder)]
