"""What a setting is, in words: the text under its field, read from the source only when somebody asks."""

import ast
import functools
import inspect
import re
import sys
import textwrap
from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any


@functools.cache
def descriptions(cls: type[Any]) -> Mapping[str, str]:
    """Return the description of each field of the settings `cls`: the string literal that follows it.

    A field that is defined anew without a text has that of the class it comes from. A class whose source
    cannot be had, such as one of an interactive session, has none.
    """
    texts: dict[str, str] = {}
    for base in reversed(cls.__mro__[:-1]):
        texts |= dict(_texts_in(base))
    return texts


def module_sentence(cls: type[Any]) -> str:
    """Return the first sentence of the module that defines the plug-in `cls`; empty if it has none."""
    paragraph = " ".join((sys.modules[cls.__module__].__doc__ or "").partition("\n\n")[0].split())
    return re.split(r"(?<=[.!?])\s+(?=[A-Z`])", paragraph)[0]


def _texts_in(cls: type[Any]) -> Iterator[tuple[str, str]]:
    """Yield name and text of each field that the body of `cls` itself describes."""
    try:
        source = textwrap.dedent(inspect.getsource(cls))
    except (OSError, TypeError):
        return
    body = ast.parse(source).body[0]
    statements = body.body if isinstance(body, ast.ClassDef) else []
    for field, text in pairwise(statements):
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name) and _is_text(text):
            yield field.target.id, " ".join(inspect.cleandoc(text.value.value).split())  # type: ignore[attr-defined]


def _is_text(statement: ast.stmt) -> bool:
    return (
        isinstance(statement, ast.Expr)
        and isinstance(statement.value, ast.Constant)
        and isinstance(statement.value.value, str)
    )
