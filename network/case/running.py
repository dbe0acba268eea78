"""A case as it runs: which shares its transfers meet in, and when each ends. It reads and writes no file."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from math import inf, log1p
from typing import NamedTuple

from slfac_sim.foundation.errors import BadInput
from slfac_sim.network.case.case import Air, Case, Transfer, Wire
from slfac_sim.network.engine import Demand, Flow, Share, plan

Arrival = tuple[float, Flow]
Change = tuple[float, float, str]  # when, the capacity from then on, of which link


class Outcome(NamedTuple):
    """When each transfer of the case ends, in their order: None where it never does.

    `events` counts arrivals, completions, and changes of capacity before the last of them on the links
    that meet there. A transfer of no byte is none: it ends after the latency of its path alone.
    """

    end_s: Sequence[float | None]
    events: int


class _Meeting(NamedTuple):
    """What meets in one share: flows, by the number of their transfer, and its changes of capacity."""

    share: Share
    flows: dict[Flow, int]
    changes: list[Change]


def simulate(case: Case) -> Outcome:
    """Return when the transfers of `case` end. Raises `BadInput` for a medium with too many users."""
    transfers = case.transfers
    ends: list[float | None] = [None if t.bytes else t.start_s for t in transfers]
    events = 0
    for share, flows, changes in (*_on_wires(case), *_on_air(case)):
        arrivals = [(transfers[i].start_s, flow) for flow, i in flows.items()]
        arrivals.sort(key=lambda arrival: arrival[0])  # stable: at one instant in the order of the case
        played = play(share, arrivals, sorted(changes))
        events += played.events
        for flow, at_s in played.last_bit_s.items():
            ends[flows[flow]] = at_s
    return Outcome(_with_latency(case, ends), events)


def _with_latency(case: Case, ends: Sequence[float | None]) -> list[float | None]:
    paths = {t.path for t in case.transfers}
    latency_s = {path: sum(case.links[name].latency_s for name in path) for path in paths}
    return [
        None if end_s is None else float(end_s + latency_s[transfer.path])
        for end_s, transfer in zip(ends, case.transfers, strict=True)
    ]


def demand(t: Transfer) -> Demand:
    """Return the transfer `t` over wires as one that `plan` takes."""
    uses = t.consumption
    consumption = (1.0,) * len(t.path) if uses is None else tuple(uses.get(name, 1.0) for name in t.path)
    return Demand(t.path, consumption, 8.0 * t.bytes, t.weight or 1.0, t.cap_bps or inf)


def _on_wires(case: Case) -> Iterable[_Meeting]:
    wires = {name: link.capacity for name, link in case.links.items() if isinstance(link, Wire)}
    sent = [(i, t) for i, t in enumerate(case.transfers) if t.bytes and t.path[0] in wires]
    places, follows = plan(wires, [demand(t) for _, t in sent], case.engine)
    meetings: dict[Share, _Meeting] = {}
    for (i, _), (share, flow) in zip(sent, places, strict=True):
        if share not in meetings:
            meetings[share] = _Meeting(share, {}, [])
        meetings[share].flows[flow] = i
    for share, profile, link in follows:
        meetings[share].changes.extend((at_s, capacity, link) for at_s, capacity in profile.changes)
    return meetings.values()


def _on_air(case: Case) -> Iterable[_Meeting]:
    """Each medium has one channel, or one in each direction (see `Air`)."""
    channels: dict[tuple[str, bool], dict[int, Transfer]] = {}
    for i, transfer in enumerate(case.transfers):
        air = case.links[transfer.path[0]]
        if transfer.bytes and isinstance(air, Air):
            uplink = air.duplex != "half" and transfer.dst == air.station
            channels.setdefault((transfer.path[0], uplink), {})[i] = transfer
    for (name, uplink), transfers in channels.items():
        air = case.links[name]
        assert isinstance(air, Air)
        try:
            yield _channel(air, uplink, transfers)
        except BadInput as error:  # what only shows with the number of its users
            raise BadInput(f"links.{name}: {error}") from None


def _channel(air: Air, uplink: bool, transfers: Mapping[int, Transfer]) -> _Meeting:
    whole = air.share_of_time(uplink)
    users = len({(t.src, t.dst) for t in transfers.values()})
    share = air.medium.share(users, whole * air.part.before)
    flows = {_flow(air, t): i for i, t in transfers.items()}
    return _Meeting(share, flows, [(at_s, whole * part, "") for at_s, part in air.part.changes])


def _flow(air: Air, t: Transfer) -> Flow:
    rate_bps = t.phy_rate_bps or 0.0
    gain = None if t.snr_db is None else among(air.medium.crowd, rate_bps, t.snr_db)
    return Flow(8.0 * t.bytes, rate_bps, t.weight or 1.0, t.cap_bps or inf, gain, t.src or "", t.dst or "")


def among(crowd: str, rate_bps: float, snr_db: float) -> Callable[[int], float]:
    """Return the rate over its part of the medium when n transfers have one, for `Flow.among`.

    `rate_bps` is the rate alone, whatever its coding; the gain over it is Shannon's at `snr_db`, the
    SNR alone (its mean, where fades are chosen among): log2(1 + n S) / log2(1 + S) for a power-limited
    sender in 1/n of the band, E[log2(1 + S M_n)] / E[log2(1 + S M_1)] for the best of n Rayleigh fades.
    """
    gain, snr = _diversity if crowd == "diversity" else _power, 10.0 ** (snr_db / 10.0)
    return lambda n: rate_bps * gain(snr, n)


@cache
def _power(snr: float, n: int) -> float:
    return log1p(n * snr) / log1p(snr)


@cache
def _diversity(snr: float, n: int) -> float:
    from slfac_sim.network.media.proportional_fair import best_of  # a plug-in

    return best_of(n, snr) / best_of(1, snr)


class Played(NamedTuple):
    """When the last bit of each flow left, for those that are through, and how many events that took.

    An event is an arrival, a completion, or a change of capacity before the last of them.
    """

    last_bit_s: dict[Flow, float]
    events: int


def play(share: Share, arrivals: Sequence[Arrival], changes: Iterable[Change]) -> Played:
    """Let `arrivals` take part in `share`, whose capacity has `changes`, both in the order of time.

    At one instant capacities change first, then flows are through, then flows arrive, as in `Engine`, which
    takes longer because anything may still happen; a test holds the two together.
    """
    last_bit_s: dict[Flow, float] = {}
    coming, changing = iter(arrivals), iter(changes)
    arrival_s, flow = next(coming, _NO_ARRIVAL)
    change_s, capacity, link = next(changing, _NO_CHANGE)
    changed = 0
    while len(last_bit_s) < len(arrivals):
        now_s = min(arrival_s, change_s, share.due_s)
        if now_s == inf:
            break  # what is left waits for ever
        while change_s <= now_s:
            share.set_capacity(now_s, capacity, link)
            changed += 1
            change_s, capacity, link = next(changing, _NO_CHANGE)
        if share.due_s <= now_s:
            for through in share.finish(now_s):
                last_bit_s[through] = now_s
        while arrival_s <= now_s:
            share.start(now_s, flow)
            arrival_s, flow = next(coming, _NO_ARRIVAL)
    return Played(last_bit_s, len(arrivals) + len(last_bit_s) + changed)


_NO_ARRIVAL: Arrival = (inf, Flow(0.0, 0.0))
_NO_CHANGE: Change = (inf, 0.0, "")
