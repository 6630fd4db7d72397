"""What galaxies of given parameters look like: photometry in any filters, and spectra."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from astropy import units as u
from astropy.table import Table

from popsed_core.api.show import Shown, short_list
from popsed_core.api.tables import Described, make_table, to_theta
from popsed_core.config.checks import PHYSICAL
from popsed_core.config.read import read_config
from popsed_core.config.root import Config
from popsed_core.config.spectra import SpectraConfig
from popsed_core.errors import InputError
from popsed_core.inference.selected_draws import CHUNK
from popsed_core.photometry.filter_names import expand_filters
from popsed_core.photometry.observed_spectra import ObservedSpectra
from popsed_core.photometry.synthetic import build_synthetic_photometry
from popsed_core.stellar.ssp.grid import SSPGrid
from popsed_core.surveys.resources import read_ssp
from popsed_core.theta import Theta

Range = tuple[float, float]


@dataclass(frozen=True, repr=False, eq=False)
class Prediction(Shown):
    """Noiseless photometry, and spectra where they were asked for.

    Attributes:
        filters: names.
        flux: in each filter (galaxy, filter) [maggies: 3631 Jy].
        mag: the same as AB magnitudes.
        wave: of the spectra, in the galaxy's frame (pixel,) [Angstrom]; None without spectra.
        lnu: luminosities there, behind the galaxy's dust (galaxy, pixel) [Lsun / Hz].
        fnu: fluxes that arrive at ``wave (1 + redshift)`` (galaxy, pixel) [Jy].
        redshift: of the galaxies.
    """

    filters: tuple[str, ...]
    flux: u.Quantity
    redshift: np.ndarray
    wave: u.Quantity | None = None
    lnu: u.Quantity | None = None
    fnu: u.Quantity | None = None

    @property
    def mag(self) -> u.Magnitude:
        """AB magnitudes (galaxy, filter)."""
        with np.errstate(divide="ignore"):  # a dark band is infinitely faint
            return -2.5 * np.log10(self.flux.value) << u.ABmag

    def to_table(self) -> Table:
        """Return an astropy Table: flux and magnitude of each galaxy in each filter."""
        columns = []
        for name, flux, mag in zip(self.filters, self.flux.value.T, self.mag.value.T, strict=True):
            columns.append(Described(f"flux_{name}", flux, "mgy", f"flux in {name}, 3631 Jy"))
            columns.append(Described(f"mag_{name}", mag, "mag(AB)", f"magnitude in {name}"))
        return make_table(columns)

    def _title(self) -> str:
        return f"Prediction for {len(self.flux):,} galaxies in {len(self.filters)} filters"

    def _facts(self) -> dict[str, str]:
        spectra = "none" if self.wave is None else f"{len(self.wave):,} pixels"
        return {"filters": short_list(self.filters), "spectra": spectra}


class Model(NamedTuple):
    """What spectra are made of.

    Attributes:
        grid: SSP table.
        spectra: star formation, dust, cosmology.
        parameters: the ranges that the model was made for, by name.
    """

    grid: SSPGrid
    spectra: SpectraConfig
    parameters: Mapping[str, Range]


def predict(
    theta: Any,
    filters: Sequence[str] | str,
    *,
    redshift_range: Range | None = None,
    model: Any = None,
    spectra: bool = False,
    f_lost: float | None = None,
    folder: str | Path = ".",
) -> Prediction:
    """Return the photometry of galaxies, without noise, by the exact spectra.

    Args:
        theta: a table with a column for each physical parameter (units are converted), or samples.
        filters: names, or patterns of speclite's names such as ``lsst2023-*``.
        redshift_range: that the filters must be covered in; by default that of the galaxies.
        model: a survey, fit or configuration whose stellar populations and cosmology are used; by
            default those of the samples, and of the default configuration for a table.
        spectra: whether to return whole spectra too.
        f_lost: share of ionising photons that makes no light of gas, in [0, 1]; None: 0.
        folder: with ``resources/``, for downloads, where ``model`` is a configuration.

    Raises:
        InputError: a parameter is missing or outside the model's range (names parameter, row, value
            and range), or a filter is unknown or not covered by the spectra.
    """
    made_of = _model(getattr(theta, "survey", None) if model is None else model, Path(folder))
    names, values = expand_filters(filters), to_theta(theta)
    limits = redshift_range or _span(values.redshift)
    check_range(values, _ranges(made_of, limits))
    if f_lost is not None and not 0 <= f_lost <= 1:
        raise InputError(f"f_lost: got {f_lost}, expected a share from 0 to 1")
    lost = None if f_lost is None else torch.tensor(f_lost, dtype=torch.float64)
    photometry = build_synthetic_photometry(made_of.grid, names, made_of.spectra, limits).double()
    with torch.no_grad():
        flux = torch.cat([photometry(part, lost) for part in _parts(values)])
    _check_finite(flux, "flux")
    whole = _spectra(made_of, values, lost) if spectra else {}
    return Prediction(names, flux.numpy() << u.mgy, values.redshift.numpy(), **whole)


def check_range(theta: Theta, ranges: Mapping[str, Range]) -> None:
    """Refuse galaxies that a model does not know.

    Args:
        theta: physical parameters.
        ranges: lowest and highest value of parameters; others need only be finite.

    Raises:
        InputError: names the parameter, the first row, its value and the range.
    """
    for name, column in theta._asdict().items():
        low, high = ranges.get(name, (-np.inf, np.inf))
        is_good = torch.isfinite(column) & (column >= low) & (column <= high)
        if not bool(is_good.all()):
            row = int((~is_good).nonzero()[0])
            raise InputError(
                f"theta: {name} of row {row} is {float(column[row]):g}, expected {low:g} to "
                f"{high:g}, the range of the model; {int((~is_good).sum())} of {len(column)} rows "
                "are outside: leave them out, or widen redshift_range if it is the redshift"
            )


def _model(model: Any, folder: Path) -> Model:
    survey = getattr(model, "survey", model)
    if hasattr(survey, "inputs"):
        config, grid, name = survey.config, survey.inputs.grid, survey.name
    elif survey is None or isinstance(model, Config):
        config = model or read_config()
        grid, name = read_ssp(config, folder), config.survey
    else:
        raise InputError(
            f"model: got {type(model).__name__}, expected a survey, a fit or a configuration"
        )
    ranges = {key: (item.low, item.high) for key, item in config.parameters_for(name).items()}
    return Model(grid, replace(config.spectra, engine="exact"), ranges)


def _span(redshift: torch.Tensor) -> Range:
    if len(redshift) == 0:
        raise InputError("theta: got no rows, expected one or more galaxies")
    low, high = float(redshift.min()), float(redshift.max())
    known_low, known_high = PHYSICAL["redshift"]
    if not (low >= known_low and high <= known_high):
        return known_low, known_high  # the check of ranges says which row it is
    return low, high * (1 + 1e-9)


def _ranges(model: Model, redshift_range: Range) -> dict[str, Range]:
    """Return what the model knows: physics, the fit's box, and the nodes of the SSP table."""
    metals = model.grid.ssp_lgmet - model.grid.log_zsun
    low, high = model.parameters["logzsol"]
    own = {
        "redshift": redshift_range,
        "logzsol": (min(low, float(metals[0])), max(high, float(metals[-1]))),
        "dust_index": model.parameters["dust_index"],
    }
    return PHYSICAL | own


def _parts(theta: Theta) -> list[Theta]:
    columns = (column.split(CHUNK) for column in theta)
    return [Theta(*part) for part in zip(*columns, strict=True)]


def _spectra(model: Model, theta: Theta, lost: torch.Tensor | None) -> dict[str, u.Quantity]:
    table = ObservedSpectra(model.grid, model.spectra, float(theta.redshift.max())).double()
    with torch.no_grad():
        lnu = torch.cat([table.luminosity(part, lost) for part in _parts(theta)])
        fnu = table.flux(theta, lnu)
    _check_finite(lnu, "spectrum")
    return {
        "wave": table.wave << u.AA,
        "lnu": lnu.numpy() << u.Lsun / u.Hz,
        "fnu": fnu.numpy() << u.Jy,
    }


def _check_finite(values: torch.Tensor, what: str) -> None:
    is_bad = ~torch.isfinite(values).all(1)
    if bool(is_bad.any()):
        rows = is_bad.nonzero()[:5, 0].tolist()
        raise FloatingPointError(f"{what} of rows {rows} is not finite")
