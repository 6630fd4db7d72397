"""The section `surveys`: readers, bands, cuts, mocks."""

import dataclasses
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field
from pydantic.dataclasses import dataclass

from popsed_core.config.base import STRICT, Count, Name, NonNegative, Positive


@dataclass(frozen=True, config=STRICT)
class Cuts:
    """Cuts on the catalogue, applied in this order; null or zero turns one off."""

    min_snr: Annotated[NonNegative, Field(description="in every band")] = 1.0
    min_j_minus_k: Annotated[float | None, Field(description="[mag] star cut, where J, K")] = None
    min_redshift: Annotated[float | None, Field(description="reference redshift, if any")] = None
    also_bands: Annotated[
        tuple[Name, ...],
        Field(description="measured bands that are not fitted, held to the same min_snr"),
    ] = ()
    min_log_mass: Annotated[
        float | None, Field(description="[dex Msun] reference mass; drops galaxies without one")
    ] = None
    max_mag: Annotated[dict[str, float], Field(description="[mag] faint limit per band")] = (
        dataclasses.field(default_factory=dict)
    )


Changes = Annotated[
    dict[str, Any], Field(description="overrides of the section of this name, for this survey")
]


@dataclass(frozen=True, config=STRICT)
class KcorrectSurvey:
    """The 10,000 SDSS galaxies that ship with kcorrect."""

    bands: ClassVar[tuple[str, ...]] = ("u", "g", "r", "i", "z")

    kind: Literal["kcorrect_sdss"]
    path: Annotated[str | None, Field(description="FITS table; null: the download")] = None
    cuts: Cuts = dataclasses.field(default_factory=Cuts)
    fit: Changes = dataclasses.field(default_factory=dict)
    parameters: Changes = dataclasses.field(default_factory=dict)

    @property
    def paths(self) -> tuple[str | None, ...]:
        """The table."""
        return (self.path,)


@dataclass(frozen=True, config=STRICT)
class GamaExtinction:
    """Correct the magnitudes for Galactic extinction, galaxy by galaxy."""

    path: Annotated[
        str | None, Field(description="GalacticExtinction; null: downloads.gama_extinction")
    ] = None


@dataclass(frozen=True, config=STRICT)
class GamaSurvey:
    """GAMA DR3: matched-aperture photometry and stellar masses, joined on CATAID."""

    kind: Literal["gama_dr3"]
    photometry: Annotated[
        str | None, Field(description="ApMatchedCat; null: downloads.gama_photometry")
    ] = None
    masses: Annotated[
        str | None, Field(description="StellarMasses; null: downloads.gama_masses")
    ] = None
    bands: Annotated[
        tuple[Literal["u", "g", "r", "i", "z", "Y", "J", "H", "K"], ...],
        Field(min_length=1, description="to fit"),
    ] = ("u", "g", "r", "i", "z")
    extinction: Annotated[
        GamaExtinction | None,
        Field(description="null: magnitudes as they are in the table (paper)"),
    ] = None
    mass_offset: Annotated[
        float,
        Field(description="[dex] added to the masses compared with; paper, figure 7: 0.35"),
    ] = 0.0
    cuts: Cuts = dataclasses.field(default_factory=Cuts)
    fit: Changes = dataclasses.field(default_factory=dict)
    parameters: Changes = dataclasses.field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.extinction is not None and "Y" in self.bands:
            raise ValueError(
                "extinction: Schlafly & Finkbeiner (2011) have no coefficient for Y; take Y out of "
                "bands, or set extinction to null"
            )

    @property
    def paths(self) -> tuple[str | None, ...]:
        """The tables."""
        tables = (self.photometry, self.masses)
        return tables if self.extinction is None else (*tables, self.extinction.path)


@dataclass(frozen=True, config=STRICT)
class TableBand:
    """One band of a user's table."""

    filter: Annotated[str, Field(description="speclite or sedpy name, or a path to ASCII")]
    value: Annotated[
        str,
        Field(description="column with flux or magnitude; NAME[k]: entry k, from 0, of vectors"),
    ]
    error: Annotated[str, Field(description="column with its error")]
    extinction: Annotated[str | None, Field(description="column [mag] to subtract")] = None
    offset: Annotated[float, Field(description="[mag] added: survey system to AB")] = 0.0


