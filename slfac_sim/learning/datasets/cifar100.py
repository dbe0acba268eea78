"""CIFAR-100: 50,000 + 10,000 colour pictures of 32 x 32 pixels in 100 classes (Krizhevsky, 2009)."""

from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from slfac_sim.foundation.plugins import settings
from slfac_sim.learning.datasets._cifar import CifarData, CifarForm

_COARSE = (
    *("aquatic_mammals", "fish", "flowers", "food_containers", "fruit_and_vegetables"),
    *("household_electrical_devices", "household_furniture", "insects", "large_carnivores"),
    *("large_man-made_outdoor_things", "large_natural_outdoor_scenes", "large_omnivores_and_herbivores"),
    *("medium_mammals", "non-insect_invertebrates", "people", "reptiles", "small_mammals", "trees"),
    *("vehicles_1", "vehicles_2"),
)
_FINE = (
    *("apple", "aquarium_fish", "baby", "bear", "beaver", "bed", "bee", "beetle", "bicycle", "bottle"),
    *("bowl", "boy", "bridge", "bus", "butterfly", "camel", "can", "castle", "caterpillar", "cattle"),
    *("chair", "chimpanzee", "clock", "cloud", "cockroach", "couch", "crab", "crocodile", "cup"),
    *("dinosaur", "dolphin", "elephant", "flatfish", "forest", "fox", "girl", "hamster", "house"),
    *("kangaroo", "keyboard", "lamp", "lawn_mower", "leopard", "lion", "lizard", "lobster", "man"),
    *("maple_tree", "motorcycle", "mountain", "mouse", "mushroom", "oak_tree", "orange", "orchid", "otter"),
    *("palm_tree", "pear", "pickup_truck", "pine_tree", "plain", "plate", "poppy", "porcupine", "possum"),
    *("rabbit", "raccoon", "ray", "road", "rocket", "rose", "sea", "seal", "shark", "shrew", "skunk"),
    *("skyscraper", "snail", "snake", "spider", "squirrel", "streetcar", "sunflower", "sweet_pepper"),
    *("table", "tank", "telephone", "television", "tiger", "tractor", "train", "trout", "tulip", "turtle"),
    *("wardrobe", "whale", "willow_tree", "wolf", "woman", "worm"),
)
"""The names of the classes, as two text files of the archive have them."""


@settings
class Cifar100(CifarData):
    """Real CIFAR-100 from its binary archive, which you put in place yourself."""

    references: ClassVar[tuple[str, ...]] = ("krizhevsky2009learning",)
    form: ClassVar[CifarForm] = CifarForm(
        name="cifar100",
        archive="cifar-100-binary.tar.gz",
        md5="03b5dce01913d631647c71ecec9e9cb8",
        folder="cifar-100-binary",
        train=("train.bin",),
        test="test.bin",
        classes=(20, 100),
        records=(50_000, 10_000),
        class_names=(_COARSE, _FINE),
    )
    by_hand: ClassVar[str | None] = form.by_hand

    labels: Literal["fine", "coarse"] = "fine"
    """Whether the 100 `fine` classes are learnt or the 20 `coarse` ones above them; the others are a column
    of the training samples.
    """

    @property
    def label(self) -> int:
        """Which of a record's labels is learnt: the coarse one comes first."""
        return ("coarse", "fine").index(self.labels)

    def columns(self, labels: NDArray[np.int64]) -> dict[str, NDArray[np.int64]]:
        """Return the labels that are not learnt."""
        other = 1 - self.label
        return {("coarse", "fine")[other]: labels[:, other]}
