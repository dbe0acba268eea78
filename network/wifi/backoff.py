"""The backoff of 802.11's DCF, event by event: who transmits next, and after how many idle slots.

IEEE Std 802.11-2016, clause 10.3.4: a backoff is uniform over 0 to W 2^s - 1 slots, where s is 0 after a
success and one more, up to m, after each failure. Who is not transmitting keeps the slots that are left
(Bianchi's model has it lose one for each busy period). It knows no frames and no times.
"""

from slfac_sim.foundation.streams import stream

_BLOCK = 256  # backoffs drawn at once


class Backoff:
    """The contending senders, by name. The k-th backoff of a sender depends on (seed, name, k) alone.

    After `retry_limit` attempts at one frame (None: never) it is given up: `dropped` counts these, and the
    window is the smallest again.
    """

    def __init__(self, seed: int, window: int, doublings: int, retry_limit: int | None) -> None:
        self.dropped = 0
        self.slots: dict[str, int] = {}
        self._seed, self._window, self._doublings = seed, window, doublings
        self._limit = retry_limit
        self._failures: dict[str, int] = {}
        self._draws: dict[str, tuple[int, list[float]]] = {}

    def join(self, name: str) -> None:
        """Let `name` contend, with a fresh backoff."""
        self._failures[name] = 0
        self._draw(name)

    def leave(self, name: str) -> None:
        """Take `name` out."""
        del self.slots[name], self._failures[name]

    def idle_slots(self) -> int:
        """Return the idle slots before the next transmission."""
        return min(self.slots.values())

    def first(self) -> list[str]:
        """Return who transmits after these, in the order of joining."""
        least = self.idle_slots()
        return [name for name, slots in self.slots.items() if slots == least]

    def count_down(self, slots: int) -> None:
        """Let `slots` idle slots pass."""
        if slots:
            self.slots = {name: left - slots for name, left in self.slots.items()}

    def succeed(self, name: str) -> None:
        """Note that the frame of `name` got through."""
        self._failures[name] = 0
        self._draw(name)

    def fail(self, name: str, retries: bool = True) -> None:
        """Note that the frame of `name` met another; one that nobody answers is not sent again."""
        self._failures[name] += 1
        if not retries or self._failures[name] == self._limit:
            self.dropped += 1
            self._failures[name] = 0
        self._draw(name)

    def _draw(self, name: str) -> None:
        drawn, block = self._draws.get(name, (0, []))
        if drawn % _BLOCK == 0:
            block = stream(self._seed, f"backoff/{name}", drawn // _BLOCK).random(_BLOCK).tolist()
        self._draws[name] = (drawn + 1, block)
        stage = min(self._failures[name], self._doublings)
        self.slots[name] = int(block[drawn % _BLOCK] * (self._window << stage))
