"""The forward model of the survey: physical parameters to observed magnitudes."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from popsed_core.constants import MAG_PER_LN
from popsed_core.photometry.noise import MIN_MAGGIES, NoiseModel
from popsed_core.runtime import Draws, normal_like
from popsed_core.theta import Theta


class ForwardModel(nn.Module):
    """theta -> exact (or emulated) fluxes -> model error -> survey noise -> AB magnitudes.

    Zero points [mag] are added to every band: by how much the survey's calibration and the spectra
    disagree.  They may be fitted with the flow.
    """

    def __init__(self, photometry: nn.Module, noise: NoiseModel, model_error: float) -> None:
        """Combine the parts.

        Args:
            photometry: callable theta -> maggies (galaxy, band), differentiable.
            noise: the survey's noise.
            model_error: scatter by which the model itself errs, per band [mag].
        """
        super().__init__()
        self.photometry = photometry
        self.noise = noise
        self.model_error = model_error

    def without_noise(self, theta: Theta) -> Float[Tensor, "galaxy band"]:
        """Return magnitudes without errors, at the survey's own zero points [mag]."""
        return -2.5 * torch.log10(self.photometry(theta).clamp(min=MIN_MAGGIES))

    def forward(
        self,
        theta: Theta,
        draws: Draws,
        reduction: float = 1.0,
        zero_points: Float[Tensor, "band"] | Float[Tensor, "galaxy band"] | None = None,
    ) -> Float[Tensor, "galaxy band"]:
        """Return noisy magnitudes [mag].

        Args:
            theta: physical parameters.
            draws: CPU streams for the noise.
            reduction: the factor R by which noise and model error are reduced (annealing).
            zero_points: of all galaxies or of each [mag]; none: 0.
        """
        noisy, _ = self.observe(self.photometry(theta), draws, reduction, zero_points)
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
            maggies = maggies * torch.exp(-zero_points / MAG_PER_LN)
        if self.model_error > 0:
            draw = normal_like(maggies, draws)
            maggies = maggies * torch.exp(self.model_error / reduction / MAG_PER_LN * draw)
        return self.noise.observe(maggies, draws, reduction)
