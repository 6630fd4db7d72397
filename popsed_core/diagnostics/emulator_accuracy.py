"""Accuracy of an emulator, on fresh draws of its prior that it was never trained on.

Truth is the plain SSP table, not the factorised one, on the emulator's own pixels.  The error of a
spectrum of stars is L / L_true - 1; the error of a magnitude is that of both spectra seen through
a filter, the diffuse screen and the same gas included.  Quantiles are of absolute values.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from scipy.stats import rankdata
from torch import Tensor, nn

from popsed_core.config.base import from_json
from popsed_core.config.parameters import ParameterConfig
from popsed_core.config.spectra import SpectraConfig
from popsed_core.emulator.data import LN10
from popsed_core.emulator.emulator import EmulatedSpectra
from popsed_core.emulator.segment import EmulatorSegment
from popsed_core.emulator.training_draws import draw_theta
from popsed_core.files.artefacts import array, check_axes
from popsed_core.photometry.filters import load_filter
from popsed_core.photometry.projection import Projection
from popsed_core.running.runtime import generator
from popsed_core.stellar.spectra import ExactSpectra
from popsed_core.stellar.ssp.grid import SSPGrid
from popsed_core.theta import Theta

BANDS = tuple("ugriz")
FILTERS = tuple(f"sdss2010-{band}" for band in BANDS)
RANGES = ((1000.0, 3000.0), (3000.0, 12000.0))  # [AA] rest frame, as the paper quotes them
SHARES = (0.68, 0.95)
N_SPECTRA = 10_000
BLOCK = 500  # spectra at a time
N_REDSHIFT_BINS = 8
N_AGE_BINS = 12
YOUNGEST = 1e-3  # [Gyr] no burst is drawn younger, where the box begins at 0
RATIO_EDGES = (0.0, 0.25, 0.5, 0.75, 0.9, 1.0, 1.1, 1.25, 1.5, 2.0)  # t_burst / galaxy's age


@dataclass(frozen=True)
class EmulatorAccuracy:
    """The measured errors of an emulator.

    Attributes:
        wave: rest-frame wavelength of the pixels.
        spectrum: quantiles ``SHARES`` of the fractional error in each pixel.
        bias: median signed error in each pixel.
        pooled: the same quantiles over all pixels of each of ``RANGES``.
        rest_mag: error of each galaxy's rest-frame magnitudes, emulated minus exact.
        mag: the same at the galaxy's own redshift.
        redshift: of the galaxies.
        redshift_edges: of the bins of ``mag_binned``.
        mag_binned: quantiles of the error of magnitudes in bins of redshift.
        correlation: rank correlation of ``rest_mag`` between bands.
        age_edges: bins of the lookback time of the burst, log-uniform draws.
        by_age: quantiles over the second of ``RANGES`` in those bins.
        ratio_edges: bins of the lookback time of the burst over the galaxy's age.
        by_ratio: the same in these bins; NaN where there is no galaxy.
        bands: names of the bands.
        source: ``toy`` or ``real``.
    """

    wave: np.ndarray = array("AA", "pixel")
    spectrum: np.ndarray = array("-", "share", "pixel")
    bias: np.ndarray = array("-", "pixel")
    pooled: np.ndarray = array("-", "range", "share")
    rest_mag: np.ndarray = array("mag", "galaxy", "band")
    mag: np.ndarray = array("mag", "galaxy", "band")
    redshift: np.ndarray = array("-", "galaxy")
    redshift_edges: np.ndarray = array("-", "redshift_edge")
    mag_binned: np.ndarray = array("mag", "share", "redshift_bin", "band")
    correlation: np.ndarray = array("-", "band", "band")
    age_edges: np.ndarray = array("dex(Gyr)", "age_edge")
    by_age: np.ndarray = array("-", "share", "age_bin")
    ratio_edges: np.ndarray = array("-", "ratio_edge")
    by_ratio: np.ndarray = array("-", "share", "ratio_bin")
    bands: tuple[str, ...] = BANDS
    source: str = "real"

    def __post_init__(self) -> None:
        check_axes(self)


class Comparison:
    """Emulated and exact spectra of the same galaxies, on the pixels of the emulator."""

    def __init__(self, segments: Sequence[EmulatorSegment], grid: SSPGrid) -> None:
        """Build both.

        Raises:
            InputError: the emulator does not cover the filters at its redshifts.
        """
        first = segments[0]
        spectra = from_json(SpectraConfig, first["spectra"], "emulator")
        self.boxes = from_json(dict[str, ParameterConfig], first["parameters"], "emulator")
        self.seed: int = first["seed"]
        highest = self.boxes["redshift"].high
        self.emulated = EmulatedSpectra(segments, grid, spectra, max_redshift=highest).float()
        edges = self.emulated.edges
        self.wave = np.exp(0.5 * (edges[1:] + edges[:-1]))
        exact = ExactSpectra(grid.stars(), spectra, edges, max_redshift=highest, tolerance=None)
        self.exact = exact.float()
        curves = [load_filter(name) for name in FILTERS]
        self.projection = Projection(curves, edges, highest, line_wave=self.emulated.line_wave)

    def draw(self, n: int, purpose: str) -> Theta:
        """Draw galaxies from the emulator's prior, from their own random stream."""
        return draw_theta(self.boxes, n, generator(self.seed, "emulator", "accuracy", purpose))

    @torch.no_grad()
    def errors(
        self, theta: Theta
    ) -> tuple[Float[Tensor, "galaxy pixel"], Float[Tensor, "galaxy band"], Tensor]:
        """Return the error of spectra, of rest-frame and of observed magnitudes [mag]."""
        model, truth = self.emulated, self.exact
        inputs = model.inputs(theta, model)
        found = torch.cat([network(inputs) for network in model.networks], dim=1) + model.log_unit
        log_true = torch.log10(truth.behind_screen(theta)) + truth.log_unit
        screen = truth.dust.log_screen(theta.tau_ism, theta.dust_index) / LN10
        error = found - log_true - (screen if model.has_screen else 0.0)
        light = 10 ** (log_true + screen - truth.log_unit).double()
        both = [self._with_gas(part, theta) for part in (light * 10 ** error.double(), light)]
        at = theta.redshift.double()
        mags = [
            [-2.5 * torch.log10(self.projection(part, place)) for part in both]
            for place in (torch.zeros_like(at), at)
        ]
        rest, observed = ((seen - true).float() for seen, true in mags)
        return torch.expm1(LN10 * error), rest, observed

    def _with_gas(
        self, stars: Float[Tensor, "galaxy pixel"], theta: Theta
    ) -> Float[Tensor, "galaxy column"]:
        """Add what the emulator and the exact spectra share, in the unit of the latter."""
        model = self.emulated
        if not model.has_nebular:
            return stars
        gas = model.nebular(theta) * model.dust.screen(theta.tau_ism, theta.dust_index)
        unit = 10 ** (model.log_unit - self.exact.log_unit)
        return nn.functional.pad(stars, (0, len(model.line_wave))) + unit * gas.double()

    def in_blocks(self, theta: Theta) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return :meth:`errors`, computed a block of galaxies at a time."""
        blocks = zip(*(column.split(BLOCK) for column in theta), strict=True)
        parts = [self.errors(Theta(*block)) for block in blocks]
        spectrum, rest, observed = (torch.cat(part).numpy() for part in zip(*parts, strict=True))
        return spectrum, rest, observed


def measure(
    segments: Sequence[EmulatorSegment], grid: SSPGrid, n_spectra: int = N_SPECTRA
) -> EmulatorAccuracy:
    """Compare an emulator with the exact spectra.

    Args:
        segments: the emulator.
        grid: the SSP table that it was trained on.
        n_spectra: fresh draws from its prior; as many more have log-uniform bursts.
    """
    pair = Comparison(segments, grid)
    theta = pair.draw(n_spectra, "uniform")
    error, rest, observed = pair.in_blocks(theta)
    box, redshift = pair.boxes["redshift"], theta.redshift.numpy()
    edges = np.linspace(box.low, box.high, N_REDSHIFT_BINS + 1)
    is_inside = [(low <= pair.wave) & (pair.wave < high) for low, high in RANGES]
    ratio = (theta.t_burst / pair.exact.cosmology.age_gyr(theta.redshift)).numpy()
    ages, by_age = _near_the_youngest(pair, n_spectra, is_inside[1])
    return EmulatorAccuracy(
        wave=pair.wave,
        spectrum=_quantiles(error, axis=0),
        bias=np.median(error, axis=0),
        pooled=np.array([_quantiles(error[:, inside]) for inside in is_inside]),
        rest_mag=rest,
        mag=observed,
        redshift=redshift,
        redshift_edges=edges,
        mag_binned=_in_bins(observed, redshift, edges, axis=0),
        correlation=_rank_correlation(rest),
        age_edges=ages,
        by_age=by_age,
        ratio_edges=np.array(RATIO_EDGES),
        by_ratio=_in_bins(error[:, is_inside[1]], ratio, np.array(RATIO_EDGES)),
        source=grid.source,
    )


def _near_the_youngest(
    pair: Comparison, n: int, is_inside: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    box = pair.boxes["t_burst"]
    low, high = np.log10(max(box.low, YOUNGEST)), np.log10(box.high)
    theta = pair.draw(n, "bursts")
    share = (theta.t_burst - box.low) / (box.high - box.low)
    log_age = low + (high - low) * share
    error, *_ = pair.in_blocks(theta._replace(t_burst=10**log_age))
    edges = np.linspace(low, high, N_AGE_BINS + 1)
    return edges, _in_bins(error[:, is_inside], log_age.numpy(), edges)


def _quantiles(error: np.ndarray, axis: int | None = None) -> np.ndarray:
    """Return the quantiles of absolute errors; those of light too faint to count are left out."""
    size = np.abs(error)
    if np.isnan(size).any():
        return np.nanquantile(size, SHARES, axis=axis)
    return np.quantile(size, SHARES, axis=axis)


def _in_bins(
    error: np.ndarray, at: np.ndarray, edges: np.ndarray, axis: int | None = None
) -> Float[np.ndarray, "share bin ..."]:
    place = np.digitize(at, edges[1:-1])
    empty = np.full((len(SHARES), *(() if axis is None else error.shape[1:])), np.nan)
    parts = [error[place == index] for index in range(len(edges) - 1)]
    return np.stack([_quantiles(part, axis) if len(part) else empty for part in parts], axis=1)


def _rank_correlation(error: np.ndarray) -> Float[np.ndarray, "band band"]:
    """Return Spearman's rank correlation, which a few bad galaxies do not dominate."""
    finite = error[np.isfinite(error).all(1)]
    return np.corrcoef(rankdata(finite, axis=0), rowvar=False)
