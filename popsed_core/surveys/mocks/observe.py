"""Mock observations: a population of known truth seen through a real survey's filters and noise."""

import dataclasses
import logging
from typing import NamedTuple

import numpy as np
import torch

from popsed_core.config.spectra import SpectraConfig
from popsed_core.config.surveys import MockSurvey
from popsed_core.constants import MAG_PER_LN
from popsed_core.errors import InputError
from popsed_core.parameters import DERIVED, NAMES
from popsed_core.photometry.filters import load_filter
from popsed_core.photometry.model_errors import smooth_covariance
from popsed_core.photometry.noise import NoiseModel, NoiseTable
from popsed_core.photometry.synthetic import SyntheticPhotometry, build_synthetic_photometry
from popsed_core.running.runtime import generator, numpy_generator
from popsed_core.stellar.ssp.grid import SSPGrid
from popsed_core.surveys.catalogue import Catalogue, CutFlow, Reference, faint_limits
from popsed_core.surveys.mocks.depth import (
    LeastMass,
    error_margin,
    least_mass_in_band,
    least_mass_in_r,
)
from popsed_core.surveys.mocks.populations import POPULATIONS, Resampled, VolumeMassDensity
from popsed_core.theta import from_matrix

log = logging.getLogger(__name__)

MIN_REDSHIFT = 1e-3  # of the photometry tables
BATCH = 20_000  # galaxies drawn at a time
MAX_BATCHES = 1500  # beyond which the limits are considered impossible
CHUNK = 2_000  # galaxies per forward pass
ML_BAND = "r"  # of the populations' least mass-to-light ratios
DRAW_MARGIN = 0.2  # [mag] beyond the limit from which noise and model error may scatter in


class RealSurvey(NamedTuple):
    """What a mock takes from a real survey.

    Attributes:
        base: its bands and filters.
        noise: its noise.
        known: its redshifts and masses, if the mock resamples them.
    """

    base: Catalogue
    noise: NoiseTable
    known: Reference | None = None


def observe(
    name: str,
    config: MockSurvey,
    spectra: SpectraConfig,
    *,
    seed: int,
    grid: SSPGrid,
    like: RealSurvey,
) -> tuple[Catalogue, Reference]:
    """Draw galaxies until ``n_galaxies`` pass the survey's limits.

    Args:
        name: of the mock survey; names its random stream.
        config: population, limits, model error.
        spectra: the stellar-population model.
        seed: the run's seed.
        grid: SSP table.
        like: the survey it imitates.

    Returns:
        The catalogue, and the true parameters and derived quantities of its galaxies.

    Raises:
        InputError: the limit band does not exist, or (almost) nothing passes the limits.
    """
    base, noise, known = like
    for key, bands in (("limit_band", [config.limit_band]), ("cuts.max_mag", config.cuts.max_mag)):
        if unknown := set(bands) - set(base.bands):
            raise InputError(
                f"surveys.{name}.{key}: got {sorted(unknown)}, expected one of {base.bands}"
            )
    redshifts = (MIN_REDSHIFT, config.max_redshift)
    photometry = build_synthetic_photometry(grid, base.filters, spectra, redshifts).double()
    waves = np.array([load_filter(item).effective_wave for item in base.filters])
    errors = ModelErrors(config, waves)
    whole = dataclasses.replace(noise, min_snr=0.0, max_mag=())  # the cuts come after the noise
    sky = _Sky(name, config, errors, seed, photometry, NoiseModel(whole).double())
    density: VolumeMassDensity | Resampled
    if config.joint == "volume":
        least_mass = sky.least_mass(spectra, grid, base.bands)
        density = VolumeMassDensity(spectra.cosmology, config.max_redshift, least_mass)
    elif known is None:
        raise InputError(f"surveys.{name}.joint: reference, but none is given; give its file")
    else:
        density = Resampled(known, config.max_redshift)
    rows: list[np.ndarray] = []
    cuts: CutFlow | None = None
    for _ in range(MAX_BATCHES):
        found, batch_cuts = sky.batch(density, base.bands)
        rows.append(found)
        cuts = batch_cuts if cuts is None else _add(cuts, batch_cuts)
        n_found = sum(map(len, rows))
        log.info("%s of %s galaxies", f"{n_found:,}", f"{config.n_galaxies:,}")
        if n_found >= config.n_galaxies:
            break
    else:
        raise InputError(
            f"surveys.{name}: only {sum(map(len, rows))} of {BATCH * MAX_BATCHES} galaxies pass "
            f"{_limit(config)}; loosen the limit"
        )
    table = np.concatenate(rows)[: config.n_galaxies]
    return _split(table, config, base, cuts, is_toy=grid.source == "toy")


def _limit(config: MockSurvey) -> str:
    has_limit = config.limit_mag is not None
    return f"{config.limit_band} < {config.limit_mag}" if has_limit else "the cuts"


class ModelErrors:
    """Deviations of real galaxies from the model, per galaxy [mag].

    An independent part per band, and a smooth one: a Gaussian random function of ln(wavelength)
    with covariance colour_error^2 exp(-(d ln wave)^2 / (2 length^2)), as when a spectrum's slope
    or curvature is off.  With ``error_tail`` both follow Student's t together: some galaxies
    deviate by much more than most.
    """

    def __init__(self, config: MockSurvey, waves: np.ndarray) -> None:
        """Set up for bands of these effective wavelengths [AA]."""
        covariance = smooth_covariance(waves, config.colour_error, config.colour_error_length)
        covariance += config.model_error**2 * np.eye(len(waves))
        variance, axes = np.linalg.eigh(covariance)
        self.root = (axes * np.sqrt(variance.clip(min=0))) @ axes.T
        self.tail = config.error_tail

    def draw(self, rng: np.random.Generator, n: int) -> np.ndarray:
        """Return errors of ``n`` galaxies, (galaxy, band) [mag]."""
        error = rng.normal(size=(n, len(self.root))) @ self.root
        if self.tail is None:
            return error
        return error * np.sqrt(self.tail / rng.chisquare(self.tail, size=(n, 1)))


