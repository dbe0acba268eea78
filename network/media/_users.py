"""Who has which place on a medium that keeps one for each user. It knows no time."""

from slfac_sim.network.engine import Flow

User = tuple[str, str]

"""Of media that keep a place for each user."""


def user_of(flow: Flow) -> User:
    """Return whose flow it is: the pair of sender and receiver."""
    return flow.src, flow.dst


class Places:
    """Places 0, 1, ... for users, in the order in which they are first asked for."""

    def __init__(self, count: int) -> None:
        self.count = count
        self._numbers: dict[User, int] = {}

    def of(self, flow: Flow) -> int:
        """Return the place of the flow's user. Raises `ValueError` when all are taken by others."""
        number = self._numbers.setdefault(user_of(flow), len(self._numbers))
        if number >= self.count:
            raise ValueError(f"{flow.src} -> {flow.dst}: all {self.count} places on the medium are taken")
        return number
