"""What completes an argument: chosen by its metavar, which says what it is."""

import argparse
from collections.abc import Callable, Sequence
from typing import Any

from slfac_sim.cli.completing import places, settings
from slfac_sim.cli.completing.places import Offered

Completer = Callable[..., Offered]
"""Takes ``prefix`` and ``parsed_args`` by name, as argcomplete asks; returns what the word may become."""

_OF_STUDIES = ("sweep", "check")
_DATA_SETS = ("mnist", "fashion_mnist")


def completer_of(action: argparse.Action, verb: str) -> Completer | None:
    """Return what completes the argument `action` of `verb`; None to leave it to argcomplete."""
    if action.metavar == "FILE" and action.option_strings:
        return lambda prefix, **_: places.files(prefix, ("",))
    if action.metavar == "FILE" and verb == "init":
        return lambda prefix, **_: places.files(prefix, (".yaml", ".yml"))
    if action.metavar == "FILE":
        return lambda prefix, **_: places.scenarios(prefix, studies=verb in _OF_STUDIES)
    if verb == "codec" and action.metavar in _SETTINGS:
        return _of_codec(_SETTINGS[str(action.metavar)])
    if verb == "data" and action.metavar == "NAME":
        return lambda **_: dict.fromkeys(_DATA_SETS, "")
    if action.metavar == "RUN" and verb == "resume":
        return lambda prefix, **_: places.runs(prefix, unfinished=True)
    return _BY_METAVAR.get(str(action.metavar))


def _runs(prefix: str, **_: Any) -> Offered:
    return {**places.runs(prefix), **places.studies(prefix)}


def _scenarios_and_runs(prefix: str, **_: Any) -> Offered:
    return {**places.scenarios(prefix), **places.runs(prefix)}


def override(prefix: str, parsed_args: argparse.Namespace, **_: Any) -> Offered:
    """Complete a setting, or its value behind the ``=``, as the scenario that was named has them."""
    tree = _tree(parsed_args)
    return settings.values(prefix, tree) if "=" in prefix else settings.paths(prefix, tree)


def _axis(prefix: str, parsed_args: argparse.Namespace, **_: Any) -> Offered:
    """Complete a setting, or the last one of its values."""
    path, equals, listed = prefix.partition("=")
    before, comma, last = listed.rpartition(",")
    offered = override(f"{path}{equals}{last}", parsed_args)
    if not comma:
        return offered
    return {name.replace("=", f"={before},", 1): text for name, text in offered.items()}


def _setting(prefix: str, parsed_args: argparse.Namespace, **_: Any) -> Offered:
    return settings.paths(prefix, _tree(parsed_args), ending="")


def _of_codec(completer: Completer) -> Completer:
    """Return a completer of the codec's settings alone."""

    def complete(prefix: str, **asked: Any) -> Offered:
        offered = completer(prefix=prefix, **asked)
        return {name: text for name, text in offered.items() if name.startswith("codec")}

    return complete


def _any_setting(prefix: str, **_: Any) -> Offered:
    return settings.paths(prefix, settings.EVERY, ending="")


def _columns(prefix: str, **_: Any) -> Offered:
    """Complete the last of several columns of a list."""
    before, comma, last = prefix.rpartition(",")
    names = (name for name in ("help", *places.columns()) if name.startswith(last))
    return {f"{before}{comma}{name}": "" for name in names}


def _pages(prefix: str, **_: Any) -> Offered:
    from slfac_sim.cli.pages import chapters, title_of

    names = (page for pages in chapters().values() for page in pages if page.startswith(prefix))
    return {page: title_of(page) for page in names}


def _codec(prefix: str, **_: Any) -> Offered:
    return settings.kinds("slfac_sim.codecs")


def _tree(parsed: argparse.Namespace) -> Any:
    """Return what the scenario, or the run, that was named says, with the overrides typed so far."""
    given = vars(parsed)
    named = next((given[name] for name in ("scenario", "study", "run") if given.get(name)), None)
    typed: Sequence[str] = given.get("overrides") or ()
    return settings.overridden(places.plain(named) if named else {}, typed)


_SETTINGS: dict[str, Completer] = {"KEY=VALUE": override, "KEY=V,V,...": _axis, "KEY": _setting}
_BY_METAVAR: dict[str, Completer] = {
    "RUN": _runs,
    "FILE|RUN": _scenarios_and_runs,
    **_SETTINGS,
    "PATH": _any_setting,
    "PAGE": _pages,
    "COLUMN,...": _columns,
    "COLUMN": _columns,
    "A": _codec,
    "B": _codec,
    "CASE.json": lambda prefix, **_: places.files(prefix, (".json",)),
    "TENSOR.npy": lambda prefix, **_: places.files(prefix, (".npy",)),
    "OUT.json": lambda prefix, **_: places.files(prefix, (".json",)),
    "Y.npy": lambda prefix, **_: places.files(prefix, (".npy",)),
    "X.slf": lambda prefix, **_: places.files(prefix, (".slf",)),
    "DIR": lambda prefix, **_: places.files(prefix, ()),
    "FOLDER": lambda prefix, **_: places.files(prefix, ()),
}
