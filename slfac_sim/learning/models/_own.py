"""A module of a user's own, made and cut into its blocks."""

import copy
from collections.abc import Mapping
from typing import Any

from torch import nn

from slfac_sim.foundation.errors import BadInput
from slfac_sim.foundation.imported import Imported
from slfac_sim.learning.models import Chain

_BLOCKS = "blocks"


def own_blocks(name: Imported, arguments: Mapping[str, Any]) -> Chain:
    """Return the blocks of what `name` makes of `arguments`. Raises `BadInput` for what has none."""
    try:
        made = _made(name, arguments)
        names = _names(name, made)
        return Chain([(block, _submodule(name, made, block)) for block in names], made)
    except BadInput as fault:
        raise BadInput(f"model.module: {fault}") from fault


def _made(name: Imported, arguments: Mapping[str, Any]) -> nn.Module:
    thing = name.load()
    if isinstance(thing, nn.Module):
        if arguments:
            raise BadInput(
                f"{name} is a module already, which takes no arguments (got {', '.join(arguments)})"
            )
        return copy.deepcopy(thing)
    if not callable(thing):
        raise BadInput(
            f"{name} is of type {type(thing).__name__}; expected a torch.nn.Module, or what makes one"
        )
    try:
        made = thing(**arguments)
    except Exception as error:  # somebody else's code may fail in any way
        given = ", ".join(f"{key}={value!r}" for key, value in arguments.items())
        reason = f"{type(error).__name__}: {error}".partition("\n")[0]
        raise BadInput(f"{name}({given}) fails ({reason}); model.arguments are its keywords") from error
    if not isinstance(made, nn.Module):
        raise BadInput(f"{name} returns what is of type {type(made).__name__}; expected a torch.nn.Module")
    return made


def _names(name: Imported, made: nn.Module) -> list[str]:
    """Return the names of the blocks of `made`, in order."""
    named = getattr(made, _BLOCKS) if _BLOCKS in dir(made) else None
    if named is None and isinstance(made, nn.Sequential):
        return [block for block, _ in made.named_children()]
    if not isinstance(named, list | tuple) or not all(isinstance(block, str) for block in named):
        children = ", ".join(f"'{child}'" for child, _ in made.named_children())
        raise BadInput(
            f"{name}, of type {type(made).__name__}, is not cut into blocks; give it an attribute "
            f"blocks = [{children}], the names of its submodules in the order in which data goes through them"
        )
    return list(named)


def _submodule(name: Imported, made: nn.Module, block: str) -> nn.Module:
    try:
        return made.get_submodule(block)
    except AttributeError:
        children = ", ".join(child for child, _ in made.named_children())
        raise BadInput(f"{name}.blocks names '{block}', and there are {children}") from None
