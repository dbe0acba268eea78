"""What a setting is, in words: the text under its field, read from the source only when somebody asks."""

import ast
import dataclasses
import functools
import inspect
import re
import sys
from collections.abc import Mapping
from itertools import pairwise
from tokenize import TokenError
from typing import Any


@functools.cache
def descriptions(cls: type[Any]) -> Mapping[str, str]:
    """Return the description of each field of the settings `cls`: the string literal that follows it.

    A field without a text has that of the class, or of the contract's property, that it defines anew. A class
    whose source cannot be had or read, such as one of an interactive session, has none of its own.
    """
    texts: dict[str, str] = {}
    for base in reversed(cls.__mro__[:-1]):
        texts |= _texts_of_properties(base)
        texts |= _texts_of_fields(base)
    return {field.name: texts[field.name] for field in dataclasses.fields(cls) if field.name in texts}


def module_sentence(cls: type[Any]) -> str:
    """Return the first sentence of the module that defines the plug-in `cls`; empty if it has none."""
    return first_sentence(sys.modules[cls.__module__].__doc__ or "")


def first_sentence(text: str) -> str:
    """Return the first sentence of a docstring, in one line."""
    paragraph = _line(inspect.cleandoc(text).partition("\n\n")[0])
    return re.split(r"(?<=[.!?])\s+(?=[A-Z`])", paragraph)[0]


def _texts_of_properties(cls: type[Any]) -> dict[str, str]:
    """Return the first paragraph of the docstring of each property that `cls` itself defines."""
    properties = {name: value for name, value in vars(cls).items() if isinstance(value, property)}
    docs = {name: inspect.cleandoc(value.__doc__ or "") for name, value in properties.items()}
    return {name: _line(doc.partition("\n\n")[0]) for name, doc in docs.items() if doc}


def _texts_of_fields(cls: type[Any]) -> dict[str, str]:
    """Return the text under each field in the body of `cls` itself."""
    try:
        source = inspect.getsource(cls)
        tree = ast.parse(f"if True:\n{source}" if source[:1].isspace() else source)
    except (OSError, TypeError, SyntaxError, TokenError):  # the last two: the file is not what runs
        return {}
    definition = next((node for node in ast.walk(tree) if isinstance(node, ast.ClassDef)), None)
    statements = definition.body if definition is not None else []
    texts = {}
    for field, below in pairwise(statements):
        match field, below:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(text))):
                texts[name] = _line(inspect.cleandoc(text))
    return texts


def _line(text: str) -> str:
    return " ".join(text.split())
