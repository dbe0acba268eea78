"""Plays golden runs with the source tree of one side, and leaves what a user sees of them in a folder.

    PYTHONPATH=TREE:tools python -m golden.player TREE FOLDER PATTERN

All commands share this process, each started as `python -m` starts it, so that no name inside the package is
needed; what a command says lies in a text of its own under `FOLDER/GROUP/said`.
"""

import fnmatch
import json
import os
import re
import runpy
import shutil
import signal
import sqlite3
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from golden import scenarios, verbs
from golden.group import Command, Group
from golden.inputs import FILES

SAID = "said"
WIDTH = "500"  # columns, so that a renamed word moves no line break
_LONGEST = 120  # letters of the name of a file
_awaited: list[str] = []  # the part of a path that brings a Ctrl-C when it is opened


def main(tree: Path, folder: Path, pattern: str) -> None:
    """Play the groups whose names match `pattern`."""
    _find_only_in(tree)
    signal.signal(signal.SIGINT, signal.default_int_handler)  # which a shell's background jobs ignore
    sys.addaudithook(_interrupt)
    began = time.perf_counter()
    schema = _schema(folder)
    for group in (*verbs.GROUPS, *scenarios.GROUPS):
        if fnmatch.fnmatch(group.name, pattern):
            count = _play(group, folder / group.name, schema, tree)
            print(f"  {group.name}: {count} commands, {time.perf_counter() - began:.0f} s", flush=True)
    strays = [name for name, module in sys.modules.items() if _strays(name, module, tree)]
    if strays:
        sys.exit(f"not of {tree}: {', '.join(strays)}")


def _find_only_in(tree: Path) -> None:
    """Leave out what finds the package of an editable installation, which is that of one side."""
    sys.meta_path[:] = [finder for finder in sys.meta_path if "__editable__" not in str(finder.__module__)]
    import slfac_sim

    if not Path(slfac_sim.__file__).is_relative_to(tree):
        sys.exit(f"{slfac_sim.__file__}: not of {tree}")


def _strays(name: str, module: Any, tree: Path) -> bool:
    file = getattr(module, "__file__", None)
    return name.partition(".")[0] == "slfac_sim" and file is not None and not Path(file).is_relative_to(tree)


def _play(group: Group, folder: Path, schema: Mapping[str, Any], tree: Path) -> int:
    """Play the commands of `group` in `folder` and return how many there were."""
    (folder / SAID).mkdir(parents=True)
    for name, text in {**FILES, **group.files}.items():
        (folder / name).write_text(text, encoding="utf-8")
    os.chdir(folder)
    os.environ["COLUMNS"] = WIDTH
    names: set[str] = set()
    for command in _chosen(group, schema, tree):
        if command[0].startswith("!"):
            _ACTS[command[0][1:]](*command[1:])
            continue
        name = slug(" ".join(command))[:_LONGEST]
        while name in names:
            name += "+"
        names.add(name)
        _perform(command, folder / SAID / f"{name}.txt")
    return len(names)


def _chosen(group: Group, schema: Mapping[str, Any], tree: Path) -> Iterator[Command]:
    """Yield the commands, those with a `CHOICE` for every choice there is."""
    shipped = [*tree.glob("scenarios/*.yaml"), *tree.glob("slfac_sim/scenarios/*.yaml")]
    for command in group.commands:
        text = " ".join(command)
        if "CHOICE" in text or "OUT" in text:
            for choice in choices(schema, group.of.split(".")):
                yield tuple(w.replace("CHOICE", choice).replace("OUT", slug(choice)) for w in command)
        elif "SHIPPED" in text:
            yield from (
                tuple(word.replace("SHIPPED", file.stem) for word in command) for file in sorted(shipped)
            )
        else:
            yield command


def slug(text: str) -> str:
    """Return `text` as the name of a file."""
    return re.sub(r"[^\w.=-]+", "_", text).strip("_")


