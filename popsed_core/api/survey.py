"""A survey as a notebook sees it: catalogue, reference, noise and SSP table, with units."""

from dataclasses import dataclass, field, fields
from functools import cached_property
from typing import Any, TypeVar

from popsed_core.api.show import Shown, short_list
from popsed_core.config.root import Config
from popsed_core.inference.task import FitInputs
from popsed_core.photometry.noise import NoiseTable
from popsed_core.stellar.ssp.grid import SSPGrid
from popsed_core.surveys.catalogue import Catalogue, Reference, format_cut_flow

T = TypeVar("T")


@dataclass(frozen=True, repr=False, eq=False)
class SurveyCatalogue(Shown, Catalogue):
    """The selected photometry; see :class:`Catalogue` for its arrays."""

    def to_table(self) -> "astropy.table.Table":
        """Return an astropy Table: ``mag_BAND`` and ``mag_error_BAND`` of each galaxy [mag AB]."""
        from popsed_core.api.tables import Described, make_table

        columns = []
        for band, mag, error in zip(self.bands, self.mag.T, self.mag_error.T, strict=True):
            columns.append(Described(f"mag_{band}", mag, "mag(AB)", f"magnitude in {band}"))
            columns.append(Described(f"mag_error_{band}", error, "mag", f"its error in {band}"))
        return make_table(columns, source=self.source)

    @property
    def cut_flow(self) -> str:
        """The rows in and out of each cut, as lines."""
        return format_cut_flow(self.cut_names, self.n_kept.tolist())

    def _title(self) -> str:
        return f"Catalogue of {len(self.mag):,} galaxies ({self.source})"

    def _facts(self) -> dict[str, str]:
        return {
            "bands": short_list(self.bands),
            "cuts": f"{int(self.n_kept[0]):,} rows read, {short_list(self.cut_names[1:], 3)}",
        }


@dataclass(frozen=True, repr=False, eq=False)
class SurveyReference(Shown, Reference):
    """Known values, for comparison only; see :class:`Reference`."""

    def to_table(self) -> "astropy.table.Table":
        """Return an astropy Table of the known values, a row per galaxy, NaN where unknown."""
        from popsed_core.api.tables import described, make_table

        pairs = zip(self.names, self.values.T, strict=True)
        return make_table([described(name, values) for name, values in pairs], kind=self.label)

    def _title(self) -> str:
        return f"Reference ({self.label})"

    def _facts(self) -> dict[str, str]:
        return {"columns": short_list(self.names) or "none"}


@dataclass(frozen=True, repr=False, eq=False)
class SurveyNoise(Shown, NoiseTable):
    """The noise model; see :class:`NoiseTable`."""

    def _title(self) -> str:
        return f"Noise model ({self.form.replace('_', ' ')})"

    def _facts(self) -> dict[str, str]:
        return {"bands": short_list(self.bands)}


@dataclass(frozen=True, repr=False, eq=False)
class SurveySSP(Shown, SSPGrid):
    """The SSP table; see :class:`SSPGrid`."""

    def _title(self) -> str:
        return f"SSP table {self.library}, {self.imf} ({self.source})"

    def _facts(self) -> dict[str, str]:
        n_metallicities, n_ages, n_wave = self.ssp_flux.shape
        return {
            "nodes": f"{n_metallicities} metallicities, {n_ages} ages, {n_wave:,} wavelengths",
            "wavelengths": f"{self.ssp_wave[0]:.0f} to {self.ssp_wave[-1]:.0f} Angstrom",
            "gas": self.nebular or "none",
        }


@dataclass(frozen=True, repr=False, eq=False)
class Survey(Shown):
    """A survey that is ready to be fitted.

    Attributes:
        name: it names the random streams.
        config: the whole configuration.
        inputs: what a fit reads, as the package below has it.
        known: what is known otherwise; no fit sees it.
    """

    name: str
    config: Config
    inputs: FitInputs = field()
    known: Reference = field()

    @cached_property
    def catalogue(self) -> SurveyCatalogue:
        """The selected photometry [mag AB]."""
        return _viewed(SurveyCatalogue, self.inputs.catalogue)

    @cached_property
    def reference(self) -> SurveyReference:
        """Spectroscopy, or a mock's truth: to compare with, never fitted."""
        return _viewed(SurveyReference, self.known)

    @cached_property
    def noise(self) -> SurveyNoise:
        """The noise model, fitted to the catalogue's own errors."""
        return _viewed(SurveyNoise, self.inputs.noise)

    @cached_property
    def ssp(self) -> SurveySSP:
        """The simple stellar populations of which spectra are made."""
        return _viewed(SurveySSP, self.inputs.grid)

    def _title(self) -> str:
        catalogue = self.inputs.catalogue
        return f"Survey {self.name}: {len(catalogue.mag):,} galaxies ({catalogue.source})"

    def _facts(self) -> dict[str, str]:
        return {
            "bands": short_list(self.inputs.catalogue.bands),
            "reference": short_list(self.known.names) or "none",
            "spectra": f"{self.inputs.grid.library}, {self.config.spectra.engine}",
        }


def _viewed(kind: type[T], artefact: Any) -> T:
    """Return an artefact as the class that shows it."""
    return kind(**{item.name: getattr(artefact, item.name) for item in fields(artefact)})
