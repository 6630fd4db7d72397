"""A stand-in for GAMA DR3: both tables in the archive's schema, galaxies of known truth.

For machines that cannot reach the archive: the same rules run on it from the first to the last.
Redshifts and masses follow the realistic mock within GAMA's limit, colours the exact spectra,
errors GAMA's signal-to-noise; some rows have defects that the cuts must find.  Not for science: the
header says so, and so does everything made from it.
"""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from astropy.io import fits

from popsed_core.config.spectra import SpectraConfig
from popsed_core.config.surveys import Cuts, MockSurvey
from popsed_core.files.fits import write_fits
from popsed_core.photometry.noise import NoiseTable
from popsed_core.running.runtime import numpy_generator
from popsed_core.stellar.ssp.grid import SSPGrid
from popsed_core.surveys.catalogue import Catalogue, Reference
from popsed_core.surveys.gama import FILTERS, STANDIN_KEY, ZERO_POINT
from popsed_core.surveys.mocks.observe import RealSurvey, observe

NAME = "gama stand-in"  # of its random streams
BANDS = tuple(FILTERS)
# ASSUME: near-infrared curves without VISTA's red leaks, which need spectra beyond 3 microns
CURVES = FILTERS | {
    "Y": "lsst2016-y",
    "J": "ukirt_wfcam_J",
    "H": "ukirt_wfcam_H",
    "K": "ukirt_wfcam_K",
}
LIMIT = 19.8  # [mag] r, of GAMA's main survey (Baldry et al. 2018)
MAX_REDSHIFT = 0.6
MODEL_ERROR = 0.02  # [mag] ASSUME: scatter of its galaxies about the spectra
# log10 SNR = a + b (m - 20) + c (m - 20)^2: our fit to the digitised median of GAMA DR3 in Li et
# al. 2023, 16 < m < 24, to 0.05 dex.  ASSUME: Y, J, H, K like z, with the depths of VIKING.
LOG_SNR = {
    "u": (0.726, -0.298, -0.017),
    "g": (1.228, -0.324, -0.011),
    "r": (1.163, -0.285, 0.002),
    "i": (0.971, -0.363, -0.014),
    "z": (0.357, -0.360, -0.009),
    "Y": (1.0, -0.360, -0.009),
    "J": (0.9, -0.360, -0.009),
    "H": (0.8, -0.360, -0.009),
    "K": (0.7, -0.360, -0.009),
}
SNR_SCATTER = 0.05  # [dex] ASSUME: within the 0.1 dex of GAMA
NODES = np.arange(12.0, 28.01, 0.25)  # [mag]
SHARES = {  # ASSUME: of the rows with each defect that a cut must find
    "infrared_missing": 0.05,
    "mass_missing": 0.01,
    "star": 0.02,
    "u_negative": 0.01,
}
STAR_J_MINUS_K = -0.1  # [mag AB]
TOY_J_MINUS_K = 0.4  # [mag AB] of toy spectra, or the star cut would remove all galaxies
EXTRA_ROWS = 0.1  # share of photometry without a mass
NO_MAGNITUDE, NO_VALUE = 99.0, -99.0
FIRST_ID, ID_STEP = 6802, 7
SOLAR_METALS = 0.019  # of StellarMasses' metal, linear

Columns = dict[str, np.ndarray]


def noise_table() -> NoiseTable:
    """Return GAMA's signal-to-noise as a noise model."""
    law = np.array([LOG_SNR[band] for band in BANDS])
    x = NODES - 20.0
    median = law[:, :1] + law[:, 1:2] * x + law[:, 2:] * x**2
    ends = np.tile([NODES[1], NODES[-2]], (len(BANDS), 1))
    mag = np.tile(NODES, (len(BANDS), 1))
    scatter = np.full_like(median, SNR_SCATTER)
    return NoiseTable(mag, median, scatter, ends, BANDS, "log_snr_given_flux", "mock")


