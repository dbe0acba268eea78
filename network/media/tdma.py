"""TDMA: users take the whole medium in turn, a slot each; unused slots are wasted or skipped."""

from typing import ClassVar

from slfac_sim.foundation.errors import BadInput
from slfac_sim.foundation.plugins import settings
from slfac_sim.foundation.units import Count, Seconds
from slfac_sim.network.contract import Sharing
from slfac_sim.network.engine import Share
from slfac_sim.network.media import Medium
from slfac_sim.network.media._turns import Frames, RoundRobin


@settings
class Tdma(Medium):
    """A user is a pair (sender, receiver); its transfers share its slots equally.

    Slot i of every frame is that of user i. The first frame begins at time 0; users have their numbers in the
    order of their first transfers.
    """

    references: ClassVar[tuple[str, ...]] = ("rubin1979message", "kleinrock1967time")
    shared: ClassVar[Sharing] = Sharing(in_turn=True)

    heeds_weights = False

    slot: Seconds = 1e-3
    """Length of a slot: the longer, the longer a short message waits for the turn of its user."""
    work_conserving: bool = False
    """Whether only users with something to send have turns, without frames: a turn ends early when its user
    is through, and a newcomer is the last in the round (round robin: Kleinrock 1967; the shorter the slot,
    the more like `fair`). Else every user has its slot in each frame, wasted when it has nothing to send.
    """
    slots: Count | None = None
    """Slots of a frame, at least one for each user; null: one for each pair of sender and receiver, of which
    multicasts are one. More slots make everybody slower.
    """

    def __post_init__(self) -> None:
        if self.slot <= 0.0:
            raise ValueError("slot must be longer than 0 s")
        if self.slots is not None and self.slots < 1:
            raise ValueError(f"slots must be at least 1 (got {self.slots})")
        if self.work_conserving and self.slots is not None:
            raise ValueError("slots has no meaning with work_conserving: only users in need have a slot")

    @property
    def crowd_independent(self) -> bool:
        """Whether no slot is left idle while something waits."""
        return self.work_conserving

    def places(self, users: int) -> int:
        """Return how many slots a frame has; turns without frames belong to nobody."""
        if self.work_conserving:
            return 0
        return users if self.slots is None else self.slots

    def share(self, users: int, capacity: float) -> Share:
        """Return the medium. Raises `BadInput` for more users than slots.

        One more user than there are slots raises `ValueError` when it first sends.
        """
        if self.work_conserving:
            return RoundRobin(self.slot, capacity)
        slots = self.places(users)
        if slots < users:
            raise BadInput(f"tdma: {slots} slots are too few for {users} users")
        return Frames(self.slot, slots, capacity)
