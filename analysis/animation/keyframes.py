"""Keyframes of CSS from instants of a run: what moves when in a loop that plays it; it knows no places."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from slfac_sim.analysis.animation.scene import Packet, Work

MOVING = 93.0  # per cent of the loop in which the run passes; the rest shows its end
_STEP, _FADE = 0.01, 1.2  # per cent: the least between two frames, and how long a packet fades out
_Frame = tuple[float, str]


@dataclass(frozen=True)
class Loop:
    """A loop over a run from its start to `until_s`."""

    until_s: float

    def at(self, instant_s: float) -> float:
        """Return the per cent of the loop at which an instant of the run is shown."""
        return round(MOVING * min(instant_s, self.until_s) / self.until_s, 2)

    def travel(self, packet: Packet, way: str) -> str:
        """Return the frames of a packet that waits, then goes the `way` (a transform), then fades out."""
        asked, start, end = map(self.at, (packet.asked_s, packet.start_s, packet.end_s))
        end = max(end, start + _STEP)
        waiting = [(asked, "opacity:.5;transform:none")] if asked < start else []
        return frames(
            [
                *((at, "opacity:0") for at in (0.0, min(asked, start) - _STEP)),
                *waiting,
                (start, "opacity:1;transform:none"),
                (end, f"opacity:1;transform:{way}"),
                (end + _FADE, f"opacity:0;transform:{way}"),
                (100.0, "opacity:0"),
            ]
        )

    def filling(self, work: Iterable[Work]) -> str:
        """Return the frames of a gauge that fills with each stretch of work, and is empty between them."""
        return frames([(0.0, "transform:scaleX(0)"), *self._filling(work), (100.0, "transform:scaleX(0)")])

    def _filling(self, work: Iterable[Work]) -> Iterator[_Frame]:
        for stretch in work:
            start, end = self.at(stretch.from_s), self.at(stretch.to_s)
            yield start, "transform:scaleX(0)"
            yield end - _STEP, "transform:scaleX(1)"
            yield end, "transform:scaleX(0)"

    def shown(self, from_s: float, to_s: float) -> str:
        """Return the frames of what is there from one instant to another, or to the end of the loop."""
        start, end = self.at(from_s), self.at(to_s) if to_s < self.until_s else 100.0
        hidden = [(0.0, "opacity:0"), (start - _STEP, "opacity:0")]
        after = [(end - _STEP, "opacity:1"), (end, "opacity:0")] if end < 100.0 else []
        return frames([*hidden, (start, "opacity:1"), *after, (100.0, f"opacity:{0 if after else 1}")])


def frames(told: Iterable[_Frame]) -> str:
    """Return the keyframes within the loop: one that steps back is left out, of equals the last counts."""
    placed: dict[str, str] = {}
    latest = 0.0
    for at, frame in told:
        if latest <= at <= 100.0:
            placed[f"{at:.2f}".rstrip("0").rstrip(".")] = frame
            latest = at
    return "".join(f"{at}%{{{frame}}}" for at, frame in placed.items())
