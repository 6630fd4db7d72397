"""The forward model of the survey: physical parameters to observed magnitudes."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from popsed_core.constants import MAG_PER_LN
from popsed_core.photometry.noise import MIN_MAGGIES, NoiseModel
from popsed_core.theta import Theta


class ForwardModel(nn.Module):
    """theta -> exact (or emulated) fluxes -> model error -> survey noise -> AB magnitudes.

    ``zero_points`` [mag] are added to every band: by how much the survey's calibration and the
    spectra disagree.  They start at zero and may be fitted with the flow.
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
        self.zero_points = nn.Parameter(torch.zeros(len(noise.first)))
        self.model_error = model_error

    def without_noise(self, theta: Theta) -> Float[Tensor, "galaxy band"]:
        """Return magnitudes without errors, at the survey's own zero points [mag]."""
        return -2.5 * torch.log10(self.photometry(theta).clamp(min=MIN_MAGGIES))

    def forward(
        self, theta: Theta, generator: torch.Generator, reduction: float = 1.0
    ) -> Float[Tensor, "galaxy band"]:
        """Return noisy magnitudes [mag].

        Args:
            theta: physical parameters.
            generator: a CPU stream for the noise.
            reduction: the factor R by which noise and model error are reduced (annealing).
        """
        maggies = self.photometry(theta) * torch.exp(-self.zero_points / MAG_PER_LN)
        if self.model_error > 0:
            draw = torch.randn(tuple(maggies.shape), generator=generator).to(maggies)
            maggies = maggies * torch.exp(self.model_error / reduction / MAG_PER_LN * draw)
        noisy = self.noise(maggies, generator, reduction)
        return -2.5 * torch.log10(noisy.clamp(min=MIN_MAGGIES))
