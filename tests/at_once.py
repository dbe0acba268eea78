"""Work that several threads begin at the same moment, for the tests of what processes share."""

import threading
from collections.abc import Callable
from typing import Any

AT_ONCE = 8


def at_once(work: Callable[[int], Any]) -> list[Any]:
    """Return what ``work(i)`` returned, or raised, in threads that begin together."""
    barrier, results = threading.Barrier(AT_ONCE), [None] * AT_ONCE

    def each(number: int) -> None:
        barrier.wait()
        try:
            results[number] = work(number)
        except Exception as error:
            results[number] = error

    threads = [threading.Thread(target=each, args=(number,)) for number in range(AT_ONCE)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results
