"""The catalogue as one member sees it."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int
from torch import Tensor

from popsed_core.inference.distances.features import Features


class Seen(NamedTuple):
    """Training and held-out data of a member.

    Attributes:
        mag: magnitudes of the catalogue [mag].
        kept: rows to train on, some of them repeated in a bootstrap.
        held: rows held out for validation.
        features: the member's map from magnitudes to features, on its device.
    """

    mag: Float[np.ndarray, "galaxy band"]
    kept: Int[Tensor, "row"]
    held: Int[Tensor, "other_row"]
    features: Features