class _Sky:
    """The random state and models from which batches of observed galaxies are drawn."""

    def __init__(
        self,
        name: str,
        config: MockSurvey,
        errors: "ModelErrors",
        seed: int,
        photometry: SyntheticPhotometry,
        noise: NoiseModel,
    ) -> None:
        self.config = config
        self.errors = errors
        self.photometry = photometry
        self.noise = noise
        self.rng = numpy_generator(seed, "mock", name)
        self.generator = generator(seed, "mock", name)
        n_bands = len(noise.first)
        self.zero_points = config.zero_point_error * self.rng.normal(size=n_bands)

    def least_mass(
        self, spectra: SpectraConfig, grid: SSPGrid, bands: tuple[str, ...]
    ) -> LeastMass:
        """Return the mass below which no galaxy passes the limit, as a function of redshift."""
        config, population = self.config, POPULATIONS[self.config.kind]
        limit = config.limit_mag + DRAW_MARGIN
        if config.limit_band == ML_BAND:
            return least_mass_in_r(spectra.cosmology, limit, population.brightest_ml)
        band = bands.index(config.limit_band)
        limit += error_margin(config, self.noise, band, float(self.zero_points[band]))
        return least_mass_in_band(
            self.photometry,
            grid,
            population.parts,
            band=band,
            limit_mag=limit,
            redshift_range=(MIN_REDSHIFT, config.max_redshift),
        )

    def batch(
        self, density: VolumeMassDensity | Resampled, bands: tuple[str, ...]
    ) -> tuple[np.ndarray, CutFlow]:
        """Return the rows (parameters, derived, mag, mag error) that pass, and the cut flow."""
        columns = density.sample(self.rng, BATCH)
        columns = POPULATIONS[self.config.kind].draw(self.rng, columns)
        theta = np.stack([columns[name] for name in NAMES], axis=1)
        observed = [self._observe(theta[i : i + CHUNK]) for i in range(0, BATCH, CHUNK)]
        mag, mag_error = np.concatenate(observed).transpose(1, 0, 2)
        cuts = self._cut(mag, mag_error, bands)
        theta, mag, mag_error = theta[cuts.mask], mag[cuts.mask], mag_error[cuts.mask]
        derived = self.photometry.derived(from_matrix(torch.as_tensor(theta))).numpy()
        return np.concatenate([theta, derived, mag, mag_error], axis=1), cuts

    def _cut(self, mag: np.ndarray, mag_error: np.ndarray, bands: tuple[str, ...]) -> CutFlow:
        config = self.config
        cuts = CutFlow(len(mag))
        for band, faint in _limits(config).items():
            cuts.keep(f"{band} < {faint:g}", mag[:, bands.index(band)] < faint)
        snr = MAG_PER_LN / mag_error
        name = f"SNR > {config.cuts.min_snr:g} in every band"
        cuts.keep(name, np.all(snr > config.cuts.min_snr, axis=1))
        return cuts

    @torch.no_grad()
    def _observe(self, matrix: np.ndarray) -> np.ndarray:
        theta = from_matrix(torch.as_tensor(matrix))
        f_lost = torch.tensor(self.config.f_lost, dtype=theta.redshift.dtype)
        maggies = self.photometry(theta, f_lost)
        error = self.errors.draw(self.rng, len(maggies))
        maggies = maggies * torch.as_tensor(10 ** (0.4 * (error + self.zero_points)))
        noisy, sigma = self.noise.observe(maggies, self.generator, 1.0)
        mag_error = MAG_PER_LN * sigma / noisy
        return torch.stack([-2.5 * torch.log10(noisy), mag_error], dim=1).numpy()


def _limits(config: MockSurvey) -> dict[str, float]:
    """Return the faint limits by band [mag]."""
    limit = {} if config.limit_mag is None else {config.limit_band: config.limit_mag}
    return {**limit, **config.cuts.max_mag}


def _add(first: CutFlow, second: CutFlow) -> CutFlow:
    first.n_kept = [a + b for a, b in zip(first.n_kept, second.n_kept, strict=True)]
    return first


def _split(
    table: np.ndarray, config: MockSurvey, base: Catalogue, cuts: CutFlow, *, is_toy: bool
) -> tuple[Catalogue, Reference]:
    cuts.names.append(f"first {config.n_galaxies:,}")
    cuts.n_kept.append(len(table))
    n_bands = len(base.bands)
    mag, mag_error = table[:, -2 * n_bands : -n_bands], table[:, -n_bands:]
    catalogue = dataclasses.replace(
        base,
        mag=mag,
        mag_error=mag_error,
        n_kept=np.array(cuts.n_kept),
        cut_names=tuple(cuts.names),
        source="toy" if is_toy else base.source if base.source in ("toy", "stand-in") else "mock",
        min_snr=config.cuts.min_snr,
        max_mag=faint_limits(base.bands, _limits(config)),
        band_costs=(),  # those of the base are of other galaxies, as are its notes
        notes=(),
    )
    names = (*NAMES, *(row.name for row in DERIVED))
    return catalogue, Reference(table[:, : len(names)], names, "truth")
