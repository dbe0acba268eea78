"""Fades that go on with how far devices have come. No clock here."""

from abc import abstractmethod
from bisect import bisect_right
from collections.abc import Mapping, Sequence

import numpy as np

from slfac_sim.foundation.arrays import Floats
from slfac_sim.network.radio.fading import Fading, Rician
from slfac_sim.network.varying.motion import Motion

AROUND_MPS = 1.0
"""The speed of what moves around a device; one that is slower has fades as if it had this speed."""


class Followable(Rician):
    """Fades of which one pattern is gone through the faster, the faster a device is."""

    @abstractmethod
    def gains_at(self, seed: int, device: str, times_s: Floats, k: float) -> Floats:
        """Return the gains [times] of a device that stands."""


class Following(Rician):
    """The fades of devices that stand, `of`, as those in `motions` meet them on their ways.

    The blocks are as long as `interval_s` or, by default, as many times shorter as the fastest of them is
    faster, on the mean of its way.
    """

    def __init__(self, of: Followable, motions: Mapping[str, Motion], interval_s: float | None) -> None:
        self._of = of
        self._courses = {device: _Course(motion) for device, motion in motions.items()}
        fastest_mps = max(AROUND_MPS, *(motion.speed_mps for motion in motions.values()))
        assert of.coherence_s is not None
        self._coherence_s = interval_s or of.coherence_s * AROUND_MPS / fastest_mps

    @property
    def coherence_s(self) -> float:
        """The length of a block, for all devices."""
        return self._coherence_s

    def gain(self, seed: int, device: str, block: int, k: float) -> float:
        """Return the power gain of `device` where it is when `block` begins."""
        return float(self.gains(seed, [device], [block], np.array([k]))[0, 0])

    @property
    def ahead(self) -> int:
        """As many as those of devices that stand."""
        return self._of.ahead

    def gains(self, seed: int, devices: Sequence[str], blocks: Sequence[int], k: Floats) -> Floats:
        """Return the gains [devices, blocks]; `k` [devices]."""
        times_s = self._coherence_s * np.array(blocks, dtype=np.float64)
        each = zip(devices, k.tolist(), strict=True)
        return np.array(
            [self._of.gains_at(seed, device, self._own(device, times_s), k) for device, k in each]
        )

    def _own(self, device: str, times_s: Floats) -> Floats:
        """Return how long who stands would have had to wait for the fades that `device` has at `times_s`."""
        course = self._courses.get(device)
        return times_s if course is None else np.array([course.waited_s(t_s) for t_s in times_s.tolist()])


class _Course:
    """How long what is around a device at `AROUND_MPS` would take to come as far as it."""

    def __init__(self, motion: Motion) -> None:
        self._motion = motion
        self._waited_s = [0.0]

    def waited_s(self, t_s: float) -> float:
        """Return that by `t_s`."""
        times_s, travelled_m = self._motion.until(t_s)
        for leg in range(len(self._waited_s), len(times_s)):
            own_s = (travelled_m[leg] - travelled_m[leg - 1]) / AROUND_MPS
            self._waited_s.append(self._waited_s[-1] + max(own_s, times_s[leg] - times_s[leg - 1]))
        leg = bisect_right(times_s, t_s) - 1
        if leg + 1 == len(times_s):
            return self._waited_s[leg] + t_s - times_s[leg]
        part = (t_s - times_s[leg]) / (times_s[leg + 1] - times_s[leg])
        return self._waited_s[leg] + part * (self._waited_s[leg + 1] - self._waited_s[leg])


def followed(of: Followable, motions: Mapping[str, Motion], interval_s: float | None = None) -> Fading:
    """Return `of`, as it is where nobody moves; blocks are as long as given."""
    return Following(of, motions, interval_s) if motions else of
