"""Path loss models, one file each; they know distances and a carrier, and draw nothing themselves."""

from abc import ABC, abstractmethod

from slfac_sim.foundation.arrays import Bools, Floats
from slfac_sim.foundation.errors import BadInput
from slfac_sim.foundation.plugins import Family, kind_of
from slfac_sim.network.radio.penetration import Indoors


class PathLoss(ABC):
    """Settings of a path loss model. Distances [devices] are horizontal, in metres.

    `los` [devices] tells who has a line of sight. What fades around the median loss, slowly (shadowing)
    and fast (Rician), belongs to the place too, and so to the model.
    """

    @property
    @abstractmethod
    def shortest_m(self) -> float:
        """The shortest distance at which the model holds; nearer is taken as this far."""

    @property
    def indoors(self) -> Indoors | None:
        """Which devices are in buildings, and what that costs. As it stands, none are: None.

        `distance_m` of the other members is then the whole distance, but for a line of sight that up to the
        wall.
        """
        return None

    @abstractmethod
    def los_probability(self, distance_m: Floats) -> Floats:
        """Return the probability of a line of sight."""

    @abstractmethod
    def loss_db(self, distance_m: Floats, los: Bools, carrier_hz: float) -> Floats:
        """Return the median loss, with (`los`) or without line of sight."""

    @abstractmethod
    def shadowing_sigma_db(self, distance_m: Floats, los: Bools, carrier_hz: float) -> Floats:
        """Return the standard deviation of the shadowing."""

    def decorrelation_m(self, los: Bools) -> Floats:
        """Return the distance over which the correlation of the shadowing falls to 1/e.

        As it stands, there is none: raises `BadInput`.
        """
        raise BadInput(f"network.shadowing: path loss {kind_of(self)} has no decorrelation distance")

    def rician_k_db(self, los: Bools) -> tuple[Floats, Floats]:
        """Return mean and standard deviation of the Rician factor K, normal in decibels.

        A mean of minus infinity (with deviation 0) is Rayleigh fading: the power ratio K is 0. As it stands,
        nothing is known of K: raises `BadInput`.
        """
        raise BadInput(f"network.small_scale: path loss {kind_of(self)} has no Rician factors")


FAMILY = Family(PathLoss, shared=("device_height", "rician_k"))
