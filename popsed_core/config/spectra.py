"""The section `spectra`: from stellar populations to galaxies."""

import dataclasses
from typing import Annotated, Literal

from pydantic import Field
from pydantic.dataclasses import dataclass

from popsed_core.config.base import STRICT


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
