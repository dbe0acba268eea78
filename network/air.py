"""What lies between servers and devices, as a fluid network asks for it. It knows no clock and no radio."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

from slfac_sim.network.change import Effect
from slfac_sim.network.contract import Handover, Sighting, Survey
from slfac_sim.network.engine import Share
from slfac_sim.network.transfers import Lane, Path
from slfac_sim.network.transport import Framing
from slfac_sim.network.varying.effects import Effects

NO_PACKETS = Framing()
_NO_WIRES: Mapping[str, float] = MappingProxyType({})

Among = Callable[[int], float] | None


class Air(ABC):
    """What lies between the servers and the devices, for one seed: lanes, and the paths on them.

    A lane is a medium of its own. Rates change on a grid of blocks, if at all, and with how many senders
    are `heard` of other lanes.
    """

    @property
    def coherence_s(self) -> float | None:
        """The length of a block; None, as it stands, where there are none."""
        return None

    def coherence_on(self, lane: str) -> float | None:
        """Return the length of a block on `lane`; as it stands, all lanes are on one grid."""
        return self.coherence_s

    def lanes(self) -> Sequence[Lane]:
        """Return all lanes, for wires that follow them; as it stands it does not tell, and none can."""
        return ()

    @abstractmethod
    def survey(self) -> Survey:
        """Return what it offers each device."""

    @abstractmethod
    def paths(self, src: str, dsts: tuple[str, ...]) -> Sequence[Path]:
        """Return the paths from `src` to all of `dsts`, one for each station that sends.

        Raises `KeyError` for an unknown host.
        """

    @abstractmethod
    def share(self, lane: str) -> Share:
        """Return the medium of `lane`, empty."""

    @abstractmethod
    def rate_bps(self, path: Path, block: int, heard: Mapping[str, int]) -> tuple[float, Among]:
        """Return the rate on `path` alone on its lane, and among n, in the coherence block `block`."""

    def rates_bps(
        self, paths: Sequence[Path], block: int, heard: Mapping[str, int]
    ) -> Sequence[tuple[float, Among]]:
        """Return what `rate_bps` says of each path; as it stands, one by one."""
        return [self.rate_bps(path, block, heard) for path in paths]

    def senders(self, lane: str, transfers: int) -> int:
        """Return how many senders the lanes that `lane` disturbs hear of it while `transfers` are on it."""
        return 0

    def disturbed(self, lane: str) -> Sequence[str]:
        """Return the lanes whose rates depend on how many senders `lane` has; as it stands, none."""
        return ()

    @property
    def wires(self) -> Mapping[str, float]:
        """The capacity of each way of each wire, or of both together; as it stands, there are no wires."""
        return _NO_WIRES

    def may_fill(self, lane: str) -> Collection[str]:
        """Return the wires that may be full, if some of them follow `lane`; otherwise none."""
        return ()

    def framing(self, lane: str) -> Framing:
        """Return what packets cost on `lane`; as it stands, nothing."""
        return NO_PACKETS

    def takes_caps(self, lane: str) -> bool:
        """Return whether `lane` keeps to the caps of flows; as it stands it does."""
        return True

    def moved(self, path: Path, t_s: float) -> Path:
        """Return `path` as it is at `t_s`, when its devices are elsewhere; as it stands, nobody moves.

        After a handover it is on another lane. If there are several devices, one station serves them then,
        but not always the one of `path`: what counts are the devices, and the direction.
        """
        return path

    @property
    def hands_over(self) -> bool:
        """Whether devices go from one station to another; as it stands, none does."""
        return False

    def paths_at(self, src: str, dsts: tuple[str, ...], t_s: float) -> Sequence[Path]:
        """Return the paths from `src` to all of `dsts` at `t_s`, one for each station that sends then."""
        if len(dsts) == 1 or not self.hands_over:
            return [self.moved(path, t_s) for path in self.paths(src, dsts)]
        served: dict[str, list[str]] = {}
        for dst in dsts:
            served.setdefault(self.paths_at(src, (dst,), t_s)[0].lane, []).append(dst)
        return [self.together(src, tuple(together), t_s) for together in served.values()]

    def together(self, src: str, dsts: tuple[str, ...], t_s: float) -> Path:
        """Return the path to `dsts`, which one station serves at `t_s`, wherever they began."""
        paths = self.paths(src, dsts)
        return self.moved(paths[0] if len(paths) == 1 else replace(paths[0], devices=dsts), t_s)

    def resumes_s(self, path: Path, t_s: float) -> float:
        """Return from when on bits cross `path`: `t_s`, or the end of an interruption by a handover."""
        return t_s

    def handovers(self, until_s: float) -> Sequence[Handover]:
        """Return the handovers up to `until_s`, in the order of time; as it stands, there are none."""
        return ()

    def sightings(self, times_s: Sequence[float]) -> Sequence[Sighting]:
        """Return where the devices that move are at each of `times_s`; as it stands, nobody moves."""
        return ()

    @property
    def varies(self) -> bool:
        """Whether there are `effects` on any path; as it stands there are none."""
        return False

    def effects(self, path: Path) -> Sequence[Effect]:
        """Return what changes the rate of `path` at times of its own; as it stands, nothing does."""
        return ()

    @property
    def wire_effects(self) -> Mapping[str, Effects]:
        """What changes each way of wires; as it stands, nothing does."""
        return {}

    def quiet_bps(self, path: Path, rate_bps: float, n: int = 1) -> float:
        """Return what `rate_bps`, of `Survey.links`, is on `path` among `n` while other lanes are quiet.

        As it stands, it is the same.
        """
        return rate_bps

    def alone_bps(self, path: Path, rate_bps: float) -> float:
        """Return what a transfer alone gets of the lane of `path`, at one of its rates; as it stands, that.

        What wires leave of it has no part in this.
        """
        return rate_bps
