"""A case from a JSON file, checked whole before anything runs. It runs nothing.

Every fault is a `BadInput` of one line: the file, the place in it, what was found, what is allowed.
"""

import json
from pathlib import Path
from typing import Any

from slfac_sim.foundation.errors import BadInput
from slfac_sim.foundation.files import read_text
from slfac_sim.network.case.links import read_link
from slfac_sim.network.case.parts import Case
from slfac_sim.network.case.rules import got, mapping, unknown_key
from slfac_sim.network.case.transfers import read_transfers

_KEYS = ("links", "transfers", "engine")
_ENGINES = ("auto", "naive")


def read(file: str | Path) -> Case:
    """Return the case in `file`. Raises `BadInput` for the first fault."""
    try:
        return _case(_tree(Path(file)))
    except BadInput as error:
        raise BadInput(f"{file}: {error}") from None


def _tree(file: Path) -> Any:
    try:
        return json.loads(read_text(file), object_pairs_hook=_keys_once)
    except BadInput:
        raise
    except OSError as error:
        raise BadInput(f"cannot be read ({error.strerror or error})") from None
    except UnicodeDecodeError as error:
        raise BadInput(f"is not UTF-8 (byte {error.start})") from None
    except json.JSONDecodeError as error:
        raise BadInput(f"line {error.lineno}, column {error.colno}: {error.msg}") from None
    except RecursionError:
        raise BadInput("is nested too deeply") from None
    except ValueError as error:  # an integer of thousands of digits
        raise BadInput(f"cannot be read ({error})") from None


def _keys_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    node = dict(pairs)
    if len(node) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise BadInput(f"key '{twice}' stands twice in one mapping")
    return node


def _case(tree: Any) -> Case:
    if type(tree) is not dict:
        raise BadInput(f"must be a mapping (got {got(tree)})")
    for key in tree:
        if key not in _KEYS:
            raise BadInput(unknown_key(key, _KEYS))
    for key in ("links", "transfers"):
        if key not in tree:
            raise BadInput(f"missing key '{key}'")
    engine = tree.get("engine", "auto")
    if engine not in _ENGINES:
        raise BadInput(f"engine: must be {' or '.join(_ENGINES)} (got {got(engine)})")
    links = {name: read_link(f"links.{name}", node) for name, node in mapping("links", tree["links"]).items()}
    return Case(links, read_transfers(tree["transfers"], links), engine)
