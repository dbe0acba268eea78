"""Whether the head of a Ray cluster still answers: without it Ray ends this process after a minute."""

import socket
import time

from slfac_sim.foundation.errors import HostFailed

_EVERY_S, _PATIENCE_S = 5.0, 20.0
_ANSWERS_WITHIN_S = 5.0


def ask(address: str) -> None:
    """Connect to ``host:port`` and say nothing. Raises `OSError` or `OverflowError` where nobody answers."""
    host, _, port = address.rpartition(":")
    socket.create_connection((host.strip("[]"), int(port)), timeout=_ANSWERS_WITHIN_S).close()


class Head:
    """The head at `address`, ``host:port``, which is asked now and then."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.gone = False
        self._asked_s = self._heard_s = time.monotonic()

    def check(self) -> None:
        """Raise `HostFailed` if it has not answered for some time."""
        now_s = time.monotonic()
        if now_s - self._asked_s < _EVERY_S:
            return
        self._asked_s = now_s
        try:
            ask(self.address)
            self._heard_s = now_s
        except OSError as error:
            if now_s - self._heard_s > _PATIENCE_S:
                raise self.lost(str(error)) from error

    def lost(self, why: str) -> HostFailed:
        """Return what is to be raised since it is gone."""
        self.gone = True
        kept = "points and trainings that are done are kept, and the same command goes on with the rest"
        return HostFailed(f"the head of the Ray cluster, {self.address}, does not answer ({why}); {kept}")
