"""Settings as mappings, lists and scalars: what a file would say of them."""

import dataclasses
import enum
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from slfac_sim.foundation.imported import Imported
from slfac_sim.foundation.plugins import kind_of
from slfac_sim.scenario.shape import hints_of, item_of, plugin_mark


def plain(settings: Any, hint: Any = None, brief: bool = False) -> Any:
    """Return a scenario as mappings, lists and scalars, with every kind and default written out.

    So other settings of its tree; they have their kind where `hint`, the type of their place, asks for one.
    What is `brief` has no defaults.
    """
    if dataclasses.is_dataclass(settings):
        cls: Any = type(settings)
        hints = hints_of(cls)
        fields = {
            field.name: plain(own, hints[field.name], brief)
            for field in dataclasses.fields(settings)
            if (own := getattr(settings, field.name)) != field.default or not brief
        }
        return {"kind": kind_of(settings), **fields} if plugin_mark(hint) else fields
    if isinstance(settings, Mapping):
        return {key: plain(item, item_of(hint), brief) for key, item in settings.items()}
    if isinstance(settings, (list, tuple)):
        return [plain(item, hint, brief) for item in settings]
    if isinstance(settings, enum.Enum):
        return settings.value
    return str(settings) if isinstance(settings, Path | Imported) else settings
