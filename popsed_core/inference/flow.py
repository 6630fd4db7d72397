"""The population as a neural spline coupling flow (Durkan et al. 2019).

u = T(x) with x standard normal: the generative direction is the transform's forward pass, so a
draw and its log density cost one evaluation: log q(u) = log N(x) - log|det du/dx|.
Blocks of [rational-quadratic coupling, LU linear] start as the identity, so that q starts
uniform over the box through the Gaussian CDF, but for each member's small random shift.
"""

import math
from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.func import functional_call, vmap

from popsed_core.config.fit import FlowConfig
from popsed_core.inference.coupling import Chain, LULinear, SplineCoupling
from popsed_core.running.runtime import to_device


class PopulationFlow(nn.Module):
    """A density over unconstrained u from which drawing is differentiable."""

    def __init__(self, n_features: int, config: FlowConfig) -> None:
        super().__init__()
        if n_features < 2:
            raise ValueError(f"n_features: got {n_features}, a coupling flow expects at least 2")
        self.n_features = n_features
        layers = [
            layer
            for block in range(config.n_blocks)
            for layer in (_coupling(n_features, block, config), LULinear(n_features))
        ]
        self.transform = Chain(layers)

    @classmethod
    def build(
        cls, n_features: int, config: FlowConfig, generator: torch.Generator
    ) -> "PopulationFlow":
        """Make a flow whose initial weights and shift come from ``generator`` alone.

        torch's global stream is left as it was found.

        Args:
            n_features: dimensions of u.
            config: sizes, and the width of the random shift of the start.
            generator: CPU stream.
        """
        seed = int(torch.randint(2**62, (), generator=generator))
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(seed)
            flow = cls(n_features, config)
        shift = config.start_jitter * torch.randn(n_features, generator=generator)
        with torch.no_grad():
            flow.transform.layers[-1].bias.copy_(shift)
        return flow

    def sample(
        self, n: int, generator: torch.Generator
    ) -> tuple[Float[Tensor, "sample feature"], Float[Tensor, "sample"]]:
        """Draw n values of u and their log density, differentiable in the weights.

        Args:
            n: number of draws.
            generator: CPU stream of the base draws: the same numbers on any device.
        """
        return self.push(self.draw_base(n, generator))

    def draw_base(self, n: int, generator: torch.Generator) -> Float[Tensor, "sample feature"]:
        """Draw standard normal x, which :meth:`push` maps to u; many may be mapped in parts."""
        weight = next(self.parameters())
        base = torch.randn(n, self.n_features, generator=generator)
        return to_device(base, weight.device).to(weight.dtype)

    def push(
        self, base: Float[Tensor, "sample feature"]
    ) -> tuple[Float[Tensor, "sample feature"], Float[Tensor, "sample"]]:
        """Map base draws x to u and return log q(u) with it."""
        u, log_volume = self.transform(base)
        return u, log_normal(base) - log_volume

    def log_prob(self, u: Float[Tensor, "sample feature"]) -> Float[Tensor, "sample"]:
        """Return log q(u) by inverting the flow; for diagnostics, slower than sampling."""
        base, log_volume = self.transform.inverse(u)
        return log_normal(base) + log_volume


def push_together(
    flows: Sequence[PopulationFlow], base: Sequence[Float[Tensor, "sample feature"]]
) -> tuple[Float[Tensor, "row feature"], Float[Tensor, "row"]]:
    """Map base draws of several flows of one shape at once, one flow's after the other's.

    Args:
        flows: the flows.
        base: as many draws for each.

    Returns:
        u and log q(u), as :meth:`PopulationFlow.push`; gradients go to each flow's own weights.
    """
    if len(flows) == 1:
        return flows[0].push(base[0])
    transform = flows[0].transform
    weights = [dict(flow.transform.named_parameters()) for flow in flows]
    stacked = {name: torch.stack([each[name] for each in weights]) for name in weights[0]}

    def push_one(own: dict[str, Tensor], x: Tensor) -> tuple[Tensor, Tensor]:
        return functional_call(transform, own, (x,))

    x = torch.stack(tuple(base))
    u, log_volume = vmap(push_one)(stacked, x)
    return u.flatten(0, 1), log_normal(x.flatten(0, 1)) - log_volume.flatten()


def log_normal(x: Float[Tensor, "sample feature"]) -> Float[Tensor, "sample"]:
    """Return the log density of the standard normal."""
    return -0.5 * (x.square() + math.log(2 * math.pi)).sum(1)


def _coupling(n_features: int, block: int, config: FlowConfig) -> SplineCoupling:
    """Return a layer that moves every other feature; blocks take turns."""
    return SplineCoupling(
        torch.arange(n_features) % 2 == block % 2,
        n_bins=config.n_bins,
        bound=config.tail_bound,
        n_hidden=config.n_hidden,
        n_layers=config.n_layers,
    )
