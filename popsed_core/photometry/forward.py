"""The forward model of the survey: physical parameters to observed magnitudes."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from popsed_core.constants import MAG_PER_LN
from popsed_core.photometry.noise import MIN_MAGGIES, NoiseModel
from popsed_core.running.runtime import Draws, normal_like
from popsed_core.theta import Theta


class ForwardModel(nn.Module):
    """theta -> exact (or emulated) fluxes -> model error -> survey noise -> AB magnitudes.

    Zero points [mag] are added to every band: the difference between survey calibration and
    spectra.  They may be fitted with the flow.
    """

    colour_error: Tensor

    def __init__(
        self,
        photometry: nn.Module,
        noise: NoiseModel,
        model_error: float,
        colour_error: Float[Tensor, "band band"] | None = None,
    ) -> None:
        """Combine the parts.

        Args:
            photometry: callable theta -> maggies (galaxy, band), differentiable.
            noise: the survey's noise.
            model_error: scatter of the errors of the model itself, per band [mag].
            colour_error: additional covariance of the model's errors shared by bands; None: 0
                [mag^2].
        """
        super().__init__()
        self.photometry = photometry
        self.noise = noise
        self.model_error = model_error
        n_bands = len(noise.first)
        none = torch.zeros(n_bands, n_bands)
        self.register_buffer("colour_error", none if colour_error is None else colour_error)
        self.has_colour_error = colour_error is not None and bool(colour_error.any())

    @property
    def has_nebular(self) -> bool:
        """Whether some of the light is nebular, so that f_lost matters."""
        return bool(getattr(self.photometry, "has_nebular", False))

    def fluxes(
        self, theta: Theta, f_lost: Float[Tensor, ""] | Float[Tensor, "galaxy"] | None = None
    ) -> Float[Tensor, "galaxy band"]:
        """Return true fluxes at the survey's own zero points [maggies].

        Args:
            theta: physical parameters.
            f_lost: share of ionising photons lost, one for all galaxies or one each; None: 0.
        """
        return self.photometry(theta) if f_lost is None else self.photometry(theta, f_lost)

    def forward(
        self,
        theta: Theta,
        draws: Draws,
        reduction: float = 1.0,
        zero_points: Float[Tensor, "band"] | Float[Tensor, "galaxy band"] | None = None,
        f_lost: Float[Tensor, ""] | Float[Tensor, "galaxy"] | None = None,
    ) -> Float[Tensor, "galaxy band"]:
        """Return noisy magnitudes [mag].

        Args:
            theta: physical parameters.
            draws: CPU streams for the noise.
            reduction: the factor R by which noise and model error are reduced (annealing).
            zero_points: for all galaxies or for each [mag]; None: 0.
            f_lost: as for :meth:`fluxes`.
        """
        noisy, _ = self.observe(self.fluxes(theta, f_lost), draws, reduction, zero_points)
        return -2.5 * torch.log10(noisy.clamp(min=MIN_MAGGIES))

    def observe(
        self,
        maggies: Float[Tensor, "galaxy band"],
        draws: Draws,
        reduction: float = 1.0,
        zero_points: Float[Tensor, "band"] | Float[Tensor, "galaxy band"] | None = None,
    ) -> tuple[Float[Tensor, "galaxy band"], Float[Tensor, "galaxy band"]]:
        """Return noisy fluxes and the errors that they were drawn with [maggies].

        Args:
            maggies: fluxes of the model; the other arguments are those of :meth:`forward`.
            draws: CPU streams for the noise.
            reduction: as there.
            zero_points: as there [mag].
        """
        if zero_points is not None:
            maggies = calibrated(maggies, zero_points)
        if self.model_error > 0:
            draw = normal_like(maggies, draws)
            maggies = maggies * torch.exp(self.model_error / reduction / MAG_PER_LN * draw)
        if self.has_colour_error:
            draw = normal_like(maggies, draws) @ _root(self.colour_error).to(maggies)
            maggies = maggies * torch.exp(draw / reduction / MAG_PER_LN)
        return self.noise.observe(maggies, draws, reduction)


def calibrated(
    maggies: Float[Tensor, "galaxy band"],
    zero_points: Float[Tensor, "band"] | Float[Tensor, "galaxy band"],
) -> Float[Tensor, "galaxy band"]:
    """Return fluxes at other zero points, which are added to the magnitudes [mag]."""
    return maggies * torch.exp(-zero_points / MAG_PER_LN)


def _root(covariance: Float[Tensor, "band band"]) -> Float[Tensor, "band band"]:
    """Return the symmetric square root of a covariance."""
    variance, axes = torch.linalg.eigh(covariance)
    return (axes * variance.clamp(min=0).sqrt()) @ axes.T