def _perform(command: Command, said: Path) -> None:
    """Write what `command` says on either stream, and how it ends, to the file `said`."""
    out, err = said.with_suffix(".out"), said.with_suffix(".err")
    with _captured(out, err):
        status = _status(command)
    texts = [file.read_text(encoding="utf-8", errors="replace") for file in (out, err)]
    head = f"$ {' '.join(command)}\nexit {status}\n"
    said.write_text(f"{head}--- stdout\n{texts[0]}\n--- stderr\n{texts[1]}", encoding="utf-8")
    out.unlink()
    err.unlink()


def _status(command: Command) -> str:
    sys.argv = list(command)
    try:
        runpy.run_module(command[0], run_name="__main__", alter_sys=True)
    except SystemExit as end:
        return str(end.code or 0)
    except BaseException as error:  # what would be a traceback is as much to be compared as any other end
        return f"traceback: {''.join(traceback.format_exception_only(error)).strip()}"
    return "0"


@contextmanager
def _captured(out: Path, err: Path) -> Iterator[None]:
    """Lead standard output and standard error, of processes started meanwhile too, into files."""
    kept = os.dup(1), os.dup(2)
    for number, path in ((1, out), (2, err)):
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(file, number)
        os.close(file)
    try:
        yield
    finally:
        for number, stream in ((1, sys.stdout), (2, sys.stderr)):
            stream.flush()
            os.dup2(kept[number - 1], number)
            os.close(kept[number - 1])


def _schema(folder: Path) -> dict[str, Any]:
    """Return the schema of scenarios, which says of which kinds there are plug-ins."""
    said = folder / "schema.txt"
    _perform(("slfac_sim", "schema"), said)
    text = said.read_text(encoding="utf-8")
    said.unlink()
    found: dict[str, Any] = json.loads(text[text.index("{") : text.index("\n--- stderr")])
    return found


def choices(schema: Mapping[str, Any], path: list[str]) -> list[str]:
    """Return the kinds that the setting at `path` may have, as ``slfac``, and their switches, as ``slfac,
    scope: plane``: every choice of words, or truth value, that is not the default.
    """
    nodes = [schema]
    for name in path:
        nodes = [inner["properties"][name] for outer in nodes for inner in _objects(schema, outer, name)]
    found: list[str] = []
    for node in (inner for outer in nodes for inner in _objects(schema, outer, "kind")):
        kind = node["properties"]["kind"].get("const")
        if kind is not None and kind not in found:
            found += [kind, *(f"{kind}, {switch}" for switch in _switches(node))]
    return found


def _objects(schema: Mapping[str, Any], node: Mapping[str, Any], name: str) -> Iterator[Mapping[str, Any]]:
    """Yield all objects with a property `name` that `node` allows, also as the items of a list."""
    if "$ref" in node:
        yield from _objects(schema, schema["$defs"][node["$ref"].rpartition("/")[2]], name)
    for inner in (*node.get("anyOf", ()), *(node[key] for key in ("items", "else") if key in node)):
        yield from _objects(schema, inner, name)
    if name in node.get("properties", ()):
        yield node


def _switches(node: Mapping[str, Any]) -> Iterator[str]:
    for name, inner in node["properties"].items():
        options = inner.get("enum", (True, False) if inner.get("type") == "boolean" else ())
        yield from (
            f"{name}: {json.dumps(one).strip(chr(34))}" for one in options if one != inner.get("default")
        )


def _interrupt(event: str, arguments: tuple[Any, ...]) -> None:
    if _awaited and event == "open" and _awaited[0] in str(arguments[0]):
        _awaited.clear()
        signal.raise_signal(signal.SIGINT)


def _cut(file: str, nbytes: str) -> None:
    os.truncate(file, int(nbytes))


def _write(file: str, text: str) -> None:
    Path(file).parent.mkdir(exist_ok=True)
    Path(file).write_text(text, encoding="utf-8")


def _sql(file: str, statement: str) -> None:
    with closing(sqlite3.connect(file)) as ledger, ledger:
        ledger.execute(statement)


def _columns(width: str) -> None:
    os.environ["COLUMNS"] = width


_ACTS: dict[str, Callable[..., object]] = {
    "copy": shutil.copytree,
    "cut": _cut,
    "write": _write,
    "sql": _sql,
    "columns": _columns,
}
_ACTS |= {"interrupt": _awaited.append}

if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3])
