"""Short names for the types of arrays; what the axes are, each function says in its docstring."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
