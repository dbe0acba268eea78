"""How worker processes are started: never by forking this one, which has threads, nor by running its script.

A worker of `multiprocessing` first runs the script or the module that started everything, as ``__mp_main__``,
in case a job needs something of it. Ours need nothing: they are functions of this package. So a script needs
no ``if __name__ == "__main__":``, and a notebook, which has no script, is as good.
"""

import multiprocessing
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.context import (
    BaseContext,
    ForkServerContext,
    ForkServerProcess,
    SpawnContext,
    SpawnProcess,
)
from types import ModuleType
from typing import Any

_STARTING = threading.Lock()


def context(preloaded: list[str]) -> BaseContext:
    """Return how processes are started: where it can be by a server that has the modules `preloaded`."""
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return _Spawning()
    serving = _Serving()
    serving.set_forkserver_preload(preloaded)
    return serving


@contextmanager
def _no_script() -> Iterator[None]:
    """Have this process look, for the moment in which another one is started, as if it had no script."""
    with _STARTING:
        script = sys.modules["__main__"]
        sys.modules["__main__"] = ModuleType("__main__")
        try:
            yield
        finally:
            sys.modules["__main__"] = script


class _Served(ForkServerProcess):
    @staticmethod
    def _Popen(process: Any) -> Any:  # noqa: N802 - the name that `multiprocessing` calls
        with _no_script():
            return ForkServerProcess._Popen(process)


class _Spawned(SpawnProcess):
    @staticmethod
    def _Popen(process: Any) -> Any:  # noqa: N802
        with _no_script():
            return SpawnProcess._Popen(process)


class _Serving(ForkServerContext):
    Process = _Served


class _Spawning(SpawnContext):
    Process = _Spawned
