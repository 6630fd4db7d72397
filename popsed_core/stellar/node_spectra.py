"""From mass on the nodes of an SSP table to spectra: a linear map, optionally factorised."""

from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from popsed_core.stellar.low_rank import factorise

TABLE_TOLERANCE = 1e-4  # rms relative error of the factorised SSP table; costs < 0.01 mmag
NO_LINES = np.empty(0)
Lost = Float[Tensor, ""] | Float[Tensor, "galaxy"]  # share of ionising photons, of all or of each


class NodeTable(NamedTuple):
    """Spectra of nodes, and the tolerance of their factorisation.

    Attributes:
        flux: (metallicity, age, pixel).
        tolerance: root-mean-square relative error of the factorised table; None: the plain one.
        like: what errors are relative to; None: ``flux``.
        is_gas: whether it is fainter if ionising photons are lost.
    """

    flux: np.ndarray
    tolerance: float | None
    like: np.ndarray | None = None
    is_gas: bool = False


class NodeSpectra(nn.Module):
    """The linear map from weights on (metallicity, age) nodes to spectra; tables are added."""

    def __init__(self, *tables: NodeTable, n_pixels: int) -> None:
        """Factorise the tables.

        Args:
            tables: on the same nodes; a table of fewer pixels is dark in the last ones.
            n_pixels: of the spectra.
        """
        super().__init__()
        factors = [_factors(table, n_pixels) for table in tables]
        basis = np.concatenate([basis for basis, _ in factors], axis=2)
        ranks = [len(pixels) for _, pixels in factors]
        parts = {
            "basis": basis.reshape(len(basis), -1),
            "pixels": np.concatenate([pixels for _, pixels in factors]),
            "is_gas": np.repeat([float(table.is_gas) for table in tables], ranks),
        }
        self.shape = basis.shape[1:]
        for name, part in parts.items():
            self.register_buffer(name, torch.as_tensor(part), persistent=False)

    def forward(
        self,
        ages: Float[Tensor, "galaxy node"],
        metals: Float[Tensor, "galaxy metallicity"],
        f_lost: Lost | None = None,
    ) -> Float[Tensor, "galaxy pixel"]:
        """Return the sum over nodes of age weight x metallicity weight x SSP spectrum."""
        per_metal = (ages @ self.basis).unflatten(1, self.shape)
        shares = (metals[:, None, :] @ per_metal)[:, 0]
        if f_lost is not None:
            shares = shares * (1 - f_lost[..., None] * self.is_gas)
        return shares @ self.pixels


def _factors(table: NodeTable, n_pixels: int) -> tuple[np.ndarray, np.ndarray]:
    """Return a basis (age, metallicity, rank) and its spectra (rank, pixel)."""
    n_metallicities, n_ages, n_own = table.flux.shape
    like = None if table.like is None else table.like.reshape(-1, n_own)
    basis, pixels = factorise(table.flux.reshape(-1, n_own), table.tolerance, like)
    basis = basis.reshape(n_metallicities, n_ages, -1).transpose(1, 0, 2)
    return basis, np.pad(pixels, ((0, 0), (0, n_pixels - n_own)))
