"""CIFAR-10: 50,000 + 10,000 colour pictures of 32 x 32 pixels in 10 classes (Krizhevsky, 2009)."""

from typing import ClassVar

from slfac_sim.foundation.plugins import settings
from slfac_sim.learning.datasets._cifar import CifarData, CifarForm


@settings
class Cifar10(CifarData):
    """Real CIFAR-10 from its binary archive, which you put in place yourself."""

    references: ClassVar[tuple[str, ...]] = ("krizhevsky2009learning",)
    form: ClassVar[CifarForm] = CifarForm(
        name="cifar10",
        archive="cifar-10-binary.tar.gz",
        md5="c32a1d4ab5d03f1284b67883e8d87530",
        folder="cifar-10-batches-bin",
        train=tuple(f"data_batch_{number}.bin" for number in range(1, 6)),
        test="test_batch.bin",
        classes=(10,),
        records=(10_000, 10_000),
        class_names=(
            ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"),
        ),
    )
    by_hand: ClassVar[str | None] = form.by_hand
