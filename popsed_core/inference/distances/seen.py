"""The catalogue as one member sees it."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int
from torch import Tensor

from popsed_core.inference.distances.features import Features


class Seen(NamedTuple):
    """What a member trains on and is judged on.

    Attributes:
        mag: magnitudes of the catalogue [mag].
        kept: rows to train on, some of them repeated in a bootstrap.
        held: rows to be judged on.
        features: the member's map from magnitudes to features, on its device.
    """

    mag: Float[np.ndarray, "galaxy band"]
    kept: Int[Tensor, "row"]
    held: Int[Tensor, "other_row"]
    features: Features
