"""A box of parameters like the default configuration's, for the tests of this folder."""

from dataclasses import replace

import numpy as np
import torch

from popsed_core.config.parameters import (
    ComovingVolume,
    FlatSimplex,
    ParameterConfig,
    Schechter,
    Tabulated,
    TruncatedNormal,
)
from popsed_core.config.spectra import CosmologyConfig
from popsed_core.inference.priors.prior import PopulationPrior
from popsed_core.parameters import NAMES
from popsed_core.theta import Theta

COSMOLOGY = CosmologyConfig()
SIMPLEX = ParameterConfig(low=0.0, high=1.0, coordinate="flat_simplex", prior=FlatSimplex())
PARAMETERS = {
    "redshift": ParameterConfig(low=0.001, high=0.8, prior=ComovingVolume("comoving_volume")),
    "log_stellar_mass": ParameterConfig(
        low=7.5,
        high=13.0,
        prior=Schechter(kind="schechter", log_knee=11.0, slope=(-1.2,), weight=(1.0,)),
    ),
    "kappa_1": SIMPLEX,
    "kappa_2": SIMPLEX,
    "kappa_3": SIMPLEX,
    "t_burst": ParameterConfig(low=0.01, high=13.27, coordinate="log"),
    "f_burst": ParameterConfig(low=0.0, high=1.0),
    "logzsol": ParameterConfig(low=-2.6, high=0.3),
    "dust_index": ParameterConfig(low=-3.0, high=1.0),
    "tau_bc": ParameterConfig(low=0.0, high=3.0),
    "tau_ism": ParameterConfig(low=0.0, high=3.0),
}
UNIFORM = {name: ParameterConfig(low=box.low, high=box.high) for name, box in PARAMETERS.items()}
MASS_METALLICITY = TruncatedNormal(
    kind="truncated_normal",
    mean=-0.2,
    sigma=0.3,
    slope=0.4,
    against="log_stellar_mass",
    pivot=10.5,
)
RICH = {
    **PARAMETERS,
    "logzsol": replace(PARAMETERS["logzsol"], prior=MASS_METALLICITY),
    "dust_index": replace(
        PARAMETERS["dust_index"],
        prior=TruncatedNormal(kind="truncated_normal", mean=2.0, sigma=2.0),
    ),
    "tau_ism": replace(
        PARAMETERS["tau_ism"],
        prior=Tabulated(kind="tabulated", x=(-1.0, 0.3, 2.0, 5.0), density=(1.0, 4.0, 1.0, 0.2)),
    ),
}


def stream(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def middle(n: int) -> Theta:
    """Return n galaxies at the middle of the box."""
    return Theta(
        *(torch.full((n,), (RICH[name].low + RICH[name].high) / 2).double() for name in NAMES)
    )


def column_density(prior: PopulationPrior, name: str, x: np.ndarray, **given: float) -> np.ndarray:
    """Return one parameter's density at x, other parameters as given."""
    other = {key: torch.full((len(x),), value).double() for key, value in given.items()}
    theta = middle(len(x))._replace(**{name: torch.from_numpy(x), **other})
    return prior.log_density_by_parameter(theta)[:, NAMES.index(name)].exp().numpy()