def make_standin(
    n_galaxies: int, seed: int, grid: SSPGrid, spectra: SpectraConfig
) -> tuple[Columns, Columns]:
    """Draw galaxies within GAMA's limit and return them in its tables.

    Args:
        n_galaxies: rows of ``StellarMasses``.
        seed: the run's seed.
        grid: SSP table, to 30000 AA for the K band.
        spectra: the stellar-population model.

    Returns:
        Columns of ``ApMatchedCat`` and of ``StellarMasses``.

    Raises:
        InputError: the SSP table does not cover the bands.
    """
    config = MockSurvey(
        kind="realistic_mock", noise_from="gama", n_galaxies=n_galaxies, limit_band="r",
        limit_mag=LIMIT, model_error=MODEL_ERROR, max_redshift=MAX_REDSHIFT, cuts=Cuts(min_snr=0.0),
    )  # fmt: skip
    nothing = np.zeros((1, len(BANDS)))
    base = Catalogue(nothing, nothing, np.array([1]), BANDS, tuple(CURVES.values()), ("read",))
    catalogue, truth = observe(
        NAME, config, spectra, seed=seed, grid=grid, like=RealSurvey(base, noise_table())
    )
    rng = numpy_generator(seed, NAME, "tables")
    known = _masses(truth, n_galaxies)
    rows = rng.permutation(np.append(np.arange(n_galaxies), _extra(rng, n_galaxies)))
    marks = {name: rng.uniform(size=n_galaxies) < share for name, share in SHARES.items()}
    if grid.source == "toy":
        j, k = BANDS.index("J"), BANDS.index("K")
        catalogue.mag[:, j] = catalogue.mag[:, k] + TOY_J_MINUS_K
    seen = _photometry(catalogue, marks)
    seen = {name: values[rows] for name, values in seen.items()}
    seen["CATAID"] = _ids(rng, known["CATAID"], rows)
    known["logmintsfh"][marks["mass_missing"]] = NO_VALUE
    known["Z"][marks["star"]] = 1e-4
    return seen, known


def write_tables(
    photometry: Columns, masses: Columns, path_to_photometry: Path, path_to_masses: Path
) -> None:
    """Write both tables as FITS, marked as a stand-in, each atomically."""
    for columns, path, name in (
        (photometry, path_to_photometry, "ApMatchedCat"),
        (masses, path_to_masses, "StellarMasses"),
    ):
        table = fits.BinTableHDU.from_columns([_column(*item) for item in columns.items()])
        table.name = name
        table.header[STANDIN_KEY] = (True, "made by PopSED, not by GAMA: not for science")
        write_fits(fits.HDUList([fits.PrimaryHDU(), table]), path)


def _column(name: str, values: np.ndarray) -> fits.Column:
    kind = "J" if np.issubdtype(values.dtype, np.integer) else "D"
    unit = "mag" if name.startswith("MAG") else None
    return fits.Column(name, kind, unit=unit, array=values)


def _masses(truth: Reference, n: int) -> Columns:
    values = {name: truth.values[:, k] for k, name in enumerate(truth.names)}
    return {
        "CATAID": (FIRST_ID + ID_STEP * np.arange(n)).astype(np.int32),
        "Z": values["redshift"].copy(),
        "nQ": np.full(n, 4, dtype=np.int32),
        "logmstar": values["log_surviving_mass"].copy(),
        "logmintsfh": values["log_stellar_mass"].copy(),
        "metal": SOLAR_METALS * 10 ** values["logzsol"],
        "fluxscale": np.ones(n),
    }


def _photometry(catalogue: Catalogue, marks: Mapping[str, np.ndarray]) -> Columns:
    mag = {band: catalogue.mag[:, k].copy() for k, band in enumerate(BANDS)}
    mag["J"][marks["star"]] = mag["K"][marks["star"]] + STAR_J_MINUS_K
    columns: Columns = {}
    for k, band in enumerate(BANDS):
        flux = 10 ** (-0.4 * (mag[band] - ZERO_POINT))
        columns |= {
            f"MAG_AUTO_{band}": mag[band],
            f"MAGERR_AUTO_{band}": catalogue.mag_error[:, k].copy(),
            f"FLUX_AUTO_{band}": flux,
            f"FLUXERR_AUTO_{band}": flux * catalogue.mag_error[:, k] * np.log(10) / 2.5,
        }
    _drop(columns, "K", marks["infrared_missing"])
    columns["FLUX_AUTO_u"][marks["u_negative"]] *= -1
    columns["MAG_AUTO_u"][marks["u_negative"]] = NO_MAGNITUDE
    return columns


def _drop(columns: Columns, band: str, rows: np.ndarray) -> None:
    columns[f"MAG_AUTO_{band}"][rows] = NO_MAGNITUDE
    for name in ("MAGERR", "FLUX", "FLUXERR"):
        columns[f"{name}_AUTO_{band}"][rows] = NO_VALUE


def _extra(rng: np.random.Generator, n: int) -> np.ndarray:
    return rng.integers(n, size=max(int(EXTRA_ROWS * n), 1))


def _ids(rng: np.random.Generator, known: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Return an ID per row: that of the galaxy at its first occurrence, then a new one."""
    ids = known[rows]
    _, first = np.unique(rows, return_index=True)
    is_again = np.ones(len(rows), dtype=bool)
    is_again[first] = False
    ids[is_again] = known.max() + 1 + np.arange(is_again.sum())
    return ids.astype(np.int32)
