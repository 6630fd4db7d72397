"""The noise model: noisy fluxes of galaxies that pass the survey's cuts.

Per band, a Gaussian quantity given the magnitude (``noise_forms.py``), from a table.  The paper
redraws noise until the flux is positive; that is a truncated normal, drawn here in one go:
flux + sigma x with x = -ndtri(V ndtr(flux / sigma)), V uniform in (0, 1).

A catalogue that is cut in SNR or magnitude holds only galaxies whose *noisy* fluxes pass, so ours
truncates there instead of at zero, x > bound - flux / sigma: the noise of galaxies that the survey
kept.  No draw is wasted, and none falls where the catalogue cannot have galaxies.
"""

import math
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from popsed_core.files.artefacts import array, check_axes
from popsed_core.photometry.noise_forms import FORMS, MIN_MAGGIES
from popsed_core.running.runtime import Draws, normal_like, uniform_like

UNIFORM_EDGE = 2.0**-24  # keeps a float32 uniform inside (0, 1)
# [sigma] ASSUME: a galaxy further below a cut than this stays below it; otherwise the loss could
# not depend on how far below it is
MAX_LIFT = 5.0
NORMAL = math.sqrt(2 * math.pi)  # of the normal density
LN_10 = math.log(10)


@dataclass(frozen=True)
class NoiseTable:
    """Median and scatter of the noise quantity on a uniform magnitude grid per band.

    Attributes:
        mag: node magnitudes, uniform steps; one more at either end than bins, so that the line
            through the two last nodes is the extrapolation [mag].
        median: of the quantity at each node; unit by form.
        scatter: standard deviation of the quantity at each node.
        mag_range: edges of the bins with enough galaxies (band, 2); beyond is extrapolation.
        bands: band names.
        form: a name of ``noise_forms.FORMS``.
        source: ``real``, ``mock`` or ``toy``.
        min_snr: least ratio of noisy flux to its error; 0: only positive.
        max_mag: faint limit in each band, infinite for no limit; empty: none [mag].
    """

    mag: np.ndarray = array("mag(AB)", "band", "node")
    median: np.ndarray = array("by form", "band", "node")
    scatter: np.ndarray = array("by form", "band", "node")
    mag_range: np.ndarray = array("mag(AB)", "band", "end")
    bands: tuple[str, ...] = ()
    form: str = ""
    source: str = "real"
    min_snr: float = 0.0
    max_mag: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        check_axes(self)


class NoiseModel(nn.Module):
    """Adds noise to fluxes; differentiable in the flux."""

    def __init__(self, table: NoiseTable) -> None:
        super().__init__()
        self.form, self.min_snr = FORMS[table.form], table.min_snr
        self.is_cut = table.min_snr > 0 or bool(table.max_mag)
        tables = {
            "first": table.mag[:, 0],
            "step": table.mag[:, 1] - table.mag[:, 0],
            "median": table.median,
            "scatter": table.scatter,
            "least": 10 ** (-0.4 * np.array(table.max_mag or [np.inf] * len(table.bands))),
        }
        for name, values in tables.items():
            self.register_buffer(name, torch.as_tensor(values), persistent=False)

    def sigma(
        self, maggies: Float[Tensor, "galaxy band"], draw: Float[Tensor, "galaxy band"]
    ) -> Float[Tensor, "galaxy band"]:
        """Return the flux error [maggies]: median where ``draw`` is 0, 1 sigma up where it is 1.

        Beyond the tables, the line through the last two nodes; the scatter is held at its ends.
        """
        cell, share = self._cell(maggies)
        value = _between(self.median, cell, share)
        value = value + draw * _between(self.scatter, cell, share.clamp(0, 1))
        return self.form.sigma(value, maggies)

    def _cell(self, maggies: Float[Tensor, "galaxy band"]) -> tuple[Tensor, Tensor]:
        """Return the interval of nodes that each flux is in, or nearest to, and where in it."""
        mag = -2.5 * torch.log10(maggies.clamp(min=MIN_MAGGIES))
        position = (mag - self.first) / self.step
        cell = position.detach().floor().long().clamp(0, self.median.shape[1] - 2)
        return cell, position - cell

    def forward(
        self, maggies: Float[Tensor, "galaxy band"], draws: Draws, reduction: float
    ) -> Float[Tensor, "galaxy band"]:
        """Return noisy fluxes that pass the cuts [maggies]; arguments as for :meth:`observe`."""
        return self.observe(maggies, draws, reduction)[0]

    def observe(
        self, maggies: Float[Tensor, "galaxy band"], draws: Draws, reduction: float
    ) -> tuple[Float[Tensor, "galaxy band"], Float[Tensor, "galaxy band"]]:
        """Return noisy fluxes that pass the cuts, and the errors they were drawn with [maggies].

        Args:
            maggies: noiseless fluxes.
            draws: CPU streams.
            reduction: the factor R by which noise is reduced (annealing); 1 is the full noise.
        """
        draw, uniform = normal_like(maggies, draws), uniform_like(maggies, draws)
        draw = draw + self.typical_draw(maggies, reduction)
        sigma = self.sigma(maggies, draw) / reduction
        bound = (self.least / sigma).clamp(min=self.min_snr)
        noisy = maggies + sigma * passing_normal(maggies / sigma, uniform, bound)
        return noisy.clamp(min=MIN_MAGGIES), sigma

    def typical_draw(
        self, maggies: Float[Tensor, "galaxy band"], reduction: float = 1.0
    ) -> Float[Tensor, "galaxy band"]:
        """Return by how many sigma the errors of galaxies that pass differ from those of all.

        0 where there is no cut; the scatter about it is that of all galaxies.  A normal times
        P(pass) is, to first order in its logarithm, a normal moved by
        d ln P / d draw = - phi / Phi(snr - bound) times d (snr - bound) / d draw.
        """
        if not self.is_cut:
            return torch.zeros_like(maggies)
        cell, share = self._cell(maggies)
        scatter = _between(self.scatter, cell, share.clamp(0, 1))
        sigma = self.sigma(maggies, torch.zeros_like(maggies)) / reduction
        snr, limit = maggies / sigma, self.least / sigma
        is_limited = limit > self.min_snr
        reach = (snr - limit.clamp(min=self.min_snr)).clamp(min=-MAX_LIFT)
        hazard = torch.exp(-0.5 * reach.square() - torch.special.log_ndtr(reach)) / NORMAL
        return -hazard * torch.where(is_limited, reach, snr) * scatter * LN_10


def passing_normal(
    snr: Float[Tensor, "galaxy band"],
    uniform: Float[Tensor, "galaxy band"],
    bound: Float[Tensor, "galaxy band"],
) -> Float[Tensor, "galaxy band"]:
    """Return x ~ N(0, 1) conditioned on snr + x > bound, as a smooth map of a uniform draw.

    For a galaxy more than ``MAX_LIFT`` below the bound the condition is x > ``MAX_LIFT``.
    """
    reach = (snr - bound).clamp(min=-MAX_LIFT)
    upper = uniform.clamp(UNIFORM_EDGE, 1 - UNIFORM_EDGE) * torch.special.ndtr(reach)
    return -torch.special.ndtri(upper.clamp(max=1 - UNIFORM_EDGE))


def _between(table: Tensor, cell: Tensor, share: Tensor) -> Tensor:
    band = torch.arange(table.shape[0], device=table.device)
    low, high = table[band, cell], table[band, cell + 1]
    return low + share * (high - low)
