"""Packets that are lost and sent again: how often each, and where they are lost."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from slfac_sim.foundation.streams import stream
from slfac_sim.network.transport import Message
from slfac_sim.network.transport._bursts import in_bursts
from slfac_sim.network.transport._packets import Train


@dataclass(frozen=True)
class Given:
    """What links are given of a message, in the order in which they are crossed.

    `packets` and `lost` are counts; the payload of the packets is `payload_bytes`, and that of all that
    arrive `arrived_bytes`: what is lost on a link has its part of the bytes that get lost. `rounds` says how
    many packets are sent in the first, second, ... round: all of them, those that were lost in it, and so on.
    `missed` are the receivers for whom a packet was lost too often.
    """

    packets: Sequence[int]
    lost: Sequence[int]
    payload_bytes: Sequence[int]
    arrived_bytes: int
    rounds: Sequence[int]
    missed: tuple[str, ...]


def given(message: Message, train: Train, seed: int, tries: int | None) -> Given:
    """Return what the links are given if each packet is sent until it arrives, at most `tries` times.

    Draws are keyed by seed, sender, receiver and number of the message. A multicast sends a packet until all
    receivers have it; who lacks one after the last try misses the message.
    """
    if not any(crossing.loss for crossing in train.crossings):
        links = len(train.crossings)
        payload = _payload(train, np.ones(train.count, np.int64))
        return Given([train.count] * links, [0] * links, [payload] * links, payload, [train.count], ())
    most = np.iinfo(np.int64).max if tries is None else tries
    needed = np.array([_needed(message, receiver, train, seed, most) for receiver in message.receivers])
    sent = np.minimum(needed.max(axis=0), most)
    arrived = needed.max(axis=0) <= most
    failed = int(sent.sum()) - int(arrived.sum())
    missed = [receiver for receiver, row in zip(message.receivers, needed, strict=True) if row.max() > most]
    packets, lost = _on_links(message, train, seed, int(sent.sum()), failed)
    payload, arrived_bytes = _payload(train, sent), _payload(train, arrived)
    gone = ((packets[0] - count) / max(failed, 1) for count in packets)
    payloads = [payload - round(part * (payload - arrived_bytes)) for part in gone]
    rounds = np.cumsum(np.bincount(sent)[:0:-1])[::-1].tolist()  # who is sent once at least, twice, ...
    return Given(packets, lost, payloads, arrived_bytes, rounds, tuple(missed))


def _payload(train: Train, times: NDArray[Any]) -> int:
    """Return the payload of the packets of `train`, each as many `times`."""
    return int(times[:-1].sum()) * train.payload_bytes + int(times[-1]) * train.last_bytes


def loss_of(train: Train) -> float:
    """Return the probability that a packet is lost on any of its links."""
    arrives = 1.0
    for crossing in train.crossings:
        arrives *= 1.0 - crossing.loss
    return 1.0 - arrives


def _needed(message: Message, receiver: str, train: Train, seed: int, most: int) -> NDArray[np.int64]:
    """Return how often each packet has to be sent for `receiver` to have it [packets], or more than `most`.

    That is a geometric law where nothing comes in bursts.
    """
    draws = stream(seed, f"transport/{message.src}/{message.dst}/{receiver}", message.number)
    if not any(crossing.bursts for crossing in train.crossings):
        return draws.geometric(1.0 - loss_of(train), size=train.count)
    return in_bursts(train, draws, most)


def _on_links(
    message: Message, train: Train, seed: int, sent: int, failed: int
) -> tuple[list[int], list[int]]:
    """Return how many packets each link is given, and how many it loses of the `failed` ones of all `sent`.

    At least one reaches the next link, on which the flow would have no bits otherwise.
    """
    arrives, odds = 1.0, []
    for crossing in train.crossings:
        odds.append(arrives * crossing.loss)
        arrives *= 1.0 - crossing.loss
    draws = stream(seed, f"transport/{message.src}/{message.dst}", message.number)
    lost = draws.multinomial(failed, np.array(odds) / sum(odds)).tolist()
    packets = [sent]
    for i in range(len(lost) - 1):
        spared = max(0, lost[i] - packets[i] + 1)
        lost[i], lost[-1] = lost[i] - spared, lost[-1] + spared
        packets.append(packets[i] - lost[i])
    return packets, lost
