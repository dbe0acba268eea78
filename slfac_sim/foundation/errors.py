"""Errors that a sentence explains; every other one is a defect of ours."""

import difflib
import sqlite3
from collections.abc import Iterable


class BadInput(ValueError):
    """Input that cannot be used: its message names the place, what stands there and what is allowed.

    The command line prints the message alone, without a traceback, and exits with status 2.
    """


SettingFault = tuple[tuple[str, ...], str]
"""The path of a setting, and what is wrong with it."""


class BadSettings(BadInput):
    """Settings that do not go with others, by `faults`; a line each."""

    def __init__(self, *faults: SettingFault) -> None:
        super().__init__(*faults)
        self.faults = faults

    @property
    def paths(self) -> list[tuple[str, ...]]:
        """The paths of the settings."""
        return [path for path, _ in self.faults]

    def __str__(self) -> str:
        return "\n".join(f"{'.'.join(path)}: {text}" for path, text in self.faults)


DID_YOU_MEAN = "did you mean"


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return ``; did you mean 'x'?`` for the nearest of the `known` names, in any case; or nothing."""
    folded = {one.casefold(): one for one in known}
    near = difflib.get_close_matches(name.casefold(), folded, n=1)
    return f"; {DID_YOU_MEAN} '{folded[near[0]]}'?" if near else ""


class HostFailed(Exception):
    """What was asked for can be done, but not by this host now: a full disk, for instance.

    The command line prints the message alone, without a traceback, and exits with status 1.
    """


class Diverged(Exception):
    """Training that has left the numbers: on `host`, and `what` of it; `during` adds the round.

    The command line prints the message alone, without a traceback, and exits with status 1.
    """

    def __init__(self, host: str, what: str, round_number: int | None = None) -> None:
        super().__init__(host, what, round_number)  # SimPy makes another of these when it hands it on

    def __str__(self) -> str:
        host, what, round_number = self.args
        when = "" if round_number is None else f" in round {round_number}"
        return f"diverged{when} on {host}: {what}"

    def during(self, round_number: int) -> "Diverged":
        """Return it with the round in which it happened."""
        host, what, _ = self.args
        return Diverged(host, what, round_number)


OF_THE_HOST = (OSError, sqlite3.Error, MemoryError, OverflowError, RecursionError)
"""What a disk, a memory or a damaged file can raise anywhere."""


def sentence(error: BaseException) -> str:
    """Return what one of the errors `OF_THE_HOST` says, as a sentence for people."""
    if isinstance(error, OSError):
        why = error.strerror or str(error) or type(error).__name__
        return f"{error.filename}: {why}" if error.filename is not None else f"the system refused: {why}"
    if isinstance(error, sqlite3.Error):
        return f"an SQLite file cannot be read or written ({error})"
    if isinstance(error, MemoryError):
        return f"not enough memory{f' ({error})' if str(error) else ''}"
    if isinstance(error, RecursionError):
        return "something is nested too deeply to be worked with"
    return f"a number is too large to be worked with ({error})"
