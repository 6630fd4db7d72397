"""The network of one wavelength segment: theta's features to principal components to log L_nu.

Hidden layers have the trainable activation of Alsing et al. 2020,
a(x) = [gamma + (1 - gamma) sigmoid(beta x)] x, with gamma and beta per unit.
"""

import itertools
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

GAMMA_START = 0.1  # [-] share of the linear part before training
BETA_START = 1.0  # [-] steepness before training
LAST_SCALE = 0.1  # of the last layer's first weights, so that training starts near the mean


class _Activation(torch.autograd.Function):
    """The activation with its derivative by hand: half the memory traffic of autograd's."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, gamma: Tensor, beta: Tensor) -> Tensor:
        gate = torch.sigmoid(beta * x)
        ctx.save_for_backward(x, gamma, beta, gate)
        return (gamma + (1 - gamma) * gate) * x

    @staticmethod
    def backward(ctx: Any, out: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        x, gamma, beta, gate = ctx.saved_tensors
        by_x = out * x
        steep = by_x * gate * (1 - gate)
        to_x = out * (gamma + (1 - gamma) * gate) + steep * ((1 - gamma) * beta)
        to_gamma = (by_x * (1 - gate)).sum(0)
        return to_x, to_gamma, (steep * x).sum(0) * (1 - gamma)


class TrainableActivation(nn.Module):
    """a(x) = [gamma + (1 - gamma) sigmoid(beta x)] x."""

    def __init__(self, n_units: int) -> None:
        super().__init__()
        self.gamma = nn.Parameter(torch.full((n_units,), GAMMA_START))
        self.beta = nn.Parameter(torch.full((n_units,), BETA_START))

    def forward(self, x: Float[Tensor, "galaxy unit"]) -> Float[Tensor, "galaxy unit"]:
        """Return the activation of each unit."""
        return _Activation.apply(x, self.gamma, self.beta)


class SegmentNetwork(nn.Module):
    """Features to principal components in units of their own scatter, and those to log L_nu.

    Buffers: ``input_mean`` and ``input_scale``; ``mean`` and ``components`` of log L_nu behind or
    after the screen [dex]; ``sigma``, the scatter of each component over the prior [dex].
    """

    def __init__(
        self, n_inputs: int, n_components: int, n_pixels: int, n_hidden: int, n_layers: int
    ) -> None:
        super().__init__()
        sizes = [n_inputs, *[n_hidden] * (n_layers - 1)]
        layers: list[nn.Module] = []
        for size, following in itertools.pairwise(sizes):
            layers += [nn.Linear(size, following), TrainableActivation(following)]
        self.layers = nn.Sequential(*layers, nn.Linear(sizes[-1], n_components))
        for name, shape in {
            "input_mean": (n_inputs,),
            "input_scale": (n_inputs,),
            "mean": (n_pixels,),
            "sigma": (n_components,),
            "components": (n_components, n_pixels),
        }.items():
            self.register_buffer(name, torch.ones(shape))

    def initialise(self, generator: torch.Generator) -> None:
        """Draw the first weights (Glorot & Bengio 2010) from a named stream."""
        linear = [layer for layer in self.layers if isinstance(layer, nn.Linear)]
        for layer in linear:
            nn.init.xavier_normal_(layer.weight, generator=generator)
            nn.init.zeros_(layer.bias)
        with torch.no_grad():
            linear[-1].weight.mul_(LAST_SCALE)

    def scores(self, inputs: Float[Tensor, "galaxy input"]) -> Float[Tensor, "galaxy component"]:
        """Return the predicted components in units of ``sigma``."""
        return self.layers((inputs - self.input_mean) / self.input_scale)

    def targets(self, log_lnu: Float[Tensor, "galaxy pixel"]) -> Float[Tensor, "galaxy component"]:
        """Return the components of spectra in units of ``sigma``: what scores should be."""
        return (log_lnu - self.mean) @ self.components.T / self.sigma

    def forward(self, inputs: Float[Tensor, "galaxy input"]) -> Float[Tensor, "galaxy pixel"]:
        """Return log10 L_nu [dex], relative to the unit of the training spectra."""
        return self.mean + (self.scores(inputs) * self.sigma) @ self.components
