"""The probability that a galaxy is observed, which turns the prior of all galaxies into the fit's.

    prior of observed galaxies = p(theta) P(pass | theta) S(theta) / constant

P(pass | theta) is that of the catalogue's cuts (``surveys/passing.py``), S its smooth faint
limits (``surveys/selection.py``), both at noiseless fluxes.  The loss and the prior
drawn for comparison share this function, so that they are the same prior.
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from popsed_core.config.fit import SelectionConfig
from popsed_core.photometry.forward import ForwardModel
from popsed_core.photometry.noise import MIN_MAGGIES
from popsed_core.surveys.catalogue import Catalogue
from popsed_core.surveys.passing import log_pass
from popsed_core.surveys.selection import Selection


class Observability(nn.Module):
    """log P(observed | noiseless fluxes), up to a constant; 0 where no selection is configured."""

    def __init__(
        self, catalogue: Catalogue, forward: ForwardModel, config: SelectionConfig | None
    ) -> None:
        """Read the faint limits.

        Args:
            catalogue: the observed galaxies.
            forward: the survey's noise, which includes the cuts, and the model's errors.
            config: of the faint limits; None: the prior is that of all galaxies (the paper).
        """
        super().__init__()
        self.noise = forward.noise
        self.selection = None if config is None else Selection(catalogue, config)
        variance = forward.model_error**2 + forward.colour_error.diagonal()
        self.register_buffer("model_error", variance.sqrt())

    def forward(self, maggies: Float[Tensor, "galaxy band"]) -> Float[Tensor, "galaxy"]:
        """Return the log probability [nat], at most 0; ``maggies`` are noiseless fluxes."""
        if self.selection is None:
            return maggies.new_zeros(len(maggies))
        # ASSUME: at the survey's own zero points; the prior's constant would have to follow those
        # that are fitted
        mag = -2.5 * torch.log10(maggies.clamp(min=MIN_MAGGIES))
        return self.selection(mag) + log_pass(self.noise, maggies, self.model_error)
