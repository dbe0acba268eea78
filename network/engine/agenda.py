"""What an engine keeps of its shares: who they are, what they follow, when they are due."""

from heapq import heapify, heappop, heappush
from math import inf

from slfac_sim.network.engine.flow import Share
from slfac_sim.network.engine.profiles import Profile


class Followed:
    """A profile that a share follows; the share's capacity is that of the profile until `until_s`."""

    __slots__ = ("link", "profile", "until_s")

    def __init__(self, profile: Profile, link: str) -> None:
        self.profile = profile
        self.link = link
        self.until_s = -inf


class ShareState:
    """A share at an engine: its rank (by first use), how many flows it has, what it follows."""

    __slots__ = ("due_s", "flows", "followed", "rank", "share")

    def __init__(self, share: Share, rank: int) -> None:
        self.share = share
        self.rank = rank
        self.flows = 0
        self.due_s = inf
        self.followed: list[Followed] = []


class Agenda:
    """When each state's share is due. What was noted earlier of a state is out of date and gets lost."""

    def __init__(self) -> None:
        self._entries: list[tuple[float, int, ShareState]] = []
        self._limit = 16

    def note(self, state: ShareState) -> None:
        """Note the present `due_s` of the share of `state`."""
        state.due_s = state.share.due_s
        if state.due_s < inf:
            heappush(self._entries, (state.due_s, state.rank, state))
            if len(self._entries) > self._limit:
                self._entries = [entry for entry in self._entries if entry[0] == entry[2].due_s]
                heapify(self._entries)
                self._limit = 2 * len(self._entries) + 16

    def first_s(self) -> float:
        """Return when the first share is due, infinite when none is."""
        entries = self._entries
        while entries and entries[0][0] != entries[0][2].due_s:
            heappop(entries)
        return entries[0][0] if entries else inf

    def take(self, now_s: float) -> list[ShareState]:
        """Take out the states whose shares are due by now."""
        entries, states = self._entries, []
        while entries and entries[0][0] <= now_s:
            due_s, _, state = heappop(entries)
            if due_s == state.due_s:
                states.append(state)
        return states
