"""What each link has carried: added up from transfers as they end, and from those under way."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from slfac_sim.network.contract import LinkUse
from slfac_sim.network.engine import Flow
from slfac_sim.network.under_way import FluidTransfer


@dataclass
class _Account:
    carried_bits: float = 0.0
    lost_bits: float = 0.0
    busy_s: float = 0.0
    limited_s: float = 0.0
    background_bits: float = 0.0
    on_the_way_bits: float = 0.0  # of background traffic


class LinkAccounts:
    """The accounts of lanes, which have a part of the time, and of wires, which have a capacity in bit/s."""

    def __init__(self, parts: Mapping[str, float], capacities_bps: Mapping[str, float]) -> None:
        self._parts, self._capacities_bps = parts, capacities_bps
        self._accounts = {link: _Account() for link in (*parts, *capacities_bps)}

    def settle(self, transfer: FluidTransfer, until_s: float) -> None:
        """Take in what was sent of a transfer that leaves its path: it is through, given up, or goes on."""
        flow, lane, whole_bits = transfer.flow, transfer.path.lane, transfer.plan.bits
        sent = flow.bits / whole_bits - flow.left_bits / whole_bits if whole_bits > 0.0 else 0.0
        for link, bits, lost_part in _loads(transfer):
            account = self._accounts[link]
            account.carried_bits += sent * bits * (1.0 - lost_part)
            account.lost_bits += sent * bits * lost_part
            if link != lane:
                account.busy_s += sent * bits / self._capacities_bps[link]
        if lane:
            self._accounts[lane].busy_s += flow.airtime_s / self._parts[lane]
        for link, limited_s in transfer.limited_s(until_s).items():
            self._accounts[link].limited_s += limited_s

    def offer(self, link: str, flow: Flow) -> None:
        """Take in that a flow of background traffic is under way on `link` alone."""
        self._accounts[link].on_the_way_bits += flow.bits

    def carry(self, link: str, flow: Flow) -> None:
        """Take in that it is through."""
        account = self._accounts[link]
        account.on_the_way_bits -= flow.bits
        account.carried_bits += flow.bits
        account.background_bits += flow.bits
        is_lane = link in self._parts
        account.busy_s += (
            flow.airtime_s / self._parts[link] if is_lane else flow.bits / self._capacities_bps[link]
        )

    def use(self, under_way: Iterable[FluidTransfer]) -> Sequence[LinkUse]:
        """Return the accounts of all links while these transfers are `under_way`."""
        in_flight: defaultdict[str, float] = defaultdict(float)
        for transfer in under_way:
            part = transfer.flow.bits / transfer.plan.bits if transfer.plan.bits > 0.0 else 1.0
            for link, bits, _ in _loads(transfer):
                in_flight[link] += part * bits
        return [
            _use(link, account, in_flight[link] + account.on_the_way_bits)
            for link, account in self._accounts.items()
        ]


def _use(link: str, account: _Account, in_flight_bits: float) -> LinkUse:
    return LinkUse(
        link=link,
        offered_bits=account.carried_bits + account.lost_bits + in_flight_bits,
        carried_bits=account.carried_bits,
        lost_bits=account.lost_bits,
        in_flight_bits=in_flight_bits,
        busy_s=account.busy_s,
        limited_s=account.limited_s,
        background_bits=account.background_bits,
    )


def _loads(transfer: FluidTransfer) -> Iterator[tuple[str, float, float]]:
    """Yield each link of a path, the bits with headers of the whole message, and the part that it loses."""
    path, plan = transfer.path, transfer.plan
    lost_parts = plan.lost_parts or (0.0,) * (1 + len(path.hops))
    if path.lane:
        yield path.lane, 8.0 * plan.wire_bytes, lost_parts[0]
    for hop, consumption, lost_part in zip(path.hops, plan.consumption[1:], lost_parts[1:], strict=True):
        yield hop.link, plan.bits * consumption * hop.part, lost_part