@dataclass(frozen=True, config=STRICT)
class TableSurvey:
    """Any FITS, CSV, HDF5 or Parquet table."""

    kind: Literal["table"]
    path: Annotated[str, Field(description="the table")]
    bands: Annotated[dict[Name, TableBand], Field(min_length=1)]
    quantity: Annotated[Literal["flux", "mag"], Field(description="what the columns hold")]
    zero_point: Annotated[float, Field(description="[mag] AB magnitude of flux 1")] = 22.5
    key: Annotated[str | None, Field(description="HDU name or HDF5 group of the table")] = None
    missing: Annotated[tuple[float, ...], Field(description="values that mean no data")] = (
        99.0,
        -99.0,
        -9999.0,
    )
    reference: Annotated[
        dict[Name, str],
        Field(description="columns for comparison, never fitted: redshift, log_stellar_mass"),
    ] = dataclasses.field(default_factory=dict)
    j_mag: Annotated[str | None, Field(description="column for the J-K star cut")] = None
    k_mag: Annotated[str | None, Field(description="column for the J-K star cut")] = None
    cuts: Cuts = dataclasses.field(default_factory=Cuts)
    fit: Changes = dataclasses.field(default_factory=dict)
    parameters: Changes = dataclasses.field(default_factory=dict)

    @property
    def paths(self) -> tuple[str | None, ...]:
        """The table."""
        return (self.path,)


@dataclass(frozen=True, config=STRICT)
class MockSurvey:
    """Synthetic galaxies with known truth, seen through another survey's noise."""

    kind: Literal["table2_mock", "realistic_mock"]
    noise_from: Annotated[Name, Field(description="survey whose bands and noise are used")]
    n_galaxies: Annotated[Count, Field(description="after all cuts")] = 10_000
    joint: Annotated[
        Literal["volume", "reference"],
        Field(
            description="redshifts and masses: of a volume and a mass function, or resampled from "
            "the reference of noise_from (the paper)"
        ),
    ] = "volume"
    limit_band: Name = "r"
    limit_mag: Annotated[
        float | None, Field(description="[mag] faint limit in limit_band; null: none (reference)")
    ] = 17.77
    model_error: Annotated[
        float, Field(ge=0, description="[mag] per galaxy and band, unknown to the fit")
    ] = 0.0
    colour_error: Annotated[
        float, Field(ge=0, description="[mag] per galaxy, smooth in wavelength, unknown to the fit")
    ] = 0.0
    colour_error_length: Annotated[
        Positive, Field(description="[-] correlation length of colour_error in ln wavelength")
    ] = 0.5
    error_tail: Annotated[
        float | None,
        Field(gt=0, description="degrees of freedom of Student's t for both errors; null: normal"),
    ] = None
    zero_point_error: Annotated[
        float, Field(ge=0, description="[mag] sigma of each band's offset, unknown to the fit")
    ] = 0.0
    f_lost: Annotated[
        float,
        Field(ge=0, le=1, description="ionising photons lost, where spectra have nebular light"),
    ] = 0.4
    max_redshift: Positive = 0.8
    cuts: Cuts = dataclasses.field(default_factory=Cuts)
    fit: Changes = dataclasses.field(default_factory=dict)
    parameters: Changes = dataclasses.field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.joint == "volume" and self.limit_mag is None:
            raise ValueError("limit_mag: joint: volume has no faint end; give a limit")


@dataclass(frozen=True, config=STRICT)
class StandinConfig:
    """Tables in GAMA's schema for machines without GAMA (config/gama_standin.yaml)."""

    n_galaxies: Annotated[Count, Field(description="rows of StellarMasses")] = 10_000


Survey = Annotated[
    KcorrectSurvey | GamaSurvey | TableSurvey | MockSurvey, Field(discriminator="kind")
]
