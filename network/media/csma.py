"""802.11 as a fluid: every sender has the same chances, so a slow one slows all. It knows no radio, no clock.

The senders under way are taken as saturated; Bianchi's model (network/wifi/bianchi.py) gives the rate of
their accesses, with frames of unequal length. Equal accesses are equal rates: the performance anomaly of
Heusse et al., INFOCOM 2003. `dcf` plays the same channel packet by packet.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache, partial
from typing import ClassVar

import numpy as np

from slfac_sim.foundation.arrays import Floats
from slfac_sim.foundation.plugins import settings
from slfac_sim.network.contract import Sharing
from slfac_sim.network.engine import Flow, Share
from slfac_sim.network.engine.allotted import AllottedShare
from slfac_sim.network.wifi.bianchi import alone_probability, fixed_point, mean_slot_s
from slfac_sim.network.wifi.station import Station
from slfac_sim.network.wifi.timing import DOUBLINGS, SLOT_S, WINDOW


@settings
class Csma(Station):
    """CSMA/CA of senders that always have something to send, with retries without limit.

    A sender contends once, and serves its transfers in turn, one access each: an access point with downlinks
    is one contender, however many these are. A multicast is not acknowledged, not aggregated and does not ask
    first; it counts as sent again after a collision, as the others are.

    The airtime of a transfer is that of its exchanges, each with the contention before it: the idle slots and
    the collisions of all, shared equally by the accesses that succeed. So the parts add to all the time.
    """

    takes_caps = True
    shared: ClassVar[Sharing] = Sharing(adds_headers=True, multicasts_bounded=False)

    def share(self, users: int, capacity: float) -> Share:
        """Return the channel, empty.

        `Flow.rate_bps` is the PHY's rate and `Flow.bits` are UDP payload, sent by `Flow.src`; a flow to
        ``"*"`` is a multicast. `Flow.radiated_s` is the time of its data (and RTS) frames, those that collide
        included. Weights are not looked at.
        """
        known = lru_cache(maxsize=65536)(self._packed_accesses)  # asked for every flow at every change
        return AllottedShare(partial(_allot, known), capacity, refills=True)

    def allot(self, flows: Sequence[Flow]) -> tuple[Floats, Floats, Floats]:
        """Return rates in bit/s, parts of the channel and parts of the time on the air, all [flows]."""
        return _allot(self._packed_accesses, flows)

    def _packed_accesses(self, message_bytes: float, rate_bps: float, group: bool) -> bytes:
        """Return a mean `Access` and a request's as the bytes of their floats: a table is made fastest so."""
        exchanges = self.exchanges
        mean = exchanges.mean_access(message_bytes, rate_bps, group)
        return np.array([*mean, *exchanges.request(rate_bps)]).tobytes()


def _allot(
    packed_accesses: Callable[[float, float, bool], bytes], flows: Sequence[Flow]
) -> tuple[Floats, Floats, Floats]:
    """Return what `Csma.allot` does.

    An attempt is the first after a success with probability 1 - p, whatever its past (Bianchi): the A-MPDU
    itself, where the sender asks after a collision, and a request otherwise. So a message takes 1 / (1 - p)^2
    attempts, where without requests it takes 1 / (1 - p); a sender's flows take turns by messages.
    """
    sources = [flow.src for flow in flows]
    numbers = dict(zip(dict.fromkeys(sources), range(len(flows)), strict=False))
    sender = np.array([numbers[source] for source in sources])
    accesses = b"".join([packed_accesses(flow.bits / 8.0, flow.rate_bps, flow.dst == "*") for flow in flows])
    table = np.frombuffer(accesses).reshape(len(flows), 2, -1)
    payload_bits, success_s, _, collision_s, sent_s, collided_s, asks = table[:, 0].T
    tau, p = fixed_point(len(numbers), WINDOW, DOUBLINGS)
    attempts = (1.0 - p) ** -asks
    chance = attempts / np.bincount(sender, attempts)[sender]
    asking = chance * asks * p
    both = np.concatenate((chance - asking, asking)), np.concatenate((success_s, table[:, 1, 1]))
    collision_s = np.concatenate((collision_s, table[:, 1, 3]))
    slot_s = mean_slot_s(tau, SLOT_S, np.concatenate((sender, sender)), *both, collision_s)
    alone = alone_probability(tau, len(numbers)) / slot_s
    per_s = alone * (chance - asking)
    served_s = per_s * success_s + alone * asking * table[:, 1, 1]
    contention_s = (1.0 - float(served_s.sum())) / float(per_s.sum())
    radiating = tau / slot_s * (chance - asking) * ((1.0 - p) * sent_s + p * collided_s)
    radiating = radiating + tau / slot_s * asking * table[:, 1, 4]
    return per_s * payload_bits, served_s + per_s * contention_s, radiating
