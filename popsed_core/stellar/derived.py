"""Quantities derived from the parameters: star-formation rate, age, surviving mass."""

import torch
from jaxtyping import Float
from torch import Tensor

from popsed_core.stellar.burst import Burst
from popsed_core.stellar.sfh import Histories
from popsed_core.theta import Theta

SFR_WINDOW = 0.1  # [Gyr] over which the paper averages the star-formation rate
MIN_SFR_SHARE = 1e-6  # share of the mass formed in the window below which log SFR is floored


def derived_quantities(
    theta: Theta,
    fractions: Float[Tensor, "galaxy 4"],
    age: Float[Tensor, "galaxy"],
    burst: Burst,
    surviving: Float[Tensor, "galaxy 2"],
    histories: Histories,
) -> Float[Tensor, "galaxy 5"]:
    """Return the columns of ``parameters.DERIVED``.

    Args:
        theta: physical parameters.
        fractions: beta of the SFH bases.
        age: of the galaxy [Gyr].
        burst: the burst as the spectra see it.
        surviving: surviving mass per formed mass, by the SSP table and by Hearin et al. 2021.
        histories: cumulative integrals of the bases.
    """
    window = torch.full_like(age, SFR_WINDOW)
    total = (fractions * histories.cumulative(age)[0]).sum(1)
    recent = (fractions * histories.cumulative(window)[0]).sum(1) / total
    is_recent = (burst.age < SFR_WINDOW).to(age.dtype)
    share = burst.smooth_share * recent + burst.share * is_recent
    log_sfr = theta.log_stellar_mass + torch.log10(share.clamp(min=MIN_SFR_SHARE))
    log_sfr = log_sfr - torch.log10(window * 1e9)
    mean_age = (fractions * histories.time_moment(age)).sum(1) / total
    formed = burst.smooth_share + burst.share
    weighted_age = (burst.smooth_share * mean_age + burst.share * burst.age) / formed
    masses = theta.log_stellar_mass[:, None] + torch.log10(surviving)
    return torch.stack([log_sfr, weighted_age, *masses.unbind(1), burst.age], dim=1)
