"""Fashion-MNIST: 60,000 + 10,000 articles of clothing, 28 x 28 grey pixels (Xiao, Rasul, Vollgraf, 2017)."""

from typing import ClassVar

from slfac_sim.foundation.plugins import settings
from slfac_sim.learning.idx.load import IdxData
from slfac_sim.learning.idx.packages import DebianPackage
from slfac_sim.learning.idx.sets import IdxSet, in_form_of_mnist


@settings
class FashionMnist(IdxData):
    """Real Fashion-MNIST, verified by SHA-256."""

    references: ClassVar[tuple[str, ...]] = ("xiao2017fashion",)
    files: ClassVar[IdxSet] = in_form_of_mnist(
        name="fashion_mnist",
        sha256s=(
            "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
            "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
            "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
            "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
        ),
        mirrors=(
            "https://github.com/zalandoresearch/fashion-mnist/raw/master/data/fashion/",
            "https://storage.googleapis.com/tensorflow/tf-keras-datasets/",
        ),
        package=DebianPackage("dataset-fashion-mnist", "/usr/share/datasets/fashion-mnist"),
        class_names=(
            *("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat"),
            *("Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"),
        ),
    )
