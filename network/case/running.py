"""A case as it runs: which shares its transfers meet in, and when each ends. It reads and writes no file."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from slfac_sim.foundation.errors import BadInput
from slfac_sim.network.case.gains import among
from slfac_sim.network.case.parts import Air, Case, Transfer, Wire
from slfac_sim.network.case.playing import Change, play
from slfac_sim.network.engine import Flow, Share
from slfac_sim.network.engine.choose import Demand, plan


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


def _on_wires(case: Case) -> Iterable[_Meeting]:
    wires = {name: link.capacity for name, link in case.links.items() if isinstance(link, Wire)}
    sent = [(i, t) for i, t in enumerate(case.transfers) if t.bytes and t.path[0] in wires]
    demands = [Demand(t.path, t.consumption, 8.0 * t.bytes, t.weight, t.cap_bps) for _, t in sent]
    places, follows = plan(wires, demands, case.engine)
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
    gain = None if t.snr_db is None else among(air.medium.crowd, t.phy_rate_bps, t.snr_db)
    return Flow(8.0 * t.bytes, t.phy_rate_bps, t.weight, t.cap_bps, gain, t.src, t.dst)
