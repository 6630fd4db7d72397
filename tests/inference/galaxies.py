"""The default prior of real galaxies, from config.yaml, for the tests of this folder."""

from pathlib import Path

import torch
from boxes import COSMOLOGY

from popsed_core.config.base import parse, read_yaml
from popsed_core.config.root import Config
from popsed_core.inference.priors.prior import PopulationPrior
from popsed_core.parameters import NAMES
from popsed_core.theta import Theta

ROOT = Path(__file__).resolve().parents[2]
CONFIG = parse(Config, read_yaml(ROOT / "config.yaml"), "config.yaml")
GALAXIES = CONFIG.parameters_for("sdss_demo")
PRIOR = PopulationPrior(GALAXIES, COSMOLOGY)


def stream(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def at(n: int, **given: float) -> Theta:
    """Return n draws of the prior whose redshift and mass, or whatever is given, are fixed."""
    shares = torch.rand(n, len(NAMES), generator=stream(n), dtype=torch.float64)
    for name in ("redshift", "log_stellar_mass"):
        column = getattr(PRIOR.from_cdf(ladder(name)), name)
        shares[:, NAMES.index(name)] = share_of(given[name], column)
    return PRIOR.from_cdf(shares)


def ladder(name: str, n: int = 200_001) -> torch.Tensor:
    """Return shares that rise from 0 to 1 for one parameter."""
    shares = torch.full((n, len(NAMES)), 0.5, dtype=torch.float64)
    shares[:, NAMES.index(name)] = torch.linspace(1e-9, 1 - 1e-9, n, dtype=torch.float64)
    return shares


def share_of(value: float, column: torch.Tensor) -> float:
    """Return the share below a value in a rising column of quantiles."""
    right = int(torch.searchsorted(column, value))
    low, high = column[right - 1].item(), column[right].item()
    return (right - 1 + (value - low) / (high - low)) / (len(column) - 1)
