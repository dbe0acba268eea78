"""Effects: what a protocol asks for, one at a time; they say nothing of how or when it comes about.

A protocol is a generator that yields effects and is sent their replies. A player performs them: at once
(`simulation.instant`), on a simulated clock (`simulation.simulated`), or from a record
(`simulation.replay`).
"""

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol


class Parcel(Protocol):
    """What a `Send` needs to know of a payload; `codecs.Payload` is one, and so is the record of one."""

    @property
    def nbytes(self) -> int:
        """Bytes charged."""
        ...

    @property
    def values(self) -> int:
        """Numbers that the bytes stand for."""
        ...

    @property
    def sha256(self) -> str:
        """Fingerprint of the bytes."""
        ...

    @property
    def parts(self) -> Mapping[str, int] | None:
        """Bytes by what they are for; empty if that is not told, None if it is on record elsewhere."""
        ...

    @property
    def notes(self) -> Mapping[str, float]:
        """What the codec notes of the bytes."""
        ...


CODEC_WORK: Final = frozenset({"encode", "decode", "encode_model", "decode_model"})
"""Names of work that hosts do at their codec speed, whatever their speed in training."""


@dataclass(frozen=True, slots=True)
class Compute:
    """Keep `host` busy for `flops` / its speed, then run `job`; the reply is what `job()` returned.

    A host does one thing at a time, first asked, first served. An interrupted compute never runs its
    job. `what` names the work in the ledger: "forward", "encode", ...; work named in `CODEC_WORK` is done at
    the host's codec speed. On a host that is down, or goes down meanwhile, it raises `HostDown`.
    """

    host: str
    flops: float
    job: Callable[[], Any]
    what: str


@dataclass(frozen=True, slots=True)
class Send:
    """Send `payloads` (by kind) from `src` to `dst`, a host or a tuple of hosts reached by one multicast.

    The reply is the tuple of the hosts that it has reached: of a multicast those that were up from its
    beginning to its end. A transfer that the network gives up raises `TransferLost` into the protocol, one
    whose sender or last receiver is down, or goes down meanwhile, `HostDown`.
    """

    src: str
    dst: str | tuple[str, ...]
    payloads: Mapping[str, Parcel]


@dataclass(frozen=True, slots=True)
class Together:
    """Run `tasks` side by side; the reply is the list of their results, in the order of the tasks.

    With `deadline_s` (after now) or `enough` (results wanted), the tasks that are unfinished then are
    closed, their computes and transfers interrupted, and their result is `MISSED`. A task that ends with
    a `Failure` gives `Failed`; its siblings live. `enough` counts tasks that ended well.
    """

    tasks: Sequence["Task"]
    deadline_s: float | None = None
    enough: int | None = None


@dataclass(frozen=True, slots=True)
class Offer:
    """Hand `item` to a queue of `host` that is served once `max_items` are there.

    The player then keeps the host busy for the sum of the offers' `flops`, runs `serve(items)` once, with
    the items sorted by `place`, and answers each offer with its own result, in the same order. With
    `wait_s` the queue is served with what is there so long after its first item came. Raises `HostDown`
    as a `Compute` does.
    """

    host: str
    queue: str
    place: int
    item: Any
    serve: Callable[[list[Any]], Sequence[Any]]
    flops: float
    max_items: int
    what: str
    wait_s: float | None = None


@dataclass(frozen=True, slots=True)
class Excuse:
    """Say that one of the items that a queue of `host` waits for will not come. No reply.

    The queue is then served with one item less than the `max_items` of its offers, made or to come.
    """

    host: str
    queue: str


@dataclass(frozen=True, slots=True)
class Present:
    """Ask which of `hosts` are up; the reply is the tuple of those, in the same order.

    With `wait` the reply comes once there is at least one, and a host that never comes back is not waited
    for: the reply is then empty.
    """

    hosts: tuple[str, ...]
    wait: bool = False


@dataclass(frozen=True, slots=True)
class Note:
    """Write `row` to `table` of the ledger; the player stamps the time. No reply."""

    table: str
    row: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Failed:
    """The result of a task of `Together` that ended with a `Failure`."""

    reason: str


class Failure(Exception):
    """What a player raises into a protocol: an effect cannot be done, and `reason` says why."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class TransferLost(Failure):
    """The network gave a transfer up."""


class HostDown(Failure):
    """A host that the effect needs is down: out of reach, crashed, out of energy, being restarted."""


class Over(Exception):
    """Raised by a task, it ends the whole protocol: what is under way elsewhere is cut short."""


class _Missed:
    def __repr__(self) -> str:
        return "MISSED"


MISSED = _Missed()
"""The result of a task of `Together` that was not finished in time."""

Effect = Compute | Send | Together | Offer | Excuse | Present | Note
Task = Generator[Effect, Any, Any]
