"""A change with the means in place of what changes with time, for forecasts."""

from collections.abc import Mapping, Sequence
from typing import Literal

from slfac_sim.foundation.plugins import settings
from slfac_sim.network.change import Change, Effect, Target
from slfac_sim.network.varying.courses import Constant, Course
from slfac_sim.network.varying.motion import Motion


@settings
class Steady(Change):
    """The means of `moving`."""

    moving: Change

    @property
    def on(self) -> str | None:
        """What that changes."""
        return self.moving.on

    @property
    def devices(self) -> Literal["all"] | Sequence[str] | None:
        """Whom that changes."""
        return self.moving.devices

    @property
    def loses_packets(self) -> bool:
        """Whether that has packets lost."""
        return self.moving.loses_packets

    @property
    def only_loses(self) -> bool:
        """Whether that does nothing else."""
        return self.moving.only_loses

    @property
    def moves(self) -> bool:
        """Whether that says where devices are."""
        return self.moving.moves

    def motion(self, target: Target, seed: int, radius_m: float) -> Motion:
        """Return that the device stays where it begins."""
        return self.moving.motion(target, seed, radius_m).stopped()

    def effect(self, target: Target, seed: int) -> Effect:
        """Return constants."""
        return steady(self.moving.effect(target, seed))


def steadied(changes: Mapping[str, Change]) -> dict[str, Change]:
    """Return the means of `changes`, which may be means already."""
    return {
        name: change if isinstance(change, Steady) else Steady(moving=change)
        for name, change in changes.items()
    }


def steady(effect: Effect) -> Effect:
    """Return the means of `effect`."""
    return Effect(
        _means(effect.rates_bps),
        _means(effect.factors),
        _means(effect.latencies_s),
        _means(effect.losses),
        effect.bursts,
    )


def _means(courses: Sequence[Course]) -> tuple[Course, ...]:
    return tuple(Constant(course.mean) for course in courses)
