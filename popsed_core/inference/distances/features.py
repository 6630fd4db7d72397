"""The space in which distributions of magnitudes are compared: an affine map of the magnitudes.

Transport distances weigh directions by their width.  In z-scored broad-band magnitudes the
colours, which carry the physics, hold less than a per cent of the variance, so the default
whitens: every principal direction gets unit width, but for those narrower than a floor, which
hold more noise than signal.  Widths are those of a robust covariance (``robust.py``): with the
plain one, a single wrong magnitude among 10,000 dominates the narrow directions.  In these units a
wrong magnitude may lie hundreds of widths away, so the catalogue's galaxies are pulled in to at
most ``REACH``; predicted ones are not, so that the loss penalises their distance.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from popsed_core.config.distances import FeaturesConfig
from popsed_core.errors import InputError
from popsed_core.photometry.robust import robust_covariance

# ASSUME: rows beyond this many widths are wrong; only their direction is used
REACH = 10.0
ROUNDING = 1e-7  # width over the largest, below which it is rounding error
Magnitudes = Float[np.ndarray, "galaxy band"]


class Affine(NamedTuple):
    """features = (mag - shift) @ matrix; shift [mag], matrix [1/mag], reach of the data."""

    shift: Float[np.ndarray, "band"]
    matrix: Float[np.ndarray, "band feature"]
    reach: float


class Features(nn.Module):
    """An invertible affine map from magnitudes to features.

    Args:
        shift: subtracted from the magnitudes [mag].
        matrix: columns are features [1/mag].
        reach: largest distance of data from the centre.

    Raises:
        ValueError: the matrix is not square of the number of bands, or not invertible.
    """

    shift: Tensor
    matrix: Tensor

    def __init__(
        self,
        shift: Float[Tensor, "band"],
        matrix: Float[Tensor, "row column"],
        reach: float = math.inf,
    ) -> None:
        super().__init__()
        n_bands = len(shift)
        if matrix.shape != (n_bands, n_bands):
            raise ValueError(f"matrix: got {tuple(matrix.shape)}, expected {(n_bands, n_bands)}")
        if int(torch.linalg.matrix_rank(matrix.double())) < n_bands:
            raise ValueError("matrix: singular, some colours would be lost")
        self.reach = reach
        self.register_buffer("shift", shift)
        self.register_buffer("matrix", matrix)

    def forward(self, mag: Float[Tensor, "galaxy band"]) -> Float[Tensor, "galaxy feature"]:
        """Map magnitudes [mag] to features [dimensionless].

        Raises:
            ValueError: the number of bands differs from that of the features.
        """
        if mag.shape[1] != len(self.shift):
            raise ValueError(f"mag: got {mag.shape[1]} bands, expected {len(self.shift)}")
        return (mag - self.shift) @ self.matrix

    def of_data(self, mag: Float[Tensor, "galaxy band"]) -> Float[Tensor, "galaxy feature"]:
        """Map observed magnitudes [mag] to features, none of them beyond the reach.

        Raises:
            ValueError: as :meth:`forward`.
        """
        features = self(mag)
        distance = features.norm(dim=1, keepdim=True)
        return features * (self.reach / distance.clamp(min=1)).clamp(max=1)


def zscored(mag: Magnitudes, bands: Sequence[str], config: FeaturesConfig) -> Affine:
    """Scale each band by its own mean and standard deviation, as the released code does."""
    width = mag.std(axis=0)
    if not (width > 0).all():
        band = bands[int(np.argmin(width))]
        raise InputError(f"catalogue: mag in band {band} is constant; remove the band")
    return Affine(mag.mean(axis=0), np.diag(1 / width), math.inf)


def whitened(mag: Magnitudes, bands: Sequence[str], config: FeaturesConfig) -> Affine:
    """Rotate to the principal axes of the data and give each unit width, widest first."""
    centre, covariance = robust_covariance(mag)
    variance, axes = np.linalg.eigh(covariance)
    variance, axes = variance[::-1].clip(min=0), axes[:, ::-1]
    largest = np.abs(axes).argmax(axis=0)
    axes = axes * np.sign(axes[largest, np.arange(len(bands))])  # the sign that eigh leaves free
    width = _floored(np.sqrt(variance), config.floor)
    return Affine(centre, axes / width, REACH)


def colours(mag: Magnitudes, bands: Sequence[str], config: FeaturesConfig) -> Affine:
    """Take a reference magnitude and the adjacent colours, each about zero, of unit width."""
    reference = config.reference or bands[len(bands) // 2]
    if reference not in bands:
        raise InputError(
            f"fit.features.reference: got {reference!r}, expected one of the bands {list(bands)}"
        )
    matrix = np.zeros((len(bands), len(bands)))
    matrix[bands.index(reference), 0] = 1
    for column in range(1, len(bands)):
        matrix[column - 1, column], matrix[column, column] = 1, -1
    centre, covariance = robust_covariance(mag)
    variance = np.diag(matrix.T @ covariance @ matrix).clip(min=0)
    return Affine(centre, matrix / _floored(np.sqrt(variance), config.floor), REACH)


KINDS = {"zscored": zscored, "whitened": whitened, "colours": colours}


def build_features(
    mag: Magnitudes | Float[Tensor, "galaxy band"], bands: Sequence[str], config: FeaturesConfig
) -> Features:
    """Make the feature space of a catalogue, in float32.

    Args:
        mag: the catalogue's magnitudes [mag].
        bands: names of its columns.
        config: kind of space, reference band, floor.

    Raises:
        InputError: a magnitude is not finite, a band is constant, or the reference is not a band.
    """
    values = np.asarray(mag, dtype=np.float64)
    if values.shape[1] != len(bands):
        raise ValueError(f"mag: got {values.shape[1]} columns, expected bands {list(bands)}")
    is_bad = ~np.isfinite(values)
    if is_bad.any():
        row, column = np.argwhere(is_bad)[0]
        raise InputError(
            f"catalogue: mag in band {bands[column]}, row {row} is {values[row, column]}; "
            "cut such rows before the fit"
        )
    shift, matrix, reach = KINDS[config.kind](values, list(bands), config)
    return Features(torch.from_numpy(shift).float(), torch.from_numpy(matrix).float(), reach)


def _floored(width: Float[np.ndarray, "feature"], floor: float) -> Float[np.ndarray, "feature"]:
    is_rounding = width < ROUNDING * width.max()
    floored = np.maximum(np.where(is_rounding, 0, width), floor)
    if not (floored > 0).all():
        raise InputError(
            "fit.features.floor: got 0, but the magnitudes are degenerate (a colour has no width); "
            "set a floor of about the photometric error [mag]"
        )
    return floored
