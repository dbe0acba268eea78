"""The moving picture as an SVG: no script, no network, equal bytes for equal runs.

It moves by keyframes of CSS. Where these are not played, or the reader asks for less motion, it is a picture
of one instant; colours follow the reader's light or dark.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib.resources import files
from itertools import pairwise
from typing import NamedTuple

from jinja2 import Environment

from slfac_sim.analysis.animation.keyframes import MOVING, Loop
from slfac_sim.analysis.animation.scene import Packet, Scene
from slfac_sim.analysis.format import fixed_percent, quantity

TOP, PITCH, LANE = 64.0, 48.0, 18.0  # the first row of the scene; from row to row, and from lane to lane
_FROM, _TO = 282.0, 608.0  # where packets begin and end
_SECONDS_A_PACKET, _LEAST_S, _MOST_S = 0.9, 14.0, 36.0  # of the loop, for each of a device's packets
_FRAMES = 150  # of the clock
_LETTER = 6.0  # how wide one is in the legend, or a little less
_MEANING = {
    "compute": "computing",
    "codec": "encoding or decoding",
    "up": "sending",
    "down": "receiving",
    "between": "between servers",
}


def svg(scene: Scene) -> str:
    """Return the picture of `scene`."""
    environment = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
    text = (files("slfac_sim.analysis.animation") / "picture.svg").read_text(encoding="utf-8")
    return environment.from_string(text).render(of=Picture(scene, Loop(scene.until_s)), moving=MOVING)


class Box(NamedTuple):
    """A host in the scene, in pixels."""

    left: float
    top: float
    wide: float
    high: float


class Moved(NamedTuple):
    """Something that moves: its look, text, keyframes, and how it stands still (a transform, or hidden)."""

    look: str
    text: str
    frames: str
    still: str
    hidden: bool


@dataclass(frozen=True)
class Picture:
    """What the template fills in: places in pixels, texts and keyframes."""

    scene: Scene
    loop: Loop
    axis: float = 96.0  # where the time axis begins
    wide: float = 744.0  # how long it is
    high: float = 84.0  # of the accuracy

    @cached_property
    def boxes(self) -> dict[str, Box]:
        """Every host in the scene: devices on the left, beside them their servers, as high as they are."""
        boxes, top = {}, TOP
        for server, devices in self.scene.devices.items():
            rows = max(len(devices), 1)
            for place, name in enumerate(devices):
                boxes[name] = Box(20.0, top + PITCH * place, 230.0, 40.0)
            boxes[server] = Box(640.0, top, 200.0, PITCH * rows - 8.0)
            top += PITCH * rows
        return boxes

    @property
    def bottom(self) -> float:
        """The lower end of the scene."""
        return max(box.top + box.high for box in self.boxes.values())

    @cached_property
    def lanes(self) -> dict[str, float]:
        """The top of each host's lane, devices first."""
        hosts = sorted(self.boxes, key=lambda host: (host in self.scene.devices, self.boxes[host].top))
        return {host: self.bottom + 48.0 + LANE * row for row, host in enumerate(hosts)}

    @property
    def curve(self) -> float:
        """The top of the accuracy."""
        return self.bottom + 62.0 + LANE * len(self.lanes)

    @property
    def loop_s(self) -> float:
        """How long it plays until it begins again, in seconds of the reader."""
        devices = max(sum(map(len, self.scene.devices.values())), 1)
        return round(min(max(_SECONDS_A_PACKET * len(self.scene.packets) / devices, _LEAST_S), _MOST_S), 1)

    def x(self, at_s: float) -> float:
        """Return where an instant is on the time axis."""
        return round(self.axis + self.wide * min(at_s, self.scene.until_s) / self.scene.until_s, 1)

    def ticks(self) -> list[tuple[float, str]]:
        """Return the place and the text of each tick of the time axis."""
        steps = (digit * 10.0**power for power in range(-9, 12) for digit in (1, 2, 5))
        step = next(step for step in steps if self.scene.until_s / step <= 8)
        return [(self.x(n * step), f"{n * step:.6g}") for n in range(int(self.scene.until_s / step) + 1)]

    def legend(self) -> Iterator[tuple[float, str, str]]:
        """Yield the looks of the bars that are there, each with its place and what it means."""
        there, x = {look.split()[0] for look in self.bars}, 0.0
        for look, text in _MEANING.items():
            if look in there:
                yield x, look, text
                x += 36.0 + _LETTER * len(text)

    @cached_property
    def bars(self) -> dict[str, str]:
        """The path of all bars in the lanes, by their look."""
        paths: dict[str, list[str]] = defaultdict(list)
        for packet in self.scene.packets:
            for host in (packet.src, packet.dst):
                if packet.way == "between" or host not in self.scene.devices:
                    paths[_look(packet)].append(self._bar(host, packet.asked_s, packet.end_s))
        for host, work in self.scene.work.items():
            for stretch in work:
                look = "codec" if stretch.codec else "compute"
                paths[look].append(self._bar(host, stretch.from_s, stretch.to_s))
        return {look: "".join(bars) for look, bars in paths.items()}

    def _bar(self, host: str, from_s: float, to_s: float) -> str:
        left, right = self.x(from_s), self.x(to_s)
        return f"M{left:g} {self.lanes[host]:g}H{right:g}v14H{left:g}z"

    def points(self) -> list[tuple[float, float]]:
        """Return the place of each evaluation."""
        return [(self.x(t), round(self.curve + self.high * (1.0 - a), 1)) for t, a in self.scene.accuracy]

    def packets(self) -> dict[tuple[float, float], list[Moved]]:
        """Return the packets by where they begin."""
        groups: dict[tuple[float, float], list[Moved]] = defaultdict(list)
        for packet in self.scene.packets:
            begin, (x, y) = self._route(packet)
            part = packet.part(self.scene.still_s)
            still = f"translate({(part or 0.0) * x:.1f} {(part or 0.0) * y:.1f})"
            frames = self.loop.travel(packet, _way(x, y))
            text = quantity(packet.payload_bytes, "B")
            groups[begin].append(Moved(_look(packet), text, frames, still, part is None))
        return groups

    def _route(self, packet: Packet) -> tuple[tuple[float, float], tuple[float, float]]:
        """Return where a packet begins, and how far it goes: a lost one half the way."""
        part = 0.5 if packet.lost else 1.0
        if packet.way == "between":
            from_y, to_y = (self.boxes[h].top + 0.5 * self.boxes[h].high for h in (packet.src, packet.dst))
            return (_TO + 130.0, from_y), (0.0, part * (to_y - from_y))
        up = packet.way == "up"
        y = self.boxes[packet.src if up else packet.dst].top + (10.0 if up else 30.0)
        return (_FROM if up else _TO, y), (part * (_TO - _FROM) * (1 if up else -1), 0.0)

    def gauges(self) -> Iterator[tuple[Box, Moved]]:
        """Yield the gauges of each host, which fill as it computes or codes."""
        for host, work in self.scene.work.items():
            for look in ("compute", "codec"):
                own = [stretch for stretch in work if stretch.codec == (look == "codec")]
                full = sum(stretch.part(self.scene.still_s) for stretch in own)
                yield self.boxes[host], Moved(look, "", self.loop.filling(own), f"scale({full:.3f} 1)", False)

    def accuracies(self) -> Iterator[Moved]:
        """Yield the number that tells the accuracy, of each evaluation until the next."""
        for (at_s, value), (end_s, _) in pairwise([*self.scene.accuracy, (self.scene.until_s, 0.0)]):
            hidden = not at_s <= self.scene.still_s < end_s
            yield Moved("", fixed_percent(value, 1), self.loop.shown(at_s, end_s), "", hidden)

    @cached_property
    def clock(self) -> Sequence[str]:
        """The texts of the clock, one after another."""
        step_s = self.scene.until_s / _FRAMES
        digits = next(digits for digits in range(12) if 10.0**-digits <= step_s)
        return [f"{place * step_s:.{digits}f} s" for place in range(_FRAMES + 1)]

    @property
    def clock_still(self) -> int:
        """Which of them the still picture shows."""
        return round(_FRAMES * self.scene.still_s / self.scene.until_s)


def _look(packet: Packet) -> str:
    return packet.way + (" model" if packet.model else "") + (" lost" if packet.lost else "")


def _way(x: float, y: float) -> str:
    return {326.0: "var(--r)", -326.0: "var(--l)"}.get(x, f"translate({x:g}px,{y:g}px)")
